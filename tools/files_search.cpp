// grep_file: the lines of a file, or of all files in a folder, that match a regular expression.
#include "tools/files.hpp"
#include "tools/text.hpp"
#include "tools/text_encoding.hpp"

#include <re2/re2.h>

#include <chrono>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_search_pattern = 1'000;
constexpr std::size_t max_matches = 200;
constexpr std::size_t max_match_bytes = 400;
constexpr std::size_t max_searched_bytes = 16'384;  ///< of one line
constexpr int max_program_size = 2'000;             ///< instructions of RE2
constexpr std::size_t max_searched_files = 2'000;
constexpr std::uint64_t max_total_bytes = 64 << 20;
constexpr std::chrono::seconds max_time{10};

/// RE2 and not <regex>: the pattern comes from a model, and RE2 needs neither exponential time nor a deep stack for any. Its
/// worst case is size of the pattern times size of the text, so both are bounded, and every line looks at the clock and at
/// `cancelled`.
class search {
 public:
  search(const RE2& expression, const tool_context& context) : expression_(expression), context_(context) {}

  /// False: it takes too long or has been given up.
  bool in(std::string_view content, const std::string& before_number) {
    std::size_t number = 0;
    for (auto rest = content; !rest.empty();) {
      auto end = rest.find('\n');
      auto line = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      ++number;
      if (must_stop()) return false;
      if (line.ends_with('\r')) line.remove_suffix(1);
      auto searched = cut_text(line, max_searched_bytes);
      has_long_lines_ = has_long_lines_ || searched.size() < line.size();
      if (!RE2::PartialMatch({searched.data(), searched.size()}, expression_) || ++matches_ > max_matches) continue;
      auto shown = cut_text(line, max_match_bytes);
      out_ += before_number + std::to_string(number) + ": " + std::string(shown) + (shown.size() < line.size() ? "…\n" : "\n");
    }
    return true;
  }

  [[nodiscard]] bool is_cancelled() const { return context_.cancelled && *context_.cancelled; }
  /// Beyond the matches that are shown there is no need to count on through a folder.
  [[nodiscard]] bool is_full() const noexcept { return matches_ > max_matches; }

  std::string finish(const std::string& remarks) {
    auto out = matches_ == 0 ? "No line matches.\n" : std::move(out_);
    if (is_full()) out += "… and " + std::to_string(matches_ - max_matches) + " more matching lines.\n";
    if (has_long_lines_)
      out += "Of long lines only the first " + std::to_string(max_searched_bytes) + " bytes were searched.\n";
    if (is_late_) out += "The search was ended after " + std::to_string(max_time.count()) + " s; search less at once.\n";
    return out + remarks;
  }

 private:
  bool must_stop() {
    is_late_ = is_late_ || std::chrono::steady_clock::now() > end_;
    return is_late_ || is_cancelled();
  }

  const RE2& expression_;
  const tool_context& context_;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + max_time;
  std::string out_;
  std::size_t matches_ = 0;
  bool has_long_lines_ = false;
  bool is_late_ = false;
};

core::result<std::string> search_folder(const workspace& folder, std::string_view path, search& one) {
  std::size_t files = 0, skipped = 0;
  std::uint64_t bytes = 0;
  bool is_cut = false;
  auto walked = folder.walk(path, [&](const std::string& name, const folder_entry& entry) {
    if (one.is_cancelled()) return false;
    if (entry.kind != entry_kind::file) return true;
    if (files == max_searched_files || bytes + std::min<std::uint64_t>(entry.size, max_file_bytes) > max_total_bytes ||
        one.is_full()) {
      is_cut = true;
      return false;
    }
    ++files;
    // Names that no tool could be told are left out with the rest: read() refuses them.
    auto content = folder.read(name);
    if (content) bytes += content->size();
    auto decoded = content ? decode_text(*content) : std::nullopt;
    if (!decoded) {
      ++skipped;
      return true;
    }
    return one.in(decoded->text, name + ":");
  });
  if (!walked) return walked.error();
  std::string remarks;
  if (skipped > 0) remarks += std::to_string(skipped) + " files were not searched: not text, too large, or not to be opened.\n";
  if (is_cut || !*walked)
    remarks += "The search ended after " + std::to_string(files) + " files; search a smaller folder for the rest.\n";
  return one.finish(remarks);
}

}  // namespace

core::result<std::string> grep_file(const workspace& folder, const json::object& arguments, const tool_context& context) {
  auto pattern = text_of(arguments, "pattern");
  if (pattern.size() > max_search_pattern)
    return error{errc::validation_error, "the pattern is longer than " + std::to_string(max_search_pattern) + " bytes"};
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  RE2 expression({pattern.data(), pattern.size()}, options);
  if (!expression.ok())
    return error{
        errc::validation_error,
        "the pattern is not a regular expression (RE2 syntax, no look-around or back-references): " + expression.error()};
  if (expression.ProgramSize() > max_program_size)
    return error{errc::validation_error, "the pattern is too complex; use smaller repetition counts"};
  auto path = text_of(arguments, "file");
  auto kind = folder.look(path);
  if (!kind) return kind.error();
  search one(expression, context);
  core::result<std::string> out;
  if (*kind == entry_kind::folder) {
    out = search_folder(folder, path, one);
  } else {
    auto content = folder.read(path);
    if (!content) return content.error();
    auto decoded = decode_text(*content);
    if (!decoded) return not_text(path, *content);
    (void)one.in(decoded->text, {});
    out = one.finish({});
  }
  if (one.is_cancelled()) return error{errc::cancelled, "the search was stopped"};
  return out;
}

}  // namespace troupe::tools

// The file tools: what a model may do inside its session's workspace. The rules of paths are in workspace.hpp.
#include "tools/builtin.hpp"
#include "tools/text.hpp"
#include "tools/workspace.hpp"

#include <boost/json/serialize.hpp>

#include <re2/re2.h>

namespace troupe::tools {

namespace json = boost::json;

namespace {

constexpr std::size_t max_pattern_bytes = 1'000;
constexpr std::size_t max_matches = 200;
constexpr std::size_t max_match_bytes = 400;
constexpr std::size_t max_searched_bytes = 16'384;  ///< of one line
constexpr int max_program_size = 2'000;             ///< instructions of RE2, so that 1 MiB of text takes seconds at worst

std::string_view text_of(const json::object& arguments, std::string_view name) {
  const auto* value = arguments.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

/// Opens the workspace, calls `act(workspace)`, and turns its error into a failed result.
template <class Act>
tool_result in_workspace(const tool_context& context, Act act) {
  auto folder = workspace::open(context.workspace);
  if (!folder) return {false, folder.error().text};
  core::result<std::string> output = act(*folder);
  if (!output) return {false, output.error().text};
  return {true, std::move(*output)};
}

core::result<std::string> write_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto content = text_of(arguments, "content");
  auto path = folder.write(text_of(arguments, "path"), content);
  if (!path) return path.error();
  return json::serialize(json::object{{"path", *path}, {"size", content.size()}});
}

core::result<std::string> read_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  return folder.read(text_of(arguments, "path"));
}

core::result<std::string> list_files(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto listing = folder.list(text_of(arguments, "path"));
  if (!listing) return listing.error();
  if (listing->entries.empty()) return std::string("The folder is empty.");
  std::string out;
  for (const auto& entry : listing->entries) {
    bool is_clean = is_plain_text(entry.name) && entry.name.find_first_of("\n\r\t") == std::string::npos;
    out += is_clean ? entry.name : quoted(entry.name, 255);
    switch (entry.kind) {
      case entry_kind::file:
        out += " (" + std::to_string(entry.size) + " bytes)";
        break;
      case entry_kind::folder:
        out += '/';
        break;
      case entry_kind::link:
        out += " (symbolic link, not followed)";
        break;
      case entry_kind::other:
        out += " (not a regular file)";
        break;
    }
    out += '\n';
  }
  if (listing->is_cut) out += "… and more; only " + std::to_string(max_listed) + " entries are listed.\n";
  return out;
}

/// RE2 and not <regex>: the pattern comes from a model, and RE2 needs neither exponential time nor a deep stack for
/// any. Its worst case is size of the pattern times size of the text, so both are bounded and every line looks at
/// `cancelled`.
core::result<std::string> grep_file(const workspace& folder, const json::object& arguments, const tool_context& context) {
  auto pattern = text_of(arguments, "pattern");
  if (pattern.size() > max_pattern_bytes)
    return core::error{core::errc::validation_error,
                       "the pattern is longer than " + std::to_string(max_pattern_bytes) + " bytes"};
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  RE2 expression({pattern.data(), pattern.size()}, options);
  if (!expression.ok())
    return core::error{core::errc::validation_error,
                       "the pattern is not a regular expression (RE2 syntax, no look-around or "
                       "back-references): " +
                           expression.error()};
  if (expression.ProgramSize() > max_program_size)
    return core::error{core::errc::validation_error, "the pattern is too complex; use smaller repetition counts"};
  auto content = folder.read(text_of(arguments, "file"));
  if (!content) return content.error();
  std::string out;
  std::size_t matches = 0, number = 0;
  bool is_cut = false;
  for (std::string_view rest = *content; !rest.empty();) {
    auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (context.cancelled && *context.cancelled) return core::error{core::errc::cancelled, "the search was stopped"};
    auto searched = cut_text(line, max_searched_bytes);
    is_cut = is_cut || searched.size() < line.size();
    if (!RE2::PartialMatch({searched.data(), searched.size()}, expression)) continue;
    if (++matches > max_matches) continue;
    auto shown = cut_text(line, max_match_bytes);
    out += std::to_string(number) + ": " + std::string(shown) + (shown.size() < line.size() ? "…\n" : "\n");
  }
  if (matches == 0) out = "No line matches.\n";
  if (matches > max_matches) out += "… and " + std::to_string(matches - max_matches) + " more matching lines.\n";
  if (is_cut) out += "Of long lines only the first " + std::to_string(max_searched_bytes) + " bytes were searched.\n";
  return out;
}

core::result<std::string> delete_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto path = folder.remove(text_of(arguments, "path"));
  if (!path) return path.error();
  return "Deleted " + *path + ".";
}

class file_tool final : public tool {
 public:
  using action = core::result<std::string> (*)(const workspace&, const json::object&, const tool_context&);
  file_tool(tool_spec spec, action act) : spec_(std::move(spec)), act_(act) {}
  const tool_spec& spec() const noexcept override { return spec_; }
  tool_result run(const tool_context& context, const json::object& arguments) const override {
    return in_workspace(context, [&](const workspace& folder) { return act_(folder, arguments, context); });
  }

 private:
  tool_spec spec_;
  action act_;
};

/// An object of strings. `fields` are name and description; from `optional_from` on they may be left out.
std::string strings_schema(std::initializer_list<std::pair<const char*, const char*>> fields, std::size_t optional_from) {
  json::object properties;
  json::array required;
  for (const auto& [name, description] : fields) {
    properties[name] = json::object{{"type", "string"}, {"description", description}};
    if (properties.size() <= optional_from) required.emplace_back(name);
  }
  return json::serialize(
      json::object{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}});
}

}  // namespace

std::vector<std::unique_ptr<tool>> make_file_tools() {
  constexpr auto path = "Relative path inside the workspace, e.g. notes/plan.md";
  using core::approval_policy;
  using core::effect;
  std::vector<std::unique_ptr<tool>> out;
  auto add = [&](tool_spec spec, file_tool::action act) { out.push_back(std::make_unique<file_tool>(std::move(spec), act)); };
  add({.name = "write_file",
       .description = "Writes a text file (at most 1 MiB) in the workspace, replacing what was there; makes its folders.",
       .parameters = strings_schema({{"path", path}, {"content", "The whole new content"}}, 2),
       .effect = effect::idempotent,
       .risk = "medium"},
      write_file);
  add({.name = "read_file",
       .description = "The content of a text file (at most 1 MiB) in the workspace.",
       .parameters = strings_schema({{"path", path}}, 1),
       .effect = effect::read_only},
      read_file);
  add({.name = "list_files",
       .description = "The files and folders in one folder of the workspace, with sizes. Without a path: its top folder.",
       .parameters = strings_schema({{"path", "Relative path of a folder"}}, 0),
       .effect = effect::read_only},
      list_files);
  add({.name = "grep_file",
       .description = "The lines of a text file in the workspace that match a regular expression, with line numbers.",
       .parameters = strings_schema({{"pattern", "Regular expression in RE2 syntax"}, {"file", path}}, 2),
       .effect = effect::read_only},
      grep_file);
  add({.name = "delete_file",
       .description = "Deletes a file of the workspace. It cannot be undone, so a person is asked first.",
       .parameters = strings_schema({{"path", path}}, 1),
       .effect = effect::once,
       .approval = approval_policy::always,
       .risk = "high"},
      delete_file);
  return out;
}

}  // namespace troupe::tools

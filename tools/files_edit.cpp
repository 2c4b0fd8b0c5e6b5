// edit_file: replaces an exact text, and leaves all else of the file as it was, its encoding and line ends too.
#include "tools/files.hpp"
#include "tools/text.hpp"
#include "tools/text_encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_places_told = 10;

/// memmem takes linear time for every text and pattern; std::string::find does not.
std::size_t find_from(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const auto* found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : std::string_view::npos;
}

/// Where `part` begins; `step` characters on from one place begins the search for the next.
std::vector<std::size_t> places_of(std::string_view text, std::string_view part, std::size_t step, std::size_t most) {
  std::vector<std::size_t> out;
  for (auto at = find_from(text, part, 0); at != std::string_view::npos && out.size() < most;
       at = find_from(text, part, at + step))
    out.push_back(at);
  return out;
}

/// The numbers of the lines of the first places.
json::array lines_of(std::string_view text, const std::vector<std::size_t>& places) {
  json::array out;
  std::int64_t line = 1;
  std::size_t from = 0;
  for (auto place : places) {
    if (out.size() == max_places_told) break;
    line +=
        std::count(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(place), '\n');
    from = place;
    out.emplace_back(line);
  }
  return out;
}

std::string listed(const json::array& lines, std::size_t count) {
  std::string out;
  for (const auto& line : lines) out += (out.empty() ? "" : ", ") + std::to_string(line.get_int64());
  return out + (count > lines.size() ? " …" : "");
}

std::string with_line_ends(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    auto at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

/// True where every line ends in CR LF, so that the text can be looked at without the CRs and they can be put back.
bool has_windows_line_ends(std::string_view text) {
  std::size_t lines = 0, marked = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') {
      ++lines;
      if (i > 0 && text[i - 1] == '\r') ++marked;
    }
  return lines > 0 && lines == marked;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

error not_found(std::string_view path, std::string_view text, std::string_view wanted) {
  auto core_text = trimmed(wanted);
  auto near = core_text.empty() ? std::vector<std::size_t>() : places_of(text, core_text, core_text.size(), 1);
  if (!near.empty())
    return {errc::validation_error, quoted(path, 200) + " was not changed: `old` occurs on line " +
                                        listed(lines_of(text, near), 1) +
                                        " but for the blanks or line ends at its ends; give it exactly"};
  return {errc::validation_error,
          quoted(path, 200) +
              " was not changed: `old` does not occur in it; read the file and give the passage exactly "
              "as it is there, without line numbers"};
}

struct edit {
  std::string_view path, wanted, replacement;
  bool all = false;
  json::array lines{};
  std::size_t count = 0, size = 0;

  core::result<std::string> operator()(std::string bytes) {
    auto decoded = decode_text(bytes);
    if (!decoded) return not_text(path, bytes);
    bool is_windows = has_windows_line_ends(decoded->text);
    auto text = is_windows ? with_line_ends(decoded->text, "\r\n", "\n") : std::move(decoded->text);
    auto changed = replaced(text, is_windows ? with_line_ends(wanted, "\r\n", "\n") : std::string(wanted),
                            is_windows ? with_line_ends(replacement, "\r\n", "\n") : std::string(replacement));
    if (!changed) return changed.error();
    auto encoded = encode_text(is_windows ? with_line_ends(*changed, "\n", "\r\n") : *changed, decoded->encoding);
    if (!encoded)
      return error{errc::validation_error, quoted(path, 200) + " was not changed: " + encoded.error().text +
                                               "; leave it out, or write the whole file as UTF-8 with write_file"};
    size = encoded->size();
    return encoded;
  }

  core::result<std::string> replaced(const std::string& text, const std::string& from, const std::string& to) {
    if (from == to) return error{errc::validation_error, quoted(path, 200) + " was not changed: `old` and `new` are the same"};
    auto places = all ? places_of(text, from, from.size(), max_file_bytes) : places_of(text, from, 1, max_places_told + 1);
    if (places.empty()) return not_found(path, text, from);
    lines = lines_of(text, places);
    count = places.size();
    if (!all && count > 1)
      return error{errc::validation_error,
                   quoted(path, 200) + " was not changed: `old` occurs " +
                       (count > max_places_told ? "more than " + std::to_string(max_places_told) : std::to_string(count)) +
                       " times (lines " + listed(lines, count) +
                       "); give more of the text around the one you mean, or set `all` to change each"};
    auto length = text.size() - count * from.size() + count * to.size();
    if (length > max_file_bytes)
      return error{errc::validation_error, quoted(path, 200) + " was not changed: it would have " + std::to_string(length) +
                                               " bytes; at most " + std::to_string(max_file_bytes) + " are taken"};
    std::string out;
    out.reserve(length);
    std::size_t at = 0;
    for (auto place : places) {
      out.append(text, at, place - at).append(to);
      at = place + from.size();
    }
    return out.append(text, at);
  }
};

}  // namespace

core::result<std::string> edit_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  edit one{text_of(arguments, "path"), text_of(arguments, "old"), text_of(arguments, "new"), flag_of(arguments, "all")};
  if (one.wanted.empty())
    return error{errc::validation_error, "`old` is empty; name the text to replace, or write a new file with write_file"};
  if (!is_plain_text(one.replacement))
    return error{errc::validation_error, quoted(one.path, 200) + " was not changed: `new` holds NUL or is not UTF-8 text"};
  auto path = folder.change(one.path, std::ref(one));
  if (!path) return path.error();
  return json::serialize(json::object{{"path", *path}, {"replaced", one.count}, {"lines", one.lines}, {"size", one.size}});
}

}  // namespace troupe::tools

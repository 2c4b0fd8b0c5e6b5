// The file tools: what a model may do inside its session's workspace. The rules of paths are in workspace.hpp.
#include "tools/files.hpp"

#include "tools/builtin.hpp"
#include "tools/text.hpp"
#include "tools/text_encoding.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_content_bytes = 1 << 20;  ///< written or shown by one call

core::result<std::string> write_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto given = text_of(arguments, "path");
  auto content = text_of(arguments, "content");
  if (content.size() > max_content_bytes)
    return error{errc::validation_error, quoted(given, 200) + " was not written: the content has " +
                                             std::to_string(content.size()) + " bytes; at most " +
                                             std::to_string(max_content_bytes) + " are taken"};
  if (!is_plain_text(content))
    return error{errc::validation_error, quoted(given, 200) + " was not written: the content holds NUL or is not UTF-8 text"};
  auto path = folder.write(given, content);
  if (!path) return path.error();
  return json::serialize(json::object{{"path", *path}, {"size", content.size()}});
}

/// Some lines of a text, and what to say about the rest.
struct excerpt {
  std::string_view text;
  std::size_t first = 1, last = 0, count = 0;  ///< numbers of lines
  bool is_cut_line = false;                    ///< the one line shown is longer than can be
};

excerpt lines_from(std::string_view text, std::size_t first, std::size_t most) {
  excerpt out{{}, first, 0, 0, false};
  std::size_t begin = 0, end = 0;
  bool is_full = false;
  for (std::size_t at = 0; at < text.size();) {
    auto newline = text.find('\n', at);
    auto next = newline == std::string_view::npos ? text.size() : newline + 1;
    ++out.count;
    if (out.count == first) begin = end = at;
    if (out.count >= first && !is_full) {
      bool fits = out.count - first < most && next - begin <= max_content_bytes;
      if (fits || end == begin) {
        end = next;
        out.last = out.count;
        out.is_cut_line = !fits;
      }
      is_full = !fits;
    }
    at = next;
  }
  out.text = cut_text(text.substr(begin, end - begin), max_content_bytes);
  return out;
}

core::result<std::string> read_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto path = text_of(arguments, "path");
  auto bytes = folder.read(path);
  if (!bytes) return bytes.error();
  auto decoded = decode_text(*bytes);
  if (!decoded) return not_text(path, *bytes);
  auto number = [&](const char* name, std::size_t otherwise) {
    const auto* value = arguments.if_contains(name);
    return value && value->is_int64() ? static_cast<std::size_t>(value->get_int64()) : otherwise;
  };
  auto part = lines_from(decoded->text, number("offset", 1), number("limit", max_file_bytes));
  std::string notes;
  if (decoded->encoding == text_encoding::windows_1252)
    notes += "[The file is not UTF-8; it was read as windows-1252.]\n";
  else if (name_of(decoded->encoding) != "UTF-8")
    notes += "[The file is in " + std::string(name_of(decoded->encoding)) + ".]\n";
  if (part.count > 0 && part.first > part.count)
    return error{errc::validation_error, quoted(path, 200) + " has " + std::to_string(part.count) +
                                             " lines; there is no line " + std::to_string(part.first)};
  if (part.is_cut_line)
    notes += "[Line " + std::to_string(part.last) + " is cut after " + std::to_string(part.text.size()) + " bytes.]\n";
  if (part.first > 1 || part.last < part.count)
    notes += "[Lines " + std::to_string(part.first) + " to " + std::to_string(part.last) + " of " + std::to_string(part.count) +
             (part.last < part.count ? "; read on with offset " + std::to_string(part.last + 1) : "") + ".]\n";
  std::string out(part.text);
  if (!notes.empty() && !out.empty() && !out.ends_with('\n')) out += '\n';
  return out + notes;
}

std::string shown(const std::string& name, const folder_entry& entry) {
  auto out = shown_name(name);
  switch (entry.kind) {
    case entry_kind::file:
      return out + " (" + std::to_string(entry.size) + " bytes)\n";
    case entry_kind::folder:
      return out + "/\n";
    case entry_kind::link:
      return out + " (symbolic link, not followed)\n";
    case entry_kind::other:
      break;
  }
  return out + " (not a regular file)\n";
}

core::result<std::string> list_files(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto path = text_of(arguments, "path");
  std::string out;
  bool is_cut = false;
  if (flag_of(arguments, "recursive")) {
    std::size_t count = 0;
    auto walked = folder.walk(path, [&](const std::string& name, const folder_entry& entry) {
      is_cut = ++count > max_listed;
      if (!is_cut) out += shown(name, entry);
      return !is_cut;
    });
    if (!walked) return walked.error();
    is_cut = is_cut || !*walked;
  } else {
    auto listing = folder.list(path);
    if (!listing) return listing.error();
    for (const auto& entry : listing->entries) out += shown(entry.name, entry);
    is_cut = listing->is_cut;
  }
  if (out.empty()) return std::string("The folder is empty.");
  if (is_cut) out += "… and more; only " + std::to_string(max_listed) + " entries are listed.\n";
  return out;
}

core::result<std::string> delete_file(const workspace& folder, const json::object& arguments, const tool_context&) {
  auto path = folder.remove(text_of(arguments, "path"));
  if (!path) return path.error();
  return "Deleted " + *path + ".";
}

class file_tool final : public tool {
 public:
  file_tool(tool_spec spec, file_action act) : tool(std::move(spec)), act_(act) {}
  tool_result run(const tool_context& context, const json::object& arguments) const override {
    auto folder = workspace::open(context.workspace);
    if (!folder) return {false, folder.error().text};
    auto output = act_(*folder, arguments, context);
    if (!output) return {false, output.error().text};
    return {true, std::move(*output)};
  }

 private:
  file_action act_;
};

struct parameter {
  const char* name;
  const char* type;
  const char* description;
  bool is_optional = false;
};

std::string schema_of(std::initializer_list<parameter> parameters) {
  json::object properties;
  json::array required;
  for (const auto& p : parameters) {
    json::object one{{"type", p.type}, {"description", p.description}};
    if (one["type"] == "integer") one["minimum"] = 1;
    properties[p.name] = std::move(one);
    if (!p.is_optional) required.emplace_back(p.name);
  }
  return json::serialize(
      json::object{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}});
}

}  // namespace

std::string_view text_of(const json::object& arguments, std::string_view name) {
  const auto* value = arguments.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool flag_of(const json::object& arguments, std::string_view name) {
  const auto* value = arguments.if_contains(name);
  return value && value->is_bool() && value->get_bool();
}

error not_text(std::string_view path, std::string_view bytes) {
  return {errc::validation_error, quoted(path, 200) + " is not a text file but " + std::string(kind_of_binary(bytes)) + " of " +
                                      std::to_string(bytes.size()) + " bytes; file tools read text only"};
}

std::string shown_name(std::string_view name) {
  bool is_clean =
      is_plain_text(name) && std::none_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
  return is_clean ? std::string(name) : quoted(name, 255) + " (no usable name)";
}

std::vector<std::unique_ptr<tool>> make_file_tools() {
  constexpr parameter path{"path", "string", "Relative path inside the workspace, e.g. notes/plan.md"};
  using core::approval_policy;
  using core::effect;
  std::vector<std::unique_ptr<tool>> out;
  auto add = [&](tool_spec spec, file_action act) { out.push_back(std::make_unique<file_tool>(std::move(spec), act)); };
  add({.name = "write_file",
       .description =
           "Writes a text file (UTF-8, at most 1 MiB) in the workspace, replacing what was there; makes its folders.",
       .parameters = schema_of({path, {"content", "string", "The whole new content"}}),
       .effect = effect::idempotent,
       .risk = "medium"},
      write_file);
  add({.name = "read_file",
       .description = "The content of a text file in the workspace, at most 1 MiB at once; more with offset and limit.",
       .parameters = schema_of({path,
                                {"offset", "integer", "Number of the first line to read, from 1", true},
                                {"limit", "integer", "How many lines to read, at most", true}}),
       .effect = effect::read_only},
      read_file);
  add({.name = "edit_file",
       .description =
           "Replaces an exact passage of a text file in the workspace. The passage must occur once, or `all` be set.",
       .parameters = schema_of({path,
                                {"old", "string", "The passage as it is in the file, with enough around it to be unique"},
                                {"new", "string", "What comes in its place"},
                                {"all", "boolean", "Replace every occurrence", true}}),
       .effect = effect::once,
       .risk = "medium"},
      edit_file);
  add({.name = "list_files",
       .description = "The files and folders in one folder of the workspace, with sizes. Without a path: its top folder.",
       .parameters = schema_of({{"path", "string", "Relative path of a folder", true},
                                {"recursive", "boolean", "With all folders below; paths are then from the workspace", true}}),
       .effect = effect::read_only},
      list_files);
  add({.name = "grep_file",
       .description = "The lines that match a regular expression, with line numbers, in a text file of the workspace or in all "
                      "files of a folder and those below.",
       .parameters = schema_of({{"pattern", "string", "Regular expression in RE2 syntax; (?i) in front ignores case"},
                                {"file", "string", "Relative path of a file, or of a folder; . is the whole workspace"}}),
       .effect = effect::read_only},
      grep_file);
  add({.name = "delete_file",
       .description = "Deletes a file of the workspace. It cannot be undone, so a person is asked first.",
       .parameters = schema_of({path}),
       .effect = effect::once,
       .approval = approval_policy::always,
       .risk = "high"},
      delete_file);
  return out;
}

}  // namespace troupe::tools

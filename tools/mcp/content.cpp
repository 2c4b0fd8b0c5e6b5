#include "tools/mcp/content.hpp"

#include "tools/base64.hpp"
#include "tools/mcp/message.hpp"
#include "tools/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>

namespace troupe::tools::mcp {

namespace json = boost::json;

namespace {

constexpr std::size_t max_line = 2'000;
constexpr std::size_t max_resource_text = 16 << 10;  // shown at once; all of it is in the file
constexpr std::size_t max_type = 100;
constexpr std::size_t max_link_name = 100;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// `type/subtype` without parameters, or the general one.
std::string content_type_of(std::string_view said, std::string_view otherwise) {
  said = said.substr(0, said.find(';'));
  auto slash = said.find('/');
  bool is_type = slash != std::string_view::npos && slash > 0 && slash + 1 < said.size() && said.size() <= max_type &&
                 std::all_of(said.begin(), said.end(), [](char c) { return is_word(c) || c == '/' || c == '+'; });
  return std::string(is_type ? said : otherwise);
}

std::string ending_of(std::string_view type) {
  static const std::map<std::string_view, std::string_view> known{
      {"image/jpeg", ".jpg"}, {"image/svg+xml", ".svg"}, {"audio/mpeg", ".mp3"}, {"text/plain", ".txt"}};
  if (auto found = known.find(type); found != known.end()) return std::string(found->second);
  auto subtype = type.substr(type.find('/') + 1);
  bool is_short = subtype.size() <= 8 && std::all_of(subtype.begin(), subtype.end(), is_word);
  return is_short ? "." + std::string(subtype) : ".bin";
}

/// The last step of a URI's path, where it can be the name of a file.
std::string file_name_of(std::string_view uri) {
  uri = uri.substr(0, uri.find_first_of("?#"));
  auto name = uri.substr(uri.rfind('/') == std::string_view::npos ? 0 : uri.rfind('/') + 1);
  bool is_name =
      !name.empty() && name.size() <= max_link_name && name.front() != '.' && std::all_of(name.begin(), name.end(), is_word);
  return is_name ? std::string(name) : std::string();
}

class converter {
 public:
  tool_result out;

  void part(const json::value& value) {
    const auto* object = value.if_object();
    auto type = object == nullptr ? std::string_view() : text_at(*object, "type");
    if (type == "text") return text(*object);
    if (type == "image" || type == "audio") return media(*object, type);
    if (type == "resource") return resource(*object);
    if (type == "resource_link") return link(*object);
    line("(a part of the unknown type " + quoted(type, 40) + ", left out)");
  }

  void line(std::string_view text) {
    if (!out.output.empty()) out.output += '\n';
    out.output += text;
  }

  [[nodiscard]] bool has_text() const noexcept { return has_text_; }

 private:
  void text(const json::object& part) {
    has_text_ = true;
    line(readable(text_at(part, "text"), max_output_bytes));
  }

  void media(const json::object& part, std::string_view kind) {
    auto type = content_type_of(text_at(part, "mimeType"), "application/octet-stream");
    auto name = std::string(kind) + "-" + std::to_string(out.files.size() + 1) + ending_of(type);
    file(std::move(name), std::move(type), text_at(part, "data"), true, kind == "image" ? "picture" : "audio");
  }

  void resource(const json::object& part) {
    const auto* inner = object_at(part, "resource");
    if (inner == nullptr) return line("(an embedded resource without content)");
    auto uri = text_at(*inner, "uri");
    const auto* text = inner->if_contains("text");
    bool is_text = text != nullptr && text->is_string();
    auto type = content_type_of(text_at(*inner, "mimeType"), is_text ? "text/plain" : "application/octet-stream");
    auto name = file_name_of(uri);
    if (name.empty()) name = "resource-" + std::to_string(out.files.size() + 1) + ending_of(type);
    file(std::move(name), std::move(type), text_at(*inner, is_text ? "text" : "blob"), !is_text,
         "resource " + readable(uri, max_line));
    if (!is_text) return;
    auto whole = text_at(*inner, "text");
    auto shown = readable(whole, max_resource_text);
    line(shown);
    if (shown.size() < whole.size()) line("(the first " + std::to_string(shown.size()) + " bytes; the file has all of it)");
  }

  void link(const json::object& part) {
    auto text = "(link to " + readable(text_at(part, "uri"), max_line);
    for (const char* key : {"title", "name", "description"})
      if (auto said = text_at(part, key); !said.empty()) text += ", " + readable(said, max_line);
    line(text + ")");
  }

  void file(std::string name, std::string type, std::string_view data, bool is_base64, std::string_view what) {
    auto lost = [&](const std::string& why) { line("(" + std::string(what) + ", left out: " + why + ")"); };
    if (out.files.size() >= max_files) return lost("a result may have " + std::to_string(max_files) + " files");
    auto bytes = is_base64 ? tools::from_loose_base64(data) : std::optional(std::string(data));
    if (!bytes) return lost("its data is not base64");
    file_bytes_ += bytes->size();
    if (file_bytes_ > max_file_bytes)
      return lost("the files of a result may have " + std::to_string(max_file_bytes) + " bytes together");
    line("(" + std::string(what) + ": file " + name + ", " + type + ", " + std::to_string(bytes->size()) + " bytes)");
    out.files.push_back({std::move(name), std::move(type), std::move(*bytes)});
  }

  bool has_text_ = false;
  std::size_t file_bytes_ = 0;
};

}  // namespace

tool_result result_of(const json::object& result, const schema* output) {
  const auto* failed = result.if_contains("isError");
  bool is_error = failed != nullptr && *failed == true;
  const auto* structured = result.if_contains("structuredContent");
  if (output != nullptr && !is_error) {
    if (structured == nullptr) return {false, "The tool gave no structured content, which its output schema promises."};
    if (auto fits = output->check(*structured); !fits)
      return {false, "The tool's structured content does not fit its own output schema: " + fits.error().text};
  }
  converter c;
  const auto* content = result.if_contains("content");
  const auto* parts = content == nullptr ? nullptr : content->if_array();
  if (parts != nullptr) {
    for (std::size_t i = 0; i < std::min(parts->size(), max_parts); ++i) c.part((*parts)[i]);
    if (parts->size() > max_parts) c.line("(more than " + std::to_string(max_parts) + " parts; the rest was left out)");
  }
  if (!c.has_text() && structured != nullptr) c.line(readable(json::serialize(*structured), max_output_bytes));
  auto out = std::move(c.out);
  out.ok = !is_error;
  if (out.output.empty()) out.output = is_error ? "The tool failed and did not say why." : "(no output)";
  if (out.output.size() > max_output_bytes) {
    constexpr std::string_view note = "\n(cut: a tool gives at most 4 MiB)";
    out.output = std::string(cut_text(out.output, max_output_bytes - note.size())) + std::string(note);
  }
  return out;
}

}  // namespace troupe::tools::mcp

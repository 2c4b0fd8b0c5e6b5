#include "tools/mcp/listing.hpp"

#include "tools/base64.hpp"
#include "tools/mcp/message.hpp"
#include "tools/text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::tools::mcp {

namespace json = boost::json;

namespace {

constexpr std::size_t max_tool_name = 128;
constexpr std::size_t max_description = 16 << 10;
constexpr std::size_t max_schema = 256 << 10;
constexpr std::size_t max_reasons = 5;
constexpr std::size_t max_headers = 32;
constexpr int max_header_depth = 8;

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= max_tool_name &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// RFC 9110 §5.6.2.
bool is_header_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= max_tool_name && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

/// False where an `x-mcp-header` breaks the rules of the protocol.
bool find_headers(const json::object& schema, std::vector<std::string>& path, std::vector<argument_header>& out) {
  const auto* properties = object_at(schema, "properties");
  if (properties == nullptr || static_cast<int>(path.size()) >= max_header_depth) return true;
  for (const auto& property : *properties) {
    const auto* inner = property.value().if_object();
    if (inner == nullptr) continue;
    path.emplace_back(property.key());
    if (const auto* header = inner->if_contains("x-mcp-header")) {
      auto name = text_at(*inner, "x-mcp-header");
      auto type = text_at(*inner, "type");
      bool is_known = std::any_of(out.begin(), out.end(), [&](const auto& h) { return same_name(h.name, name); });
      if (!header->is_string() || !is_header_token(name) || is_known || out.size() >= max_headers ||
          (type != "string" && type != "integer" && type != "boolean"))
        return false;
      out.push_back({std::string(name), path});
    }
    if (!find_headers(*inner, path, out)) return false;
    path.pop_back();
  }
  return true;
}

std::optional<bool> hint(const json::object* annotations, std::string_view key) {
  const auto* found = annotations == nullptr ? nullptr : annotations->if_contains(key);
  if (found == nullptr || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

}  // namespace

void listing::leave_out(std::string_view name, std::string_view reason) {
  ++left_out_count;
  if (left_out.size() < max_reasons) left_out.push_back(quoted(name) + ": " + std::string(cut_text(reason, 300)));
}

void listing::cut(std::string reason) {
  ++left_out_count;
  left_out.insert(left_out.begin(), std::move(reason) + ", the rest was not asked for");
}

void listing::add(const json::value& item, bool wants_headers) {
  const auto* object = item.if_object();
  if (object == nullptr) return leave_out("", "it is no JSON object");
  remote_tool tool;
  tool.name = text_at(*object, "name");
  if (!is_tool_name(tool.name))
    return leave_out(tool.name,
                     "a name has 1 to " + std::to_string(max_tool_name) + " printable ASCII characters without spaces");
  if (names_.contains(tool.name)) return leave_out(tool.name, "the server lists two tools of this name");
  if (tools.size() >= max_tools) return leave_out(tool.name, "a server may have " + std::to_string(max_tools) + " tools");
  if (const auto* execution = object_at(*object, "execution"); execution && text_at(*execution, "taskSupport") == "required")
    return leave_out(tool.name, "it can only be called as an MCP task");
  const auto* schema = object_at(*object, "inputSchema");
  if (schema == nullptr) return leave_out(tool.name, "it has no inputSchema");
  tool.parameters = json::serialize(*schema);
  if (const auto* output = object_at(*object, "outputSchema")) tool.output_schema = json::serialize(*output);
  if (std::max(tool.parameters.size(), tool.output_schema.size()) > max_schema)
    return leave_out(tool.name, "a schema has more than " + std::to_string(max_schema) + " bytes");
  std::vector<std::string> path;
  if (wants_headers && !find_headers(*schema, path, tool.headers))
    return leave_out(tool.name, "an x-mcp-header of its inputSchema is not allowed (MCP 2026-07-28, Streamable HTTP)");
  const auto* annotations = object_at(*object, "annotations");
  for (auto text : {text_at(*object, "description"), text_at(*object, "title"),
                    annotations == nullptr ? std::string_view() : text_at(*annotations, "title")})
    if (tool.description.empty()) tool.description = readable(text, max_description);
  tool.read_only = hint(annotations, "readOnlyHint").value_or(false);
  tool.idempotent = hint(annotations, "idempotentHint").value_or(false);
  tool.destructive = hint(annotations, "destructiveHint");
  bytes_ += tool.name.size() + tool.description.size() + tool.parameters.size() + tool.output_schema.size();
  if (bytes_ > max_listing_bytes) return leave_out(tool.name, "the server's list is longer than can be kept");
  names_.insert(tool.name);
  tools.push_back(std::move(tool));
}

tool_spec spec_of(const remote_tool& tool, const core::tool_config& config) {
  tool_spec out;
  out.name = config.name + "." + tool.name;
  out.description = tool.description;
  out.parameters = tool.parameters;
  out.effect = config.effect.value_or(tool.read_only    ? core::effect::read_only
                                      : tool.idempotent ? core::effect::idempotent
                                                        : core::effect::once);
  if (config.time_limit) out.time_limit = *config.time_limit;
  bool destroys = out.effect != core::effect::read_only && tool.destructive.value_or(true);
  out.approval = config.approval.value_or(destroys ? core::approval_policy::always : core::approval_policy::never);
  out.risk = !config.risk.empty() ? config.risk : !destroys ? "low" : tool.destructive ? "high" : "medium";
  out.source = config.name;
  out.mode = tool_mode::streaming;
  return out;
}

std::string header_value(std::string_view text) {
  bool is_plain = std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c < 0x7F) || c == '\t'; });
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!text.empty() && (blank(text.front()) || blank(text.back()))) is_plain = false;
  if (text.starts_with("=?base64?") && text.ends_with("?=")) is_plain = false;
  return is_plain ? std::string(text) : "=?base64?" + to_base64(text) + "?=";
}

std::vector<std::string> header_lines(const remote_tool& tool, const json::object& arguments) {
  std::vector<std::string> out;
  for (const auto& header : tool.headers) {
    const json::object* in = &arguments;
    const json::value* found = nullptr;
    for (const auto& step : header.path) {
      found = in == nullptr ? nullptr : in->if_contains(step);
      in = found == nullptr ? nullptr : found->if_object();
    }
    if (found == nullptr || found->is_null() || found->is_structured()) continue;
    auto text = found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
    out.push_back("Mcp-Param-" + header.name + (text.empty() ? ";" : ": " + header_value(text)));
  }
  return out;
}

}  // namespace troupe::tools::mcp

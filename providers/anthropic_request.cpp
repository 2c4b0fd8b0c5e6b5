#include "providers/anthropic.hpp"
#include "providers/attachments.hpp"
#include "providers/tool_names.hpp"
#include "providers/wire_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace troupe::providers {

namespace json = boost::json;

namespace {

constexpr std::uint32_t least_budget = 1'024;  // of thinking, in tokens
// Turns that the API wants and the history does not have.
constexpr std::string_view empty_text = "(An empty message.)";
constexpr std::string_view go_on = "(Please go on.)";

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

json::object text_block(std::string_view text) { return {{"type", "text"}, {"text", text_of(text)}}; }

json::object base64_source(std::string_view type, std::string_view data) {
  return {{"type", "base64"}, {"media_type", type}, {"data", base64(data)}};
}

json::object block_of(const core::attachment& file, const model_request& request) {
  auto [use, data] = given(file, request);
  auto type = media_type(file.content_type);
  if (use == attachment_use::text) return text_block(inlined(file, *data));
  if (use == attachment_use::image) return {{"type", "image"}, {"source", base64_source(type, *data)}};
  json::object source;
  if (use == attachment_use::file && type == "application/pdf") source = base64_source(type, *data);
  if (use == attachment_use::file && (type.starts_with("text/") || type == "application/json"))
    source = {{"type", "text"}, {"media_type", "text/plain"}, {"data", text_of(*data)}};
  if (source.empty()) return text_block(described(file));  // documents are PDF or text there
  json::object out{{"type", "document"}, {"source", std::move(source)}};
  if (!is_blank(file.name)) out["title"] = text_of(file.name);
  return out;
}

/// The conversation as turns: neighbours of one role are one turn.
class turns {
 public:
  explicit turns(const model_request& request) : request_(request) {}

  void add(const core::history_message& message) {
    if (message.role == core::role::assistant) return add_assistant(message);
    if (message.role == core::role::tool) return add_result(message);
    if (message.role == core::role::user) return add_user(message);
    if (!is_blank(message.content)) system_ += (system_.empty() ? "" : "\n\n") + message.content;
  }

  [[nodiscard]] const std::string& system() const noexcept { return system_; }

  [[nodiscard]] json::array finish() {
    // An assistant's turn at the end would be taken as the beginning of the answer, or refused.
    if (role_ == "assistant") content_of("user").push_back(text_block(go_on));
    return std::move(turns_);
  }

 private:
  json::array& content_of(std::string_view role) {
    if (role_ != role) turns_.push_back(json::object{{"role", role}, {"content", json::array()}});
    role_ = role;
    return turns_.back().at("content").get_array();
  }

  void add_user(const core::history_message& message) {
    auto& content = content_of("user");
    if (!is_blank(message.content)) content.push_back(text_block(message.content));
    for (const auto& file : message.attachments) content.push_back(block_of(file, request_));
    if (content.empty()) content.push_back(text_block(empty_text));
  }

  void add_assistant(const core::history_message& message) {
    if (!is_blank(message.content)) content_of("assistant").push_back(text_block(message.content));
    if (!message.calls.empty()) wire_ids_.clear();
    for (const auto& call : message.calls) {
      auto input = object_in(call.arguments);
      content_of("assistant")
          .push_back(json::object{{"type", "tool_use"},
                                  {"id", wire_ids_[call.id] = new_id(call.id.str())},
                                  {"name", wire_name(call.tool)},
                                  {"input", input.is_null() ? json::value(json::object()) : std::move(input)}});
    }
  }

  void add_result(const core::history_message& message) {
    json::object result{{"type", "tool_result"}, {"tool_use_id", wire_ids_[message.call]}};
    if (!is_blank(message.content)) result["content"] = text_of(message.content);
    if (!message.ok) result["is_error"] = true;
    content_of("user").push_back(std::move(result));
  }

  /// Other providers, from which a conversation may come, allow other characters and the same id again.
  std::string new_id(const std::string& id) {
    auto plain = wire_name(id);
    auto out = plain;
    for (int n = 2; !used_.insert(out).second; ++n) out = plain + "_" + std::to_string(n);
    return out;
  }

  const model_request& request_;
  std::string system_;
  std::string_view role_;  ///< of the last turn
  json::array turns_;
  std::map<core::tool_call_id, std::string> wire_ids_;  ///< of the exchange going on
  std::set<std::string> used_;
};

json::object anthropic_tool(const tool_description& tool) {
  json::object out{{"name", wire_name(tool.name)}};
  if (!tool.description.empty()) out["description"] = text_of(tool.description);
  auto schema = object_in(tool.parameters);
  out["input_schema"] = schema.is_null() ? json::value{{"type", "object"}, {"properties", json::object()}} : std::move(schema);
  return out;
}

/// A word is the effort of adaptive thinking, as newer models have it; a number is a budget in tokens, as older ones do.
/// True where the model thinks.
bool add_thinking(json::object& body, json::object& output, const model_request& request) {
  const auto& effort = request.reasoning_effort;
  if (effort.empty()) return false;
  if (effort == "none") {
    body["thinking"] = json::object{{"type", "disabled"}};
    return false;
  }
  std::uint32_t budget = 0;
  auto [end, problem] = std::from_chars(effort.data(), effort.data() + effort.size(), budget);
  if (problem != std::errc{} || end != effort.data() + effort.size()) {
    // Without `display` newer models keep their thoughts to themselves.
    body["thinking"] = json::object{{"type", "adaptive"}, {"display", "summarized"}};
    output["effort"] = text_of(effort);
    return true;
  }
  // With a budget, a turn that goes on after tool calls must begin with the signed thoughts before them. The log does not
  // keep those, so the model goes on without.
  bool goes_on = request.history && !request.history->empty() && request.history->back().role == core::role::tool;
  if (goes_on || request.max_output_tokens <= least_budget) return false;
  budget = std::clamp(budget, least_budget, request.max_output_tokens - 1);
  body["thinking"] = json::object{{"type", "enabled"}, {"budget_tokens", budget}};
  return true;
}

}  // namespace

std::string anthropic_request(const model_request& request) {
  turns all(request);
  if (!is_blank(request.instructions)) all.add({core::role::system, request.instructions, {}, {}, true});
  if (request.history)
    for (const auto& message : *request.history) all.add(message);

  json::object body{{"model", text_of(request.model)}, {"max_tokens", request.max_output_tokens}, {"stream", true}};
  if (!all.system().empty()) body["system"] = text_of(all.system());
  body["messages"] = all.finish();
  json::object output;
  bool thinks = add_thinking(body, output, request);
  if (auto schema = object_in(request.response_schema); schema.is_object())
    output["format"] = json::object{{"type", "json_schema"}, {"schema", std::move(schema)}};
  if (!output.empty()) body["output_config"] = std::move(output);
  if (request.temperature && !thinks) body["temperature"] = *request.temperature;  // thinking allows the default only
  if (!request.stop.empty()) {
    json::array stop;
    for (const auto& text : request.stop) stop.push_back(text_of(text));
    body["stop_sequences"] = std::move(stop);
  }
  if (request.tools && !request.tools->empty()) {
    json::array tools;
    for (const auto& tool : *request.tools) tools.push_back(anthropic_tool(tool));
    body["tools"] = std::move(tools);
  }
  return json::serialize(body);
}

}  // namespace troupe::providers

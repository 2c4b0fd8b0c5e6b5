#include "providers/attachments.hpp"
#include "providers/openai.hpp"
#include "providers/tool_names.hpp"
#include "providers/wire_json.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::providers {

namespace json = boost::json;

namespace {

json::object call_to_json(const core::tool_call& call) {
  // Several compatible servers parse the arguments of old calls and refuse the whole request when that fails.
  bool is_object = object_in(call.arguments).is_object();
  return {{"id", text_of(call.id.str())},
          {"type", "function"},
          {"function", json::object{{"name", text_of(wire_name(call.tool))},
                                    {"arguments", is_object ? text_of(call.arguments) : json::string("{}")}}}};
}

json::object text_part(std::string_view text) { return {{"type", "text"}, {"text", text_of(text)}}; }

json::object part_of(const core::attachment& file, const model_request& request) {
  auto [use, content] = given(file, request);
  if (use == attachment_use::name) return text_part(described(file));
  const auto& data = *content;
  if (use == attachment_use::text) return text_part(inlined(file, data));
  auto url = text_of(data_url(media_type(file.content_type), data));
  if (use == attachment_use::image) return {{"type", "image_url"}, {"image_url", json::object{{"url", std::move(url)}}}};
  return {{"type", "file"}, {"file", json::object{{"filename", text_of(file.name)}, {"file_data", std::move(url)}}}};
}

/// Text alone stays one string: several compatible servers know no parts.
json::value user_content(const core::history_message& message, const model_request& request) {
  json::array parts;
  if (!message.content.empty()) parts.push_back(text_part(message.content));
  for (const auto& file : message.attachments) parts.push_back(part_of(file, request));
  auto is_text = [](const json::value& part) { return part.at("type") == "text"; };
  if (!std::all_of(parts.begin(), parts.end(), is_text)) return parts;
  json::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += "\n\n";
    out += part.at("text").get_string();
  }
  return out;
}

json::object message_to_json(const core::history_message& message, const model_request& request) {
  json::object out{{"role", core::to_string(message.role)}};
  if (message.content.empty() && !message.calls.empty())
    out["content"] = nullptr;
  else if (!message.attachments.empty())
    out["content"] = user_content(message, request);
  else
    out["content"] = text_of(message.content);
  if (message.role == core::role::tool) out["tool_call_id"] = text_of(message.call.str());
  if (!message.calls.empty()) {
    json::array calls;
    for (const auto& call : message.calls) calls.push_back(call_to_json(call));
    out["tool_calls"] = std::move(calls);
  }
  return out;
}

json::object openai_tool(const tool_description& tool) {
  auto parameters = object_in(tool.parameters);
  if (parameters.is_null()) parameters = json::object{{"type", "object"}, {"properties", json::object{}}};
  json::object function{{"name", wire_name(tool.name)}};
  if (!tool.description.empty()) function["description"] = text_of(tool.description);
  function["parameters"] = std::move(parameters);
  return {{"type", "function"}, {"function", std::move(function)}};
}

}  // namespace

std::string openai_request(const model_request& request, std::string_view output_limit_field) {
  json::array messages;
  if (!request.instructions.empty())
    messages.push_back(json::object{{"role", "system"}, {"content", text_of(request.instructions)}});
  if (request.history)
    for (const auto& message : *request.history) messages.push_back(message_to_json(message, request));

  json::object body{{"model", text_of(request.model)},
                    {"messages", std::move(messages)},
                    {"stream", true},
                    {"stream_options", json::object{{"include_usage", true}}},
                    {output_limit_field, request.max_output_tokens}};
  if (request.temperature) body["temperature"] = *request.temperature;
  if (!request.stop.empty()) {
    json::array stop;
    for (const auto& text : request.stop) stop.push_back(text_of(text));
    body["stop"] = std::move(stop);
  }
  if (!request.reasoning_effort.empty()) body["reasoning_effort"] = text_of(request.reasoning_effort);
  if (auto schema = object_in(request.response_schema); schema.is_object())
    body["response_format"] =
        json::object{{"type", "json_schema"},
                     {"json_schema", json::object{{"name", "answer"}, {"strict", true}, {"schema", std::move(schema)}}}};
  if (request.tools && !request.tools->empty()) {
    json::array tools;
    for (const auto& tool : *request.tools) tools.push_back(openai_tool(tool));
    body["tools"] = std::move(tools);
  }
  return json::serialize(body);
}

}  // namespace troupe::providers

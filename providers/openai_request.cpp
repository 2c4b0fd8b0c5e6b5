#include "providers/attachments.hpp"
#include "providers/openai.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::providers {

namespace json = boost::json;

namespace {

json::value parse_object(std::string_view text) {
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = 64;
  auto value = json::parse(text, ec, {}, options);
  return ec || !value.is_object() ? json::value(nullptr) : value;
}

json::string text_of(std::string_view bytes) {
  if (scan_utf8(bytes).valid == bytes.size()) return json::string(bytes);
  return json::string(to_utf8(bytes));
}

json::object call_to_json(const core::tool_call& call) {
  // Several compatible servers parse the arguments of old calls and refuse the whole request when that fails.
  bool is_object = parse_object(call.arguments).is_object();
  return {{"id", text_of(call.id.str())},
          {"type", "function"},
          {"function", json::object{{"name", text_of(openai_tool_name(call.tool))},
                                    {"arguments", is_object ? text_of(call.arguments) : json::string("{}")}}}};
}

json::object text_part(std::string_view text) { return {{"type", "text"}, {"text", text_of(text)}}; }

json::object part_of(const core::attachment& file, const model_request& request) {
  auto use = use_of(file, request.takes_images, request.takes_files);
  if (use == attachment_use::name || !request.files) return text_part(described(file));
  auto known = request.files->find(file.file);
  if (known == request.files->end() || !known->second->data) return text_part(described(file));
  const auto& data = *known->second->data;
  if (use == attachment_use::text) return text_part("[Attached file: " + file.name + "]\n" + data);
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

json::object tool_to_json(const tool_description& tool) {
  auto parameters = parse_object(tool.parameters);
  if (parameters.is_null()) parameters = json::object{{"type", "object"}, {"properties", json::object{}}};
  json::object function{{"name", openai_tool_name(tool.name)}};
  if (!tool.description.empty()) function["description"] = text_of(tool.description);
  function["parameters"] = std::move(parameters);
  return {{"type", "function"}, {"function", std::move(function)}};
}

}  // namespace

std::string openai_tool_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '.')
      out += "__";
    else
      out += c;
  }
  return out;
}

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
  if (request.tools && !request.tools->empty()) {
    json::array tools;
    for (const auto& tool : *request.tools) tools.push_back(tool_to_json(tool));
    body["tools"] = std::move(tools);
  }
  return json::serialize(body);
}

}  // namespace troupe::providers

#include "app/mock/wire_format.hpp"
#include "providers/tool_names.hpp"
#include "providers/wire_json.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;
using providers::text_at;
using providers::text_of;

namespace {

json::object openai_error(const wire_error& why) {
  std::string_view type = "invalid_request_error";
  json::value code = nullptr;
  if (why.status >= 500) type = "server_error";
  if (why.status == 401) code = "invalid_api_key";
  if (why.status == 404) code = "not_found";
  if (why.status == 429) {
    type = "rate_limit_error";
    code = "rate_limit_exceeded";
  }
  return {{"error", json::object{{"message", text_of(why.text)},
                                 {"type", type},
                                 {"param", why.place.empty() ? json::value(nullptr) : json::value(text_of(why.place))},
                                 {"code", std::move(code)}}}};
}

json::object usage_object(const core::token_usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.total()},
          {"prompt_tokens_details", json::object{{"cached_tokens", usage.cached_prompt}}}};
}

json::object base_of(const answer_identity& identity, std::string_view object) {
  return {{"id", "chatcmpl-" + identity.id},
          {"object", object},
          {"created", identity.created},
          {"model", text_of(identity.model)},
          {"system_fingerprint", nullptr}};
}

json::object openai_call(const core::tool_call& call, std::string_view arguments) {
  return {{"id", text_of(call.id.str())},
          {"type", "function"},
          {"function", json::object{{"name", providers::wire_name(call.tool)}, {"arguments", text_of(arguments)}}}};
}

class openai_writer final : public stream_writer {
 public:
  openai_writer(answer_identity identity, bool wants_usage) : identity_(std::move(identity)), wants_usage_(wants_usage) {}

  void add(const providers::model_output& said, std::string& out) override {
    if (!begun_) delta({{"role", "assistant"}, {"content", ""}}, out);
    begun_ = true;
    for_each_piece(said.reasoning, [&](auto piece) { delta({{"reasoning_content", text_of(piece)}}, out); });
    for_each_piece(said.text, [&](auto piece) { delta({{"content", text_of(piece)}}, out); });
    if (said.end) end(*said.end, out);
  }

 private:
  static void data(const json::object& event, std::string& out) {
    out.append("data: ").append(json::serialize(event)).append("\n\n");
  }

  void choice(json::object delta, json::value finish, std::string& out) const {
    auto event = base_of(identity_, "chat.completion.chunk");
    event["choices"] = json::array{
        json::object{{"index", 0}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", std::move(finish)}}};
    if (wants_usage_) event["usage"] = nullptr;
    data(event, out);
  }
  void delta(json::object fields, std::string& out) const { choice(std::move(fields), nullptr, out); }

  void end(const providers::model_end& end, std::string& out) const {
    if (end.error.code != core::errc::ok) return data(openai_error(wire_error_of(end)), out);
    std::int64_t index = 0;
    for (const auto& call : end.calls) {
      auto first = openai_call(call, "");
      first["index"] = index;
      delta({{"tool_calls", json::array{std::move(first)}}}, out);
      for_each_argument_piece(call.arguments, [&](auto piece) {
        json::object more{{"index", index}, {"function", json::object{{"arguments", text_of(piece)}}}};
        delta({{"tool_calls", json::array{std::move(more)}}}, out);
      });
      ++index;
    }
    choice({}, json::value(core::to_string(end.finish)), out);
    if (wants_usage_ && end.usage) {
      auto event = base_of(identity_, "chat.completion.chunk");
      event["choices"] = json::array{};
      event["usage"] = usage_object(*end.usage);
      data(event, out);
    }
    out += "data: [DONE]\n\n";
  }

  answer_identity identity_;
  bool wants_usage_;
  bool begun_ = false;
};

std::vector<core::tool_call> calls_of(const json::object& message, const std::string& place,
                                      const std::vector<providers::tool_description>& tools) {
  std::vector<core::tool_call> out;
  const auto* calls = message.if_contains("tool_calls");
  if (calls == nullptr || calls->is_null()) return out;
  if (!calls->is_array()) refuse(place + ".tool_calls", place + ".tool_calls: expected a list");
  for (const auto& value : calls->get_array()) {
    const auto* call = value.if_object();
    const auto* function = call == nullptr ? nullptr : providers::object_at(*call, "function");
    if (function == nullptr || text_at(*call, "id").empty() || text_at(*function, "name").empty())
      refuse(place + ".tool_calls", place + ".tool_calls: a call needs an id, and a function with a name");
    core::tool_call made;
    made.id.value = std::string(text_at(*call, "id"));
    made.tool = providers::own_tool_name(&tools, std::string(text_at(*function, "name")));
    made.arguments = std::string(text_at(*function, "arguments"));
    out.push_back(std::move(made));
  }
  return out;
}

wire_question read_openai_question(std::string_view text, const std::vector<providers::tool_description>& tools) {
  auto body = body_of(text);
  wire_question out;
  out.request.model = std::string(text_at(body, "model"));
  out.stream = flag_at(body, "stream");
  out.wants_usage = false;
  if (const auto* options = providers::object_at(body, "stream_options")) out.wants_usage = flag_at(*options, "include_usage");
  if (const auto* n = body.if_contains("n"); n != nullptr && !n->is_null() && *n != 1)
    refuse("n", "n: this server gives one answer; leave it out");
  const auto& messages = messages_of(body);
  std::vector<core::history_message> history;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto place = "messages[" + std::to_string(i) + "]";
    const auto& message = message_at(messages, i);
    auto role = text_at(message, "role");
    core::history_message made;
    made.content = content_text(message.if_contains("content"), place + ".content");
    if (role == "system" || role == "developer") {
      out.request.instructions += (out.request.instructions.empty() ? "" : "\n\n") + made.content;
      continue;
    }
    if (role == "assistant") {
      made.role = core::role::assistant;
      made.calls = calls_of(message, place, tools);
    } else if (role == "tool") {
      made.role = core::role::tool;
      made.call.value = std::string(text_at(message, "tool_call_id"));
      if (made.call.empty()) refuse(place + ".tool_call_id", place + ".tool_call_id: expected the id of a call");
    } else if (role != "user") {
      refuse(place + ".role", place + ".role: expected system, developer, user, assistant or tool");
    }
    history.push_back(std::move(made));
  }
  finish_request(out.request, std::move(history));
  return out;
}

class openai final : public wire_format {
 public:
  std::unique_ptr<stream_writer> stream(answer_identity identity, const wire_question& to) const override {
    return std::make_unique<openai_writer>(std::move(identity), to.wants_usage);
  }
  std::string whole(const answer_identity& identity, const providers::model_output& said) const override {
    const auto& end = *said.end;
    json::object message{{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
    if (!said.text.text.empty() || end.calls.empty()) message["content"] = text_of(said.text.text);
    if (!said.reasoning.text.empty()) message["reasoning_content"] = text_of(said.reasoning.text);
    if (!end.calls.empty()) {
      json::array calls;
      for (const auto& call : end.calls) calls.push_back(openai_call(call, call.arguments));
      message["tool_calls"] = std::move(calls);
    }
    auto out = base_of(identity, "chat.completion");
    out["choices"] = json::array{json::object{
        {"index", 0}, {"message", std::move(message)}, {"logprobs", nullptr}, {"finish_reason", core::to_string(end.finish)}}};
    if (end.usage) out["usage"] = usage_object(*end.usage);
    return json::serialize(out);
  }
  std::string error(const wire_error& why) const override { return json::serialize(openai_error(why)); }
  std::string models(std::string_view model) const override {
    json::object entry{{"id", model}, {"object", "model"}, {"created", 0}, {"owned_by", "troupe"}};
    return json::serialize(json::object{{"object", "list"}, {"data", json::array{std::move(entry)}}});
  }

 private:
  wire_question question_of(std::string_view body, const std::vector<providers::tool_description>& tools) const override {
    return read_openai_question(body, tools);
  }
};

}  // namespace

const wire_format& openai_format() {
  static const openai format;
  return format;
}

}  // namespace troupe::app

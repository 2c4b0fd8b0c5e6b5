#include "app/mock/wire_format.hpp"
#include "providers/tool_names.hpp"
#include "providers/wire_json.hpp"

#include <boost/json/serialize.hpp>

#include <optional>

namespace troupe::app {

namespace json = boost::json;
using providers::text_at;
using providers::text_of;

namespace {

/// Clients send it back with the thinking; nobody here looks at it.
constexpr std::string_view signature = "bW9jaw==";

std::string_view error_type(int status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

json::object anthropic_error(const wire_error& why) {
  return {{"type", "error"}, {"error", json::object{{"type", error_type(why.status)}, {"message", text_of(why.text)}}}};
}

std::string_view stop_reason(core::finish_reason reason) noexcept {
  switch (reason) {
    case core::finish_reason::length:
      return "max_tokens";
    case core::finish_reason::tool_calls:
      return "tool_use";
    case core::finish_reason::content_filter:
      return "refusal";
    case core::finish_reason::stop:
      break;
  }
  return "end_turn";
}

/// The API always tells its usage; a script that tells none has used nothing.
json::object usage_object(const std::optional<core::token_usage>& told) {
  auto usage = told.value_or(core::token_usage{});
  return {{"input_tokens", usage.prompt - usage.cached_prompt},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_prompt},
          {"output_tokens", usage.completion}};
}

json::object message_object(const answer_identity& identity, json::array content, json::value reason, json::object usage) {
  return {{"id", "msg_" + identity.id},    {"type", "message"},
          {"role", "assistant"},           {"model", text_of(identity.model)},
          {"content", std::move(content)}, {"stop_reason", std::move(reason)},
          {"stop_sequence", nullptr},      {"usage", std::move(usage)}};
}

json::object anthropic_call(const core::tool_call& call, json::value input) {
  return {{"type", "tool_use"},
          {"id", text_of(call.id.str())},
          {"name", providers::wire_name(call.tool)},
          {"input", std::move(input)}};
}

class anthropic_writer final : public stream_writer {
 public:
  explicit anthropic_writer(answer_identity identity) : identity_(std::move(identity)) {}

  void add(const providers::model_output& said, std::string& out) override {
    if (!begun_) event("message_start", {{"message", message_object(identity_, {}, nullptr, usage_object({}))}}, out);
    begun_ = true;
    for_each_piece(said.reasoning, [&](auto piece) {
      open("thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}, out);
      delta({{"type", "thinking_delta"}, {"thinking", text_of(piece)}}, out);
    });
    for_each_piece(said.text, [&](auto piece) {
      open("text", {{"type", "text"}, {"text", ""}}, out);
      delta({{"type", "text_delta"}, {"text", text_of(piece)}}, out);
    });
    if (said.end) end(*said.end, out);
  }

 private:
  static void event(std::string_view type, json::object fields, std::string& out) {
    json::object all{{"type", type}};
    for (auto& field : fields) all.emplace(field.key(), std::move(field.value()));
    out.append("event: ").append(type).append("\ndata: ").append(json::serialize(all)).append("\n\n");
  }
  void delta(json::object fields, std::string& out) const {
    event("content_block_delta", {{"index", index_}, {"delta", std::move(fields)}}, out);
  }
  /// Goes on with the open block where it is of this kind.
  void open(std::string_view kind, json::object block, std::string& out) {
    if (open_ == kind) return;
    close(out);
    open_ = kind;
    event("content_block_start", {{"index", index_}, {"content_block", std::move(block)}}, out);
  }
  void close(std::string& out) {
    if (open_.empty()) return;
    if (open_ == "thinking") delta({{"type", "signature_delta"}, {"signature", signature}}, out);
    event("content_block_stop", {{"index", index_}}, out);
    open_ = {};
    ++index_;
  }

  void end(const providers::model_end& end, std::string& out) {
    if (end.error.code != core::errc::ok) return event("error", anthropic_error(wire_error_of(end)), out);
    for (const auto& call : end.calls) {
      close(out);
      open("tool_use", anthropic_call(call, json::object{}), out);
      for_each_argument_piece(call.arguments, [&](auto piece) {
        delta({{"type", "input_json_delta"}, {"partial_json", text_of(piece)}}, out);
      });
    }
    close(out);
    json::object how{{"stop_reason", stop_reason(end.finish)}, {"stop_sequence", nullptr}};
    event("message_delta", {{"delta", std::move(how)}, {"usage", usage_object(end.usage)}}, out);
    event("message_stop", {}, out);
  }

  answer_identity identity_;
  bool begun_ = false;
  std::string_view open_;  ///< kind of the block that is open
  std::int64_t index_ = 0;
};

/// The messages that one of the API's is: results first, then the text.
void add_blocks(const json::array& blocks, core::role role, const std::string& place,
                const std::vector<providers::tool_description>& tools, std::vector<core::history_message>& history) {
  core::history_message spoken;
  spoken.role = role;
  bool is_spoken = false;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto at = place + ".content[" + std::to_string(i) + "]";
    const auto* block = blocks[i].if_object();
    auto type = block == nullptr ? std::string_view{} : text_at(*block, "type");
    if (type.empty()) refuse(at, at + ": a block needs a type");
    if (type == "tool_result") {
      core::history_message result;
      result.role = core::role::tool;
      result.call.value = std::string(text_at(*block, "tool_use_id"));
      if (role != core::role::user || result.call.empty()) refuse(at, at + ": a result has a tool_use_id and is the user's");
      if (is_spoken) refuse(at, at + ": results stand before everything else in a message");
      result.content = content_text(block->if_contains("content"), at + ".content");
      result.ok = !flag_at(*block, "is_error");
      history.push_back(std::move(result));
      continue;
    }
    is_spoken = true;
    if (type == "tool_use") {
      core::tool_call call;
      call.id.value = std::string(text_at(*block, "id"));
      call.tool = providers::own_tool_name(&tools, std::string(text_at(*block, "name")));
      const auto* input = providers::object_at(*block, "input");
      if (role != core::role::assistant || call.id.empty() || call.tool.empty() || input == nullptr)
        refuse(at, at + ": a call has an id, a name and an input, and is the assistant's");
      call.arguments = json::serialize(*input);
      spoken.calls.push_back(std::move(call));
    } else if (auto text = text_at(*block, "text"); type == "text" && !text.empty()) {
      spoken.content += (spoken.content.empty() ? "" : "\n\n") + std::string(text);
    }
  }
  if (is_spoken) history.push_back(std::move(spoken));
}

wire_question read_anthropic_question(std::string_view text, const std::vector<providers::tool_description>& tools) {
  auto body = body_of(text);
  wire_question out;
  out.request.model = std::string(text_at(body, "model"));
  out.stream = flag_at(body, "stream");
  if (providers::count_at(body, "max_tokens") < 1) refuse("max_tokens", "max_tokens: expected a number, at least 1");
  out.request.instructions = content_text(body.if_contains("system"), "system");
  const auto& messages = messages_of(body);
  std::vector<core::history_message> history;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto place = "messages[" + std::to_string(i) + "]";
    const auto& message = message_at(messages, i);
    auto role = text_at(message, "role");
    if (role != "user" && role != "assistant") refuse(place + ".role", place + ".role: expected user or assistant");
    auto who = role == "user" ? core::role::user : core::role::assistant;
    const auto* content = message.if_contains("content");
    if (content != nullptr && content->is_array()) {
      add_blocks(content->get_array(), who, place, tools, history);
      continue;
    }
    core::history_message made;
    made.role = who;
    made.content = content_text(content, place + ".content");
    if (made.content.empty()) refuse(place + ".content", place + ".content: expected text or a list of blocks");
    history.push_back(std::move(made));
  }
  finish_request(out.request, std::move(history));
  return out;
}

class anthropic final : public wire_format {
 public:
  std::unique_ptr<stream_writer> stream(answer_identity identity, const wire_question&) const override {
    return std::make_unique<anthropic_writer>(std::move(identity));
  }
  std::string whole(const answer_identity& identity, const providers::model_output& said) const override {
    const auto& end = *said.end;
    json::array content;
    if (!said.reasoning.text.empty())
      content.push_back(
          json::object{{"type", "thinking"}, {"thinking", text_of(said.reasoning.text)}, {"signature", signature}});
    if (!said.text.text.empty()) content.push_back(json::object{{"type", "text"}, {"text", text_of(said.text.text)}});
    for (const auto& call : end.calls) {
      auto input = providers::object_in(call.arguments);
      if (!input.is_object()) input = text_of(call.arguments);  // a script may say what no model should
      content.push_back(anthropic_call(call, std::move(input)));
    }
    return json::serialize(
        message_object(identity, std::move(content), json::value(stop_reason(end.finish)), usage_object(end.usage)));
  }
  std::string error(const wire_error& why) const override { return json::serialize(anthropic_error(why)); }
  std::string models(std::string_view model) const override {
    json::object entry{{"id", model}, {"type", "model"}, {"display_name", model}, {"created_at", "1970-01-01T00:00:00Z"}};
    return json::serialize(
        json::object{{"data", json::array{std::move(entry)}}, {"has_more", false}, {"first_id", model}, {"last_id", model}});
  }

 private:
  wire_question question_of(std::string_view body, const std::vector<providers::tool_description>& tools) const override {
    return read_anthropic_question(body, tools);
  }
};

}  // namespace

const wire_format& anthropic_format() {
  static const anthropic format;
  return format;
}

}  // namespace troupe::app

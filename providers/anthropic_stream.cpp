#include "providers/anthropic.hpp"
#include "providers/wire_json.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::providers {

namespace json = boost::json;

namespace {

core::finish_reason anthropic_finish(std::string_view reason) {
  using enum core::finish_reason;
  if (reason == "tool_use") return tool_calls;
  if (reason == "refusal") return content_filter;
  // A paused turn belongs to tools that run at Anthropic; none is offered, and what is there is not the whole answer.
  if (reason == "max_tokens" || reason == "model_context_window_exceeded" || reason == "pause_turn") return length;
  return stop;  // end_turn, stop_sequence, and what is yet to be invented
}

}  // namespace

void anthropic_stream_parser::take_object(const json::object& event, std::string_view name, model_output& out) {
  auto type = text_at(event, "type");
  if (type.empty()) type = name;
  if (type == "content_block_delta") return take_delta(event, out);
  if (type == "content_block_start") return start_block(event, out);
  if (type == "content_block_stop") return stop_block(count_at(event, "index"), out);
  if (type == "message_stop") return answer_.complete(out);
  if (type == "message_start") {
    if (auto* message = object_at(event, "message"))
      if (auto* usage = object_at(*message, "usage")) take_usage(*usage, out);
  } else if (type == "message_delta") {
    if (auto* usage = object_at(event, "usage")) take_usage(*usage, out);
    auto* delta = object_at(event, "delta");
    if (delta == nullptr) return;
    if (auto reason = text_at(*delta, "stop_reason"); !reason.empty()) answer_.set_finish(anthropic_finish(reason));
  }
  // ping, and events of other kinds, say nothing here.
}

void anthropic_stream_parser::start_block(const json::object& event, model_output& out) {
  if (open_.size() == max_open_blocks)
    return answer_.malformed("has more than " + std::to_string(max_open_blocks) + " content blocks open at once", out);
  block started{count_at(event, "index"), std::nullopt};
  if (auto* content = object_at(event, "content_block")) {
    auto type = text_at(*content, "type");
    if (type == "text") answer_.add_text(text_at(*content, "text"), out);
    if (type == "thinking") answer_.add_reasoning(text_at(*content, "thinking"), out);
    if (type == "tool_use") {
      auto* call = answer_.begin_call(started.index, out);
      if (call == nullptr) return;
      call->id = text_at(*content, "id");
      call->name = text_at(*content, "name");
      started.call = answer_.calls().size() - 1;
      if (auto* input = object_at(*content, "input"); input != nullptr && !input->empty())
        started.input = json::serialize(*input);
    }
  }
  open_.push_back(std::move(started));
}

void anthropic_stream_parser::take_delta(const json::object& event, model_output& out) {
  auto* delta = object_at(event, "delta");
  if (delta == nullptr) return;
  auto type = text_at(*delta, "type");
  if (type == "text_delta") return answer_.add_text(text_at(*delta, "text"), out);
  if (type == "thinking_delta") return answer_.add_reasoning(text_at(*delta, "thinking"), out);
  if (type != "input_json_delta") return;  // signatures and citations
  auto at = find_block(count_at(event, "index"));
  if (at == open_.end()) return answer_.malformed("sent the input of a tool call that it had not begun", out);
  if (at->call) answer_.add_arguments(answer_.calls()[*at->call], text_at(*delta, "partial_json"), out);
}

void anthropic_stream_parser::stop_block(std::int64_t index, model_output& out) {
  auto at = find_block(index);
  if (at == open_.end()) return;
  if (at->call) {
    // What is no JSON here goes on as it is: the model is told of it as the call's result.
    auto& call = answer_.calls()[*at->call];
    if (call.arguments.empty()) answer_.add_arguments(call, at->input.empty() ? std::string_view("{}") : at->input, out);
  }
  open_.erase(at);
}

std::vector<anthropic_stream_parser::block>::iterator anthropic_stream_parser::find_block(std::int64_t index) {
  // The one that began last, should two have the same index.
  auto at = std::find_if(open_.rbegin(), open_.rend(), [&](const block& b) { return b.index == index; });
  return at == open_.rend() ? open_.end() : std::prev(at.base());
}

/// Cumulative: a later count stands for all before it, and what it leaves out is as it was. Input that was read from the
/// cache or written to it is not in `input_tokens`.
void anthropic_stream_parser::take_usage(const json::object& usage, model_output& out) {
  auto take = [&](std::string_view key, std::int64_t& to) {
    if (auto* value = usage.if_contains(key); value != nullptr && value->is_number()) to = count_at(usage, key);
  };
  take("input_tokens", input_);
  take("cache_read_input_tokens", cache_read_);
  take("cache_creation_input_tokens", cache_creation_);
  take("output_tokens", output_);
  answer_.set_usage({input_ + cache_creation_ + cache_read_, cache_read_, output_}, out);
}

}  // namespace troupe::providers

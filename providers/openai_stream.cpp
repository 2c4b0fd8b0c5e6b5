#include "providers/openai.hpp"
#include "providers/wire_json.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::providers {

namespace json = boost::json;

namespace {

std::optional<core::finish_reason> openai_finish(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "function_call") return core::finish_reason::tool_calls;
  // Servers invent reasons of their own ("eos", "end_turn"); each of them is an end all the same.
  return core::finish_reason_from(text).value_or(core::finish_reason::stop);
}

}  // namespace

void openai_stream_parser::take_done(model_output& out) { answer_.complete(out); }

void openai_stream_parser::take_object(const json::object& chunk, std::string_view, model_output& out) {
  if (auto* usage = object_at(chunk, "usage")) {
    core::token_usage counts{count_at(*usage, "prompt_tokens"), 0, count_at(*usage, "completion_tokens")};
    if (auto* details = object_at(*usage, "prompt_tokens_details"))
      counts.cached_prompt = std::min(count_at(*details, "cached_tokens"), counts.prompt);
    answer_.set_usage(counts, out);
  }
  auto* choices = chunk.if_contains("choices");
  if (choices == nullptr || !choices->is_array()) return;
  for (const auto& value : choices->get_array()) {
    auto* choice = value.if_object();
    if (choice == nullptr || count_at(*choice, "index") != 0) continue;
    if (auto* delta = object_at(*choice, "delta")) take_delta(*delta, out);
    if (has_ended()) return;
    auto reason = text_at(*choice, "finish_reason");
    if (reason == "error") return answer_.malformed("ended the answer with finish_reason \"error\" and no text", out);
    if (auto finish = openai_finish(reason)) answer_.set_finish(*finish);
  }
}

void openai_stream_parser::take_delta(const json::object& delta, model_output& out) {
  auto reasoning = text_at(delta, "reasoning_content");
  if (reasoning.empty()) reasoning = text_at(delta, "reasoning");
  answer_.add_reasoning(reasoning, out);
  answer_.add_text(text_at(delta, "content"), out);
  answer_.add_text(text_at(delta, "refusal"), out);
  auto* calls = delta.if_contains("tool_calls");
  if (calls == nullptr || !calls->is_array()) return;
  for (const auto& call : calls->get_array()) {
    if (has_ended()) return;
    if (auto* object = call.if_object()) take_call(*object, out);
  }
}

void openai_stream_parser::take_call(const json::object& call, model_output& out) {
  auto* partial = call_at(call, out);
  if (partial == nullptr) return;
  if (partial->id.empty()) partial->id = text_at(call, "id");
  auto* function = object_at(call, "function");
  if (function == nullptr) return;
  if (partial->name.empty()) partial->name = text_at(*function, "name");
  auto* arguments = function->if_contains("arguments");
  if (arguments == nullptr || arguments->is_null()) return;
  if (arguments->is_string())
    answer_.add_arguments(*partial, arguments->get_string(), out);
  else
    answer_.add_arguments(*partial, json::serialize(*arguments), out);
}

answer::call* openai_stream_parser::call_at(const json::object& call, model_output& out) {
  auto& calls = answer_.calls();
  auto* index = call.if_contains("index");
  auto id = text_at(call, "id");
  answer::call* known = nullptr;
  if (index != nullptr && index->is_int64()) {
    for (auto& partial : calls)
      if (partial.index == index->get_int64()) known = &partial;
  } else if (!calls.empty()) {
    known = &calls.back();
  }
  // Some servers give every call index 0, or none: a second id is a second call.
  if (known != nullptr && !id.empty() && !known->id.empty() && id != known->id) known = nullptr;
  // Whole calls without index and id: each has a name and follows one whose arguments are there.
  if (known != nullptr && index == nullptr && id.empty() && !known->arguments.empty())
    if (auto* function = object_at(call, "function"); function != nullptr && !text_at(*function, "name").empty())
      known = nullptr;
  if (known != nullptr) return known;
  auto place = index != nullptr && index->is_int64() ? index->get_int64() : calls.empty() ? 0 : calls.back().index + 1;
  return answer_.begin_call(place, out);
}

}  // namespace troupe::providers

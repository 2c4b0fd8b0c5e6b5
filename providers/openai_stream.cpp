#include "providers/openai.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::providers {

namespace json = boost::json;

namespace {

std::string_view text_at(const json::object& object, std::string_view key) {
  auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

const json::object* object_at(const json::object& object, std::string_view key) {
  auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::int64_t count_at(const json::object& object, std::string_view key) {
  constexpr std::int64_t most = 1'000'000'000;
  auto* value = object.if_contains(key);
  if (value == nullptr) return 0;
  if (value->is_int64()) return std::clamp<std::int64_t>(value->get_int64(), 0, most);
  if (value->is_uint64()) return most;
  if (value->is_double()) return static_cast<std::int64_t>(std::clamp(value->get_double(), 0.0, 1e9));
  return 0;
}

std::optional<core::finish_reason> finish_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "function_call") return core::finish_reason::tool_calls;
  // Servers invent reasons of their own ("eos", "end_turn"); each of them is an end all the same.
  return core::finish_reason_from(text).value_or(core::finish_reason::stop);
}

core::error provider_error(std::string text) { return {core::errc::provider_error, std::move(text)}; }

}  // namespace

openai_stream_parser::openai_stream_parser(openai_stream_options options)
    : options_(std::move(options)), sse_(options_.max_line) {}

void openai_stream_parser::feed(std::string_view bytes, model_output& out) {
  if (ended_) return;
  sse_.feed(bytes);
  while (!ended_) {
    auto event = sse_.next();
    if (!event) break;
    take_event(*event, out);
  }
  if (!ended_ && sse_.too_long())
    malformed("sent a line or an event of more than " + std::to_string(options_.max_line) + " bytes", out);
}

void openai_stream_parser::close(model_output& out) {
  if (ended_) return;
  if (auto event = sse_.finish()) take_event(*event, out);
  fail(provider_error("the upstream closed the stream before its end marker; the answer may be incomplete"), true, out);
}

void openai_stream_parser::fail(core::error error, bool retryable, model_output& out) {
  if (ended_) return;
  if (finish_)
    complete(out);
  else
    end_with(std::move(error), retryable, out);
}

void openai_stream_parser::take_event(const sse_event& event, model_output& out) {
  if (event.data == "[DONE]") return complete(out);
  if (event.data.empty()) return;
  unsigned char buffer[4096];
  json::monotonic_resource memory(buffer, sizeof(buffer));
  json::parse_options options;
  options.max_depth = 64;
  options.allow_invalid_utf8 = true;  // a character may be cut between two deltas; the gates put it together
  boost::system::error_code ec;
  auto chunk = json::parse(event.data, ec, &memory, options);
  if (ec || !chunk.is_object())
    return malformed("sent an event that is not a JSON object: " + bounded_text(event.data, 80), out);
  if (auto error = openai_error_of(chunk, event.name)) {
    auto text = error->text.empty() ? std::string("the upstream sent an error without a text") : std::move(error->text);
    return end_with(provider_error(std::move(text)), error->retryable, out);
  }
  take_chunk(chunk.get_object(), out);
}

void openai_stream_parser::take_chunk(const json::object& chunk, model_output& out) {
  if (auto* usage = object_at(chunk, "usage")) {
    core::token_usage counts{count_at(*usage, "prompt_tokens"), 0, count_at(*usage, "completion_tokens")};
    if (auto* details = object_at(*usage, "prompt_tokens_details"))
      counts.cached_prompt = std::min(count_at(*details, "cached_tokens"), counts.prompt);
    usage_ = counts;
  }
  auto* choices = chunk.if_contains("choices");
  if (choices == nullptr || !choices->is_array()) return;
  for (const auto& value : choices->get_array()) {
    auto* choice = value.if_object();
    if (choice == nullptr || count_at(*choice, "index") != 0) continue;
    if (auto* delta = object_at(*choice, "delta")) take_delta(*delta, out);
    if (ended_) return;
    auto reason = text_at(*choice, "finish_reason");
    if (reason == "error") return malformed("ended the answer with finish_reason \"error\" and no text", out);
    if (auto finish = finish_of(reason)) finish_ = finish;
  }
}

void openai_stream_parser::take_delta(const json::object& delta, model_output& out) {
  auto reasoning = text_at(delta, "reasoning_content");
  if (reasoning.empty()) reasoning = text_at(delta, "reasoning");
  add_text(reasoning, reasoning_gate_, out.reasoning, out);
  add_text(text_at(delta, "content"), text_gate_, out.text, out);
  add_text(text_at(delta, "refusal"), text_gate_, out.text, out);
  auto* calls = delta.if_contains("tool_calls");
  if (calls == nullptr || !calls->is_array()) return;
  for (const auto& call : calls->get_array()) {
    if (ended_) return;
    if (auto* object = call.if_object()) take_call(*object, out);
  }
}

void openai_stream_parser::take_call(const json::object& call, model_output& out) {
  auto* partial = call_at(call);
  if (partial == nullptr) return malformed("sent more than " + std::to_string(max_calls) + " tool calls at once", out);
  if (partial->id.empty()) partial->id = text_at(call, "id");
  auto* function = object_at(call, "function");
  if (function == nullptr) return;
  if (partial->name.empty()) partial->name = text_at(*function, "name");
  auto* arguments = function->if_contains("arguments");
  if (arguments == nullptr || arguments->is_null()) return;
  auto before = partial->arguments.size();
  if (arguments->is_string())
    partial->arguments += std::string_view(arguments->get_string());
  else
    partial->arguments += json::serialize(*arguments);
  if (!count(partial->arguments.size() - before, out)) return;
}

openai_stream_parser::partial_call* openai_stream_parser::call_at(const json::object& call) {
  auto* index = call.if_contains("index");
  auto id = text_at(call, "id");
  partial_call* known = nullptr;
  if (index != nullptr && index->is_int64()) {
    for (auto& partial : calls_)
      if (partial.index == index->get_int64()) known = &partial;
  } else if (!calls_.empty()) {
    known = &calls_.back();
  }
  // Some servers give every call index 0, or none: a second id is a second call.
  if (known != nullptr && !id.empty() && !known->id.empty() && id != known->id) known = nullptr;
  // Whole calls without index and id: each has a name and follows one whose arguments are there.
  if (known != nullptr && index == nullptr && id.empty() && !known->arguments.empty())
    if (auto* function = object_at(call, "function"); function != nullptr && !text_at(*function, "name").empty())
      known = nullptr;
  if (known != nullptr) return known;
  if (calls_.size() == max_calls) return nullptr;
  auto place = index != nullptr && index->is_int64() ? index->get_int64() : calls_.empty() ? 0 : calls_.back().index + 1;
  calls_.push_back({place, {}, {}, {}});
  return &calls_.back();
}

void openai_stream_parser::add_text(std::string_view bytes, utf8_gate& gate, core::text_pieces& to, model_output& out) {
  if (bytes.empty() || ended_ || !count(bytes.size(), out)) return;
  auto before = to.text.size();
  if (!gate.feed(bytes, to.text)) return malformed("sent text that is not UTF-8", out);
  if (to.text.size() > before) to.lengths.push_back(static_cast<std::uint32_t>(to.text.size() - before));
}

bool openai_stream_parser::count(std::size_t bytes, model_output& out) {
  total_ += bytes;
  if (total_ <= options_.max_total) return true;
  malformed("sent more than " + std::to_string(options_.max_total) + " bytes of text and arguments in one answer", out);
  return false;
}

std::string openai_stream_parser::own_name(const std::string& wire_name) const {
  if (options_.tools)
    for (const auto& tool : *options_.tools)
      if (openai_tool_name(tool.name) == wire_name) return tool.name;
  return wire_name;
}

std::vector<core::tool_call> openai_stream_parser::finished_calls() {
  std::stable_sort(calls_.begin(), calls_.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  std::vector<core::tool_call> out;
  for (auto& partial : calls_) {
    core::tool_call_id id{to_utf8(partial.id)};
    auto is_taken = [&] { return std::any_of(out.begin(), out.end(), [&](const auto& other) { return other.id == id; }); };
    for (auto n = out.size() + 1; id.empty() || is_taken(); ++n)
      id.value = "call_" + std::to_string(options_.call_number) + "_" + std::to_string(n);
    out.push_back({std::move(id), own_name(to_utf8(partial.name)), to_utf8(partial.arguments)});
  }
  calls_.clear();
  return out;
}

void openai_stream_parser::complete(model_output& out) {
  for (const auto& call : calls_)
    if (call.name.empty()) return malformed("sent a tool call without a name", out);
  // A model that runs into its token limit may stop inside a character: show that something is missing.
  if (text_gate_.has_partial()) out.text.add("\xEF\xBF\xBD");
  if (reasoning_gate_.has_partial()) out.reasoning.add("\xEF\xBF\xBD");
  ended_ = true;
  model_end end;
  end.calls = finished_calls();
  end.usage = usage_;
  end.finish = finish_.value_or(core::finish_reason::stop);
  // `stop` with calls and `tool_calls` without any both occur; the calls themselves are what counts.
  if (end.finish == core::finish_reason::stop && !end.calls.empty()) end.finish = core::finish_reason::tool_calls;
  if (end.finish == core::finish_reason::tool_calls && end.calls.empty()) end.finish = core::finish_reason::stop;
  out.end = std::move(end);
}

void openai_stream_parser::end_with(core::error error, bool retryable, model_output& out) {
  ended_ = true;
  model_end end;
  end.error = std::move(error);
  end.usage = usage_;
  end.retryable = retryable;
  out.end = std::move(end);
}

void openai_stream_parser::malformed(std::string what, model_output& out) {
  end_with(provider_error("the upstream " + std::move(what)), false, out);
}

}  // namespace troupe::providers

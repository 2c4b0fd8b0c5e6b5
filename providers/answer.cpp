#include "providers/answer.hpp"

#include "providers/tool_names.hpp"

#include <algorithm>

namespace troupe::providers {

answer::call* answer::begin_call(std::int64_t index, model_output& out) {
  if (calls_.size() == max_calls) {
    malformed("sent more than " + std::to_string(max_calls) + " tool calls at once", out);
    return nullptr;
  }
  calls_.push_back({index, {}, {}, {}});
  return &calls_.back();
}

void answer::add_arguments(call& to, std::string_view bytes, model_output& out) {
  if (ended_ || !count(bytes.size(), out)) return;
  to.arguments += bytes;
}

void answer::add(std::string_view bytes, utf8_gate& gate, core::text_pieces& to, model_output& out) {
  if (bytes.empty() || ended_ || !count(bytes.size(), out)) return;
  auto before = to.text.size();
  if (!gate.feed(bytes, to.text)) return malformed("sent text that is not UTF-8", out);
  if (to.text.size() > before) to.lengths.push_back(static_cast<std::uint32_t>(to.text.size() - before));
}

bool answer::count(std::size_t bytes, model_output& out) {
  total_ += bytes;
  if (total_ <= options_.max_total) return true;
  malformed("sent more than " + std::to_string(options_.max_total) + " bytes of text and arguments in one answer", out);
  return false;
}

std::vector<core::tool_call> answer::finished_calls() {
  std::stable_sort(calls_.begin(), calls_.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  std::vector<core::tool_call> out;
  for (auto& partial : calls_) {
    core::tool_call_id id{to_utf8(partial.id)};
    auto is_taken = [&] { return std::any_of(out.begin(), out.end(), [&](const auto& other) { return other.id == id; }); };
    for (auto n = out.size() + 1; id.empty() || is_taken(); ++n)
      id.value = "call_" + std::to_string(options_.call_number) + "_" + std::to_string(n);
    out.push_back({std::move(id), own_tool_name(options_.tools.get(), to_utf8(partial.name)), to_utf8(partial.arguments)});
  }
  calls_.clear();
  return out;
}

void answer::complete(model_output& out) {
  if (ended_) return;
  for (const auto& partial : calls_)
    if (partial.name.empty()) return malformed("sent a tool call without a name", out);
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

void answer::break_off(core::error error, bool retryable, model_output& out) {
  if (finish_)
    complete(out);
  else
    fail(std::move(error), retryable, out);
}

void answer::fail(core::error error, bool retryable, model_output& out) {
  if (ended_) return;
  ended_ = true;
  model_end end;
  end.error = std::move(error);
  end.usage = usage_;
  end.retryable = retryable;
  out.end = std::move(end);
}

void answer::malformed(const std::string& what, model_output& out) {
  fail({core::errc::provider_error, "the upstream " + what}, false, out);
}

}  // namespace troupe::providers

#include "app/record/exchange_log.hpp"

#include "providers/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

/// Longer than anybody waits for a model.
constexpr std::int64_t hang_ms = 24 * 3'600'000;

json::object error_value(core::errc code, const std::string& text) {
  json::object out{{"text", providers::to_utf8(text)}};
  if (code != core::errc::provider_error) out.emplace("code", core::to_string(code));
  return out;
}

/// An object where it says the same, byte for byte; else the model's own text.
json::value arguments_value(const std::string& arguments) {
  boost::system::error_code failure;
  auto value = json::parse(arguments, failure, {}, {.max_depth = 16});
  if (!failure && value.is_object() && json::serialize(value) == arguments) return value;
  return json::string(providers::to_utf8(arguments));
}

}  // namespace

json::value literal_value(const json::value& v) {
  if (const auto* text = v.if_string()) return text->starts_with('$') ? json::value("$" + std::string(*text)) : v;
  if (const auto* list = v.if_array()) {
    json::array out;
    for (const auto& item : *list) out.push_back(literal_value(item));
    return out;
  }
  if (const auto* object = v.if_object()) {
    json::object out;
    for (const auto& member : *object) out.emplace(member.key(), literal_value(member.value()));
    return out;
  }
  return v;
}

std::int64_t exchange_log::pause_before(core::millis at) {
  auto pause = std::max<std::int64_t>(0, (at - last_).count());
  last_ = std::max(last_, at);
  return pause;
}

void exchange_log::text(const core::text_pieces& pieces, bool is_reasoning, core::millis at) {
  auto pause = pause_before(at);
  std::size_t from = 0;
  std::string held;
  for (auto length : pieces.lengths) {
    held.append(pieces.text, from, length);
    from += length;
    // A file holds whole characters only.
    if (held.empty() || (providers::scan_utf8(held).truncated && from < pieces.text.size())) continue;
    pieces_.push_back({providers::to_utf8(held), is_reasoning, std::exchange(pause, 0)});
    held.clear();
  }
}

void exchange_log::flush() {
  for (std::size_t i = 0; i < pieces_.size();) {
    bool is_reasoning = pieces_[i].is_reasoning;
    json::array texts, pauses;
    bool has_pause = false;
    for (; i < pieces_.size() && pieces_[i].is_reasoning == is_reasoning; ++i) {
      texts.push_back(json::string(pieces_[i].text));
      pauses.push_back(pieces_[i].after_ms);
      has_pause = has_pause || pieces_[i].after_ms > 0;
    }
    json::object step{{is_reasoning ? "reasoning" : "text", std::move(texts)}};
    if (has_pause) step.emplace("after_ms", std::move(pauses));
    say_.push_back(std::move(step));
  }
  pieces_.clear();
}

void exchange_log::completed(const core::message_completed& e, core::millis at) {
  flush();
  if (auto pause = pause_before(at); pause > 0) say_.push_back(json::object{{"delay_ms", pause}});
  for (const auto& call : e.calls)
    say_.push_back(json::object{{"tool", call.tool}, {"id", call.id.str()}, {"arguments", arguments_value(call.arguments)}});
  auto usual = e.calls.empty() ? core::finish_reason::stop : core::finish_reason::tool_calls;
  if (e.finish != usual) say_.push_back(json::object{{"finish", core::to_string(e.finish)}});
  is_over_ = true;
}

void exchange_log::usage(const core::token_usage& tokens) { usage_ = tokens; }

void exchange_log::failed(core::errc code, const std::string& text, core::millis at) {
  flush();
  if (auto pause = pause_before(at); pause > 0) say_.push_back(json::object{{"delay_ms", pause}});
  say_.push_back(json::object{{"error", error_value(code, text)}});
  is_over_ = true;
}

void exchange_log::attempt_failed(core::errc code, const std::string& text) {
  if (failed_attempts_.size() < providers::max_failed_attempts) failed_attempts_.push_back(error_value(code, text));
}

void exchange_log::hung() {
  flush();
  say_.push_back(json::object{{"delay_ms", hang_ms}});
  say_.push_back(json::object{{"cut", true}});
  is_over_ = true;
}

json::object exchange_log::to_json() && {
  if (usage_) {
    json::object step{
        {"usage", {{"prompt", usage_->prompt}, {"cached_prompt", usage_->cached_prompt}, {"completion", usage_->completion}}}};
    // An error ends an answer, so what it used stands before it.
    auto at = say_.end();
    if (!say_.empty() && (say_.back().get_object().contains("error") || say_.back().get_object().contains("cut"))) --at;
    say_.insert(at, std::move(step));
  }
  json::object out{{"turn", place_.turn}, {"step", place_.step}, {"user", providers::to_utf8(place_.user)}};
  if (!failed_attempts_.empty()) out.emplace("failed", std::move(failed_attempts_));
  out.emplace("say", std::move(say_));
  return out;
}

}  // namespace troupe::app

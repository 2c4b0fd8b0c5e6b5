#include "app/record/call_book.hpp"

#include "providers/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;
using core::millis;

void call_book::started(const core::tool_started& t, bool is_unknown) {
  calls_[t.call.str()] = {t.tool, t.input, steps_.clock(), ++dispatched_, true};
  if (is_unknown) return;
  auto [tool, is_new] = tools_.emplace(t.tool, json::object{{"tool", t.tool}, {"effect", core::to_string(t.effect)}});
  if (!is_new || !known_) return;
  boost::system::error_code failure;
  if (auto known = known_->find(t.tool))
    if (auto schema = json::parse(known->spec().parameters, failure); !failure) tool->second.emplace("parameters", schema);
}

void call_book::asked(const core::approval_requested& a, const core::event& e) {
  deadlines_[a.approval] = steps_.clock() + millis(approval_timeout(a, e));
  auto tool = tools_.find(a.tool);
  if (tool != tools_.end() && !a.risk.empty()) tool->second["risk"] = a.risk;
  if (a.kind != core::approval_kind::tool) return;
  calls_[a.call.str()].is_dispatched = false;
  if (tool == tools_.end()) return;
  tool->second["approval"] = "always";
  if (a.deciders > 1) tool->second["deciders"] = a.deciders;
  if (!a.not_by.empty()) tool->second["not_requester"] = true;
  needs_two_ = needs_two_ || a.deciders > 1;
}

std::int64_t call_book::approval_timeout(const core::approval_requested& a, const core::event& e) {
  if (timeout_ms_ == 0) {
    // The question was stored a moment after its time was set.
    constexpr std::int64_t grain = 100;
    timeout_ms_ = agent_ ? agent_->limits.approval_timeout.count()
                         : std::max(grain, ((a.expires_at - e.at).count() + grain - 1) / grain * grain);
  }
  return timeout_ms_;
}

void call_book::edited(const core::tool_call_id& call, const std::string& input) {
  if (!input.empty()) calls_[call.str()].input = input;
}

void call_book::decided(const core::approval_decided& a) {
  edited(a.call, a.edited_input);
  if (a.choice == core::outcome_choice::retry) run_again(a.call.str());
  if (a.choice != core::outcome_choice::none || !a.answer.empty()) return;
  auto& call = calls_[a.call.str()];
  call.is_dispatched = a.decision == core::decision::approved;
  call.begun = steps_.clock();
  call.order = ++dispatched_;
}

/// It has a result after all, later than it might have: replay gives it to the call that is made again.
void call_book::run_again(const std::string& call) {
  unknown_.erase(call);
  auto lost = std::find(results_.rbegin(), results_.rend(), lost_result(call));
  if (lost != results_.rend()) results_.erase(std::next(lost).base());
}

std::string call_book::lost_result(const std::string& call) const {
  auto it = calls_.find(call);
  if (it == calls_.end()) return {};
  return json::serialize(json::object{{"call", call}, {"tool", it->second.tool}, {"never", true}});
}

void call_book::completed(const core::tool_completed& t, const core::event& e, bool closes) {
  auto it = calls_.find(t.call.str());
  if (it == calls_.end()) return;
  auto call = it->second;
  calls_.erase(it);
  bool is_unknown = unknown_.erase(t.call.str()) > 0;
  if (!call.is_dispatched || is_unknown) return;
  json::object result{{"call", t.call.str()}, {"tool", t.tool}};
  if (auto input = embedded(call.input); input.is_object()) result.emplace("input", input);
  if (closes) {
    result.emplace("never", true);
  } else {
    auto due = std::max(steps_.recorded(e), steps_.clock());
    if (due == steps_.commanded_at() && call.begun < due) due += millis{1};
    // Of equal times the call that was begun first would be first.
    if (due == last_result_ && call.order < last_order_) due += millis{1};
    result.emplace("ok", t.ok);
    result.emplace("output", providers::to_utf8(t.output));
    if (auto after = (due - call.begun).count(); after > 0) result.emplace("after_ms", after);
    longest_call_ms_ = std::max(longest_call_ms_, (due - call.begun).count());
    if (tools_.contains(t.tool)) steps_.advance_to(due);
    last_result_ = due;
    last_order_ = call.order;
  }
  if (tools_.contains(t.tool)) results_.push_back(json::serialize(result));
}

void call_book::lost(const core::tool_outcome_unknown& t, const core::event& e) {
  auto it = calls_.find(t.call.str());
  if (it == calls_.end()) return;
  if (it->second.is_dispatched) results_.push_back(lost_result(t.call.str()));
  unknown_.insert(t.call.str());
  if (crashed_at_ == e.at) return;
  crashed_at_ = e.at;
  steps_.advance_to(steps_.recorded(e));
  steps_.add({{"crash", true}});
}

std::vector<std::string> call_book::tools() const {
  std::vector<std::string> out;
  for (const auto& [name, tool] : tools_) out.push_back(json::serialize(tool));
  return out;
}

}  // namespace troupe::app

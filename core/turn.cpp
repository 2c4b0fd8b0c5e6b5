#include "core/turn.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

struct folder {
  turn& t;
  seq_t seq;

  void operator()(const run_started& e) const {
    t = turn{};
    t.run = e.run;
    t.message = e.message;
    t.reply = e.reply;
    t.trace = e.trace;
    t.agent = e.agent;
    t.config_hash = e.config_hash;
    t.active = true;
  }
  void operator()(const step_started& e) const {
    t.step = e.step;
    t.reply = e.message;
    t.step_open = true;
    t.step_text_from = 0;
    t.step_calls_from = t.calls.size();
  }
  void operator()(const text_delta&) const { note_text(); }
  void operator()(const reasoning_delta&) const { note_text(); }
  void operator()(const message_superseded& e) const {
    if (!e.message.is_nil()) t.step_text_from = 0;
  }
  void operator()(const message_completed&) const { t.step_open = false; }
  void operator()(const tool_started& e) const {
    turn_call call;
    call.id = e.call;
    call.tool = e.tool;
    call.input = e.input;
    call.effect = e.effect;
    call.child = e.child;
    t.calls.push_back(std::move(call));
  }
  void operator()(const tool_completed& e) const {
    if (auto* c = t.find_call(e.call)) {
      c->settled = true;
      c->ok = e.ok;
      c->output = e.output;
      c->ms = e.ms;
      c->is_unknown = false;
    }
    t.tokens += e.child_tokens;
    t.cost += e.child_cost;
    drop_approval(e.call);
  }
  void operator()(const tool_outcome_unknown& e) const {
    if (auto* c = t.find_call(e.call)) c->is_unknown = true;
  }
  void operator()(const approval_requested& e) const { t.open_approvals.push_back(e); }
  void operator()(const approval_endorsed& e) const { t.endorsements.push_back(e); }
  void operator()(const approval_decided& e) const {
    auto asked = std::find_if(t.open_approvals.begin(), t.open_approvals.end(),
                              [&](const approval_requested& a) { return a.approval == e.approval; });
    // What a running call wanted to know says nothing of the call itself.
    bool is_of_call = asked == t.open_approvals.end() || (asked->kind != approval_kind::input && asked->origin.is_nil());
    if (asked != t.open_approvals.end()) t.open_approvals.erase(asked);
    std::erase_if(t.endorsements, [&](const approval_endorsed& a) { return a.approval == e.approval; });
    if (auto* c = is_of_call ? t.find_call(e.call) : nullptr) {
      c->decided = e.decision;
      c->note = e.note;
      c->choice = e.choice;
      c->is_unknown = false;
      if (!e.edited_input.empty()) c->input = e.edited_input;
    }
  }
  // The bill of a cancelled call and that of a title come late, maybe when another run goes on.
  void operator()(const usage_recorded& e) const {
    if (e.run != t.run) return;
    t.tokens += e.tokens;
    t.cost += e.cost;
  }
  void operator()(const agent_changed& e) const {
    t.agent = e.agent;
    t.config_hash = 0;
  }
  void operator()(const run_stop_requested& e) const {
    if (e.run == t.run) t.stop = e;
  }
  void operator()(const run_completed&) const { end(); }
  void operator()(const run_failed&) const { end(); }
  void operator()(const run_cancelled& e) const {
    if (e.run == t.run) end();
  }
  template <class Other>
  void operator()(const Other&) const {}

  void note_text() const {
    if (t.step_text_from == 0) t.step_text_from = seq;
  }
  void end() const {
    t.active = false;
    t.step_open = false;
    t.open_approvals.clear();
    t.endorsements.clear();
    t.stop.reset();
  }
  void drop_approval(const tool_call_id& call) const {
    std::erase_if(t.open_approvals, [&](const approval_requested& a) { return a.call == call; });
    std::erase_if(t.endorsements, [&](const approval_endorsed& a) { return a.call == call; });
  }
};

}  // namespace

void turn::apply(const event& e) { std::visit(folder{*this, e.first}, e.payload); }

turn_call* turn::find_call(const tool_call_id& id) noexcept {
  // Ids are unique within a step only: the newest one counts.
  auto it = std::find_if(calls.rbegin(), calls.rend(), [&](const turn_call& c) { return c.id == id; });
  return it == calls.rend() ? nullptr : &*it;
}

bool turn::is_parked() const noexcept {
  if (!active || step_open || open_approvals.empty()) return false;
  return std::all_of(calls.begin() + static_cast<std::ptrdiff_t>(step_calls_from), calls.end(), [&](const turn_call& c) {
    return c.settled || std::any_of(open_approvals.begin(), open_approvals.end(),
                                    [&](const approval_requested& a) { return a.call == c.id; });
  });
}

}  // namespace troupe::core

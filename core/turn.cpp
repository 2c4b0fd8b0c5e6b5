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
  void operator()(const message_superseded&) const { t.step_text_from = 0; }
  void operator()(const message_completed&) const { t.step_open = false; }
  void operator()(const tool_started& e) const {
    t.calls.push_back({e.call, e.tool, e.input, e.effect, false, false, {}, 0, {}, {}});
  }
  void operator()(const tool_completed& e) const {
    if (auto* c = t.find_call(e.call)) {
      c->settled = true;
      c->ok = e.ok;
      c->output = e.output;
      c->ms = e.ms;
    }
    drop_approval(e.call);
  }
  void operator()(const approval_requested& e) const { t.open_approvals.push_back(e); }
  void operator()(const approval_decided& e) const {
    drop_approval(e.call);
    if (auto* c = t.find_call(e.call)) {
      c->decided = e.decision;
      c->note = e.note;
      if (!e.edited_input.empty()) c->input = e.edited_input;
    }
  }
  void operator()(const usage_recorded& e) const {
    t.tokens += e.tokens;
    t.cost += e.cost;
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
  }
  void drop_approval(const tool_call_id& call) const {
    std::erase_if(t.open_approvals, [&](const approval_requested& a) { return a.call == call; });
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

#include "app/record/normal_log.hpp"

#include "core/history.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace troupe::app {

namespace {

using entries = std::vector<log_entry>;

core::message_id text_of(const core::event& e) {
  if (const auto* d = e.as<core::text_delta>()) return d->message;
  if (const auto* d = e.as<core::reasoning_delta>()) return d->message;
  return {};
}

core::run_id run_of(const core::event& e) {
  return std::visit(
      [](const auto& payload) {
        if constexpr (requires { payload.run; })
          return core::run_id{payload.run};
        else
          return core::run_id{};
      },
      e.payload);
}

/// The words of actors/agent_loop.cpp for a call that ended with its run.
bool says_end(std::string_view text) {
  return text == "The run failed before this call was carried out." ||
         text == "The user stopped the run before this call had a result." || text == core::missing_result_text;
}

/// Text of a message from a seq on is void.
void revoke(entries& all, const core::message_superseded& lost) {
  if (lost.message.is_nil()) return;
  std::erase_if(all, [&](const log_entry& x) { return text_of(x.event) == lost.message && x.event.first >= lost.from; });
  for (auto& x : all)
    if (text_of(x.event) == lost.message && x.event.seq >= lost.from) x.event = core::head_upto(x.event, lost.from - 1);
}

/// What a recording has no word for; edits of waiting messages become part of them.
bool is_left_out(const core::event& e, core::session_status& status) {
  if (const auto* updated = e.as<core::session_updated>()) {
    if (updated->status == status) return true;
    status = updated->status;
    return false;
  }
  if (const auto* alert = e.as<core::cost_alert>()) return alert->scope != "session";
  if (const auto* added = e.as<core::message_added>()) return added->role != core::role::user;
  return e.as<core::session_created>() || e.as<core::message_edited>() || e.as<core::queue_reordered>() ||
         e.as<core::reaction_changed>() || e.as<core::file_added>() || e.as<core::history_compacted>() ||
         e.as<core::tool_progress>() || e.as<core::typing_changed>() || e.as<core::presence_changed>();
}

void fold_edits(entries& all, const std::vector<core::event>& log) {
  std::map<core::message_id, std::string> edited;
  for (const auto& e : log)
    if (const auto* edit = e.as<core::message_edited>()) edited[edit->message] = edit->content;
  for (auto& x : all)
    if (auto* added = std::get_if<core::message_added>(&x.event.payload))
      if (auto it = edited.find(added->message); it != edited.end()) added->content = it->second;
}

/// Where the event stands that this one follows from at once; `at` itself where time passes between them.
std::size_t cause_of(const entries& all, std::size_t at) {
  const auto& e = all[at].event;
  const auto* step = e.as<core::step_started>();
  const auto* result = e.as<core::tool_completed>();
  if (!step && !result) return at;
  for (auto i = at; i-- > 0;) {
    const auto& before = all[i].event;
    if (step && run_of(before) == step->run) return i;
    if (!result) continue;
    if (const auto* decided = before.as<core::approval_decided>(); decided && decided->call == result->call)
      return decided->decision == core::decision::approved ? at : i;
    if (const auto* started = before.as<core::tool_started>(); started && started->call == result->call) return at;
  }
  return at;
}

void join_causes(entries& all) {
  for (std::size_t at = 0; at < all.size(); ++at) {
    auto cause = cause_of(all, at);
    if (cause + 1 >= at || cause == at) continue;
    auto begin = all.begin();
    auto from = begin + static_cast<std::ptrdiff_t>(cause + 1);
    auto here = begin + static_cast<std::ptrdiff_t>(at);
    std::rotate(from, here, here + 1);
  }
}

/// The group of facts that ends a run: what was open gets its end with it.
void mark_ends(entries& all) {
  for (std::size_t end = 0; end < all.size(); ++end) {
    const auto& last = all[end].event;
    bool is_stop = last.as<core::run_cancelled>() != nullptr;
    if (!is_stop && !last.as<core::run_failed>()) continue;
    auto begin = end;
    while (begin > 0) {
      const auto& e = all[begin - 1].event;
      if (run_of(e) != run_of(last) || e.at != last.at) break;
      const auto* completed = e.as<core::message_completed>();
      const auto* result = e.as<core::tool_completed>();
      const auto* decided = e.as<core::approval_decided>();
      bool closes =
          (completed && completed->cut) || (result && says_end(result->output)) || (decided && says_end(decided->note));
      if (!closes && !e.as<core::usage_recorded>()) break;
      --begin;
    }
    for (auto i = begin; i < end; ++i) all[i].closes_call = true;
    if (is_stop) all[begin].begins_stop = true;
  }
}

}  // namespace

std::vector<log_entry> normal_log(std::vector<core::event> log) {
  entries out;
  auto status = core::session_status::active;
  std::set<std::pair<core::run_id, std::uint32_t>> steps;
  for (auto& e : log) {
    if (const auto* lost = e.as<core::message_superseded>()) {
      revoke(out, *lost);
      continue;
    }
    if (const auto* step = e.as<core::step_started>(); step && !steps.emplace(step->run, step->step).second) continue;
    if (!is_left_out(e, status)) out.push_back({e, false, false});
  }
  fold_edits(out, log);
  join_causes(out);
  mark_ends(out);
  return out;
}

}  // namespace troupe::app

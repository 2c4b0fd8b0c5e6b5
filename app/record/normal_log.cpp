#include "app/record/normal_log.hpp"

#include "app/record/refusals.hpp"
#include "core/history.hpp"

#include <algorithm>
#include <array>
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

/// Kinds that are not told, whether this build knows them or not: what they lead to is.
constexpr std::array<std::string_view, 2> untold_kinds{"run_stop_requested", "agent_changed"};

/// What a recording has no word for.
bool is_left_out(const core::event& e, core::session_status& status) {
  if (const auto* updated = e.as<core::session_updated>()) {
    if (updated->status == status) return true;
    status = updated->status;
    return false;
  }
  if (const auto* alert = e.as<core::cost_alert>()) return alert->scope != "session";
  if (const auto* usage = e.as<core::usage_recorded>(); usage && usage->step == core::title_step) return true;
  if (const auto* added = e.as<core::message_added>()) return added->role != core::role::user;
  if (std::find(untold_kinds.begin(), untold_kinds.end(), core::kind_of(e.payload)) != untold_kinds.end()) return true;
  return e.as<core::session_created>() || e.as<core::reaction_changed>() || e.as<core::message_feedback>() ||
         e.as<core::history_compacted>() || e.as<core::tool_progress>() || e.as<core::typing_changed>() ||
         e.as<core::presence_changed>();
}

/// Comes of a command.
bool is_asked_for(const core::event& e) {
  return e.as<core::message_added>() || e.as<core::approval_decided>() || e.as<core::run_dequeued>() ||
         e.as<core::session_updated>() || e.as<core::history_cleared>() || e.as<core::message_edited>() ||
         e.as<core::queue_reordered>() || e.as<core::file_added>() || e.as<core::approval_endorsed>() ||
         e.as<core::grant_revoked>();
}

void insert_refused(entries& all, core::seq_t after, const refused_command& r) {
  auto it = std::find_if(all.begin(), all.end(), [&](const log_entry& x) { return !x.refused && x.event.seq > after; });
  if (it != all.end() && it->event.first <= after) {
    // In the middle of a text.
    auto rest = core::tail_after(it->event, after);
    it->event = core::head_upto(it->event, after);
    it = all.insert(it + 1, log_entry{.event = std::move(rest)});
  }
  // In a replay everything that is due at a moment comes before the next command.
  auto at = r.at;
  if (it != all.end()) at = std::min(at, it->event.at - core::millis{1});
  if (it != all.begin()) at = std::max(at, std::prev(it)->event.at);
  while (it != all.end() && it->event.at <= at && !is_asked_for(it->event)) ++it;
  log_entry entry;
  entry.event.at = at;
  entry.refused = &r;
  all.insert(it, std::move(entry));
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
      if (!ends_with_run(e)) break;
      --begin;
    }
    for (auto i = begin; i < end; ++i) all[i].closes_call = true;
    if (is_stop) all[begin].begins_stop = true;
  }
}

}  // namespace

bool ends_with_run(const core::event& e) {
  const auto* completed = e.as<core::message_completed>();
  const auto* result = e.as<core::tool_completed>();
  const auto* decided = e.as<core::approval_decided>();
  return (completed && completed->cut) || (result && says_end(result->output)) || (decided && says_end(decided->note)) ||
         e.as<core::usage_recorded>();
}

std::vector<log_entry> normal_log(std::vector<core::event> log, const std::vector<refused_command>& refused) {
  entries out;
  auto status = core::session_status::active;
  std::set<std::pair<core::run_id, std::uint32_t>> steps;
  bool follows_title = false;  // alerts do that are about its cost
  for (auto& e : log) {
    if (const auto* usage = e.as<core::usage_recorded>()) follows_title = usage->step == core::title_step;
    if (follows_title && e.as<core::cost_alert>()) continue;
    if (const auto* lost = e.as<core::message_superseded>()) {
      revoke(out, *lost);
      continue;
    }
    if (const auto* step = e.as<core::step_started>(); step && !steps.emplace(step->run, step->step).second) continue;
    if (!is_left_out(e, status)) out.push_back({.event = e});
  }
  const auto places = places_of(refused, log);
  for (std::size_t i = 0; i < refused.size(); ++i) insert_refused(out, places[i], refused[i]);
  join_causes(out);
  mark_ends(out);
  return out;
}

}  // namespace troupe::app

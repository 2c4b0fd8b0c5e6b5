// The steps of a scenario and the commands they send.
#include "app/scenario/play.hpp"

#include "app/scenario/assertions.hpp"
#include "core/event_json.hpp"
#include "tools/base64.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

/// How long what a restart delayed is waited for.
constexpr milliseconds patience{30 * 60'000};
constexpr milliseconds remote_patience{15'000};
constexpr std::size_t max_waits = 1'000'000;

/// The event that says that a command was carried out.
bool is_fact_of(const core::command& c, std::string_view kind) {
  if (std::holds_alternative<core::send_message>(c)) return kind == "message_added";
  if (std::holds_alternative<core::decide_approval>(c)) return kind == "approval_decided" || kind == "approval_endorsed";
  if (std::holds_alternative<core::revoke_grant>(c)) return kind == "grant_revoked";
  if (std::holds_alternative<core::cancel_run>(c)) return kind == "run_cancelled" || kind == "run_dequeued";
  if (std::holds_alternative<core::dequeue_message>(c)) return kind == "run_dequeued";
  if (std::holds_alternative<core::clear_history>(c)) return kind == "history_cleared";
  if (std::holds_alternative<core::add_file>(c)) return kind == "file_added";
  if (std::holds_alternative<core::edit_queued>(c)) return kind == "message_edited" || kind == "queue_reordered";
  return kind == "session_updated";
}

core::remember_options remember_options_of(const json::object& o) {
  core::remember_options out;
  if (const auto* scope = o.if_contains("scope")) out.scope = *core::grant_scope_from(scope->get_string());
  if (const auto* when = o.if_contains("when")) out.when = json::serialize(*when);
  if (const auto* ms = o.if_contains("expires_in_ms")) out.lifetime = milliseconds{ms->get_int64()};
  return out;
}

}  // namespace

play::play(const scenario& s, scene& where, const run_options& options)
    : scenario_(s),
      scene_(where),
      options_(options),
      is_remote_(where.is_remote()),
      is_forgiving_(options.restart_every_step || options.crash_at > 0 || is_remote_),
      received_(s.ignore, is_forgiving_) {}

scenario_outcome play::run() {
  try {
    play_steps();
  } catch (const failed& f) {
    outcome_.what = verdict::failed;
    outcome_.text = f.text;
    outcome_.divergence = f.divergence;
  }
  return std::move(outcome_);
}

void play::play_steps() {
  for (const auto& step : scenario_.steps) {
    step_ = &step;
    ++number_;
    carry_out();
    if (options_.restart_every_step && step.verb != step_verb::reply && step.verb != step_verb::restart &&
        !is_assertion(step.verb)) {
      done(scene_.restart());
      hear();
    }
  }
  ++number_;  // what is left over stands behind the last step
  expect_quiet();
  if (scene_.awaits_crash()) fail("the crash before this event never came");
}

void play::carry_out() {
  const auto& body = step_->body;
  if (step_->verb == step_verb::expect) return expect();
  if (step_->verb == step_verb::reply) return expect_reply();
  if (is_assertion(step_->verb)) return check();
  hear_again();
  // A call that a restart cut short ends at once instead of after its time.
  if (!is_disturbed() || step_->verb != step_verb::advance) expect_quiet();
  waited_ = milliseconds{0};
  switch (step_->verb) {
    case step_verb::send:
      send();
      break;
    case step_verb::advance:
      done(scene_.advance(milliseconds(body.get_int64())));
      break;
    case step_verb::restart:
      done(scene_.restart());
      break;
    default:
      if (const auto* when = body.if_object())
        scene_.crash_before(std::string(when->at("before").get_string()));
      else
        done(scene_.crash());
      break;
  }
  hear();
}

void play::hear() {
  auto events = scene_.take_events();
  for (const auto& e : events) outcome_.events.push_back(core::event_to_json(e));
  received_.add(std::move(events));
  if (auto defect = received_.defect()) fail(*defect);
  for (const auto& card : received_.take_cards()) give_up(card);
}

/// A restart of ours left the outcome of a call unknown, and the recording has nobody who says what became of it.
void play::give_up(const core::approval_id& card) {
  auto answered = scene_.last_reply();
  core::decide_approval decision;
  decision.approval = card;
  decision.choice = core::outcome_choice::failed;
  done(scene_.send({}, decision));
  hear();
  reply_ = std::move(answered);
}

const std::optional<scene::reply>& play::last_reply() const { return reply_ ? reply_ : scene_.last_reply(); }

void play::done(const core::result<void>& r) const {
  if (!r) fail(r.error().text);
}

bool play::is_disturbed() const { return is_remote_ || (is_forgiving_ && scene_.starts() > 1); }

bool play::wait_for_more() {
  auto most = is_remote_ ? remote_patience : patience;
  for (std::size_t i = 0; waited_ < most && i < max_waits; ++i) {
    auto before = outcome_.events.size();
    auto took = scene_.advance_to_next(most - waited_);
    if (!took) fail(took.error().text);
    hear();
    if (outcome_.events.size() != before) return true;
    if (!*took) return false;
    waited_ += **took;
  }
  return false;
}

void play::hear_again() {
  for (waited_ = milliseconds{0}; is_disturbed() && received_.is_owed() && wait_for_more();) continue;
}

void play::send() {
  auto starts = scene_.starts();
  auto heard = outcome_.events.size();
  reply_is_checked_ = false;
  core::principal by{step_->as, step_->as};
  reply_.reset();
  done(scene_.send(by, command()));
  if (scene_.starts() == starts) return;
  // A process that crashed while it carried out a command need not have answered it.
  if (options_.crash_at > 0 && is_lost(heard)) {
    hear_again();
    done(scene_.send(by, command()));
  }
  if (!last_reply()) reply_is_checked_ = true;
}

bool play::is_lost(std::size_t heard) {
  hear();
  if (last_reply() && !*last_reply()) return false;
  auto asked = command();
  return std::none_of(outcome_.events.begin() + static_cast<std::ptrdiff_t>(heard), outcome_.events.end(),
                      [&](const json::object& e) { return is_fact_of(asked, std::string_view(e.at("kind").get_string())); });
}

std::string play::text(const json::value& v) const {
  std::string_view given = v.get_string();
  auto name = variable_in(given);
  if (name.empty()) return std::string(given.substr(given.starts_with("$$") ? 1 : 0));
  auto it = bound_.find(name);
  if (it == bound_.end()) fail("$" + std::string(name) + " is not bound by a step before this one");
  return it->second.is_string() ? std::string(it->second.get_string()) : json::serialize(it->second);
}

core::command play::command() const {
  const auto& body = step_->body.get_object();
  auto optional = [&](std::string_view key) {
    const auto* v = body.if_contains(key);
    return v ? (v->is_string() ? text(*v) : json::serialize(*v)) : std::string();
  };
  if (const auto* message = body.if_contains("message")) {
    core::send_message out{text(*message), optional("id"), std::nullopt};
    if (body.contains("on_busy")) out.on_busy = core::busy_policy_from(optional("on_busy"));
    if (const auto* files = body.if_contains("attachments"))
      for (const auto& file : files->get_array()) out.attachments.push_back(id<core::file_id>(file));
    return out;
  }
  if (const auto* name = body.if_contains("file")) {
    auto data = body.contains("text") ? optional("text") : *tools::from_base64(body.at("base64").get_string());
    auto type = body.contains("type") ? optional("type") : std::string("application/octet-stream");
    return core::add_file{text(*name), std::move(type), std::make_shared<const std::string>(std::move(data))};
  }
  if (const auto* message = body.if_contains("edit")) {
    core::edit_queued out;
    out.message = id<core::message_id>(*message);
    if (body.contains("content")) out.content = optional("content");
    if (const auto* position = body.if_contains("position")) out.position = static_cast<std::uint32_t>(position->get_int64());
    return out;
  }
  for (auto [verb, approved] : {std::pair{"approve", true}, std::pair{"deny", false}}) {
    const auto* which = body.if_contains(verb);
    if (!which) continue;
    core::decide_approval out{id<core::approval_id>(*which), {}, approved, optional("note"), optional("edited_input")};
    if (body.contains("choice")) out.choice = *core::outcome_choice_from(optional("choice"));
    out.answer = optional("answer");
    if (const auto* remembered = body.if_contains("remember")) out.remember = remember_options_of(remembered->get_object());
    return out;
  }
  if (const auto* grant = body.if_contains("revoke")) return core::revoke_grant{id<core::grant_id>(*grant)};
  if (const auto* run = body.if_contains("cancel")) return core::cancel_run{id<core::run_id>(*run)};
  if (const auto* message = body.if_contains("dequeue")) return core::dequeue_message{id<core::message_id>(*message)};
  if (body.contains("clear")) return core::clear_history{};
  return core::change_status{*core::session_status_from(body.at("status").get_string())};
}

}  // namespace troupe::app

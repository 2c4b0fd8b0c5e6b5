#include "app/scenario/runner.hpp"

#include "app/scenario/match.hpp"
#include "app/scenario/received.hpp"
#include "app/scenario/stage.hpp"
#include "core/event_json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t max_shown = 2'000;
constexpr std::size_t max_listed = 40;

struct failed {
  std::string text;
};

std::string shown(const json::value& v) {
  auto text = json::serialize(v);
  if (text.size() > max_shown) text = text.substr(0, max_shown) + "…";
  return text;
}

json::object reply_to_json(const stage::reply& reply) {
  if (!reply) return {{"error", core::to_string(reply.error().code)}, {"text", reply.error().text}};
  struct writer {
    json::object operator()(const core::done&) const { return {{"done", true}}; }
    json::object operator()(const core::session_opened& r) const { return {{"created", r.created}}; }
    json::object operator()(const core::message_accepted& r) const {
      return {{"run", r.run.str()}, {"message", r.message.str()}, {"position", r.position}};
    }
    json::object operator()(const core::file_stored& r) const { return {{"file", r.file.file.str()}}; }
    json::object operator()(const core::approval_settled& r) const {
      return {{"approval", r.approval.str()},
              {"decision", core::to_string(r.decision)},
              {"by", r.by},
              {"note", r.note},
              {"won", r.won}};
    }
  };
  return std::visit(writer{}, *reply);
}

class runner {
 public:
  runner(const scenario& s, const run_options& options)
      : scenario_(s), options_(options), received_(s.ignore, options.restart_every_step) {}

  scenario_outcome run() {
    try {
      play();
    } catch (const failed& f) {
      outcome_.what = verdict::failed;
      outcome_.text = f.text;
    }
    return std::move(outcome_);
  }

 private:
  void play() {
    auto opened = stage::open(scenario_.config);
    if (!opened) throw failed{scenario_.file + ": " + opened.error().text};
    stage_ = std::move(*opened);
    for (const auto& step : scenario_.steps) {
      step_ = &step;
      ++number_;
      carry_out();
      if (options_.restart_every_step && step.verb != step_verb::reply && step.verb != step_verb::restart) {
        done(stage_->restart());
        hear();
      }
    }
    expect_quiet();
    if (stage_->awaits_crash()) fail("the crash before this event never came");
  }

  void carry_out() {
    const auto& body = step_->body;
    switch (step_->verb) {
      case step_verb::expect:
        return expect();
      case step_verb::reply:
        return expect_reply();
      default:
        break;
    }
    expect_quiet();
    switch (step_->verb) {
      case step_verb::send:
        send();
        break;
      case step_verb::advance:
        done(stage_->advance(std::chrono::milliseconds(body.get_int64())));
        break;
      case step_verb::restart:
        done(stage_->restart());
        break;
      case step_verb::crash:
        if (const auto* when = body.if_object())
          stage_->crash_before(std::string(when->at("before").get_string()));
        else
          done(stage_->crash());
        break;
      default:
        break;
    }
    hear();
  }

  void hear() {
    auto events = stage_->take_events();
    for (const auto& e : events) outcome_.events.push_back(core::event_to_json(e));
    received_.add(std::move(events));
    if (auto defect = received_.defect()) fail(*defect);
  }

  void done(const core::result<void>& r) const {
    if (!r) fail(r.error().text);
  }

  // ---- commands ----

  void send() {
    auto starts = stage_->starts();
    reply_is_checked_ = false;
    done(stage_->send({step_->as, step_->as}, command()));
    // A process that crashed while it carried out a command need not have answered it.
    if (stage_->starts() != starts && !stage_->last_reply()) reply_is_checked_ = true;
  }

  [[nodiscard]] std::string text(const json::value& v) const {
    std::string_view given = v.get_string();
    auto name = variable_in(given);
    if (name.empty()) return std::string(given.substr(given.starts_with("$$") ? 1 : 0));
    auto it = bound_.find(name);
    if (it == bound_.end()) fail("$" + std::string(name) + " is not bound by a step before this one");
    return it->second.is_string() ? std::string(it->second.get_string()) : json::serialize(it->second);
  }

  /// Nil where `true` stands for "whichever there is".
  template <class Id>
  [[nodiscard]] Id id(const json::value& v) const {
    if (v.is_bool()) return {};
    auto given = text(v);
    auto parsed = Id::parse(given);
    if (!parsed) fail("\"" + given + "\" is not an id");
    return *parsed;
  }

  [[nodiscard]] core::command command() const {
    const auto& body = step_->body.get_object();
    auto optional = [&](std::string_view key) {
      const auto* v = body.if_contains(key);
      return v ? (v->is_string() ? text(*v) : json::serialize(*v)) : std::string();
    };
    if (const auto* message = body.if_contains("message")) {
      core::send_message out{text(*message), optional("id"), std::nullopt};
      if (body.contains("on_busy")) out.on_busy = core::busy_policy_from(optional("on_busy"));
      return out;
    }
    for (auto [verb, approved] : {std::pair{"approve", true}, std::pair{"deny", false}}) {
      const auto* which = body.if_contains(verb);
      if (!which) continue;
      return core::decide_approval{id<core::approval_id>(*which), {}, approved, optional("note"), optional("edited_input")};
    }
    if (const auto* run = body.if_contains("cancel")) return core::cancel_run{id<core::run_id>(*run)};
    if (const auto* message = body.if_contains("dequeue")) return core::dequeue_message{id<core::message_id>(*message)};
    return core::change_status{*core::session_status_from(body.at("status").get_string())};
  }

  // ---- expectations ----

  void expect() {
    bool is_voided = options_.restart_every_step && step_->body.at("kind") == json::value("message_superseded");
    if (is_voided) return;
    auto came = received_.take();
    if (!came) fail("  expected: " + shown(step_->body) + "\n  came:     nothing" + reply_note());
    if (auto wrong = match(step_->body, *came, bound_))
      fail("  expected: " + shown(step_->body) + "\n  came:     " + shown(*came) + difference(*wrong) +
           listed(received_.rest()));
  }

  void expect_reply() {
    const auto& reply = stage_->last_reply();
    if (!reply) fail("  expected: " + shown(step_->body) + "\n  came:     no answer");
    reply_is_checked_ = true;
    auto came = reply_to_json(*reply);
    if (auto wrong = match(step_->body, came, bound_))
      fail("  expected: " + shown(step_->body) + "\n  came:     " + shown(came) + difference(*wrong));
  }

  /// Before a command and at the end: nothing may be left over.
  void expect_quiet() const {
    if (!received_.empty()) fail("  expected: nothing more before this step" + listed(received_.rest()));
    if (reply_is_checked_) return;
    if (!stage_->last_reply()) fail("the command before this step got no answer");
    if (!*stage_->last_reply()) fail("the command before this step was refused and no step expects it" + reply_note());
  }

  [[nodiscard]] std::string reply_note() const {
    const auto& reply = stage_->last_reply();
    if (reply_is_checked_ || !reply || *reply) return {};
    return "\n  answer:   " + shown(reply_to_json(*reply));
  }
  static std::string difference(const mismatch& wrong) {
    return "\n  differs:  " + (wrong.path.empty() ? std::string() : wrong.path + ": ") + wrong.text;
  }
  static std::string listed(const std::vector<json::object>& events) {
    std::string out;
    for (std::size_t i = 0; i < std::min(events.size(), max_listed); ++i) out += "\n  then came: " + shown(events[i]);
    if (events.size() > max_listed) out += "\n  and " + std::to_string(events.size() - max_listed) + " more";
    return out;
  }

  [[noreturn]] void fail(const std::string& text) const {
    auto where = scenario_.file + ":" + std::to_string(step_->line) + ": step " + std::to_string(number_) + " (" +
                 std::string(to_string(step_->verb)) + ")";
    throw failed{where + (text.starts_with("  ") ? "\n" : ": ") + text};
  }

  const scenario& scenario_;
  run_options options_;
  scenario_outcome outcome_;
  std::unique_ptr<stage> stage_;
  received received_;
  bindings bound_;
  bool reply_is_checked_ = true;
  const scenario_step* step_ = nullptr;
  std::size_t number_ = 0;
};

}  // namespace

scenario_outcome run_scenario(const scenario& s, const run_options& options) {
  if (options.restart_every_step)
    if (auto it = s.skip.find("restart"); it != s.skip.end()) return {verdict::skipped, it->second, {}};
  return runner(s, options).run();
}

}  // namespace troupe::app

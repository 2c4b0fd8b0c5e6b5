#include "app/record/recording.hpp"

#include "app/record/exchange_log.hpp"
#include "app/record/expectations.hpp"
#include "app/record/normal_log.hpp"
#include "core/history.hpp"
#include "providers/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace troupe::app {

namespace json = boost::json;
using core::millis;

namespace {

constexpr std::size_t title_bytes = 60;

std::string line(const json::value& v) { return json::serialize(v); }

class writer {
 public:
  writer(recording_source source, std::vector<log_entry> log) : source_(std::move(source)), log_(std::move(log)) {}

  std::string write() {
    auto first =
        std::find_if(log_.begin(), log_.end(), [](const auto& x) { return x.event.template as<core::message_added>(); });
    if (first != log_.end()) begin_ = first->event.at;
    for (at_ = 0; at_ < log_.size(); ++at_) take(log_[at_]);
    end_exchange();
    return document();
  }

 private:
  // ---- time ----

  [[nodiscard]] millis recorded(const core::event& e) const { return e.at - begin_; }
  void advance_to(millis t) {
    if (t <= clock_) return;
    steps_.push_back(line(json::object{{"advance_ms", (t - clock_).count()}}));
    clock_ = t;
  }

  // ---- events ----

  void take(const log_entry& x) {
    const auto& e = x.event;
    if (x.begins_stop) cancel();
    before(e, x.closes_call);
    history_.apply(e);
    if (e.as<core::step_started>()) {
      end_exchange();
      exchange_.emplace(providers::place_of(history_.messages()), clock_);
    }
    if (!compares(e)) return;
    expect(e);
    // What follows at once from a fact is not a command.
    if (const auto* updated = e.as<core::session_updated>()) is_stopping_ = updated->status != core::session_status::active;
    if (e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>()) is_stopping_ = false;
    if (const auto* run = e.as<core::run_started>()) std::erase(queue_, run->run);
    if (const auto* queued = e.as<core::run_queued>()) queue_.push_back(queued->run);
    if (const auto* gone = e.as<core::run_dequeued>()) std::erase(queue_, gone->run);
  }

  /// The command that this event answers, or the time at which it came by itself.
  void before(const core::event& e, bool closes) {
    // A failure comes when the upstream says so, with all that it closes.
    if (exchange_ && !exchange_->is_over() && ends_in_failure(e)) advance_to(recorded(e));
    if (const auto* added = e.as<core::message_added>()) return send_message(*added, e);
    if (const auto* text = e.as<core::text_delta>()) return streamed(text->pieces, false);
    if (const auto* reasoning = e.as<core::reasoning_delta>()) return streamed(reasoning->pieces, true);
    if (const auto* call = e.as<core::tool_started>()) return started(*call);
    if (const auto* result = e.as<core::tool_completed>()) return completed(*result, e, closes);
    if (const auto* unknown = e.as<core::tool_outcome_unknown>()) return lost(*unknown, e);
    if (const auto* question = e.as<core::approval_requested>()) return asked(*question, e);
    if (const auto* decision = e.as<core::approval_decided>()) return closes ? void() : decide(*decision, e);
    if (const auto* cleared = e.as<core::history_cleared>()) return command({{"clear", true}}, cleared->by, e);
    if (const auto* answer = e.as<core::message_completed>(); answer && !answer->cut && exchange_) {
      advance_to(recorded(e));
      exchange_->completed(*answer, clock_);
    }
    if (const auto* usage = e.as<core::usage_recorded>(); usage && exchange_ && !usage->estimated)
      exchange_->usage(usage->tokens);
    if (const auto* failure = e.as<core::run_failed>(); failure && exchange_ && !exchange_->is_over())
      exchange_->failed(failure->code, failure->text, clock_);
    if (const auto* gone = e.as<core::run_dequeued>(); gone && is_status_group_ != e.at)
      command({{"dequeue", variable(gone->message.str())}}, {}, e);
    if (const auto* updated = e.as<core::session_updated>()) {
      command({{"status", core::to_string(updated->status)}}, {}, e);
      is_status_group_ = e.at;
    }
  }

  [[nodiscard]] bool ends_in_failure(const core::event& e) const {
    if (e.as<core::run_failed>()) return true;
    const auto* m = e.as<core::message_completed>();
    if (!m || !m->cut) return false;
    for (auto i = at_ + 1; i < log_.size() && log_[i].event.at == e.at; ++i) {
      if (log_[i].event.as<core::run_failed>()) return true;
      if (log_[i].event.as<core::run_cancelled>()) return false;
    }
    return false;
  }

  void command(json::object what, const std::string& who, const core::event& e) {
    advance_to(recorded(e));
    json::object step{{"send", std::move(what)}};
    if (!who.empty()) step.emplace("as", who);
    steps_.push_back(line(step));
  }

  void send_message(const core::message_added& m, const core::event& e) {
    json::object what{{"message", literal_value(json::string(providers::to_utf8(m.content)))}};
    if (!m.client_message_id.empty()) what.emplace("id", literal_value(json::string(m.client_message_id)));
    if (at_ + 1 < log_.size())
      if (const auto* queued = log_[at_ + 1].event.as<core::run_queued>(); queued && queued->message == m.message) {
        is_interrupting_ = queued->position == 1 && !queue_.empty();
        what.emplace("on_busy", is_interrupting_ ? "interrupt" : "queue");
      }
    command(std::move(what), m.author, e);
  }

  /// A stop that no status and no interrupting message brought about.
  void cancel() {
    if (is_interrupting_ || is_stopping_) {
      is_interrupting_ = false;
      return;
    }
    for (auto i = at_; i < log_.size(); ++i)
      if (const auto* stop = log_[i].event.as<core::run_cancelled>())
        return command({{"cancel", variable(stop->run.str())}}, stop->by, log_[at_].event);
  }

  /// All of a text that comes in one go is one expectation.
  void streamed(const core::text_pieces& pieces, bool is_reasoning) {
    const auto& e = log_[at_].event;
    if (exchange_ && !exchange_->is_over()) {
      // Pauses are of the model: the clock moves when all of it has come.
      exchange_->text(pieces, is_reasoning, std::max(recorded(e), clock_));
    }
    if (!goes_on()) advance_to(recorded(e));
  }
  /// More of this text is expected together with it. What comes before the clock moves is expected before it does.
  [[nodiscard]] bool goes_on() const {
    if (!continues(at_ + 1)) return false;
    return recorded(log_[at_].event) > clock_ || recorded(log_[at_ + 1].event) <= clock_;
  }
  [[nodiscard]] bool continues(std::size_t i) const {
    if (i >= log_.size()) return false;
    const auto& a = log_[i - 1].event;
    const auto& b = log_[i].event;
    if (const auto* x = a.as<core::text_delta>(), *y = b.as<core::text_delta>(); x && y) return x->message == y->message;
    if (const auto* x = a.as<core::reasoning_delta>(), *y = b.as<core::reasoning_delta>(); x && y)
      return x->message == y->message;
    return false;
  }

  void end_exchange() {
    if (!exchange_) return;
    if (!exchange_->is_over()) exchange_->hung();
    exchanges_.push_back(line(std::move(*exchange_).to_json()));
    exchange_.reset();
  }

  // ---- tools ----

  struct open_call {
    std::string tool;
    std::string input;
    millis begun{0};
    std::size_t order = 0;
    bool is_dispatched = true;
  };

  void started(const core::tool_started& t) {
    calls_[t.call.str()] = {t.tool, t.input, clock_, ++dispatched_, true};
    if (refused(t)) return;
    auto [tool, is_new] = tools_.emplace(t.tool, json::object{{"tool", t.tool}, {"effect", core::to_string(t.effect)}});
    const auto* known = is_new && source_.tools ? source_.tools->find(t.tool) : nullptr;
    boost::system::error_code failure;
    if (known)
      if (auto schema = json::parse(known->spec().parameters, failure); !failure) tool->second.emplace("parameters", schema);
  }
  /// The agent had no such tool: replay refuses it by itself.
  [[nodiscard]] bool refused(const core::tool_started& t) const {
    for (auto i = at_ + 1; i < log_.size() && log_[i].event.at == log_[at_].event.at; ++i)
      if (const auto* result = log_[i].event.as<core::tool_completed>(); result && result->call == t.call)
        return result->output == "Tool not found: " + t.tool;
    return false;
  }

  void asked(const core::approval_requested& a, const core::event& e) {
    auto& call = calls_[a.call.str()];
    call.is_dispatched = false;
    if (auto it = tools_.find(a.tool); it != tools_.end()) {
      it->second["approval"] = "always";
      if (!a.risk.empty()) it->second["risk"] = a.risk;
    }
    deadlines_[a.approval] = clock_ + std::chrono::milliseconds(approval_timeout(a, e));
  }
  [[nodiscard]] std::int64_t approval_timeout(const core::approval_requested& a, const core::event& e) {
    if (timeout_ms_ == 0) {
      // The question was stored a moment after its time was set.
      constexpr std::int64_t grain = 100;
      timeout_ms_ = source_.agent ? source_.agent->limits.approval_timeout.count()
                                  : std::max(grain, ((a.expires_at - e.at).count() + grain - 1) / grain * grain);
    }
    return timeout_ms_;
  }

  void decide(const core::approval_decided& a, const core::event& e) {
    auto& call = calls_[a.call.str()];
    if (a.decision == core::decision::expired) {
      advance_to(deadlines_[a.approval]);
      return;
    }
    json::object what{{a.decision == core::decision::approved ? "approve" : "deny", variable(a.approval.str())}};
    if (!a.note.empty()) what.emplace("note", literal_value(json::string(a.note)));
    if (!a.edited_input.empty()) {
      what.emplace("edited_input", embedded(a.edited_input));
      call.input = a.edited_input;
    }
    command(std::move(what), a.by, e);
    call.is_dispatched = a.decision == core::decision::approved;
    call.begun = clock_;
    call.order = ++dispatched_;
  }

  void completed(const core::tool_completed& t, const core::event& e, bool closes) {
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
      auto due = std::max(recorded(e), clock_);
      // Of equal times the call that was begun first would be first.
      if (due == last_result_ && call.order < last_order_) due += millis{1};
      result.emplace("ok", t.ok);
      result.emplace("output", providers::to_utf8(t.output));
      if (auto after = (due - call.begun).count(); after > 0) result.emplace("after_ms", after);
      longest_call_ms_ = std::max(longest_call_ms_, (due - call.begun).count());
      if (tools_.contains(t.tool)) advance_to(due);
      last_result_ = due;
      last_order_ = call.order;
    }
    if (tools_.contains(t.tool)) results_.push_back(line(result));
  }

  /// Only a crash leaves an outcome unknown.
  void lost(const core::tool_outcome_unknown& t, const core::event& e) {
    auto it = calls_.find(t.call.str());
    if (it == calls_.end()) return;
    if (it->second.is_dispatched) {
      json::object result{{"call", t.call.str()}, {"tool", t.tool}, {"never", true}};
      results_.push_back(line(result));
    }
    unknown_.insert(t.call.str());
    if (crashed_at_ == e.at) return;
    crashed_at_ = e.at;
    advance_to(recorded(e));
    steps_.push_back(R"({"crash":true})");
  }

  static json::value embedded(const std::string& text) {
    boost::system::error_code failure;
    auto value = json::parse(text, failure, {}, {.max_depth = 32});
    return failure ? json::value(json::string(providers::to_utf8(text))) : value;
  }

  // ---- expectations ----

  [[nodiscard]] bool is_priced() const { return source_.agent && source_.agent->price; }

  [[nodiscard]] bool compares(const core::event& e) const {
    if (e.as<core::cost_alert>()) return is_priced();
    return true;
  }

  std::string variable(const std::string& id) { return names_.variable(id); }

  void expect(const core::event& e) {
    said_ += pieces_text(e);
    if (goes_on()) return;
    auto out = names_.expectation(e, is_priced());
    auto said = std::exchange(said_, {});
    if (!out) return;
    if (!said.empty()) (*out)["text"] = literal_value(json::string(providers::to_utf8(said)));
    steps_.push_back(line(json::object{{"expect", std::move(*out)}}));
  }

  static std::string pieces_text(const core::event& e) {
    if (const auto* d = e.as<core::text_delta>()) return d->pieces.text;
    if (const auto* d = e.as<core::reasoning_delta>()) return d->pieces.text;
    return {};
  }

  // ---- the file ----

  [[nodiscard]] json::object agent() const {
    json::object limits;
    core::agent_limits usual;
    const auto* a = source_.agent.get();
    auto max_steps = usual.max_steps;
    for (const auto& x : log_) {
      if (const auto* step = x.event.as<core::step_started>()) max_steps = std::max(max_steps, step->step);
      if (const auto* f = x.event.as<core::run_failed>(); f && f->code == core::errc::iteration_limit) max_steps = f->steps;
    }
    if (a) max_steps = a->limits.max_steps;
    if (max_steps != usual.max_steps) limits["max_steps"] = max_steps;
    if (a && a->limits.budget) limits["budget_usd"] = a->limits.budget->usd();
    if (a && a->limits.max_output_tokens != usual.max_output_tokens) limits["max_output_tokens"] = a->limits.max_output_tokens;
    if (timeout_ms_ != 0 && timeout_ms_ != usual.approval_timeout.count()) limits["approval_timeout_ms"] = timeout_ms_;
    auto tool_ms = std::max<std::int64_t>(a ? a->limits.tool_timeout.count() : 0, longest_call_ms_ + 1'000);
    if (tool_ms > usual.tool_timeout.count()) limits["tool_timeout_ms"] = std::min<std::int64_t>(tool_ms, 24 * 3'600'000);
    json::object out;
    if (!limits.empty()) out["limits"] = std::move(limits);
    if (a && a->alerts != core::agent_config{}.alerts) out["alerts"] = json::array(a->alerts.begin(), a->alerts.end());
    return out;
  }

  [[nodiscard]] std::string title() const {
    for (const auto& x : log_)
      if (const auto* m = x.event.as<core::message_added>())
        return "recorded: " + providers::bounded_text(m->content, title_bytes);
    return "recorded";
  }

  [[nodiscard]] std::string document() const {
    auto list = [](const std::vector<std::string>& lines) {
      std::string out = "[";
      for (std::size_t i = 0; i < lines.size(); ++i) out += (i == 0 ? "\n    " : ",\n    ") + lines[i];
      return out + " ]";
    };
    std::vector<std::string> tools;
    for (const auto& [name, tool] : tools_) tools.push_back(line(tool));
    std::string out = "{ \"scenario\": " + line(json::string(title())) + ",\n  \"tags\": [\"recorded\"],\n";
    out += "  \"recorded\": " + line(json::object{{"by", source_.made_by}, {"at_ms", begin_.count()}}) + ",\n";
    if (auto a = agent(); !a.empty()) out += "  \"agent\": " + line(a) + ",\n";
    if (is_priced()) {
      auto usd = [](std::int64_t nano) { return static_cast<double>(nano) / 1'000; };
      const auto& p = *source_.agent->price;
      out += "  \"price\": " +
             line(json::object{
                 {"input", usd(p.input_nano)}, {"cached_input", usd(p.cached_input_nano)}, {"output", usd(p.output_nano)}}) +
             ",\n";
    }
    out += "  \"ignore\": [\"message_superseded\"],\n";
    if (crashed_at_.count() != 0)
      out +=
          "  \"skip\": {\"restart\": \"it crashes by itself\", \"crash\": \"it crashes by itself\", \"url\": \"it crashes by "
          "itself\"},\n";
    out += "  \"model\": { \"exchanges\": " + list(exchanges_) + " },\n";
    out += "  \"tools\": " + list(tools) + ",\n  \"results\": " + list(results_) + ",\n";
    return out + "  \"steps\": " + list(steps_) + " }\n";
  }

  recording_source source_;
  std::vector<log_entry> log_;
  std::size_t at_ = 0;
  millis begin_{0};
  millis clock_{0};  ///< of the replay, from its beginning
  core::history history_;
  std::optional<exchange_log> exchange_;
  std::vector<core::run_id> queue_;
  bool is_interrupting_ = false;
  bool is_stopping_ = false;
  millis is_status_group_{-1};
  millis crashed_at_{0};
  std::map<std::string, open_call> calls_;
  std::set<std::string> unknown_;
  std::size_t dispatched_ = 0;
  millis last_result_{-1};
  std::size_t last_order_ = 0;
  std::int64_t longest_call_ms_ = 0;
  std::int64_t timeout_ms_ = 0;
  std::map<core::approval_id, millis> deadlines_;
  expectation_names names_;
  std::map<std::string, json::object> tools_;
  std::vector<std::string> exchanges_, results_, steps_;
  std::string said_;
};

}  // namespace

core::result<std::string> make_recording(recording_source source, const redaction& hidden) {
  auto wrong = [](const char* text) { return core::error{core::errc::validation_error, text}; };
  for (const auto& e : source.log)
    if (const auto* created = e.as<core::session_created>(); created && !created->forked_from.is_nil())
      return wrong("The session is a copy of another one; record that one.");
  hidden.events(source.log);
  auto log = normal_log(std::move(source.log));
  source.log.clear();
  if (std::none_of(log.begin(), log.end(), [](const auto& x) { return x.event.template as<core::message_added>(); }))
    return wrong("The session has no message; there is nothing to record.");
  return writer(std::move(source), std::move(log)).write();
}

}  // namespace troupe::app

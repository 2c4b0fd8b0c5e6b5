#include "app/record/recording.hpp"

#include "app/record/exchange_log.hpp"
#include "app/record/expectations.hpp"
#include "app/record/normal_log.hpp"
#include "app/record/queue_order.hpp"
#include "app/record/recording_text.hpp"
#include "app/record/refusals.hpp"
#include "app/scenario/scenario.hpp"
#include "core/history.hpp"
#include "providers/utf8.hpp"
#include "tools/base64.hpp"

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
    if (x.refused) return refused(*x.refused, e);
    if (x.begins_stop) cancel();
    before(e, x.closes_call);
    history_.apply(e);
    if (e.as<core::step_started>()) {
      end_exchange();
      exchange_.emplace(providers::place_of(history_.messages()), clock_);
      exchange_begun_ = e.at;
      is_interrupted_ = false;
    }
    if (!compares(e)) return;
    expect(e);
    // What follows at once from a fact is not a command.
    if (const auto* updated = e.as<core::session_updated>()) is_stopping_ = updated->status != core::session_status::active;
    if (e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>()) is_stopping_ = false;
    waiting_.apply(e);
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
    if (const auto* file = e.as<core::file_added>()) return add_file(*file, e);
    if (const auto* edit = e.as<core::message_edited>()) return edit_message(*edit, e);
    if (const auto* order = e.as<core::queue_reordered>()) return reorder(*order, e);
    if (const auto* usage = e.as<core::usage_recorded>(); usage && exchange_) {
      if (!usage->estimated) exchange_->usage(usage->tokens);
      note_attempts(e.at, usage->attempts);
    }
    if (const auto* failure = e.as<core::run_failed>(); failure && exchange_ && !exchange_->is_over()) {
      if (exchange_->attempts_failed() == 0) note_attempts(e.at, 0);
      exchange_->failed(failure->code, failure->text, clock_);
    }
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
    commanded_at_ = clock_;
    is_interrupted_ = exchange_ && !exchange_->is_over();
  }

  void send_message(const core::message_added& m, const core::event& e) {
    json::object what{{"message", literal_value(json::string(providers::to_utf8(m.content)))}};
    if (!m.client_message_id.empty()) what.emplace("id", literal_value(json::string(m.client_message_id)));
    if (at_ + 1 < log_.size())
      if (const auto* queued = log_[at_ + 1].event.as<core::run_queued>(); queued && queued->message == m.message) {
        is_interrupting_ = queued->position == 1 && !waiting_.empty();
        what.emplace("on_busy", is_interrupting_ ? "interrupt" : "queue");
      }
    json::array files;
    for (const auto& file : m.attachments) files.push_back(json::string(names_.variable(file.file.str(), "file")));
    if (!files.empty()) what.emplace("attachments", std::move(files));
    command(std::move(what), m.author, e);
  }

  void add_file(const core::file_added& f, const core::event& e) {
    json::object what{{"file", literal_value(json::string(providers::to_utf8(f.file.name)))}};
    if (!f.file.content_type.empty())
      what.emplace("type", literal_value(json::string(providers::to_utf8(f.file.content_type))));
    auto known = source_.files.find(f.file.file);
    if (known == source_.files.end() || !known->second || known->second->size() > max_recorded_file_bytes)
      what.emplace("text", "[left out: " + std::to_string(f.file.size) + " bytes]");
    else if (providers::scan_utf8(*known->second).valid == known->second->size())
      what.emplace("text", literal_value(json::string(*known->second)));
    else
      what.emplace("base64", tools::to_base64(*known->second));
    command(std::move(what), f.by, e);
    steps_.push_back(line(json::object{{"reply", {{"file", names_.variable(f.file.file.str(), "file")}}}}));
  }

  /// A new text and a new place may be one command.
  void edit_message(const core::message_edited& m, const core::event& e) {
    json::object what{{"edit", variable(m.message.str())},
                      {"content", literal_value(json::string(providers::to_utf8(m.content)))}};
    const auto* next =
        at_ + 1 < log_.size() && log_[at_ + 1].event.at == e.at ? log_[at_ + 1].event.as<core::queue_reordered>() : nullptr;
    if (next)
      if (auto moved = waiting_.move_to(next->messages); moved && moved->message == m.message) {
        what.emplace("position", moved->position);
        is_reordered_ = true;
      }
    command(std::move(what), {}, e);
  }
  void reorder(const core::queue_reordered& order, const core::event& e) {
    if (std::exchange(is_reordered_, false)) return;
    if (auto moved = waiting_.move_to(order.messages))
      command({{"edit", variable(moved->message.str())}, {"position", moved->position}}, {}, e);
  }

  void refused(const refused_command& r, const core::event& e) {
    auto steps = steps_of(r, names_);
    if (!steps) return;
    if (r.reply.has_error() && r.reply.error().code == core::errc::queue_full) full_at_ = waiting_.size();
    command(std::move(steps->first), r.by.id, e);
    steps_.push_back(line(json::object{{"reply", std::move(steps->second)}}));
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
      exchange_->text(pieces, is_reasoning, std::max(due(e), clock_));
    }
    if (!goes_on()) advance_to(due(e));
  }
  /// When a piece of text comes: after a command of the same moment, which it followed in the log.
  [[nodiscard]] millis due(const core::event& e) const {
    auto at = recorded(e);
    return is_interrupted_ && at <= commanded_at_ ? commanded_at_ + millis{1} : at;
  }
  /// More of this text is expected together with it. What comes before the clock moves is expected before it does.
  [[nodiscard]] bool goes_on() const {
    if (!continues(at_ + 1)) return false;
    return due(log_[at_].event) > clock_ || due(log_[at_ + 1].event) <= clock_;
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

  /// Attempts of this call that failed before anything was shown. The log tells how many there were, who listened why.
  void note_attempts(millis upto, std::uint32_t told) {
    std::size_t heard = 0;
    for (const auto& a : source_.notes.attempts) {
      if (!a.was_repeated || a.at < exchange_begun_ || a.at > upto) continue;
      exchange_->attempt_failed(a.error.code, a.error.text);
      ++heard;
    }
    for (; told > 0 && heard < told - 1; ++heard)
      exchange_->attempt_failed(core::errc::provider_error, "An attempt failed; the log does not tell why.");
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
    if (is_unknown_tool(t)) return;
    auto [tool, is_new] = tools_.emplace(t.tool, json::object{{"tool", t.tool}, {"effect", core::to_string(t.effect)}});
    if (!is_new || !source_.tools) return;
    auto known = source_.tools->find(t.tool);
    boost::system::error_code failure;
    if (known)
      if (auto schema = json::parse(known->spec().parameters, failure); !failure) tool->second.emplace("parameters", schema);
  }
  /// The agent had no such tool: replay refuses it by itself.
  [[nodiscard]] bool is_unknown_tool(const core::tool_started& t) const {
    for (auto i = at_ + 1; i < log_.size() && log_[i].event.at == log_[at_].event.at; ++i)
      if (const auto* result = log_[i].event.as<core::tool_completed>(); result && result->call == t.call)
        return result->output == "Tool not found: " + t.tool;
    return false;
  }

  void asked(const core::approval_requested& a, const core::event& e) {
    deadlines_[a.approval] = clock_ + std::chrono::milliseconds(approval_timeout(a, e));
    auto tool = tools_.find(a.tool);
    if (tool != tools_.end() && !a.risk.empty()) tool->second["risk"] = a.risk;
    if (a.kind != core::approval_kind::tool) return;
    calls_[a.call.str()].is_dispatched = false;
    if (tool != tools_.end()) tool->second["approval"] = "always";
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
    if (a.choice != core::outcome_choice::none) what.emplace("choice", core::to_string(a.choice));
    if (!a.answer.empty()) what.emplace("answer", embedded(a.answer));
    if (!a.edited_input.empty()) {
      what.emplace("edited_input", embedded(a.edited_input));
      call.input = a.edited_input;
    }
    command(std::move(what), a.by, e);
    if (a.choice == core::outcome_choice::retry) run_again(a.call.str());
    if (a.choice != core::outcome_choice::none || !a.answer.empty()) return;
    call.is_dispatched = a.decision == core::decision::approved;
    call.begun = clock_;
    call.order = ++dispatched_;
  }

  /// It has a result after all, later than it might have: replay gives it to the call that is made again.
  void run_again(const std::string& call) {
    unknown_.erase(call);
    auto lost = std::find_if(results_.rbegin(), results_.rend(), [&](const std::string& r) { return r == lost_result(call); });
    if (lost != results_.rend()) results_.erase(std::next(lost).base());
  }
  [[nodiscard]] std::string lost_result(const std::string& call) const {
    auto it = calls_.find(call);
    return it == calls_.end() ? std::string() : line(json::object{{"call", call}, {"tool", it->second.tool}, {"never", true}});
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
      if (due == commanded_at_ && call.begun < due) due += millis{1};
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
    if (it->second.is_dispatched) results_.push_back(lost_result(t.call.str()));
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
    if (e.as<core::usage_recorded>() && exchange_ && exchange_->attempts_failed() > 0)
      (*out)["attempts"] = exchange_->attempts_failed() + 1;
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
    auto max_queue = a ? a->limits.max_queue : full_at_.value_or(usual.max_queue);
    if (max_queue != usual.max_queue) limits["max_queue"] = max_queue;
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
    recording_text out;
    out.title = title();
    out.made_by = source_.made_by;
    out.begun_at = begin_;
    out.agent = agent();
    if (is_priced()) out.price = source_.agent->price;
    out.crashes = crashed_at_.count() != 0;
    out.ignored = {"message_superseded"};
    // A stop is told by what it leads to.
    for (auto kind : event_kinds())
      if (kind == "run_stop_requested") out.ignored.push_back(kind);
    for (const auto& [name, tool] : tools_) out.tools.push_back(line(tool));
    out.exchanges = exchanges_;
    out.results = results_;
    out.steps = steps_;
    return out.str();
  }

  recording_source source_;
  std::vector<log_entry> log_;
  std::size_t at_ = 0;
  millis begin_{0};
  millis clock_{0};  ///< of the replay, from its beginning
  core::history history_;
  std::optional<exchange_log> exchange_;
  millis exchange_begun_{0};  ///< as recorded
  queue_order waiting_;
  millis commanded_at_{-1};
  bool is_interrupted_ = false;  ///< by a command, while the exchange goes on
  bool is_reordered_ = false;
  std::optional<std::size_t> full_at_;
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
  hidden.notes(source.notes);
  for (auto& [id, bytes] : source.files) hidden.file(bytes);
  // Entries point to the commands, which stay where they are when the source moves.
  auto log = normal_log(std::move(source.log), source.notes.refused);
  source.log.clear();
  if (std::none_of(log.begin(), log.end(), [](const auto& x) { return x.event.template as<core::message_added>(); }))
    return wrong("The session has no message; there is nothing to record.");
  return writer(std::move(source), std::move(log)).write();
}

}  // namespace troupe::app

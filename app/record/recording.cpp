#include "app/record/recording.hpp"

#include "app/record/call_book.hpp"
#include "app/record/exchange_log.hpp"
#include "app/record/expectations.hpp"
#include "app/record/normal_log.hpp"
#include "app/record/queue_order.hpp"
#include "app/record/recorded_agent.hpp"
#include "app/record/recording_steps.hpp"
#include "app/record/recording_text.hpp"
#include "app/record/refusals.hpp"
#include "app/scenario/scenario.hpp"
#include "core/history.hpp"
#include "providers/utf8.hpp"
#include "tools/base64.hpp"

#include <boost/json.hpp>

#include <algorithm>

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
    if (first != log_.end()) steps_.begin_at(first->event.at);
    has_children_ = std::any_of(log_.begin(), log_.end(), [](const auto& x) {
      const auto* result = x.event.template as<core::tool_completed>();
      return result && result->child_tokens != core::token_usage{};
    });
    for (at_ = 0; at_ < log_.size(); ++at_) take(log_[at_]);
    end_exchange();
    return document();
  }

 private:
  // ---- events ----

  void take(const log_entry& x) {
    const auto& e = x.event;
    if (x.refused) return refused(*x.refused, e);
    if (x.begins_stop) cancel();
    before(e, x.closes_call);
    history_.apply(e);
    if (e.as<core::step_started>()) {
      end_exchange();
      exchange_.emplace(providers::place_of(history_.messages()), steps_.clock());
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
    if (exchange_ && !exchange_->is_over() && ends_in_failure(e)) steps_.advance_to(steps_.recorded(e));
    if (const auto* added = e.as<core::message_added>()) return send_message(*added, e);
    if (const auto* text = e.as<core::text_delta>()) return streamed(text->pieces, false);
    if (const auto* reasoning = e.as<core::reasoning_delta>()) return streamed(reasoning->pieces, true);
    if (const auto* call = e.as<core::tool_started>()) return calls_.started(*call, is_unknown_tool(*call));
    if (const auto* result = e.as<core::tool_completed>()) return calls_.completed(*result, e, closes);
    if (const auto* unknown = e.as<core::tool_outcome_unknown>()) return calls_.lost(*unknown, e);
    if (const auto* question = e.as<core::approval_requested>()) return calls_.asked(*question, e);
    if (const auto* first = e.as<core::approval_endorsed>()) return endorse(*first, e);
    if (const auto* decision = e.as<core::approval_decided>()) return closes ? void() : decide(*decision, e);
    if (const auto* grant = e.as<core::grant_revoked>())
      return command({{"revoke", names_.variable(grant->grant.str(), "grant")}}, grant->by, e);
    if (const auto* cleared = e.as<core::history_cleared>()) return command({{"clear", true}}, cleared->by, e);
    if (const auto* answer = e.as<core::message_completed>(); answer && !answer->cut && exchange_) {
      steps_.advance_to(steps_.recorded(e));
      exchange_->completed(*answer, steps_.clock());
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
      exchange_->failed(failure->code, failure->text, steps_.clock());
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
    steps_.command(std::move(what), who, e);
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
    steps_.add({{"reply", {{"file", names_.variable(f.file.file.str(), "file")}}}});
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
    steps_.add({{"reply", std::move(steps->second)}});
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
      exchange_->text(pieces, is_reasoning, std::max(due(e), steps_.clock()));
    }
    if (!goes_on()) steps_.advance_to(due(e));
  }
  /// When a piece of text comes: after a command of the same moment, which it followed in the log.
  [[nodiscard]] millis due(const core::event& e) const {
    auto at = steps_.recorded(e);
    return is_interrupted_ && at <= steps_.commanded_at() ? steps_.commanded_at() + millis{1} : at;
  }
  /// More of this text is expected together with it. What comes before the clock moves is expected before it does.
  [[nodiscard]] bool goes_on() const {
    if (!continues(at_ + 1)) return false;
    return due(log_[at_].event) > steps_.clock() || due(log_[at_ + 1].event) <= steps_.clock();
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

  /// The agent had no such tool: replay refuses it by itself.
  [[nodiscard]] bool is_unknown_tool(const core::tool_started& t) const {
    for (auto i = at_ + 1; i < log_.size() && log_[i].event.at == log_[at_].event.at; ++i)
      if (const auto* result = log_[i].event.as<core::tool_completed>(); result && result->call == t.call)
        return result->output == "Tool not found: " + t.tool;
    return false;
  }

  /// What the first of two people said.
  void endorse(const core::approval_endorsed& a, const core::event& e) {
    command(decision_words(a.approval, true, a.note, a.edited_input), a.by, e);
    calls_.edited(a.call, a.edited_input);
  }

  void decide(const core::approval_decided& a, const core::event& e) {
    if (a.decision == core::decision::expired) return steps_.advance_to(calls_.deadline(a.approval));
    auto what = decision_words(a.approval, a.decision == core::decision::approved, a.note, a.edited_input);
    if (a.choice != core::outcome_choice::none) what.emplace("choice", core::to_string(a.choice));
    if (!a.answer.empty()) what.emplace("answer", embedded(a.answer));
    if (auto remembered = remembered_with(a)) {
      what.emplace("remember", std::move(*remembered));
      is_granting_ = true;
    }
    command(std::move(what), a.by, e);
    calls_.decided(a);
  }
  [[nodiscard]] json::object decision_words(const core::approval_id& approval, bool approves, const std::string& note,
                                            const std::string& edited_input) {
    json::object out{{approves ? "approve" : "deny", variable(approval.str())}};
    if (!note.empty()) out.emplace("note", literal_value(json::string(note)));
    if (!edited_input.empty()) out.emplace("edited_input", embedded(edited_input));
    return out;
  }
  /// It is stored together with the decision.
  [[nodiscard]] std::optional<json::object> remembered_with(const core::approval_decided& a) const {
    const auto at = log_[at_].event.at;
    for (auto i = at_ + 1; i < log_.size() && log_[i].event.at == at; ++i) {
      const auto* grant = log_[i].event.as<core::grant_given>();
      if (!grant || grant->approval != a.approval) continue;
      json::object out{{"scope", core::to_string(grant->scope)}, {"when", embedded(grant->when)}};
      if (grant->expires_at.count() != 0) out["expires_in_ms"] = (grant->expires_at - at).count();
      return out;
    }
    return std::nullopt;
  }

  // ---- expectations ----

  [[nodiscard]] bool is_priced() const { return source_.agent && source_.agent->price; }

  [[nodiscard]] bool compares(const core::event& e) const {
    if (e.as<core::cost_alert>()) return is_priced() && !has_children_;
    return true;
  }

  /// What sub-agents used is counted in the run, but in a replay nobody uses it: their answers are results of a tool.
  [[nodiscard]] core::event without_children(core::event e) const {
    auto* run = std::get_if<core::run_completed>(&e.payload);
    if (!run) return e;
    for (const auto& x : log_) {
      const auto* result = x.event.as<core::tool_completed>();
      if (!result || result->run != run->run) continue;
      run->tokens.prompt -= result->child_tokens.prompt;
      run->tokens.cached_prompt -= result->child_tokens.cached_prompt;
      run->tokens.completion -= result->child_tokens.completion;
      run->cost = run->cost - result->child_cost;
    }
    return e;
  }

  std::string variable(const std::string& id) { return names_.variable(id); }

  void expect(const core::event& e) {
    said_ += pieces_text(e);
    if (goes_on()) return;
    auto out = names_.expectation(has_children_ ? without_children(e) : e, is_priced());
    auto said = std::exchange(said_, {});
    if (!out) return;
    if (e.as<core::usage_recorded>() && exchange_ && exchange_->attempts_failed() > 0)
      (*out)["attempts"] = exchange_->attempts_failed() + 1;
    if (!said.empty()) (*out)["text"] = literal_value(json::string(providers::to_utf8(said)));
    steps_.add({{"expect", std::move(*out)}});
  }

  static std::string pieces_text(const core::event& e) {
    if (const auto* d = e.as<core::text_delta>()) return d->pieces.text;
    if (const auto* d = e.as<core::reasoning_delta>()) return d->pieces.text;
    return {};
  }

  // ---- the file ----

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
    out.begun_at = steps_.begun_at();
    out.agent = recorded_agent(source_.agent.get(), log_, {full_at_, calls_.timeout_ms(), calls_.longest_call_ms()});
    if (is_priced()) out.price = source_.agent->price;
    out.crashes = calls_.has_crashed();
    // A server's agent need not ask as this one did.
    if (calls_.needs_two()) out.url_skip = "two people approve a call";
    if (is_granting_) out.url_skip = "an approval is remembered";
    out.ignored = {"message_superseded"};
    if (has_children_) out.ignored.push_back("cost_alert");
    // A stop is told by what it leads to.
    for (auto kind : event_kinds())
      if (kind == "run_stop_requested") out.ignored.push_back(kind);
    out.tools = calls_.tools();
    out.exchanges = exchanges_;
    out.results = calls_.results();
    out.steps = steps_.lines();
    return out.str();
  }

  recording_source source_;
  std::vector<log_entry> log_;
  std::size_t at_ = 0;
  recording_steps steps_;
  call_book calls_{steps_, source_.tools, source_.agent.get()};
  core::history history_;
  std::optional<exchange_log> exchange_;
  millis exchange_begun_{0};  ///< as recorded
  queue_order waiting_;
  bool is_interrupted_ = false;  ///< by a command, while the exchange goes on
  bool is_reordered_ = false;
  std::optional<std::size_t> full_at_;
  bool is_interrupting_ = false;
  bool is_stopping_ = false;
  bool is_granting_ = false;   ///< an approval was remembered
  bool has_children_ = false;  ///< sub-agents worked for it
  millis is_status_group_{-1};
  expectation_names names_;
  std::vector<std::string> exchanges_;
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

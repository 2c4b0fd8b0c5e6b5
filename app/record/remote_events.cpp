// The events of a session out of its export.
#include "app/record/remote_log.hpp"

#include "app/record/json_view.hpp"
#include "app/record/normal_log.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace troupe::app {

namespace json = boost::json;
using core::millis;

namespace {

constexpr auto unknown = unknown_time;

/// Our texts as the API shows them: JSON as a value, everything else as a text.
std::string raw_text(const json::value& v) { return v.is_string() ? std::string(v.get_string()) : json::serialize(v); }

std::vector<core::tool_call> calls_of(const json_view& message) {
  std::vector<core::tool_call> out;
  for (const auto& c : message.list("toolCalls")) {
    const auto* input = c.of.if_contains("input");
    out.push_back({{c.text("toolCallId")}, c.text("tool"), input ? raw_text(*input) : std::string()});
  }
  return out;
}

core::token_usage usage_of(const json_view& from) {
  json_view usage{from.object("usage")};
  core::token_usage out;
  out.prompt = usage.whole("promptTokens");
  out.completion = usage.whole("completionTokens");
  return out;
}

class reader {
 public:
  reader(const json::object& document, const std::map<std::string, json::object>& traces,
         const std::function<core::effect(const std::string&)>& effect_of)
      : document_{document}, traces_(traces), effect_of_(effect_of) {
    for (const auto& m : document_.list("messages")) add_message(m);
    for (const auto& q : document_.list("queue")) {
      times_[q.text("messageId")] = q.time("queuedAt");
      waits_.insert(q.text("messageId"));
    }
    for (const auto& t : document_.list("traces")) runs_[t.text("runId")] = t.text("id");
    for (const auto& a : document_.list("approvals"))
      asked_.emplace(a.text("id"), std::pair{a.time("createdAt"), a.time("decidedAt")});
  }

  std::vector<core::event> read() {
    auto frames = document_.list("events");
    tells_of_queue_ = std::any_of(frames.begin(), frames.end(), [](const json_view& f) {
      auto type = f.text("type");
      return type == "message.dequeued" || type == "session.closed";
    });
    auto cleared =
        std::find_if(frames.rbegin(), frames.rend(), [](const json_view& f) { return f.text("type") == "session.cleared"; });
    for (auto it = cleared.base(); it != frames.end(); ++it) {
      auto seq = static_cast<core::seq_t>(it->whole("seq"));
      auto end = it + 1 == frames.end() ? json_view{document_.object("session")}.whole("lastSeq") + 1 : (it + 1)->whole("seq");
      next_ = std::max(static_cast<core::seq_t>(end), seq + 2);
      accounted_.insert(seq);
      catch_up(seq);
      if (auto e = event_of_frame(it->of)) std::visit([&](auto& payload) { on(payload, *e); }, e->payload);
    }
    catch_up(std::numeric_limits<core::seq_t>::max());
    drop_waiting();
    set_times();
    join_edits();
    add_files();
    return std::move(out_);
  }

 private:
  struct answer {
    core::message_id id;
    std::string content;
    std::vector<core::tool_call> calls;
    bool cut = false;
    core::seq_t seq = 0;
    millis at{0};
  };

  void add_message(const json_view& m) {
    times_[m.text("id")] = m.time("createdAt");
    if (m.text("role") != "assistant") return;
    answer a;
    a.id = core::message_id::parse(m.text("id")).value_or(core::message_id{});
    a.content = m.text("content");
    a.calls = calls_of(m);
    a.cut = m.flag("cut");
    a.seq = static_cast<core::seq_t>(m.whole("seq"));
    a.at = m.time("createdAt");
    answers_[m.text("runId")].push_back(std::move(a));
  }

  void add(core::seq_t seq, millis at, core::event_payload payload) {
    accounted_.insert(seq);
    out_.push_back({seq, seq, at, std::move(payload)});
  }

  // ---- runs and their steps, of which only the answers are told ----

  [[nodiscard]] const json::object* trace() const {
    auto id = runs_.find(run_.str());
    auto found = id == runs_.end() ? traces_.end() : traces_.find(id->second);
    return found == traces_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] millis time_of_run(std::string_view key) const {
    const auto* t = trace();
    return t ? json_view{*t}.time(key) : unknown;
  }
  [[nodiscard]] std::vector<json_view> model_calls() const {
    std::vector<json_view> out;
    if (const auto* t = trace())
      for (const auto& span : json_view{*t}.list("spans"))
        if (span.text("kind") == "model_call") out.push_back(span);
    return out;
  }
  void begin_step() {
    auto spans = model_calls();
    auto at = step_ == 0 ? time_of_run("startedAt") : spans.size() > step_ ? spans[step_].time("startedAt") : unknown;
    ++step_;
    is_answering_ = true;
    const auto& all = answers_[run_.str()];
    core::step_started e;
    e.run = run_;
    e.step = step_;
    // Of an answer that never was whole nobody knows the id.
    e.message = step_ == 1            ? reply_
                : all.size() >= step_ ? all[step_ - 1].id
                                      : core::message_id{core::uuid_of_name(run_.str() + std::to_string(step_))};
    message_ = e.message;
    add(out_.back().seq + 1, at, std::move(e));
  }

  /// The answer, and what it cost.
  void end_step(const answer& a) {
    is_answering_ = false;
    open_calls_ = a.cut ? 0 : a.calls.size();
    core::message_completed e;
    e.run = run_;
    e.step = step_;
    e.message = message_;
    e.content = a.content;
    e.calls = a.calls;
    e.finish = a.calls.empty() ? core::finish_reason::stop : core::finish_reason::tool_calls;
    e.cut = a.cut;
    add(a.seq, a.at, std::move(e));
    // A call that was cut short may have cost something, which is not told apart.
    auto spans = model_calls();
    if (a.cut || spans.size() < step_) return;
    core::usage_recorded usage;
    usage.run = run_;
    usage.step = step_;
    usage.tokens = usage_of(spans[step_ - 1]);
    add(a.seq + 1, a.at, std::move(usage));
  }

  /// Answers up to that seq are whole, and what followed from them has begun.
  void catch_up(core::seq_t seq) {
    while (!run_.is_nil()) {
      const auto& all = answers_[run_.str()];
      bool is_there = is_answering_ ? all.size() >= step_ : open_calls_ == 0 && all.size() > step_;
      const auto* a = !is_there ? nullptr : &all[is_answering_ ? step_ - 1 : step_];
      if (!a || a->seq >= seq) return;
      is_answering_ ? end_step(*a) : begin_step();
    }
  }

  void end_run() {
    run_ = {};
    step_ = 0;
    open_calls_ = 0;
    is_answering_ = false;
  }

  // ---- frames ----

  template <class Other>
  void on(Other& payload, const core::event& e) {
    add(e.seq, unknown, std::move(payload));
  }
  void on(core::message_added& m, const core::event& e) {
    if (m.role != core::role::user) return;
    auto at = times_.find(m.message.str());
    last_message_ = m.message;
    add(e.seq, at == times_.end() ? unknown : at->second, std::move(m));
  }
  void on(core::run_queued& q, const core::event& e) {
    questions_[q.run] = q.message;
    auto at = times_.find(q.message.str());
    add(e.seq, at == times_.end() ? unknown : at->second, q);
  }
  void on(core::run_started& r, const core::event& e) {
    end_run();
    run_ = r.run;
    reply_ = r.reply;
    auto question = questions_.find(r.run);
    r.message = question == questions_.end() ? last_message_ : question->second;
    begun_.insert(r.run);
    add(e.seq, time_of_run("startedAt"), std::move(r));
    begin_step();
  }
  void on(core::text_delta& d, const core::event& e) {
    if (!is_answering_ && !run_.is_nil()) begin_step();
    d.message = message_;
    add(e.seq, unknown, std::move(d));
  }
  void on(core::tool_started& t, const core::event& e) {
    t.run = run_;
    t.effect = effect_of_(t.tool);
    auto at = out_.empty() ? unknown : out_.back().at;
    begun_at_[t.call.value] = at;
    add(e.seq, at, std::move(t));
  }
  void on(core::tool_completed& t, const core::event& e) {
    t.run = run_;
    if (open_calls_ > 0) --open_calls_;
    auto begun = begun_at_.find(t.call.value);
    auto at = begun == begun_at_.end() || begun->second == unknown ? unknown : begun->second + millis{t.ms};
    add(e.seq, at, std::move(t));
  }
  void on(core::session_updated& u, const core::event& e) {
    bool closes = u.status == core::session_status::closed && !is_closed_;
    is_closed_ = u.status == core::session_status::closed;
    add(e.seq, unknown, std::move(u));
    // Last of its group, behind the messages that waited; older servers have no frame for it.
    if (closes && !tells_of_queue_) add(next_ - 1, unknown, core::session_closed{});
  }
  void on(core::approval_requested& a, const core::event& e) {
    a.run = run_;
    calls_[a.approval] = a.call;
    auto times = asked_.find(a.approval.str());
    add(e.seq, times == asked_.end() ? unknown : times->second.first, std::move(a));
  }
  void on(core::approval_decided& d, const core::event& e) {
    d.run = run_;
    d.call = calls_[d.approval];
    auto times = asked_.find(d.approval.str());
    auto at = times == asked_.end() ? unknown : times->second.second;
    begun_at_[d.call.value] = at;
    add(e.seq, at, std::move(d));
  }
  void on(core::run_completed& r, const core::event& e) {
    r.run = run_;
    r.steps = step_;
    if (const auto* t = trace()) r.tokens = usage_of({*t});
    without_title(r.tokens);
    add(e.seq, time_of_run("endedAt"), std::move(r));
    end_run();
  }
  /// The call that wrote the session's title is told with the run, but came after its end.
  void without_title(core::token_usage& tokens) const {
    auto spans = model_calls();
    for (std::size_t i = step_; i < spans.size(); ++i) {
      if (spans[i].time("startedAt") < time_of_run("endedAt")) continue;
      auto title = usage_of(spans[i]);
      tokens.prompt -= title.prompt;
      tokens.completion -= title.completion;
    }
  }
  void on(core::run_failed& r, const core::event& e) {
    begin_untold_step(e.seq);
    r.steps = step_;
    auto at = close_calls();
    add(e.seq, at, std::move(r));
    end_run();
  }
  void on(core::run_cancelled& r, const core::event& e) {
    begin_untold_step(e.seq);
    auto at = close_calls();
    add(e.seq, at, r);
    end_run();
  }

  /// A step of which nothing was shown has left its seq.
  void begin_untold_step(core::seq_t seq) {
    if (!run_.is_nil() && !is_answering_ && open_calls_ == 0 && !out_.empty() && out_.back().seq + 1 < seq) begin_step();
  }

  /// What was open ended with the run, at its time.
  millis close_calls() {
    auto at = time_of_run("endedAt");
    for (auto it = out_.rbegin(); at != unknown && it != out_.rend() && ends_with_run(*it); ++it) it->at = at;
    return at;
  }

  /// Of an older server: messages that were taken out of the queue have no frame for it, but a seq.
  void drop_waiting() {
    if (tells_of_queue_) return;
    std::vector<core::run_dequeued> gone;
    std::vector<core::seq_t> places;
    for (const auto& e : out_) {
      const auto* queued = e.as<core::run_queued>();
      if (!queued || begun_.contains(queued->run) || waits_.contains(queued->message.str())) continue;
      auto place = e.seq + 1;
      while (accounted_.contains(place)) ++place;
      accounted_.insert(place);
      gone.push_back({queued->run, queued->message});
      places.push_back(place);
    }
    for (std::size_t i = 0; i < gone.size(); ++i) {
      auto next = std::find_if(out_.begin(), out_.end(), [&](const core::event& e) { return e.seq > places[i]; });
      out_.insert(next, {places[i], places[i], unknown, gone[i]});
    }
  }

  /// Between two times that are told, the rest is spread evenly; nothing goes back.
  void set_times() {
    millis before{0};
    for (std::size_t i = 0; i < out_.size();) {
      if (out_[i].at != unknown) {
        before = out_[i].at = std::max(before, out_[i].at);
        ++i;
        continue;
      }
      auto end = i;
      while (end < out_.size() && out_[end].at == unknown) ++end;
      auto after = end < out_.size() ? std::max(before, out_[end].at) : before;
      auto from = before;
      auto parts = static_cast<std::int64_t>(end - i + 1);
      for (std::int64_t part = 1; i < end; ++i, ++part) before = out_[i].at = from + (after - from) * part / parts;
    }
  }

  /// A new text and a new place that follow each other are taken for one command.
  void join_edits() {
    for (std::size_t i = 1; i < out_.size(); ++i)
      if (out_[i].as<core::queue_reordered>() && out_[i - 1].as<core::message_edited>() && out_[i].seq == out_[i - 1].seq + 1)
        out_[i].at = out_[i - 1].at;
  }

  /// Before the first message that brings them.
  void add_files() {
    for (const auto& f : document_.list("files")) {
      core::file_added added;
      added.file = attachment_of(f.of);
      added.by = f.text("uploadedBy");
      auto at = f.time("createdAt");
      auto brings = [&](const core::event& e) {
        const auto* m = e.as<core::message_added>();
        return m && std::any_of(m->attachments.begin(), m->attachments.end(),
                                [&](const auto& a) { return a.file == added.file.file; });
      };
      auto place = std::find_if(out_.begin(), out_.end(), [&](const core::event& e) { return e.at > at || brings(e); });
      if (place != out_.end()) at = std::min(at, place->at);
      if (place != out_.begin()) at = std::max(at, std::prev(place)->at);
      auto seq = place == out_.begin() ? core::seq_t{1} : std::prev(place)->seq;
      out_.insert(place, {seq, seq, at, std::move(added)});
    }
  }

  json_view document_;
  const std::map<std::string, json::object>& traces_;
  const std::function<core::effect(const std::string&)>& effect_of_;
  std::map<std::string, millis> times_;
  std::set<std::string> waits_;
  std::map<std::string, std::string> runs_;  ///< to their traces
  std::map<std::string, std::pair<millis, millis>> asked_;
  std::map<std::string, std::vector<answer>> answers_;

  std::vector<core::event> out_;
  core::run_id run_;
  core::message_id reply_;
  core::message_id message_;
  core::message_id last_message_;
  std::uint32_t step_ = 0;
  bool is_answering_ = false;
  std::size_t open_calls_ = 0;
  std::map<core::run_id, core::message_id> questions_;
  std::map<std::string, millis> begun_at_;
  std::map<core::approval_id, core::tool_call_id> calls_;
  std::set<core::run_id> begun_;
  std::set<core::seq_t> accounted_;
  core::seq_t next_ = 0;  ///< of the next frame
  bool is_closed_ = false;
  bool tells_of_queue_ = false;  ///< there are frames for what leaves the queue, and for the end of the session
};

}  // namespace

std::vector<core::event> events_of_export(const json::object& document, const std::map<std::string, json::object>& traces,
                                          const std::function<core::effect(const std::string&)>& effect_of) {
  return reader(document, traces, effect_of).read();
}

}  // namespace troupe::app

#include "storage/queries.hpp"

#include "storage/agent_versions.hpp"
#include "storage/approval_queries.hpp"
#include "storage/conditions.hpp"
#include "storage/feedback_queries.hpp"
#include "storage/rows.hpp"
#include "storage/session_queries.hpp"
#include "storage/tool_outputs.hpp"
#include "storage/usage_queries.hpp"

#include <algorithm>
#include <limits>

namespace troupe::storage {

using namespace core;

#define TROUPE_SESSION_N "(SELECT n FROM sessions WHERE id = ?)"

namespace {

constexpr std::int64_t max_seq = std::numeric_limits<std::int64_t>::max();

std::int64_t bounded(seq_t seq) { return static_cast<std::int64_t>(std::min(seq, static_cast<seq_t>(max_seq))); }

class sqlite_queries final : public queries {
 public:
  explicit sqlite_queries(std::shared_ptr<connection> c) : c_(std::move(c)) {}

  std::optional<session_record> session(session_id id) override {
    return guarded([&] { return find_session(*c_, id); });
  }

  page<session_record> sessions(const session_filter& filter, window w) override {
    return guarded([&] { return list_sessions(*c_, filter, w); });
  }

  std::optional<session_id> resolve(const project_id& project, const std::string& text) override {
    return guarded([&] { return storage::resolve(*c_, project, text); });
  }

  std::optional<core::session_state> session_state(session_id id) override {
    auto record = session(id);
    if (!record) return std::nullopt;
    return guarded([&]() -> std::optional<core::session_state> {
      core::session_state out;
      out.session = std::move(*record);
      std::optional<run_row> live;
      {
        cursor c(sql("SELECT" TROUPE_RUN_COLUMNS "FROM runs WHERE session = ? AND status IN ('queued', 'running', 'parked')"
                     " ORDER BY coalesce(queue_position, first_seq)"),
                 id);
        while (c.next()) {
          auto row = read_run(c);
          if (row.record.status != run_status::queued) {
            live = std::move(row);
          } else {
            auto& q = out.queue.emplace_back();
            q.run = row.record.id;
            q.message = row.record.message;
            q.at = row.record.queued_at;
          }
        }
      }
      for (auto& q : out.queue)
        if (auto m = newest_message(id, q.message)) {
          q.content = std::move(m->record.content);
          q.author = std::move(m->record.author);
          q.client_message_id = std::move(m->record.client_message_id);
          q.options = std::move(m->options);
          q.author_name = std::move(m->record.author_name);
          q.attachments = std::move(m->record.attachments);
        }
      if (live) {
        out.live_run = events(id, live->started_seq - 1, out.session.last_seq, std::numeric_limits<std::size_t>::max());
        if (auto m = newest_message(id, live->record.message)) {
          out.live_content = std::move(m->record.content);
          out.live_options = std::move(m->options);
        }
      }
      return out;
    });
  }

  std::vector<session_id> sessions_in_flight() override {
    return guarded([&] {
      std::vector<session_id> out;
      cursor c(
          sql("SELECT DISTINCT session FROM runs INDEXED BY runs_in_flight"
              " WHERE status IN ('queued', 'running', 'parked')"));
      while (c.next()) c.read(out.emplace_back());
      return out;
    });
  }

  std::vector<event> events(session_id id, seq_t after, seq_t upto, std::size_t limit) override {
    return guarded([&] {
      std::vector<event> out;
      cursor c(sql("SELECT" TROUPE_EVENT_COLUMNS "FROM log WHERE session = " TROUPE_SESSION_N
                   " AND last_seq > ? AND last_seq <= ? ORDER BY last_seq LIMIT ?"),
               id, bounded(after), bounded(upto), bounded(limit));
      while (c.next()) {
        auto e = read_event(c).value();
        out.push_back(e.first <= after ? tail_after(e, after) : std::move(e));
      }
      add_questions(id, out);
      return out;
    });
  }

  void each_event(session_id id, seq_t after, const event_taker& take) override {
    guarded([&] {
      cursor c(
          sql("SELECT" TROUPE_EVENT_COLUMNS "FROM log WHERE session = " TROUPE_SESSION_N " AND last_seq > ? ORDER BY last_seq"),
          id, bounded(after));
      message_added before;
      while (c.next()) {
        std::size_t size = 0;
        auto e = read_event(c, &size).value();
        if (e.first <= after) e = tail_after(e, after);
        if (auto* run = std::get_if<run_started>(&e.payload)) {
          add_question(id, before, *run);
          size += run->question.size();
        }
        before = e.as<message_added>() ? *e.as<message_added>() : message_added{};
        if (!take(std::move(e), size)) return;
      }
    });
  }

  seq_t run_start_before(session_id id, seq_t seq) override {
    return guarded([&]() -> seq_t {
      cursor c(sql("SELECT last_seq FROM log WHERE session = " TROUPE_SESSION_N " AND last_seq <= ?"
                   " AND kind IN ('run_started', 'session_created') ORDER BY last_seq DESC LIMIT 1"),
               id, bounded(seq));
      return c.next() ? static_cast<seq_t>(c.integer()) : 0;
    });
  }

  std::vector<event> history_events(session_id id, seq_t upto) override {
    return guarded([&] {
      std::vector<event> out;
      cursor c(sql("SELECT" TROUPE_EVENT_COLUMNS "FROM log WHERE session = " TROUPE_SESSION_N
                   " AND last_seq <= ? AND kind IN ('message_added', 'message_edited', 'run_started',"
                   " 'run_dequeued', 'step_started', 'message_completed', 'tool_completed', 'run_completed', 'run_failed',"
                   " 'run_cancelled', 'history_cleared', 'history_compacted') ORDER BY last_seq"),
               id, bounded(upto));
      while (c.next()) out.push_back(read_event(c).value());
      return out;
    });
  }

  page<message_record> messages(session_id id, window w) override {
    conditions where;
    where.add("m.session = ?", {id.str()});
    where.add("NOT m.removed");
    return guarded([&] {
      return paged<message_record>(*c_, "messages m", TROUPE_MESSAGE_COLUMNS, where, "m.number", w,
                                   [&](cursor& c) { return with_opinions(read_message(c).record); });
    });
  }

  std::optional<message_record> message(session_id session, message_id id) override {
    return guarded([&]() -> std::optional<message_record> {
      auto row = newest_message(session, id);
      if (!row || row->is_removed) return std::nullopt;
      return with_opinions(std::move(row->record));
    });
  }

  std::optional<file_record> file(session_id session, file_id id) override {
    return guarded([&]() -> std::optional<file_record> {
      cursor c(sql("SELECT" TROUPE_FILE_COLUMNS ", data FROM files WHERE session = ? AND id = ?"), session, id);
      if (!c.next()) return std::nullopt;
      auto record = read_file(c).record;
      record.data = std::make_shared<const std::string>(c.text());
      return record;
    });
  }

  std::vector<file_record> files(session_id id) override {
    return guarded([&] {
      std::vector<file_record> out;
      cursor c(sql("SELECT" TROUPE_FILE_COLUMNS "FROM files WHERE session = ? ORDER BY n"), id);
      while (c.next()) out.push_back(read_file(c).record);
      return out;
    });
  }

  std::vector<tool_call_record> tool_calls(session_id id) override {
    return guarded([&] {
      std::vector<tool_call_record> out;
      cursor c(sql("SELECT" TROUPE_CALL_COLUMNS "FROM runs r JOIN tool_calls t ON t.run = r.id WHERE r.session = ?1"
                   " AND t.seq > (SELECT cleared_seq FROM sessions WHERE id = ?1) ORDER BY t.seq"),
               id);
      while (c.next()) out.push_back(read_call(c).record);
      return out;
    });
  }

  page<run_record> runs(session_id id, window w) override {
    conditions where;
    where.add("session = ?", {id.str()});
    return guarded([&] {
      return paged<run_record>(*c_, "runs", TROUPE_RUN_COLUMNS, where, "n DESC", w,
                               [](cursor& c) { return read_run(c).record; });
    });
  }

  std::optional<run_record> run(run_id id) override {
    return guarded([&]() -> std::optional<run_record> {
      cursor c(sql("SELECT" TROUPE_RUN_COLUMNS "FROM runs WHERE id = ?"), id);
      if (!c.next()) return std::nullopt;
      return read_run(c).record;
    });
  }

  std::optional<message_record> message_by_client_id(session_id id, const std::string& client_message_id) override {
    if (client_message_id.empty()) return std::nullopt;
    return guarded([&]() -> std::optional<message_record> {
      cursor c(sql("SELECT" TROUPE_MESSAGE_COLUMNS
                   "FROM messages m WHERE m.session = ? AND m.client_message_id = ? AND m.client_message_id <> ''"
                   " ORDER BY m.number LIMIT 1"),
               id, client_message_id);
      if (!c.next()) return std::nullopt;
      return read_message(c).record;
    });
  }

  std::optional<approval_record> approval(approval_id id) override {
    return guarded([&] { return find_approval(*c_, id); });
  }

  page<approval_record> approvals(const approval_filter& filter, window w) override {
    return guarded([&] { return list_approvals(*c_, filter, w); });
  }
  std::optional<grant_record> grant(grant_id id) override {
    return guarded([&] { return find_grant(*c_, id); });
  }
  page<grant_record> grants(const grant_filter& filter, window w) override {
    return guarded([&] { return list_grants(*c_, filter, w); });
  }
  std::vector<grant_record> grants_in_force(millis now) override {
    return guarded([&] { return storage::grants_in_force(*c_, now); });
  }

  page<agent_version_record> agent_versions(const project_id& project, const agent_id& agent, window w) override {
    return guarded([&] { return list_agent_versions(*c_, project, agent, w); });
  }
  std::optional<agent_version_record> agent_version(const project_id& project, const agent_id& agent,
                                                    std::uint32_t version) override {
    return guarded([&] { return find_agent_version(*c_, project, agent, version); });
  }
  std::optional<agent_version_record> agent_version_of(const project_id& project, const agent_id& agent,
                                                       std::uint64_t hash) override {
    return guarded([&] { return find_agent_version_of(*c_, project, agent, hash); });
  }
  std::vector<agent_version_record> newest_agent_versions() override {
    return guarded([&] { return storage::newest_agent_versions(*c_); });
  }

  std::optional<tool_output_part> tool_output(session_id session, const tool_call_id& call, std::int64_t offset,
                                              std::int64_t limit) override {
    return guarded([&] { return read_output(*c_, session, call, offset, limit); });
  }

  std::vector<session_record> children(session_id id) override {
    return guarded([&] { return list_children(*c_, id); });
  }

  std::vector<span_record> spans(trace_id trace) override {
    return guarded([&] {
      std::vector<span_record> out;
      cursor c(sql("SELECT" TROUPE_SPAN_COLUMNS "FROM spans WHERE trace = ?"), trace);
      while (c.next()) out.push_back(read_span(c));
      std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.started_at < b.started_at; });
      std::stable_partition(out.begin(), out.end(), [](const auto& s) { return s.kind == "run"; });
      return out;
    });
  }

  page<span_record> traces(const trace_filter& filter, window w) override {
    conditions where;
    where.add("trace IS NOT NULL");
    where.add_equal("session", filter.session);
    where.add_visible("session", filter.visible_to, filter.project);
    return guarded([&] {
      return paged<span_record>(*c_, "runs",
                                " trace, session, id, 'run', agent, status, started_at_ms, ended_at_ms, prompt_tokens,"
                                " cached_prompt_tokens, completion_tokens, cost_micro_usd ",
                                // A run that waited in a queue is older by its row than by its start.
                                where, "started_at_ms DESC, n DESC", w, read_span);
    });
  }

  std::vector<usage_day> usage_by_day(const project_id& project, millis since) override {
    return guarded([&] { return storage::usage_by_day(*c_, project, since); });
  }
  page<alert_record> alerts(const alert_filter& filter, window w) override {
    return guarded([&] { return list_alerts(*c_, filter, w); });
  }
  page<usage_share> usage_by(const project_id& project, millis since, usage_key key, window w) override {
    return guarded([&] { return storage::usage_by(*c_, project, since, key, w); });
  }
  std::vector<agent_day> usage_since(millis since) override {
    return guarded([&] { return storage::usage_since(*c_, since); });
  }

 private:
  SQLite::Statement& sql(std::string_view text) { return c_->statement(text); }

  // Readers have no way to answer "the disk failed" but an exception that core knows.
  template <class F>
  auto guarded(F f) -> decltype(f()) {
    try {
      return f();
    } catch (const SQLite::Exception& e) {
      throw bad_result(translate(e, "reading troupe.db"));
    }
  }

  std::optional<message_row> newest_message(session_id session, message_id id) {
    cursor c(sql(TROUPE_NEWEST_MESSAGE), session, id);
    if (!c.next()) return std::nullopt;
    return read_message(c);
  }

  // Mostly the message is right before its run; where it is not, it is looked for among the rows.
  void add_questions(session_id id, std::vector<event>& events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      auto* run = std::get_if<run_started>(&events[i].payload);
      if (!run) continue;
      const auto* before = i > 0 ? events[i - 1].as<message_added>() : nullptr;
      add_question(id, before ? *before : message_added{}, *run);
    }
  }
  void add_question(session_id id, const message_added& before, run_started& run) {
    if (before.message == run.message)
      run.question = before.content;
    else if (auto asked = newest_message(id, run.message))
      run.question = std::move(asked->record.content);
  }

  message_record with_opinions(message_record m) {
    read_reactions(m);
    if (m.role == role::assistant) read_feedback(*c_, m);
    return m;
  }
  void read_reactions(message_record& m) {
    cursor c(sql("SELECT emoji, author, author_name FROM reactions WHERE session = ? AND message = ? ORDER BY seq"), m.session,
             m.id);
    while (c.next()) {
      auto& r = m.reactions.emplace_back();
      c.read(r.emoji, r.by, r.by_name);
    }
  }

  std::shared_ptr<connection> c_;
};

}  // namespace

std::unique_ptr<queries> make_queries(std::shared_ptr<connection> c) { return std::make_unique<sqlite_queries>(std::move(c)); }

}  // namespace troupe::storage

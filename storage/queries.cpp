#include "storage/queries.hpp"

#include "storage/rows.hpp"

#include <algorithm>
#include <limits>

namespace troupe::storage {

using namespace core;

#define TROUPE_SESSION_N "(SELECT n FROM sessions WHERE id = ?)"

namespace {

constexpr std::int64_t max_seq = std::numeric_limits<std::int64_t>::max();

std::int64_t bounded(seq_t seq) { return static_cast<std::int64_t>(std::min(seq, static_cast<seq_t>(max_seq))); }

/// `%text%` for LIKE … ESCAPE '\'.
std::string like_pattern(const std::string& text) {
  std::string out = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "%";
}

/// Conditions joined by AND, with what they bind.
class conditions {
 public:
  template <class T>
  void add_equal(const char* column, const std::optional<T>& v) {
    if (!v) return;
    if constexpr (std::is_convertible_v<T, std::string>) {
      add(std::string(column) + " = ?", *v);
    } else {
      add(std::string(column) + " = ?", v->str());
    }
  }
  void add(std::string condition) { text_ += (text_.empty() ? " WHERE " : " AND ") + std::move(condition); }
  void add(std::string condition, std::string bound) {
    add(std::move(condition));
    bound_.push_back(std::move(bound));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  void bind_to(cursor& c) const {
    for (const auto& b : bound_) c.add(b);
  }

 private:
  std::string text_;
  std::vector<std::string> bound_;
};

class sqlite_queries final : public queries {
 public:
  explicit sqlite_queries(std::shared_ptr<connection> c) : c_(std::move(c)) {}

  std::optional<session_record> session(session_id id) override {
    return guarded([&]() -> std::optional<session_record> {
      cursor c(sql("SELECT" TROUPE_SESSION_COLUMNS "FROM sessions WHERE id = ?"), id);
      if (!c.next()) return std::nullopt;
      return read_session(c).session;
    });
  }

  page<session_record> sessions(const session_filter& filter, window w) override {
    conditions where;
    where.add("status <> 'deleted'");
    where.add_equal("project", filter.project);
    where.add_equal("dialect", filter.dialect);
    where.add_equal("owner", filter.owner);
    if (filter.status) where.add("status = ?", std::string(to_string(*filter.status)));
    if (!filter.text.empty()) where.add("title LIKE ? ESCAPE '\\'", like_pattern(filter.text));
    return paged<session_record>("sessions", TROUPE_SESSION_COLUMNS, where, "updated_at_ms DESC, id DESC", w,
                                 [](cursor& c) { return read_session(c).session; });
  }

  std::optional<core::session_state> session_state(session_id id) override {
    auto record = session(id);
    if (!record) return std::nullopt;
    return guarded([&]() -> std::optional<core::session_state> {
      core::session_state out;
      out.session = std::move(*record);
      std::optional<run_row> live;
      {
        cursor c(sql("SELECT" TROUPE_RUN_COLUMNS
                     "FROM runs WHERE session = ? AND status IN ('queued', 'running', 'parked') ORDER BY n"),
                 id);
        while (c.next()) {
          auto row = read_run(c);
          if (row.record.status != run_status::queued) {
            live = std::move(row);
          } else {
            out.queue.push_back({row.record.id, row.record.message, {}, {}, {}, row.record.queued_at});
          }
        }
      }
      for (auto& q : out.queue)
        if (auto m = newest_message(id, q.message)) {
          q.content = std::move(m->content);
          q.author = std::move(m->author);
          q.client_message_id = std::move(m->client_message_id);
        }
      if (live) {
        out.live_run = events(id, live->started_seq - 1, out.session.last_seq, std::numeric_limits<std::size_t>::max());
        if (auto m = newest_message(id, live->record.message)) out.live_content = std::move(m->content);
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
      return out;
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
                   " AND last_seq <= ? AND kind IN ('message_added', 'run_started',"
                   " 'run_dequeued', 'step_started', 'message_completed', 'tool_completed', 'run_completed', 'run_failed',"
                   " 'run_cancelled') ORDER BY last_seq"),
               id, bounded(upto));
      while (c.next()) out.push_back(read_event(c).value());
      return out;
    });
  }

  page<message_record> messages(session_id id, window w) override {
    conditions where;
    where.add("m.session = ?", id.str());
    where.add("NOT m.removed");
    return paged<message_record>("messages m", TROUPE_MESSAGE_COLUMNS, where, "m.number", w,
                                 [](cursor& c) { return read_message(c).record; });
  }

  std::vector<tool_call_record> tool_calls(session_id id) override {
    return guarded([&] {
      std::vector<tool_call_record> out;
      cursor c(
          sql("SELECT" TROUPE_CALL_COLUMNS "FROM runs r JOIN tool_calls t ON t.run = r.id WHERE r.session = ? ORDER BY t.seq"),
          id);
      while (c.next()) out.push_back(read_call(c).record);
      return out;
    });
  }

  page<run_record> runs(session_id id, window w) override {
    conditions where;
    where.add("session = ?", id.str());
    return paged<run_record>("runs", TROUPE_RUN_COLUMNS, where, "n DESC", w, [](cursor& c) { return read_run(c).record; });
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
    return guarded([&]() -> std::optional<approval_record> {
      cursor c(sql("SELECT" TROUPE_APPROVAL_COLUMNS "FROM approvals WHERE id = ?"), id);
      if (!c.next()) return std::nullopt;
      return read_approval(c).record;
    });
  }

  page<approval_record> approvals(const approval_filter& filter, window w) override {
    conditions where;
    if (filter.status == "pending") {
      where.add("decision IS NULL");
    } else {
      where.add_equal("decision", filter.status);
    }
    where.add_equal("project", filter.project);
    where.add_equal("session", filter.session);
    return paged<approval_record>("approvals", TROUPE_APPROVAL_COLUMNS, where, "created_at_ms DESC, id DESC", w,
                                  [](cursor& c) { return read_approval(c).record; });
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

  page<span_record> traces(const std::optional<project_id>& project, const std::optional<session_id>& session,
                           window w) override {
    conditions where;
    where.add("trace IS NOT NULL");
    where.add_equal("project", project);
    where.add_equal("session", session);
    return paged<span_record>("runs",
                              " trace, session, id, 'run', agent, status, started_at_ms, ended_at_ms, prompt_tokens,"
                              " cached_prompt_tokens, completion_tokens, cost_micro_usd ",
                              where, "n DESC", w, read_span);
  }

  std::vector<usage_day> usage_by_day(const project_id& project, millis since) override {
    return guarded([&] {
      std::vector<usage_day> out;
      cursor c(sql("SELECT day, cost_micro_usd, tokens, requests FROM usage_days WHERE project = ? AND day >= ? ORDER BY day"),
               project, day_of(since));
      while (c.next()) {
        auto& d = out.emplace_back();
        c.read(d.date, d.cost, d.tokens, d.requests);
      }
      return out;
    });
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

  std::optional<message_record> newest_message(session_id session, message_id id) {
    cursor c(
        sql("SELECT" TROUPE_MESSAGE_COLUMNS "FROM messages m WHERE m.session = ? AND m.id = ? ORDER BY m.number DESC LIMIT 1"),
        session, id);
    if (!c.next()) return std::nullopt;
    return read_message(c).record;
  }

  template <class T, class Read>
  page<T> paged(const std::string& table, const char* columns, const conditions& where, const char* order, window w,
                Read read) {
    return guarded([&] {
      page<T> out;
      {
        cursor c(sql("SELECT count(*) FROM " + table + where.text()));
        where.bind_to(c);
        if (c.next()) out.total = c.integer();
      }
      cursor c(
          sql(std::string("SELECT") + columns + "FROM " + table + where.text() + " ORDER BY " + order + " LIMIT ? OFFSET ?"));
      where.bind_to(c);
      c.add(std::max<std::int64_t>(w.limit, 0));
      c.add(std::max<std::int64_t>(w.offset, 0));
      while (c.next()) out.items.push_back(read(c));
      return out;
    });
  }

  std::shared_ptr<connection> c_;
};

}  // namespace

std::unique_ptr<queries> make_queries(std::shared_ptr<connection> c) { return std::make_unique<sqlite_queries>(std::move(c)); }

}  // namespace troupe::storage

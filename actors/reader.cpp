#include "actors/reader.hpp"

namespace troupe::actors {

namespace {

using core::answer;
using core::errc;
using answered = caf::result<answer>;

template <class T>
answered found(std::optional<T> record, std::string_view what) {
  if (record) return answer{std::move(*record)};
  return to_caf({errc::not_found, "no such " + std::string(what)});
}

struct answerer {
  storage::queries& db;

  answered operator()(const core::get_session& q) const { return found(db.session(q.session), "session"); }
  answered operator()(const core::list_sessions& q) const {
    return answer{db.sessions({q.project, q.dialect, q.owner, q.text, q.status, q.visible_to, q.updated_since, q.with_children},
                              q.window)};
  }
  answered operator()(const core::list_messages& q) const { return answer{db.messages(q.session, q.window)}; }
  answered operator()(const core::list_tool_calls& q) const { return answer{db.tool_calls(q.session)}; }
  answered operator()(const core::list_queue& q) const {
    auto state = db.session_state(q.session);
    if (!state) return to_caf({errc::not_found, "no such session"});
    return answer{std::move(state->queue)};
  }
  answered operator()(const core::get_run& q) const { return found(db.run(q.run), "run"); }
  answered operator()(const core::get_approval& q) const { return found(db.approval(q.approval), "approval"); }
  answered operator()(const core::list_approvals& q) const {
    return answer{db.approvals(
        {q.status, q.project, q.session, q.visible_to, q.agent, q.tool, q.kind, q.risk, q.decided_by, q.since}, q.window)};
  }
  answered operator()(const core::list_grants& q) const {
    return answer{db.grants({q.project, q.visible_to, q.all, q.now}, q.window)};
  }
  answered operator()(const core::get_grant& q) const { return found(db.grant(q.grant), "remembered approval"); }
  answered operator()(const core::get_tool_output& q) const {
    return found(db.tool_output(q.session, q.call, q.offset, q.limit), "tool call");
  }
  answered operator()(const core::list_children& q) const { return answer{db.children(q.session)}; }
  answered operator()(const core::list_traces& q) const {
    return answer{db.traces({q.project, q.session, q.visible_to}, q.window)};
  }
  answered operator()(const core::get_trace& q) const {
    auto spans = db.spans(q.trace);
    if (spans.empty()) return to_caf({errc::not_found, "no such trace"});
    return answer{std::move(spans)};
  }
  answered operator()(const core::get_usage& q) const { return answer{db.usage_by_day(q.project, q.since)}; }
  answered operator()(const core::find_run_start& q) const { return answer{db.run_start_before(q.session, q.seq)}; }
  answered operator()(const core::get_message& q) const { return found(db.message(q.session, q.message), "message"); }
  answered operator()(const core::find_client_message& q) const {
    return found(db.message_by_client_id(q.session, q.client_message_id), "message");
  }
  answered operator()(const core::resolve_session& q) const { return found(db.resolve(q.project, q.text), "session"); }
  answered operator()(const core::get_usage_by& q) const { return answer{db.usage_by(q.project, q.since, q.by, q.window)}; }
  answered operator()(const core::list_alerts& q) const { return answer{db.alerts({q.project, q.visible_to}, q.window)}; }
  answered operator()(const core::get_file& q) const { return found(db.file(q.session, q.file), "file"); }
  answered operator()(const core::list_agent_versions& q) const {
    return answer{db.agent_versions(q.project, q.agent, q.window)};
  }
  answered operator()(const core::get_agent_version& q) const {
    return found(db.agent_version(q.project, q.agent, q.version), "version");
  }
  answered operator()(const core::list_files& q) const { return answer{db.files(q.session)}; }
};

/// A failed read is an exception of storage's; it stops here.
template <class Reply, class Read>
caf::result<Reply> guarded(Read read) {
  try {
    return read();
  } catch (const std::exception& e) {
    return to_caf({errc::storage_unavailable, e.what()});
  }
}

}  // namespace

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self,
                                   std::shared_ptr<storage::queries> queries) {
  self->state.queries = std::move(queries);
  return {
      [self](const load_session& m) {
        return guarded<loaded_session>([&] { return loaded_session{self->state.queries->session_state(m.session)}; });
      },
      [self](const load_history& m) {
        return guarded<event_page>([&] { return event_page{self->state.queries->history_events(m.session, m.upto)}; });
      },
      [self](const read_events& m) {
        return guarded<event_page>(
            [&] { return event_page{self->state.queries->events(m.session, m.after, m.upto, m.limit)}; });
      },
      [self](const ask& m) { return guarded<answer>([&] { return std::visit(answerer{*self->state.queries}, m.query); }); },
  };
}

}  // namespace troupe::actors

// Sessions over REST: make, find, read, change, stop (PROTOCOLS §1.6).
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/event_list.hpp"
#include "transport/rest/event_stream.hpp"
#include "transport/rest/rest_json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

void answer_session(const rest_call_ptr& call, core::session_id id, int status) {
  call->find<core::session_record>(core::get_session{id}, "Session", id.str(),
                                   [call, status](const core::session_record& s) { call->answer(status, session_json(s)); });
}

void answer_sessions(const rest_call_ptr& call, core::list_sessions query) {
  auto w = call->window();
  if (!w) return;
  query.window = *w;
  query.visible_to = call->visible_to();
  query.with_children = call->request.query_value("includeChildren") == "true";
  if (auto status = call->request.query_value("status"); !status.empty()) {
    query.status = core::session_status_from(status);
    if (!query.status || query.status == core::session_status::deleted)
      return call->fail_field("status", "must be active, paused or closed");
  }
  call->ask<core::page<core::session_record>>(std::move(query), [call, w = *w](const core::page<core::session_record>& page) {
    json::array items;
    for (const auto& s : page.items) items.push_back(session_json(s));
    call->answer(200, list_of(std::move(items), page.total, w));
  });
}

/// Then answers with the session as it is now.
void change_status(const rest_call_ptr& call, core::session_status status) {
  call->find_session([call, status](const core::session_record& s) {
    call->submit(s.id, core::change_status{status},
                 [call, id = s.id](const core::command_reply&) { answer_session(call, id, 200); });
  });
}

}  // namespace

/// POST /projects/{p}/sessions {agentId?, metadata?}
void post_session(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto agent = call->body_string(*body, "agentId", false);
  if (!agent) return;
  core::project_id project{call->parameter("p")};
  if (call->config().projects.count(project) == 0) return call->fail({errc::not_found, "Project not found: " + project.str()});
  if (!call->config().find_agent(project, {*agent}))
    return call->fail({errc::not_found, call->config().why_no_agent(project, {*agent})});
  std::string metadata;
  if (const auto* m = body->if_contains("metadata"); m && !m->is_null()) {
    if (!m->is_object()) return call->fail_field("metadata", "must be an object");
    metadata = json::serialize(*m);
  }
  auto id = call->way().environment().make<core::session_id>();
  call->submit(id, core::open_session{std::move(project), {std::move(*agent)}, "nexus", {}, std::move(metadata)},
               [call, id](const core::command_reply&) { answer_session(call, id, 201); });
}

/// GET /projects/{p}/sessions
void get_project_sessions(const rest_call_ptr& call) {
  core::list_sessions query;
  query.project = core::project_id{call->parameter("p")};
  if (call->config().projects.count(*query.project) == 0)
    return call->fail({errc::not_found, "Project not found: " + query.project->str()});
  answer_sessions(call, std::move(query));
}

/// GET /sessions?q=&projectId=&parentId=&includeChildren=: those of sub-agents only where they are asked for.
void get_sessions(const rest_call_ptr& call) {
  if (auto parent = call->request.query_value("parentId"); !parent.empty()) {
    auto w = call->window();
    if (!w) return;
    return call->find_session(std::move(parent),
                              [call, w = *w](const core::session_record& s) { answer_children(call, s.id, w); });
  }
  core::list_sessions query;
  query.text = call->request.query_value("q");
  if (auto project = call->request.query_value("projectId"); !project.empty()) query.project = core::project_id{project};
  answer_sessions(call, std::move(query));
}

/// GET /sessions/{id}
void get_session(const rest_call_ptr& call) {
  call->find_session([call](const core::session_record& s) { call->answer(200, session_json(s)); });
}

/// DELETE /sessions/{id}
void delete_session(const rest_call_ptr& call) { change_status(call, core::session_status::closed); }

/// PATCH /sessions/{id}/status {status}
void patch_session_status(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto text = call->body_string(*body, "status", true);
  if (!text) return;
  auto status = core::session_status_from(*text);
  if (!status || *status == core::session_status::deleted)
    return call->fail_field("status", "must be active, paused or closed");
  change_status(call, *status);
}

/// GET /sessions/{id}/messages
void get_messages(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  call->find_session([call, w = *w](const core::session_record& s) {
    call->ask<core::page<core::message_record>>(
        core::list_messages{s.id, w}, [call, w, id = s.id](const core::page<core::message_record>& page) {
          auto has_calls = std::any_of(page.items.begin(), page.items.end(), [](const auto& m) { return !m.calls.empty(); });
          if (!has_calls) return call->answer(200, list_of(messages_json(page.items, {}), page.total, w));
          call->ask<std::vector<core::tool_call_record>>(
              core::list_tool_calls{id}, [call, w, page](const std::vector<core::tool_call_record>& results) {
                call->answer(200, list_of(messages_json(page.items, results), page.total, w));
              });
        });
  });
}

/// GET /sessions/{id}/events: a stream, or a list for `Accept: application/json`.
void get_events(const rest_call_ptr& call) {
  auto after = requested_after(call);
  if (!after) return;
  auto as_list =
      !call->wants_event_stream() && call->request.header("accept").find("application/json") != std::string_view::npos;
  auto w = as_list ? call->window() : core::window{};
  if (!w) return;
  call->find_session([call, after = *after, as_list, w = *w](const core::session_record& s) {
    if (as_list) return list_events(call, s.id, after.value_or(0), w);
    if (call->request.method == "HEAD") return call->exchange->respond({200, "text/event-stream", {}, {}});
    stream_events(call, s.id, {after, true, encoder_kind::nexus_log}, {});
  });
}

/// POST /sessions/{id}/cancel {runId?}
void post_cancel(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto text = call->body_string(*body, "runId", false);
  if (!text) return;
  core::cancel_run command;
  if (!text->empty()) {
    auto run = core::run_id::parse(*text);
    if (!run) return call->fail({errc::not_found, "Run not in progress: " + text->substr(0, 64)});
    command.run = *run;
  }
  call->find_session([call, command](const core::session_record& s) {
    // The run.cancelled event tells when it has stopped.
    call->submit(s.id, command, [call, id = s.id](const core::command_reply&) {
      call->answer(202, json::object{{"sessionId", id.str()}, {"status", "cancelling"}});
    });
  });
}

/// GET /sessions/{id}/queue
void get_queue(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  call->find_session([call, w = *w](const core::session_record& s) {
    using queue = std::vector<core::session_state::queued>;
    call->ask<queue>(core::list_queue{s.id}, [call, w](const queue& waiting) {
      json::array items;
      auto size = static_cast<std::int64_t>(waiting.size());
      for (auto i = w.offset; i < size && i - w.offset < w.limit; ++i)
        items.push_back(queued_json(waiting[static_cast<std::size_t>(i)], static_cast<std::size_t>(i) + 1));
      call->answer(200, list_of(std::move(items), size, w));
    });
  });
}

/// DELETE /sessions/{id}/queue/{messageId}
void delete_queued(const rest_call_ptr& call) {
  auto message = core::message_id::parse(call->parameter("messageId"));
  if (!message) return call->fail({errc::not_found, "Message not in the queue: " + call->parameter("messageId").substr(0, 64)});
  call->find_session([call, message = *message](const core::session_record& s) {
    call->submit(s.id, core::dequeue_message{message}, [call, message](const core::command_reply&) {
      call->answer(200, json::object{{"messageId", message.str()}, {"status", "dequeued"}});
    });
  });
}

}  // namespace troupe::transport

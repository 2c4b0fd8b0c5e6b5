// Chat without WebSocket (PROTOCOLS §1.6): a message in, the whole answer or its events out.
#include "transport/rest/rest_handlers.hpp"

#include "transport/dialects/agent_stream_rest.hpp"
#include "transport/dialects/nexus.hpp"
#include "transport/rest/attachments.hpp"
#include "transport/rest/event_stream.hpp"
#include "transport/rest/idempotency.hpp"
#include "transport/rest/run_waiter.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

struct chat_request {
  core::session_id session;
  std::optional<core::open_session> open;  ///< the session is new
  core::send_message message;
};

json::array calls_json(const core::turn& turn) {
  json::array out;
  for (const auto& c : turn.calls) {
    json::object call{{"toolCallId", c.id.str()},
                      {"tool", c.tool},
                      {"input", json_or_string(c.input)},
                      {"success", c.settled ? json::value(c.ok) : json::value(nullptr)},
                      {"output", c.settled ? output_value(c.output) : json::value(nullptr)},
                      {"durationMs", c.ms}};
    if (!c.child.is_nil()) call["childSessionId"] = c.child.str();
    out.push_back(std::move(call));
  }
  return out;
}

json::object outcome_json(const run_outcome& o) {
  json::object out{{"sessionId", o.session.str()},        {"response", o.text},
                   {"messageId", o.turn.reply.str()},     {"runId", o.run.str()},
                   {"traceId", o.turn.trace.value.hex()}, {"usage", usage_json(o.turn.tokens, o.turn.cost)},
                   {"toolCalls", calls_json(o.turn)}};
  if (o.parked) {
    out["status"] = "pending";
    out["approvalId"] = o.turn.open_approvals.front().approval.str();
  }
  return out;
}

run_waiter::request request_of(const rest_call_ptr& call, chat_request chat, bool waits_for_people) {
  return {chat.session, call->principal(), std::move(chat.open), std::move(chat.message), waits_for_people};
}

/// The whole answer, or 202 when a person must decide first.
void answer_whole(const rest_call_ptr& call, chat_request chat) {
  auto waiter = run_waiter::start(call->way(), request_of(call, std::move(chat), false), [call](core::result<run_outcome> r) {
    if (!r) return call->fail(r.error());
    if (r->error.code != errc::ok) return call->fail(r->error);
    call->answer(r->parked ? 202 : 200, outcome_json(*r));
  });
  call->exchange->on_abandoned([waiter] { waiter->abandon(); });
}

/// The events of the run as they come, to its end.
void answer_stream(const rest_call_ptr& call, chat_request chat) {
  auto session = chat.session;
  event_stream_options options;
  options.must_exist = !chat.open;
  stream_events(
      call, session, options,
      [call, chat = std::move(chat)](const std::shared_ptr<event_stream>& stream, const core::result<core::session_record>& r) {
        if (!r) return;
        run_waiter::start(call->way(), request_of(call, chat, true), [call, stream](const core::result<run_outcome>& end) {
          if (!end) {
            frame_writer refusal(framing::sse);
            refusal.frame(nexus_error(end.error()), 0, "error");
            stream->send(refusal.take());
          }
          // The stream's feed was given the last event before this waiter, but its turn may come later: behind it.
          call->way().post([stream] { stream->end(); });
        });
      });
}

void answer_run(const rest_call_ptr& call, chat_request chat) {
  if (call->wants_event_stream())
    answer_stream(call, std::move(chat));
  else
    answer_whole(call, std::move(chat));
}

void answer_accepted(const rest_call_ptr& call, const core::message_accepted& accepted) {
  json::object out{{"runId", accepted.run.str()}, {"messageId", accepted.message.str()}};
  if (accepted.position != 0) out["position"] = accepted.position;
  call->answer(202, std::move(out));
}

void run_chat(const rest_call_ptr& call, core::project_id project, core::agent_id agent, const json::object& body) {
  auto text = call->body_string(body, "message", true);
  if (!text) return;
  auto session = call->body_string(body, "sessionId", false);
  if (!session) return;
  const auto& config = call->config();
  if (config.projects.count(project) == 0) return call->fail({errc::not_found, "Project not found: " + project.str()});
  if (!config.find_agent(project, agent)) return call->fail({errc::not_found, config.why_no_agent(project, agent)});
  auto attachments = attachments_field(body);
  if (!attachments) return call->fail_field("attachments", attachments.error().text);
  if (!attachments->empty() && session->empty())
    return call->fail_field("attachments", "need a sessionId: files belong to a session");
  chat_request chat;
  chat.message.content = std::move(*text);
  chat.message.attachments = std::move(*attachments);
  chat.message.client_message_id = idempotent_id(*call);
  if (!session->empty()) {
    return call->find_session(std::move(*session), [call, chat = std::move(chat)](const core::session_record& s) mutable {
      chat.session = s.id;
      answer_run(call, std::move(chat));
    });
  }
  std::string metadata;
  if (const auto* m = body.if_contains("metadata"); m && !m->is_null()) {
    if (!m->is_object()) return call->fail_field("metadata", "must be an object");
    metadata = json::serialize(*m);
  }
  // The same key finds the same session again, and there the first answer.
  chat.session =
      chat.message.client_message_id.empty() ? call->way().environment().make<core::session_id>() : idempotent_session(*call);
  chat.open = core::open_session{project, agent, "nexus", {}, std::move(metadata)};
  answer_run(call, std::move(chat));
}

}  // namespace

/// POST /projects/{p}/agents/{a}/chat
void post_agent_chat(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  run_chat(call, {call->parameter("p")}, {call->parameter("a")}, *body);
}

/// POST /chat {projectId, message, …}, and agent-stream's {agent_id, message}
void post_chat(const rest_call_ptr& call) {
  // Two dialects meet here: the body tells which one is meant, and where it does not, the slash (PROTOCOLS §7).
  call->speak(call->request.path.ends_with('/') ? error_shape::detail : error_shape::nexus);
  auto body = call->body_object();
  if (!body) return;
  if (body->contains("projectId")) {
    call->speak(error_shape::nexus);
  } else if (body->contains("agent_id")) {
    call->speak(error_shape::detail);
    return post_stream_chat(call, *body);
  }
  auto project = call->body_string(*body, "projectId", true);
  if (!project) return;
  auto agent = call->body_string(*body, "agentId", false);
  if (!agent) return;
  run_chat(call, {std::move(*project)}, {std::move(*agent)}, *body);
}

/// POST /sessions/{id}/messages {content, onBusy?, clientMessageId?, attachments?}
void post_message(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto text = call->body_string(*body, "content", true);
  if (!text) return;
  auto client_id = call->body_string(*body, "clientMessageId", false);
  if (!client_id) return;
  auto on_busy = call->body_string(*body, "onBusy", false);
  if (!on_busy) return;
  chat_request chat{{}, std::nullopt, {std::move(*text), std::move(*client_id), core::busy_policy_from(*on_busy)}};
  if (!on_busy->empty() && !chat.message.on_busy) return call->fail_field("onBusy", "must be queue, reject or interrupt");
  if (chat.message.client_message_id.empty()) chat.message.client_message_id = idempotent_id(*call);
  auto attachments = attachments_field(*body);
  if (!attachments) return call->fail_field("attachments", attachments.error().text);
  chat.message.attachments = std::move(*attachments);
  call->find_session([call, chat = std::move(chat)](const core::session_record& s) mutable {
    chat.session = s.id;
    if (call->wants_event_stream() || call->request.query_value("wait") == "true") return answer_run(call, std::move(chat));
    call->submit(s.id, chat.message, [call, chat](const core::command_reply& r) {
      const auto& accepted = std::get<core::message_accepted>(r);
      if (!accepted.repeated) return answer_accepted(call, accepted);
      core::find_client_message question{chat.session, chat.message.client_message_id};
      call->ask<core::message_record>(std::move(question), [call, accepted, chat](const core::message_record& known) {
        if (!is_same_message(known, chat.message)) return call->fail(reused_key());
        answer_accepted(call, accepted);
      });
    });
  });
}

}  // namespace troupe::transport

// Copies of sessions over REST (PROTOCOLS §1.6): edit and resend, regenerate.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/idempotency.hpp"
#include "transport/rest/rest_json.hpp"

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

struct fork_request {
  core::session_id copy;
  core::fork_session command;
  std::optional<core::send_message> message;
};

void answer_fork(const rest_call_ptr& call, const fork_request& fork, const core::message_accepted* accepted) {
  json::object more{{"forkedFrom", {{"sessionId", fork.command.source.str()}, {"atSeq", fork.command.at}}}};
  if (accepted) {
    more["runId"] = accepted->run.str();
    more["messageId"] = accepted->message.str();
  }
  call->find<core::session_record>(core::get_session{fork.copy}, "Session", fork.copy.str(),
                                   [call, more](const core::session_record& s) {
                                     auto out = session_json(s);
                                     for (const auto& [key, value] : more) out[key] = value;
                                     call->answer(201, std::move(out));
                                   });
}

void make_fork(const rest_call_ptr& call, const fork_request& fork) {
  call->submit(fork.copy, fork.command, [call, fork](const core::command_reply&) {
    if (!fork.message) return answer_fork(call, fork, nullptr);
    call->submit(fork.copy, *fork.message,
                 [call, fork](const core::command_reply& r) { answer_fork(call, fork, &std::get<core::message_accepted>(r)); });
  });
}

}  // namespace

/// POST /sessions/{id}/fork {atSeq?, content?}: without atSeq all of it; the content is sent in the copy.
void post_fork(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  std::optional<core::seq_t> at;
  if (const auto* v = body->if_contains("atSeq"); v && !v->is_null()) {
    if (!v->is_int64() || v->get_int64() < 0) return call->fail_field("atSeq", "must be the seq of an event");
    at = static_cast<core::seq_t>(v->get_int64());
  }
  fork_request fork;
  if (const auto* v = body->if_contains("content"); v && !v->is_null()) {
    auto text = call->body_string(*body, "content", true);
    if (!text) return;
    fork.message.emplace();
    fork.message->content = std::move(*text);
    fork.message->client_message_id = idempotent_id(*call);
  }
  bool has_key = !call->request.header("idempotency-key").empty();
  fork.copy = has_key ? idempotent_session(*call) : call->way().environment().make<core::session_id>();
  call->find_session([call, fork = std::move(fork), at](const core::session_record& s) mutable {
    fork.command = {s.id, at.value_or(s.last_seq)};
    make_fork(call, fork);
  });
}

}  // namespace troupe::transport

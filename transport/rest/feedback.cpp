// What people think of answers, and a conversation that begins anew (PROTOCOLS §1.6).
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <algorithm>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

std::optional<core::message_id> message_parameter(const rest_call_ptr& call) {
  const auto& text = call->parameter("messageId");
  if (auto id = core::message_id::parse(text)) return id;
  call->fail({errc::not_found, "Message not found: " + text.substr(0, 64)});
  return std::nullopt;
}

/// As the store has it, with its time. Another request of the same person may have come in between.
void answer_own(const rest_call_ptr& call, core::session_id session, const core::rate_message& said) {
  call->ask<core::message_record>(core::get_message{session, said.message}, [call, said](const core::message_record& message) {
    const auto& all = message.feedback;
    auto own = std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.by == call->principal().id; });
    if (own == all.end()) return call->fail({errc::not_found, "The feedback was taken back meanwhile; give it again."});
    call->answer(200, feedback_json(said.message, *own));
  });
}

}  // namespace

/// PUT /sessions/{id}/messages/{messageId}/feedback {rating, note?}
void put_feedback(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto rating = call->body_string(*body, "rating", true);
  if (!rating) return;
  auto note = call->body_string(*body, "note", false);
  if (!note) return;
  auto message = message_parameter(call);
  if (!message) return;
  core::rate_message command{*message, core::rating_from(*rating).value_or(core::rating::none), std::move(*note)};
  if (command.rating == core::rating::none) return call->fail_field("rating", "must be up or down");
  call->find_session([call, command](const core::session_record& s) {
    call->submit(s.id, command, [call, command, id = s.id](const core::command_reply&) { answer_own(call, id, command); });
  });
}

/// DELETE /sessions/{id}/messages/{messageId}/feedback: the caller's; also where there is none.
void delete_feedback(const rest_call_ptr& call) {
  auto message = message_parameter(call);
  if (!message) return;
  call->find_session([call, message = *message](const core::session_record& s) {
    call->submit(s.id, core::rate_message{message, core::rating::none, {}},
                 [call](const core::command_reply&) { answer_nothing(call); });
  });
}

/// DELETE /sessions/{id}/messages: the conversation begins anew, for people and for the model.
void delete_messages(const rest_call_ptr& call) {
  call->find_session([call](const core::session_record& s) {
    call->submit(s.id, core::clear_history{}, [call](const core::command_reply&) { answer_nothing(call); });
  });
}

}  // namespace troupe::transport

// Changes of a session's parts over REST (PROTOCOLS §1.6): title, participants, reactions, the queue.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

void answer_now(const rest_call_ptr& call, core::session_id id, json::object (*as_json)(const core::session_record&)) {
  call->find<core::session_record>(core::get_session{id}, "Session", id.str(),
                                   [call, as_json](const core::session_record& s) { call->answer(200, as_json(s)); });
}

json::object participants_json(const core::session_record& s) {
  return {{"owner", s.owner}, {"users", json::array(s.participants.begin(), s.participants.end())}};
}

std::optional<core::message_id> message_parameter(const rest_call_ptr& call, std::string_view name, std::string_view where) {
  const auto& text = call->parameter(name);
  if (auto id = core::message_id::parse(text)) return id;
  call->fail({errc::not_found, "Message not " + std::string(where) + ": " + text.substr(0, 64)});
  return std::nullopt;
}

void answer_queued(const rest_call_ptr& call, core::session_id session, core::message_id message) {
  using queue = std::vector<core::session_state::queued>;
  call->ask<queue>(core::list_queue{session}, [call, message](const queue& waiting) {
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i].message == message) return call->answer(200, queued_json(waiting[i], i + 1));
    // Its run has started since.
    call->fail({errc::not_found, "Message not in the queue: " + message.str()});
  });
}

}  // namespace

/// PATCH /sessions/{id} {title?, metadata?}
void patch_session(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  core::update_session command;
  if (body->contains("title")) {
    auto title = call->body_string(*body, "title", true);
    if (!title) return;
    command.title = std::move(*title);
  }
  if (const auto* m = body->if_contains("metadata")) {
    if (!m->is_object()) return call->fail_field("metadata", "must be an object");
    command.metadata = json::serialize(*m);
  }
  if (!command.title && !command.metadata) return call->fail_field("title", "is required, or metadata");
  call->find_session([call, command](const core::session_record& s) {
    call->submit(s.id, command, [call, id = s.id](const core::command_reply&) { answer_now(call, id, session_json); });
  });
}

/// GET /sessions/{id}/participants
void get_participants(const rest_call_ptr& call) {
  call->find_session([call](const core::session_record& s) { call->answer(200, participants_json(s)); });
}

/// PUT /sessions/{id}/participants {users[]}: all of them, not more of them.
void put_participants(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  const auto* users = body->if_contains("users");
  if (!users || !users->is_array()) return call->fail_field("users", "must be an array of user ids");
  std::vector<std::string> ids;
  for (const auto& user : users->get_array()) {
    if (!user.is_string()) return call->fail_field("users", "must hold user ids, which are strings");
    ids.emplace_back(user.get_string());
  }
  core::update_session command;
  command.participants = std::move(ids);
  call->find_session([call, command](const core::session_record& s) {
    call->submit(s.id, command, [call, id = s.id](const core::command_reply&) { answer_now(call, id, participants_json); });
  });
}

/// POST /sessions/{id}/messages/{messageId}/reactions {emoji, added?}
void post_reaction(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto emoji = call->body_string(*body, "emoji", true);
  if (!emoji) return;
  bool added = true;
  if (const auto* v = body->if_contains("added"); v && !v->is_null()) {
    if (!v->is_bool()) return call->fail_field("added", "must be true or false");
    added = v->get_bool();
  }
  auto message = message_parameter(call, "messageId", "found");
  if (!message) return;
  core::react command{*message, std::move(*emoji), added};
  call->find_session([call, command](const core::session_record& s) {
    call->submit(s.id, command, [call, command](const core::command_reply&) {
      auto who = shown_user(call->principal());
      call->answer(200, json::object{{"messageId", command.message.str()},
                                     {"emoji", command.emoji},
                                     {"added", command.added},
                                     {"userId", who.id},
                                     {"username", who.name}});
    });
  });
}

/// PATCH /sessions/{id}/queue/{messageId} {content?, position?}
void patch_queued(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto message = message_parameter(call, "messageId", "in the queue");
  if (!message) return;
  core::edit_queued command{*message, std::nullopt, 0};
  if (const auto* v = body->if_contains("content"); v && !v->is_null()) {
    if (!v->is_string()) return call->fail_field("content", "must be a string");
    command.content = std::string(v->get_string());
  }
  if (const auto* v = body->if_contains("position"); v && !v->is_null()) {
    constexpr std::int64_t last = 1'000'000;
    if (!v->is_int64() || v->get_int64() < 1 || v->get_int64() > last)
      return call->fail_field("position", "must be a number from 1");
    command.position = static_cast<std::uint32_t>(v->get_int64());
  }
  if (!command.content && command.position == 0) return call->fail_field("content", "is required, or position");
  call->find_session([call, command](const core::session_record& s) {
    call->submit(s.id, command, [call, id = s.id, message = command.message](const core::command_reply&) {
      answer_queued(call, id, message);
    });
  });
}

}  // namespace troupe::transport

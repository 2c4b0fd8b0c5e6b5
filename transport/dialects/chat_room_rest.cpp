#include "transport/dialects/chat_room_rest.hpp"

#include "transport/dialects/chat_room_json.hpp"
#include "transport/rest/attachments.hpp"
#include "transport/rest/idempotency.hpp"
#include "transport/rest/run_waiter.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::int64_t newest_messages = 100;

using agent_ptr = std::shared_ptr<const core::agent_config>;

const core::project_config* default_project(const rest_call_ptr& call) {
  auto found = call->config().projects.find(call->config().default_project);
  return found == call->config().projects.end() ? nullptr : &found->second;
}

/// The agent whose id or whose model `name` is, in this order.
agent_ptr agent_named(const rest_call_ptr& call, const std::string& name) {
  const auto* project = default_project(call);
  if (!project || name.empty()) return nullptr;
  if (auto found = call->config().find_agent(project->id, {name})) return found;
  for (const auto& agent : call->config().agents_of(project->id))
    if (agent->model == name) return agent;
  return nullptr;
}

void find_conversation(const rest_call_ptr& call, const std::string& text, std::function<void(core::session_record)> then) {
  core::error missing{errc::not_found, "Conversation with ID " + text.substr(0, 64) + " not found"};
  call->resolve(text, [call, missing, then = std::move(then)](core::session_id id) { call->see_session(id, missing, then); });
}

/// The newest messages of a session, oldest first, as stored and with the results of their calls.
using stored_messages = std::function<void(std::vector<core::message_record>, std::vector<core::tool_call_record>)>;
void load_messages(const rest_call_ptr& call, core::session_id id, stored_messages then) {
  using page = core::page<core::message_record>;
  auto with_calls = [call, id, then = std::move(then)](const page& p) {
    call->ask<std::vector<core::tool_call_record>>(
        core::list_tool_calls{id},
        [then, items = p.items](std::vector<core::tool_call_record> results) { then(items, std::move(results)); });
  };
  core::list_messages first{id, {newest_messages, 0}};
  call->ask<page>(first, [call, id, with_calls](const page& p) {
    if (p.total <= newest_messages) return with_calls(p);
    core::list_messages last{id, {newest_messages, p.total - newest_messages}};
    call->ask<page>(last, with_calls);
  });
}

void answer_conversation(const rest_call_ptr& call, const core::session_record& s, int status) {
  load_messages(call, s.id, [call, s, status](const auto& messages, const auto& results) {
    call->answer(status, room_conversation_json(s, call->hub().rooms().users(s.id), room_history_json(messages, results)));
  });
}
void answer_conversation(const rest_call_ptr& call, core::session_id id, int status) {
  call->find<core::session_record>(core::get_session{id}, "Conversation", id.str(),
                                   [call, status](const core::session_record& s) { answer_conversation(call, s, status); });
}

/// Puts what the body says of a conversation into its metadata; on a wrong type the call is answered.
bool read_metadata(const rest_call_ptr& call, const json::object& body, json::object& metadata) {
  if (const auto* prompt = body.if_contains("systemPrompt")) {
    if (!prompt->is_string() && !prompt->is_null()) return call->fail_field("systemPrompt", "must be a string"), false;
    metadata["systemPrompt"] = *prompt;
  }
  if (const auto* servers = body.if_contains("mcpServers")) {
    if (!servers->is_array()) return call->fail_field("mcpServers", "must be an array"), false;
    metadata["mcpServers"] = *servers;
  }
  return true;
}

core::open_session conversation_of(const agent_ptr& agent) {
  core::open_session open;
  open.project = agent->project;
  open.agent = agent->id;
  open.dialect = "chat-room";
  open.title = std::string(untitled_conversation);
  return open;
}

/// The agent of a new conversation; answers the call where there is none.
agent_ptr agent_for(const rest_call_ptr& call, const std::string& model) {
  auto agent = agent_named(call, model);
  if (!agent) agent = call->config().find_agent({}, {});
  if (!agent) call->fail({errc::not_found, "No default agent is configured; set default_project and its default_agent."});
  return agent;
}

/// What a turn made: the user's message and the assistant's last one.
void answer_turn(const rest_call_ptr& call, const run_outcome& o) {
  load_messages(call, o.session, [call, o](const auto& messages, const auto& results) {
    json::object out{{"conversationId", o.session.str()}, {"userMessage", nullptr}, {"assistantMessage", nullptr}};
    for (auto& v : room_history_json(messages, results)) {
      auto& message = v.as_object();
      const auto& id = message.at("id").as_string();
      if (id == o.turn.message.str())
        out["userMessage"] = std::move(message);
      else if (id == o.turn.reply.str())
        out["assistantMessage"] = std::move(message);
    }
    call->answer(201, std::move(out));
  });
}

void answer_failure(const rest_call_ptr& call, const core::error& e) {
  call->answer(502, json::object{{"statusCode", 502}, {"message", e.text}, {"error", "Bad Gateway"}});
}

void run_message(const rest_call_ptr& call, run_waiter::request request) {
  auto waiter = run_waiter::start(call->way(), std::move(request), [call](const core::result<run_outcome>& r) {
    if (!r) return call->fail(r.error());
    if (r->error.code != errc::ok) return answer_failure(call, r->error);
    if (!r->parked) return answer_turn(call, *r);
    call->answer(202, json::object{{"status", "pending"},
                                   {"approvalId", r->turn.open_approvals.front().approval.str()},
                                   {"conversationId", r->session.str()}});
  });
  call->exchange->on_abandoned([waiter] { waiter->abandon(); });
}

}  // namespace

/// GET /chat/models/all: the agents one can talk to.
void get_room_models(const rest_call_ptr& call) {
  json::array all;
  if (const auto* project = default_project(call))
    for (const auto& agent : call->config().agents_of(project->id))
      all.push_back(room_model_json(*agent, agent->id == project->default_agent));
  call->answer(200, std::move(all));
}

/// GET /chat/models/default
void get_room_default_model(const rest_call_ptr& call) {
  if (auto agent = agent_for(call, {})) call->answer(200, room_model_json(*agent, true));
}

/// GET /chat/mcp/servers
void get_room_mcp_servers(const rest_call_ptr& call) { call->answer(200, json::array{}); }

/// GET /chat/conversations: last used first, without their messages.
void get_room_conversations(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  if (!call->request.has_query("limit")) w->limit = 100;
  core::list_sessions query;
  query.dialect = "chat-room";
  query.visible_to = call->visible_to();
  query.window = *w;
  call->ask<core::page<core::session_record>>(std::move(query), [call](const core::page<core::session_record>& page) {
    json::array all;
    for (const auto& s : page.items) all.push_back(room_conversation_json(s, call->hub().rooms().users(s.id), {}));
    call->answer(200, std::move(all));
  });
}

/// POST /chat/conversations {title?, model?, systemPrompt?, mcpServers?}
void post_room_conversation(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto title = call->body_string(*body, "title", false);
  if (!title) return;
  auto model = call->body_string(*body, "model", false);
  if (!model) return;
  json::object metadata;
  if (!read_metadata(call, *body, metadata)) return;
  auto agent = agent_for(call, *model);
  if (!agent) return;
  auto open = conversation_of(agent);
  if (!title->empty()) open.title = std::move(*title);
  if (!metadata.empty()) open.metadata = json::serialize(metadata);
  auto id = call->way().environment().make<core::session_id>();
  call->submit(id, std::move(open), [call, id](const core::command_reply&) { answer_conversation(call, id, 201); });
}

/// GET /chat/conversations/{id}: with its newest messages.
void get_room_conversation(const rest_call_ptr& call) {
  find_conversation(call, call->parameter("id"), [call](const core::session_record& s) { answer_conversation(call, s, 200); });
}

/// PUT /chat/conversations/{id} {title?, systemPrompt?, mcpServers?}
void put_room_conversation(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto title = call->body_string(*body, "title", false);
  if (!title) return;
  auto model = call->body_string(*body, "model", false);
  if (!model) return;
  find_conversation(call, call->parameter("id"),
                    [call, body = *body, title = *title, model = *model](const core::session_record& s) {
                      auto agent = agent_named(call, model);
                      if (!model.empty() && (!agent || agent->id != s.agent))
                        return call->fail_field("model", "cannot be changed; make a new conversation with it");
                      json::object metadata;
                      if (auto known = parse_object(s.metadata)) metadata = std::move(*known);
                      if (!read_metadata(call, body, metadata)) return;
                      core::update_session change;
                      if (!title.empty()) change.title = title;
                      if (body.contains("systemPrompt") || body.contains("mcpServers"))
                        change.metadata = json::serialize(metadata);
                      if (!change.title && !change.metadata) return answer_conversation(call, s, 200);
                      call->submit(s.id, std::move(change),
                                   [call, id = s.id](const core::command_reply&) { answer_conversation(call, id, 200); });
                    });
}

/// DELETE /chat/conversations/{id}
void delete_room_conversation(const rest_call_ptr& call) {
  find_conversation(call, call->parameter("id"), [call](const core::session_record& s) {
    call->submit(s.id, core::change_status{core::session_status::deleted}, [call, id = s.id](const core::command_reply&) {
      call->answer(200, json::object{{"id", id.str()}, {"message", "Conversation deleted"}});
    });
  });
}

/// POST /chat/messages {content, role?, conversationId?, model?, clientMessageId?, attachments?}
void post_room_message(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto content = call->body_string(*body, "content", true);
  if (!content) return;
  auto role = call->body_string(*body, "role", false);
  if (!role) return;
  if (!role->empty() && *role != "user") return call->fail_field("role", "must be \"user\"");
  auto conversation = call->body_string(*body, "conversationId", false);
  if (!conversation) return;
  auto model = call->body_string(*body, "model", false);
  if (!model) return;
  auto key = call->body_string(*body, "clientMessageId", false);
  if (!key) return;
  auto attachments = attachments_field(*body);
  if (!attachments) return call->fail_field("attachments", attachments.error().text);
  if (!attachments->empty() && conversation->empty())
    return call->fail_field("attachments", "need a conversationId: files belong to a conversation");
  run_waiter::request request;
  request.who = call->principal();
  request.message.content = std::move(*content);
  request.message.attachments = std::move(*attachments);
  request.message.client_message_id = key->empty() ? idempotent_id(*call) : *key;
  if (!conversation->empty())
    return find_conversation(call, *conversation, [call, request = std::move(request)](const core::session_record& s) mutable {
      request.session = s.id;
      run_message(call, std::move(request));
    });
  auto agent = agent_for(call, *model);
  if (!agent) return;
  request.open = conversation_of(agent);
  // The same Idempotency-Key finds the same conversation again, and there the first answer.
  auto is_repeatable = is_idempotent_id(request.message.client_message_id);
  request.session = is_repeatable ? idempotent_session(*call) : call->way().environment().make<core::session_id>();
  run_message(call, std::move(request));
}

}  // namespace troupe::transport

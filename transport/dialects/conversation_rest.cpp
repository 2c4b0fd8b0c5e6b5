#include "transport/dialects/conversation_rest.hpp"

#include "transport/dialects/conversation.hpp"
#include "transport/rest/idempotency.hpp"
#include "transport/rest/run_waiter.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t longest_conversation_id = 200;

core::session_id session_of(const rest_call_ptr& call, std::string_view conversation) {
  return session_of_conversation(call->config().default_project, conversation);
}

/// The session of a conversation, by any of its names; nothing where there is none (any more). Somebody else's answers 404.
void look_up(const rest_call_ptr& call, const std::string& id, std::function<void(std::optional<core::session_record>)> then) {
  if (id.size() > longest_conversation_id) return then(std::nullopt);
  auto shown = [call, id, then](const core::result<core::answer>& r) {
    if (!r && r.error().code != errc::not_found) return call->fail(r.error());
    if (!r) return then(std::nullopt);
    const auto& s = std::get<core::session_record>(*r);
    if (s.status == core::session_status::deleted) return then(std::nullopt);
    if (core::may_see(call->principal(), s)) return then(s);
    call->fail({errc::not_found, "Conversation not found: " + id});
  };
  call->way().ask(core::resolve_session{call->config().default_project, id},
                  [call, shown, then](const core::result<core::answer>& r) {
                    if (r) return call->way().ask(core::get_session{std::get<core::session_id>(*r)}, shown);
                    if (r.error().code != errc::not_found) return call->fail(r.error());
                    then(std::nullopt);
                  });
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
std::string plain_time(core::millis at) {
  auto text = iso_time(at).substr(0, 19);
  text[10] = ' ';
  return text;
}

json::object call_json(const core::turn_call& c) {
  auto output = c.settled ? output_value(c.output) : json::value(nullptr);
  return {{"tool", c.tool},
          {"arguments", json_or_string(c.input)},
          {"tool_call_id", c.id.str()},
          {"success", c.settled ? json::value(c.ok) : json::value(nullptr)},
          {"result", c.ok ? output : json::value(nullptr)},
          {"error", c.settled && !c.ok ? json::value(c.output) : json::value(nullptr)}};
}

json::object outcome_json(const run_outcome& o, const std::string& conversation) {
  json::array calls;
  for (const auto& c : o.turn.calls) calls.push_back(call_json(c));
  auto text = o.text;
  if (o.error.code == errc::iteration_limit) text += text.empty() ? o.error.text : "\n\n" + o.error.text;
  json::object out{{"conversation_id", conversation},
                   {"message", std::move(text)},
                   {"tool_calls", std::move(calls)},
                   {"iterations", o.turn.step}};
  if (o.parked) {
    const auto& open = o.turn.open_approvals.front();
    out["approval_required"] =
        json::object{{"tool", open.tool}, {"arguments", json_or_string(open.action)}, {"tool_call_id", open.call.str()}};
  }
  return out;
}

json::object message_json(const core::message_record& m) {
  json::object out{{"id", m.number}, {"role", core::to_string(m.role)}, {"content", m.content}, {"tool_calls", nullptr}};
  if (!m.calls.empty()) {
    json::array calls;
    for (const auto& c : m.calls)
      calls.push_back(json::object{{"tool", c.tool}, {"arguments", json_or_string(c.arguments)}, {"tool_call_id", c.id.str()}});
    out["tool_calls"] = json::serialize(calls);
  }
  out["created_at"] = plain_time(m.created_at);
  return out;
}

std::string name_of(const core::session_record& s) { return s.alias.empty() ? s.id.str() : s.alias; }

json::object conversation_json(const core::session_record& s) {
  return {{"id", name_of(s)},
          {"title", s.title},
          {"created_at", plain_time(s.created_at)},
          {"updated_at", plain_time(s.updated_at)},
          {"message_count", s.message_count}};
}

json::object conversation_tool_json(const core::tool_record& t) {
  return {
      {"name", t.name}, {"description", t.description}, {"category", t.source}, {"parameters", json_or_string(t.parameters)}};
}

/// The source that a tool `source.tool` is of.
std::string source_of(std::string_view tool) { return std::string(tool.substr(0, std::min(tool.find('.'), tool.size()))); }

bool has_tool(const core::agent_config& agent, const std::string& tool) {
  auto lists = [&](const std::string& name) {
    return std::find(agent.tools.begin(), agent.tools.end(), name) != agent.tools.end();
  };
  return lists(tool) || lists(source_of(tool));
}

/// Whether a person may be asked before the agent uses it: the most precise entry tells, else the tool itself.
bool may_ask(const core::agent_config& agent, const core::tool_record& tool) {
  for (const auto& name : {tool.name, source_of(tool.name), std::string("*")}) {
    auto entry = agent.approval.find(name);
    if (entry == agent.approval.end()) continue;
    const auto& says = entry->second;
    return !says.rules.empty() || (says.policy ? *says.policy != core::approval_policy::never : tool.needs_approval);
  }
  return tool.needs_approval;
}

/// The first `most` characters of a text, on one line.
std::string headline(std::string_view text) {
  constexpr int most = 60;
  std::string out;
  int count = 0;
  for (char c : text) {
    bool begins_character = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (begins_character && ++count > most) return out + "…";
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out;
}

/// Gives conversations without a title the beginning of their first message, one question after the other.
class title_finder : public std::enable_shared_from_this<title_finder> {
 public:
  using done_fn = std::function<void(std::vector<core::session_record>)>;
  title_finder(rest_call_ptr call, std::vector<core::session_record> all, done_fn done)
      : call_(std::move(call)), all_(std::move(all)), done_(std::move(done)) {}

  void next() {
    while (at_ < all_.size() && !all_[at_].title.empty()) ++at_;
    if (at_ == all_.size()) return done_(std::move(all_));
    using page_type = core::page<core::message_record>;
    core::list_messages question{all_[at_].id, {1, 0}};
    call_->ask<page_type>(std::move(question), [me = shared_from_this()](const page_type& page) {
      auto& s = me->all_[me->at_++];
      if (!page.items.empty()) s.title = headline(page.items.front().content);
      if (s.title.empty()) s.title = name_of(s);
      me->next();
    });
  }

 private:
  rest_call_ptr call_;
  std::vector<core::session_record> all_;
  done_fn done_;
  std::size_t at_ = 0;
};

void with_titles(const rest_call_ptr& call, std::vector<core::session_record> all, title_finder::done_fn done) {
  std::make_shared<title_finder>(call, std::move(all), std::move(done))->next();
}

/// All of the history, page by page.
class history_reader : public std::enable_shared_from_this<history_reader> {
 public:
  history_reader(rest_call_ptr call, core::session_id session) : call_(std::move(call)), session_(session) {}

  void next() {
    core::window w{500, read_};
    call_->ask<core::page<core::message_record>>(core::list_messages{session_, w},
                                                 [me = shared_from_this()](const core::page<core::message_record>& page) {
                                                   for (const auto& m : page.items) me->messages_.push_back(message_json(m));
                                                   me->read_ += static_cast<std::int64_t>(page.items.size());
                                                   if (!page.items.empty() && me->read_ < page.total) return me->next();
                                                   me->answer();
                                                 });
  }

  void answer() {
    auto total = messages_.size();
    call_->answer(
        200, json::object{{"conversation_id", call_->parameter("id")}, {"messages", std::move(messages_)}, {"total", total}});
  }

 private:
  rest_call_ptr call_;
  core::session_id session_;
  std::int64_t read_ = 0;
  json::array messages_;
};

}  // namespace

/// GET /health
void get_conversation_health(const rest_call_ptr& call) {
  auto up = call->way().environment().now() - call->way().started_at();
  call->answer(
      200,
      json::object{{"status", "healthy"}, {"service", "troupe"}, {"uptime_seconds", static_cast<double>(up.count()) / 1000}});
}

/// POST /api/chat {message, conversation_id?, stream?}: `stream` is taken and ignored, streams are on the WebSocket.
void post_conversation_chat(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto text = call->body_string(*body, "message", true);
  if (!text) return;
  auto id = call->body_string(*body, "conversation_id", false);
  if (!id) return;
  if (id->size() > longest_conversation_id || id->find('/') != std::string::npos)
    return call->fail_field("conversation_id",
                            "must have at most " + std::to_string(longest_conversation_id) + " bytes and no slash");
  if (id->empty()) {
    bool has_key = !call->request.header("idempotency-key").empty();  // which finds the same conversation again
    auto made = has_key ? idempotent_session(*call).value : call->way().environment().random_uuid();
    *id = "conv_" + made.hex().substr(24);
  }
  core::agent_id agent{call->request.query_value("agent")};
  if (!call->config().find_agent(call->config().default_project, agent))
    return call->fail({errc::not_found, call->config().why_no_agent({}, agent)});
  run_waiter::request chat{session_of(call, *id), call->principal(), std::nullopt, {}, false};
  chat.open = core::open_session{call->config().default_project, std::move(agent), "conversation", *id, {}};
  chat.message = {std::move(*text), idempotent_id(*call), core::busy_policy::queue};
  look_up(call, *id, [call, id = *id, chat = std::move(chat)](const std::optional<core::session_record>& s) mutable {
    if (s) chat.session = s->id;
    auto waiter = run_waiter::start(call->way(), std::move(chat), [call, id](const core::result<run_outcome>& r) {
      if (!r) return call->fail(r.error());
      if (r->error.code != errc::ok && r->error.code != errc::iteration_limit) return call->fail(r->error);
      call->answer(200, outcome_json(*r, id));
    });
    call->exchange->on_abandoned([waiter] { waiter->abandon(); });
  });
}

/// GET /api/chat/{id}/history: unknown ones are empty.
void get_conversation_history(const rest_call_ptr& call) {
  look_up(call, call->parameter("id"), [call](const std::optional<core::session_record>& s) {
    auto reader = std::make_shared<history_reader>(call, s ? s->id : core::session_id{});
    if (!s) return reader->answer();
    reader->next();
  });
}

/// GET /api/conversations?limit=50
void get_conversations(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  if (!call->request.has_query("limit")) w->limit = 50;
  core::list_sessions query;
  query.project = call->config().default_project;
  query.dialect = "conversation";
  query.window = *w;
  query.visible_to = call->visible_to();
  call->ask<core::page<core::session_record>>(std::move(query), [call](const core::page<core::session_record>& page) {
    with_titles(call, page.items, [call, total = page.total](const std::vector<core::session_record>& named) {
      json::array all;
      for (const auto& s : named) all.push_back(conversation_json(s));
      call->answer(200, json::object{{"conversations", std::move(all)}, {"total", total}});
    });
  });
}

/// GET /api/conversations/{id}
void get_conversation(const rest_call_ptr& call) {
  look_up(call, call->parameter("id"), [call](const std::optional<core::session_record>& s) {
    if (s) return with_titles(call, {*s}, [call](const auto& named) { call->answer(200, conversation_json(named.front())); });
    call->fail({errc::not_found, "Conversation not found: " + call->parameter("id").substr(0, longest_conversation_id)});
  });
}

/// DELETE /api/conversations/{id}: what is not there is deleted too.
void delete_conversation(const rest_call_ptr& call) {
  auto done = [call](const core::result<core::command_reply>& r) {
    if (!r && r.error().code != errc::not_found && r.error().code != errc::session_closed) return call->fail(r.error());
    call->answer(
        200,
        json::object{{"status", "success"}, {"message", "Conversation deleted"}, {"conversation_id", call->parameter("id")}});
  };
  look_up(call, call->parameter("id"), [call, done](const std::optional<core::session_record>& s) {
    if (!s) return done(core::command_reply{core::done{}});
    call->way().submit(s->id, call->principal(), core::change_status{core::session_status::deleted}, done);
  });
}

/// GET /api/tools
void get_conversation_tools(const rest_call_ptr& call) {
  json::array all;
  for (const auto& t : call->way().tools()) all.push_back(conversation_tool_json(t));
  auto total = all.size();
  call->answer(200, json::object{{"tools", std::move(all)}, {"total", total}});
}

/// GET /api/tools/{name}
void get_conversation_tool(const rest_call_ptr& call) {
  for (const auto& t : call->way().tools())
    if (t.name == call->parameter("name")) return call->answer(200, conversation_tool_json(t));
  call->fail({errc::not_found, "Tool not found: " + call->parameter("name").substr(0, 64)});
}

/// GET /api/config: of the agent that answers here.
void get_conversation_config(const rest_call_ptr& call) {
  auto agent = call->config().find_agent({}, {});
  if (!agent)
    return call->fail({errc::not_found, "No default agent is configured; set default_project and its default_agent."});
  bool asks = false;
  std::size_t count = 0;
  for (const auto& t : call->way().tools()) {
    if (!has_tool(*agent, t.name)) continue;
    ++count;
    asks = asks || may_ask(*agent, t);
  }
  constexpr double usual_temperature = 1.0;  // of model APIs, where the request names none; clients expect a number
  call->answer(200, json::object{{"llm_provider", agent->provider.str()},
                                 {"model", agent->model},
                                 {"autonomy_level", asks ? "supervised" : "autonomous"},
                                 {"temperature", agent->temperature.value_or(usual_temperature)},
                                 {"max_tokens", agent->limits.max_output_tokens},
                                 {"tools_count", count}});
}

/// PUT /api/config
void put_conversation_config(const rest_call_ptr& call) {
  auto body = parse_object(call->request.body);
  if (body && body->contains("api_keys"))
    return call->fail(
        {errc::forbidden, "api_keys cannot be set over HTTP; name their environment variables in the configuration file."});
  call->fail({errc::forbidden, "The configuration is read-only here; change the file and restart the server."});
}

/// GET /api/config/ollama-models
void get_ollama_models(const rest_call_ptr& call) { call->answer(200, json::object{{"models", json::array()}}); }

}  // namespace troupe::transport

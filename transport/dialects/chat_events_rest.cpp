#include "transport/dialects/chat_events_rest.hpp"

#include "transport/dialects/chat_events.hpp"
#include "transport/rest/run_waiter.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using chats = std::vector<core::session_record>;

namespace {

constexpr std::size_t longest_chat_id = 200;
constexpr std::size_t longest_shown = 64;
constexpr std::int64_t chats_in_list = 100;
constexpr std::int64_t messages_in_list = 100;  // of one chat; all of them are at its own path
constexpr std::int64_t messages_of_chat = 10'000;
constexpr double hottest = 2.0;
constexpr std::int64_t most_tokens = 1'000'000;

/// The body, which may hold these fields and no others.
std::optional<json::object> strict_body(const rest_call_ptr& call, std::initializer_list<std::string_view> known) {
  auto body = call->body_object();
  if (!body) return body;
  for (const auto& member : *body) {
    std::string_view key = member.key();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    call->fail_field(key.size() <= longest_shown ? key : "body", "property should not exist");
    return std::nullopt;
  }
  return body;
}

void find_chat(const rest_call_ptr& call, std::function<void(core::session_record)> then) {
  const auto& id = call->parameter("id");
  core::error missing{errc::not_found, id.size() <= longest_shown ? "Chat not found: " + id : "Chat not found."};
  if (auto session = core::session_id::parse(id)) return call->see_session(*session, missing, std::move(then));
  if (id.size() > longest_chat_id) return call->fail(missing);
  call->way().ask(core::resolve_session{call->config().default_project, id},
                  [call, missing, then = std::move(then)](const core::result<core::answer>& r) mutable {
                    if (r) return call->see_session(std::get<core::session_id>(*r), missing, std::move(then));
                    call->fail(r.error().code == errc::not_found ? missing : r.error());
                  });
}

json::object chat_json(const core::session_record& s, json::array messages) {
  return transport::chat_json(s.id, s.owner, s.created_at, s.updated_at, std::move(messages));
}

/// The newest messages of chats, one chat after another.
class chat_reader : public std::enable_shared_from_this<chat_reader> {
 public:
  using done_fn = std::function<void(std::vector<json::array>)>;

  chat_reader(rest_call_ptr call, chats which, std::int64_t most, done_fn done)
      : call_(std::move(call)), chats_(std::move(which)), most_(most), done_(std::move(done)) {}

  void next() {
    if (read_.size() == chats_.size()) return done_(std::move(read_));
    constexpr std::int64_t page = 500;
    core::list_messages query{chats_[read_.size()].id, {std::min(page, most_), from_}};
    call_->ask<core::page<core::message_record>>(
        query, [me = shared_from_this()](core::page<core::message_record> p) { me->take(std::move(p)); });
  }

 private:
  void take(core::page<core::message_record> page) {
    if (from_ == 0 && page.total > most_) {
      from_ = page.total - most_;
      return next();
    }
    from_ += static_cast<std::int64_t>(page.items.size());
    bool at_end = page.items.empty() || from_ >= page.total;
    std::move(page.items.begin(), page.items.end(), std::back_inserter(messages_));
    if (at_end) {
      read_.push_back(exchanges_of(messages_));
      messages_.clear();
      from_ = 0;
    }
    next();
  }

  rest_call_ptr call_;
  chats chats_;
  std::int64_t most_;
  done_fn done_;
  std::int64_t from_ = 0;
  std::vector<core::message_record> messages_;
  std::vector<json::array> read_;
};

void read_chats(const rest_call_ptr& call, chats which, std::int64_t most, chat_reader::done_fn done) {
  std::make_shared<chat_reader>(call, std::move(which), most, std::move(done))->next();
}

void answer_list(const rest_call_ptr& call, std::optional<std::string> owner) {
  auto w = call->window();
  if (!w) return;
  if (!call->request.has_query("limit")) w->limit = chats_in_list;
  core::list_sessions query;
  query.dialect = "chat-events";
  query.window = *w;
  query.owner = std::move(owner);
  query.visible_to = call->visible_to();
  call->ask<core::page<core::session_record>>(std::move(query), [call](const core::page<core::session_record>& page) {
    read_chats(call, page.items, messages_in_list, [call, found = page.items](std::vector<json::array> messages) {
      json::array all;
      for (std::size_t i = 0; i < found.size(); ++i) all.push_back(chat_json(found[i], std::move(messages[i])));
      call->answer(200, std::move(all));
    });
  });
}

/// `n`, `temperature` and `maxTokens`; nothing where the call was answered.
std::optional<core::message_options> options_of(const rest_call_ptr& call, const json::object& body) {
  core::message_options out;
  auto given = [&](std::string_view name) {
    const auto* v = body.if_contains(name);
    return v && !v->is_null() ? v : nullptr;
  };
  auto refuse = [&](std::string_view name, std::string_view why) {
    call->fail_field(name, why);
    return std::nullopt;
  };
  auto whole = [](const json::value& v) -> std::int64_t {
    boost::system::error_code not_whole;
    auto n = v.to_number<std::int64_t>(not_whole);
    return not_whole ? -1 : n;
  };
  if (const auto* n = given("n"); n && whole(*n) != 1) return refuse("n", "must be 1: a message has one answer");
  if (const auto* t = given("temperature")) {
    boost::system::error_code not_a_number;
    auto value = t->to_number<double>(not_a_number);
    if (not_a_number || !(value >= 0 && value <= hottest)) return refuse("temperature", "must be a number from 0 to 2");
    out.temperature = value;
  }
  if (const auto* m = given("maxTokens")) {
    auto value = whole(*m);
    if (value < 1 || value > most_tokens) return refuse("maxTokens", "must be a whole number from 1 to 1000000");
    out.max_output_tokens = static_cast<std::uint32_t>(value);
  }
  return out;
}

void answer_outcome(const rest_call_ptr& call, const std::string& question, const run_outcome& o) {
  if (o.parked)
    return call->answer(202, json::object{{"status", "pending"}, {"approvalId", o.turn.open_approvals.front().approval.str()}});
  if (o.error.code != errc::ok)
    return call->answer(502, json::object{{"statusCode", 502}, {"message", o.error.text}, {"error", "Bad Gateway"}});
  call->answer(201, exchange_json(question, o.text, o.answered_at));
}

}  // namespace

json::array exchanges_of(const std::vector<core::message_record>& messages) {
  struct exchange {
    core::run_id run;
    const core::message_record* question = nullptr;
    std::string answer;
    bool completed = false;
    core::millis at{0};
  };
  std::vector<exchange> all;
  for (const auto& m : messages) {
    if (m.role == core::role::user) {
      all.push_back({m.run, &m, {}, false, {}});
    } else if (m.role == core::role::assistant) {
      auto it = std::find_if(all.rbegin(), all.rend(), [&](const exchange& x) { return x.run == m.run; });
      if (it == all.rend()) continue;  // its question is further back than was read
      it->answer += m.content;
      it->at = m.created_at;
      // A run ends well with a message that was not cut and asks for no tool.
      it->completed = m.calls.empty() && !m.cut;
    }
  }
  json::array out;
  for (const auto& x : all)
    if (x.completed) out.push_back(exchange_json(x.question->content, x.answer, x.at));
  return out;
}

/// POST /api/v1/chats {userId}
void post_chat_events_chat(const rest_call_ptr& call) {
  auto body = strict_body(call, {"userId"});
  if (!body) return;
  auto user = call->body_string(*body, "userId", true);
  if (!user) return;
  if (user->size() > longest_chat_id)
    return call->fail_field("userId", "must have at most " + std::to_string(longest_chat_id) + " bytes");
  const auto& who = call->principal();
  if (who.id != *user && !who.may(core::scope::admin))
    return call->fail({errc::forbidden, "A chat can only be made for oneself: userId must be " + who.id + "."});
  auto session = call->way().environment().make<core::session_id>();
  core::open_session open{call->config().default_project, {}, "chat-events", {}, {}, {}, std::move(*user)};
  call->submit(session, std::move(open), [call, session](const core::command_reply&) {
    call->ask<core::session_record>(core::get_session{session},
                                    [call](const core::session_record& s) { call->answer(201, chat_json(s, {})); });
  });
}

/// GET /api/v1/chats
void get_chat_events_chats(const rest_call_ptr& call) { answer_list(call, std::nullopt); }

/// GET /api/v1/chats/user/{userId}
void get_chat_events_chats_of_user(const rest_call_ptr& call) { answer_list(call, call->parameter("userId")); }

/// GET /api/v1/chats/user/codigo/{codigo}: without auth a user's code is its id.
void get_chat_events_chats_of_code(const rest_call_ptr& call) {
  const auto& code = call->parameter("codigo");
  const auto& auth = call->way().auth();
  if (!auth.is_required()) return answer_list(call, code);
  const auto* user = auth.user_by_code(code);
  if (!user) return call->fail({errc::not_found, code.size() <= longest_shown ? "User not found: " + code : "User not found."});
  answer_list(call, user->id);
}

/// GET /api/v1/chats/{id}
void get_chat_events_chat(const rest_call_ptr& call) {
  find_chat(call, [call](core::session_record s) {
    read_chats(call, {s}, messages_of_chat,
               [call, s](std::vector<json::array> messages) { call->answer(200, chat_json(s, std::move(messages.front()))); });
  });
}

/// DELETE /api/v1/chats/{id}
void delete_chat_events_chat(const rest_call_ptr& call) {
  find_chat(call, [call](const core::session_record& s) {
    call->submit(s.id, core::change_status{core::session_status::deleted}, [call, id = s.id](const core::command_reply&) {
      call->answer(200, json::object{{"id", chat_id_of(id)}, {"message", "Chat deleted"}});
    });
  });
}

/// POST /api/v1/chats/{id}/messages {content, n?, temperature?, maxTokens?}
void post_chat_events_message(const rest_call_ptr& call) {
  auto body = strict_body(call, {"content", "n", "temperature", "maxTokens"});
  if (!body) return;
  auto text = call->body_string(*body, "content", true);
  if (!text) return;
  auto options = options_of(call, *body);
  if (!options) return;
  find_chat(call, [call, text = std::move(*text), options = *options](const core::session_record& s) {
    core::send_message message{text, {}, core::busy_policy::queue, {}, options};
    run_waiter::request what{s.id, call->principal(), std::nullopt, std::move(message), false};
    auto waiter = run_waiter::start(call->way(), std::move(what), [call, text](const core::result<run_outcome>& r) {
      if (!r) return call->fail(r.error());
      // The last event first: this answer follows the session's own, by which time everybody was given that event.
      constexpr core::seq_t end_of_log = std::numeric_limits<std::int64_t>::max();
      call->way().read_events(r->session, end_of_log, [call, text, outcome = *r](const core::result<actors::event_page>&) {
        answer_outcome(call, text, outcome);
      });
    });
    call->exchange->on_abandoned([waiter] { waiter->abandon(); });
  });
}

/// GET /api/v1/chats/{id}/messages
void get_chat_events_messages(const rest_call_ptr& call) {
  find_chat(call, [call](core::session_record s) {
    read_chats(call, {std::move(s)}, messages_of_chat,
               [call](std::vector<json::array> messages) { call->answer(200, std::move(messages.front())); });
  });
}

/// DELETE /api/v1/chats/{id}/messages
void delete_chat_events_messages(const rest_call_ptr& call) {
  find_chat(call, [call](const core::session_record& s) {
    call->submit(s.id, core::clear_history{}, [call, id = s.id](const core::command_reply&) {
      call->ask<core::session_record>(core::get_session{id},
                                      [call](const core::session_record& now) { call->answer(200, chat_json(now, {})); });
    });
  });
}

}  // namespace troupe::transport

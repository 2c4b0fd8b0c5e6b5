#include "transport/dialects/chat_room.hpp"
#include "transport/dialects/chat_room_input.hpp"
#include "transport/dialects/chat_room_json.hpp"
#include "transport/dialects/nexus_fields.hpp"
#include "transport/dialects/socketio_frames.hpp"
#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t longest_room_id = 200;
constexpr std::size_t max_waiting = 256;       // events of one client whose turn has not come
constexpr std::size_t longest_echo = 4 << 10;  // of a bad payload, in `exception`

using room_event_ptr = std::shared_ptr<const room_event>;

class chat_room_protocol final : public client_protocol {
 public:
  explicit chat_room_protocol(client_port& port) : port_(port) {}

  void on_open() override {
    if (!passed_) return;
    port_.watch_conversations();
    auto coming_back = rooms_;
    for (const auto& [id, known] : coming_back)
      follow(id, known.seq, [this, id = id, joined = known.joined](const core::result<void>& r) {
        if (r && joined) port_.enter_room(id);
      });
  }

  void on_message(std::string_view, bool) override {}

  void on_event(socketio_event e) override {
    if (!is_somebody()) return;
    if (!std::exchange(passed_, true)) port_.watch_conversations();
    if (waiting_.size() >= max_waiting)
      return on_refused({errc::rate_limited, "Too many events wait for their turn; slow down."});
    auto event = std::make_shared<room_event>();
    event->name = std::move(e.name);
    event->ack = e.ack_id;
    if (!e.args.empty()) event->payload = std::move(e.args.front());
    waiting_.push_back(std::move(event));
    go_on();
  }

  void on_refused(const core::error& e) override {
    if (is_somebody()) send("exception", {{"status", "error"}, {"message", e.text}, {"cause", json::object()}});
  }

  [[nodiscard]] std::optional<std::string> recovery_state() const override {
    if (!passed_) return std::nullopt;
    return to_text(rooms_);
  }

  [[nodiscard]] bool recover(const std::optional<std::string>& state, std::string_view offset) override {
    if (port_.principal().scopes == 0) return false;
    auto rooms = recovered_rooms(state, offset, port_.config().sessions.max_rooms);
    if (!rooms) return false;
    rooms_ = std::move(*rooms);
    passed_ = true;
    return true;
  }

 private:
  using done_fn = std::function<void()>;
  struct handler_row {
    std::string_view name;
    void (chat_room_protocol::*handler)(const room_event_ptr&);
    bool names_conversation = true;
    std::uint8_t scopes = core::scope::read;
  };
  static const std::array<handler_row, 8> table;

  /// Puts out whoever has no valid credentials, without a word (PROTOCOLS §5).
  bool is_somebody() {
    if (port_.principal().scopes != 0) return true;
    port_.disconnect();
    return false;
  }

  // ---- one event after the other: what a handler waits for must not be overtaken by the client's next event ----

  void go_on() {
    if (std::exchange(going_on_, true)) return;
    while (!busy_ && !waiting_.empty()) {
      auto event = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = true;
      handle(event);
    }
    going_on_ = false;
  }

  /// The end of an event's turn. Handlers call it once, when what they asked for has come or cannot be overtaken any more.
  void next() {
    busy_ = false;
    go_on();
  }

  void handle(const std::shared_ptr<room_event>& event) {
    auto row = std::find_if(table.begin(), table.end(), [&](const handler_row& r) { return r.name == event->name; });
    if (row == table.end()) return next();  // as a gateway without a subscriber for it
    if (!event->payload.is_object()) return invalid(*event, "The event's payload must be an object.");
    auto conversation = conversation_of(*event);
    if (!conversation && (row->names_conversation || event->field("conversationId")))
      return invalid(*event, conversation.error().text);
    if (conversation) event->conversation = std::move(*conversation);
    if (!port_.principal().may(row->scopes)) return end(*event, "Your token does not permit " + event->name + ".");
    (this->*row->handler)(event);
  }

  // ---- answers ----

  void send(std::string_view name, json::object payload) {
    port_.send(event_packet(chat_room_namespace, name, json::serialize(payload)));
  }
  void ok(const room_event& event, json::object fields = {}) {
    if (!event.ack) return;
    json::object answer{{"status", "ok"}};
    for (auto& [key, value] : fields) answer[key] = std::move(value);
    port_.acknowledge(*event.ack, {std::move(answer)});
  }
  void not_ok(const room_event& event, std::string_view text) {
    if (event.ack) port_.acknowledge(*event.ack, {json::object{{"status", "error"}, {"message", text}}});
  }
  void fail(const room_event& event, std::string_view text) {
    auto id = event.conversation.empty() ? json::value(nullptr) : json::value(event.conversation);
    send("chat:error", {{"conversationId", std::move(id)}, {"error", text}});
    not_ok(event, text);
  }
  /// The same, and its turn is over.
  void end(const room_event& event, std::string_view text) {
    fail(event, text);
    next();
  }
  [[nodiscard]] static std::string not_found(const room_event& event) {
    return "Conversation with ID " + event.conversation.substr(0, longest_room_id) + " not found";
  }
  [[nodiscard]] static std::string no_access(const room_event& event) {
    return "You have no access to conversation " + event.conversation.substr(0, longest_room_id) + ".";
  }
  /// The event is not what it should be; ends its turn.
  void invalid(const room_event& event, std::string_view text) {
    auto data = event.payload;
    if (json::serialize(data).size() > longest_echo) data = nullptr;
    send("exception",
         {{"status", "error"}, {"message", text}, {"cause", json::object{{"pattern", event.name}, {"data", std::move(data)}}}});
    not_ok(event, text);
    next();
  }

  // ---- sessions ----

  /// The session that the event names; `none` where there is none of that name. A UUID is always one.
  void resolve(const room_event_ptr& event, std::function<void(core::session_id)> then, done_fn none) {
    if (event->conversation.size() > longest_room_id) return none();
    port_.resolve(event->conversation,
                  [this, event, then = std::move(then), none = std::move(none)](const core::result<core::session_id>& id) {
                    if (id) return then(*id);
                    if (id.error().code == errc::not_found) return none();
                    end(*event, id.error().text);
                  });
  }

  /// The same for a session that is there and that this user may see.
  void find(const room_event_ptr& event, std::function<void(core::session_id)> then, done_fn none) {
    auto look = [this, event, then = std::move(then), none](core::session_id id) {
      auto known = rooms_.find(id);
      if (known != rooms_.end() && known->second.exists) return then(id);
      port_.ask(core::get_session{id}, [this, event, then, none, id](const core::result<core::answer>& a) {
        if (!a && a.error().code != errc::not_found) return end(*event, a.error().text);
        const auto* found = a ? std::get_if<core::session_record>(&*a) : nullptr;
        if (!found || found->status == core::session_status::deleted) return none();
        if (!core::may_see(port_.principal(), *found)) return end(*event, no_access(*event));
        if (auto followed = rooms_.find(id); followed != rooms_.end()) followed->second.exists = true;
        then(id);
      });
    };
    resolve(event, std::move(look), std::move(none));
  }

  void follow(core::session_id id, std::optional<core::seq_t> after, std::function<void(core::result<void>)> then) {
    client_port::follow_options options;
    options.kind = encoder_kind::chat_room;
    options.after = after;
    options.must_exist = false;
    options.alongside = true;
    options.lost = [this, id](const core::error& e) {
      forget(id);
      if (port_.principal().scopes != 0) send("chat:error", {{"conversationId", id.str()}, {"error", e.text}});
    };
    rooms_.try_emplace(id);
    port_.follow(id, std::move(options),
                 [this, id, after, then = std::move(then)](const core::result<core::session_record>& r) {
                   auto entry = rooms_.find(id);
                   if (r && entry != rooms_.end()) {
                     entry->second.exists = !r->project.empty();
                     entry->second.seq = after.value_or(r->last_seq);
                     entry->second.used = ++uses_;
                     return then({});
                   }
                   forget(id);
                   then(r ? core::error{errc::not_found, "The conversation was left."} : r.error());
                 });
  }

  void forget(core::session_id id) {
    port_.leave_room(id);
    rooms_.erase(id);
  }

  /// Where it only sent and never joined, the least recently used one makes room.
  void make_room() {
    if (rooms_.size() < port_.config().sessions.max_rooms) return;
    auto oldest = rooms_.end();
    for (auto it = rooms_.begin(); it != rooms_.end(); ++it)
      if (!it->second.joined && (oldest == rooms_.end() || it->second.used < oldest->second.used)) oldest = it;
    if (oldest == rooms_.end()) return;
    port_.unfollow(oldest->first);
    rooms_.erase(oldest);
  }

  void submit(const room_event_ptr& event, core::session_id id, core::command command,
              std::function<void(const core::command_reply&)> then) {
    port_.submit(id, std::move(command), [this, event, then = std::move(then)](const core::result<core::command_reply>& r) {
      if (!r) return fail(*event, r.error().text);
      then(*r);
    });
    next();  // commands of one client keep their order
  }

  // ---- events ----

  void join(const room_event_ptr& event) {
    auto after = seq_field(event->payload.get_object(), "afterSeq");
    if (!after) return invalid(*event, after.error().text);
    auto enter = [this, event](core::session_id id) {
      bool is_new = !std::exchange(rooms_[id].joined, true);
      port_.enter_room(id);
      auto users = port_.users_in(id);
      tell_users("chat:joined", *event, users);
      // Those who were there hear it from the session.
      if (is_new) send_users("chat:presence-update", id.str(), users);
      next();
    };
    resolve(
        event,
        [this, event, enter, after = *after](core::session_id id) {
          if (rooms_.count(id) != 0) return enter(id);
          make_room();
          follow(id, after, [this, event, enter, id](const core::result<void>& r) {
            if (r) return enter(id);
            end(*event, r.error().code == errc::not_found ? no_access(*event) : r.error().text);
          });
        },
        [this, event] {  // joining an unknown one is fine: nobody is there
          tell_users("chat:joined", *event, {});
          next();
        });
  }

  void send_users(std::string_view name, const std::string& conversation, const std::vector<room_user>& users) {
    send(name, {{"conversationId", conversation}, {"activeUsers", room_users_json(users)}});
  }
  void tell_users(std::string_view name, const room_event& event, const std::vector<room_user>& users) {
    send_users(name, event.conversation, users);
    ok(event, {{"conversationId", event.conversation}, {"activeUsers", room_users_json(users)}});
  }

  void leave(const room_event_ptr& event) {
    auto done = [this, event] {
      ok(*event);
      next();
    };
    resolve(
        event,
        [this, done](core::session_id id) {
          if (rooms_.count(id) != 0) {
            port_.unfollow(id);
            forget(id);
          }
          done();
        },
        done);
  }

  void send_message(const room_event_ptr& event) {
    auto command = message_of(*event);
    if (!command) return invalid(*event, command.error().text);
    auto hand_over = [this, event, command = std::move(*command)](core::session_id id) {
      rooms_[id].used = ++uses_;
      submit(event, id, command, [this, event](const core::command_reply& r) {
        const auto* accepted = std::get_if<core::message_accepted>(&r);
        if (!accepted) return ok(*event);
        json::object fields{{"messageId", accepted->message.str()}};
        if (accepted->position != 0) fields["position"] = accepted->position;
        ok(*event, std::move(fields));
      });
    };
    find(
        event,
        [this, event, hand_over](core::session_id id) {
          if (rooms_.count(id) != 0) return hand_over(id);
          // It sees the turn that it starts, also where it never joined.
          make_room();
          follow(id, std::nullopt, [this, event, hand_over, id](const core::result<void>& r) {
            if (r) return hand_over(id);
            end(*event, r.error().text);
          });
        },
        [this, event] {
          send("chat:thinking", {{"conversationId", event->conversation}, {"status", "processing"}});
          end(*event, not_found(*event));
        });
  }

  void typing(const room_event_ptr& event) {
    auto is_typing = flag_of(*event, "isTyping");
    if (!is_typing) return invalid(*event, is_typing.error().text);
    auto say = [this, event, on = *is_typing](core::session_id id) {
      auto who = shown_user(port_.principal());
      port_.announce(id, core::typing_changed{who.id, who.name, on, port_.connection_id()});
      ok(*event);
      next();
    };
    // In an unknown one nobody is there to see it.
    find(event, say, [this, event] {
      ok(*event);
      next();
    });
  }

  void active_users(const room_event_ptr& event) {
    auto tell = [this, event](const std::vector<room_user>& users) {
      tell_users("chat:active-users", *event, users);
      next();
    };
    find(
        event, [this, tell](core::session_id id) { tell(port_.users_in(id)); },
        [this, event, tell] {
          auto id = core::session_id::parse(event->conversation);
          bool is_there = id && rooms_.count(*id) != 0;  // it joined one that is yet to be made
          tell(is_there ? port_.users_in(*id) : std::vector<room_user>{});
        });
  }

  void approve(const room_event_ptr& event) {
    auto given = decision_of(*event);
    if (!given && given.error().code != errc::not_found) return invalid(*event, given.error().text);
    if (!given) return end(*event, given.error().text);
    auto decide = [this, event, given = *given](const core::result<core::approval_record>& known) {
      if (!known) return end(*event, known.error().text);
      field_problem problem;
      auto command = decision_on(*known, given, port_.principal(), problem);
      if (!command && problem.code == errc::validation_error) return invalid(*event, to_error(problem).text);
      if (!command) return end(*event, to_error(problem).text);
      submit(event, known->session, std::move(*command), [this, event, session = known->session](const core::command_reply& r) {
        if (const auto* settled = std::get_if<core::approval_settled>(&r)) return tell_decision(event, session, *settled);
        ok(*event);
      });
    };
    port_.find_approval(given->what.approval, decide);
  }

  void tell_decision(const room_event_ptr& event, core::session_id session, const core::approval_settled& s) {
    if (s.is_pending) return ok(*event, {{"decision", "pending"}});
    // The event tells everybody who follows; the others, and who lost, hear of the winner here.
    auto fields = approval_decided_fields(s);
    if (!s.won || rooms_.count(session) == 0) {
      json::object payload{{"conversationId", session.str()}};
      for (const auto& [key, value] : fields) payload[key] = value;
      send("chat:approval-decided", std::move(payload));
    }
    fields.erase("approvalId");
    ok(*event, std::move(fields));
  }

  void cancel(const room_event_ptr& event) { command(event, core::cancel_run{}); }

  void react(const room_event_ptr& event) {
    auto reaction = reaction_of(*event);
    if (!reaction) return invalid(*event, reaction.error().text);
    command(event, std::move(*reaction));
  }

  /// For a conversation that must be there.
  void command(const room_event_ptr& event, core::command what) {
    find(
        event,
        [this, event, what = std::move(what)](core::session_id id) {
          submit(event, id, what, [this, event](const core::command_reply&) { ok(*event); });
        },
        [this, event] { end(*event, not_found(*event)); });
  }

  client_port& port_;
  bool passed_ = false;  ///< an event came with valid credentials: from then on things may be sent
  room_states rooms_;    ///< what this client follows
  std::uint64_t uses_ = 0;
  std::deque<std::shared_ptr<room_event>> waiting_;
  bool busy_ = false;  ///< an event's turn has not ended
  bool going_on_ = false;
};

const std::array<chat_room_protocol::handler_row, 8> chat_room_protocol::table{{
    {"chat:join", &chat_room_protocol::join, true, core::scope::read},
    {"chat:leave", &chat_room_protocol::leave, true, core::scope::read},
    {"chat:send", &chat_room_protocol::send_message, true, core::scope::chat},
    {"chat:typing", &chat_room_protocol::typing, true, core::scope::chat},
    {"chat:get-active-users", &chat_room_protocol::active_users, true, core::scope::read},
    {"chat:approve", &chat_room_protocol::approve, false, core::scope::approve},
    {"chat:cancel", &chat_room_protocol::cancel, true, core::scope::chat},
    {"chat:react", &chat_room_protocol::react, true, core::scope::chat},
}};

}  // namespace

std::unique_ptr<client_protocol> make_chat_room(client_port& port) { return std::make_unique<chat_room_protocol>(port); }

}  // namespace troupe::transport

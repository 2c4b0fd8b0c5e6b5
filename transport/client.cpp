#include "transport/client.hpp"

#include "transport/auth.hpp"

#include <algorithm>
#include <atomic>

namespace troupe::transport {

namespace {

std::uint64_t next_connection_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// A Socket.IO client's place in one feed: what the feed wrote for everybody gets this client's other places behind it, where
/// it follows several sessions.
class offset_peer final : public peer {
 public:
  offset_peer(std::shared_ptr<peer> inner, const std::shared_ptr<client>& owner, core::session_id session)
      : inner_(std::move(inner)), owner_(owner), session_(session) {}

  [[nodiscard]] framing frames_as() const noexcept override { return inner_->frames_as(); }
  void send(bytes framed) override {
    auto owner = owner_.lock();
    auto others = owner ? owner->other_offsets(session_) : std::string{};
    inner_->send(others.empty() ? std::move(framed) : with_other_offsets(*framed, others));
  }
  void send_text(std::string_view text) override { inner_->send_text(text); }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return inner_->queued_bytes(); }
  [[nodiscard]] bool is_congested() const noexcept override { return inner_->is_congested(); }
  void close(std::uint16_t code, std::string_view reason) override { inner_->close(code, reason); }
  void drop() override { inner_->drop(); }
  void pause_reading(bool paused) override { inner_->pause_reading(paused); }
  void post(std::function<void()> f) override { inner_->post(std::move(f)); }

 private:
  std::shared_ptr<peer> inner_;
  std::weak_ptr<client> owner_;
  core::session_id session_;
};

/// Who `owner` is whenever it is asked: for those who deliver to a client by themselves.
std::function<const core::principal&()> principal_of(std::weak_ptr<client> owner) {
  return [owner = std::move(owner)]() -> const core::principal& {
    static const auto nobody = core::principal::nobody();
    auto self = owner.lock();
    return self ? self->principal() : nobody;
  };
}

class namespace_owner final : public socketio_owner {
 public:
  explicit namespace_owner(std::shared_ptr<client> c) : client_(std::move(c)) {}
  void on_open() override { client_->open(); }
  void on_event(socketio_event event) override { client_->on_event(std::move(event)); }
  void on_drained() override { client_->on_drained(); }
  void on_closed() override { client_->on_closed(); }

 private:
  std::shared_ptr<client> client_;
};

}  // namespace

std::shared_ptr<socketio_owner> owner_of(std::shared_ptr<client> c) { return std::make_shared<namespace_owner>(std::move(c)); }

std::shared_ptr<client> client::make(feed_hub& hub, std::shared_ptr<peer> p, client_identity identity,
                                     const protocol_factory& factory) {
  std::shared_ptr<client> c(new client(hub, std::move(p), nullptr, std::move(identity)));
  c->protocol_ = factory(*c);
  c->open();
  return c;
}

std::shared_ptr<client> client::make(feed_hub& hub, std::shared_ptr<socketio_socket> socket, client_identity identity,
                                     const protocol_factory& factory) {
  std::shared_ptr<client> c(new client(hub, socket, socket, std::move(identity)));
  c->protocol_ = factory(*c);
  return c;
}

client::client(feed_hub& hub, std::shared_ptr<peer> p, std::shared_ptr<socketio_socket> socket, client_identity identity)
    : hub_(hub),
      peer_(std::move(p)),
      socket_(std::move(socket)),
      who_(std::move(identity.who)),
      id_(next_connection_id()),
      refuse_nobody_(identity.refuse_nobody) {}

client::~client() = default;

// ---- from the connection ----

bool client::admits_message() {
  if (!is_open()) return false;
  auto limit = config().limits.messages_per_second;
  auto now = std::chrono::steady_clock::now();
  if (now - window_start_ >= std::chrono::seconds(1)) {
    window_start_ = now;
    messages_in_window_ = 0;
  }
  if (limit != 0 && ++messages_in_window_ > limit) {
    protocol_->on_refused({core::errc::rate_limited, "More than " + std::to_string(limit) +
                                                         " messages in a second (limits.messages_per_second); slow down."});
    return false;
  }
  if (refuse_nobody_ && principal().scopes == 0) {
    protocol_->on_refused({core::errc::auth_failed, "The token is missing or has expired; connect again with a valid one."});
    return false;
  }
  return true;
}

void client::on_message(std::string_view message, bool is_text) {
  if (admits_message()) protocol_->on_message(message, is_text);
}

void client::on_event(socketio_event event) {
  if (admits_message()) protocol_->on_event(std::move(event));
}

void client::on_drained() {
  auto followed = followed_;
  for (const auto& [session, f] : followed) f->on_drained();
  if (all_chats_) hub_.chats()->on_drained(all_chats_);
}

void client::on_closed() {
  if (!is_open()) return;
  if (!pid_.empty())
    if (auto state = protocol_->recovery_state()) hub_.recovery().put(pid_, who_.id, std::move(*state), now());
  auto protocol = std::move(protocol_);
  for (const auto& session : std::exchange(rooms_, {})) hub_.rooms().leave(session, id_);
  for (const auto& [session, f] : std::exchange(followed_, {})) f->leave();
  unfollow_all_chats();
  conversations_ = nullptr;
}

bool client::recover(const std::string& pid, std::string_view offset) {
  if (principal().scopes == 0) return false;
  auto state = hub_.recovery().take(pid, who_.id, now());
  // A server that has just started may have been the same one before: then the offset alone tells.
  bool restarted = !state && now() - hub_.way().started_at() <= config().socketio.recovery_window;
  if ((!state && !restarted) || !protocol_->recover(state, offset)) return false;
  pid_ = pid;
  return true;
}

void client::drain(std::uint16_t code, std::string_view reason) {
  if (!is_open()) return;
  if (protocol_->on_drain())
    peer_->drop();
  else
    peer_->close(code, reason);
}

// ---- for the dialect ----

void client::send(std::string_view json) {
  if (is_open()) peer_->send_text(json);
}

void client::acknowledge(std::uint64_t ack_id, boost::json::array args) {
  if (is_open() && socket_) socket_->acknowledge(ack_id, std::move(args));
}

void client::close(std::uint16_t code, std::string_view reason) { peer_->close(code, reason); }

void client::disconnect() {
  if (socket_)
    socket_->disconnect();
  else
    peer_->close(1008, "credentials are required");
}

std::shared_ptr<follower> client::find(core::session_id session) const {
  for (const auto& [id, f] : followed_)
    if (id == session) return f;
  return nullptr;
}

bool client::follows(core::session_id session) const { return find(session) != nullptr; }

void client::follow(core::session_id session, follow_options options, then<core::session_record> attached) {
  if (options.alongside && follows(session)) {
    // It gets everything once, however often it asks.
    core::get_session question{session};
    return ask(question, [attached = std::move(attached), session](const core::result<core::answer>& r) {
      if (r) return attached(std::get<core::session_record>(*r));
      if (r.error().code != core::errc::not_found) return attached(r.error());
      core::session_record not_made_yet;
      not_made_yet.id = session;
      attached(not_made_yet);
    });
  }
  if (!options.alongside)
    for (const auto& [id, f] : std::exchange(followed_, {})) f->leave();
  if (followed_.size() >= config().sessions.max_rooms)
    return attached(core::error{core::errc::rate_limited, "This client follows " + std::to_string(followed_.size()) +
                                                              " sessions already (limits.max_rooms); leave one first."});
  auto to = socket_ ? std::make_shared<offset_peer>(peer_, shared_from_this(), session) : peer_;
  auto f = std::make_shared<follower>(std::move(to), id_, principal());
  followed_.emplace_back(session, f);
  auto forget = [me = weak_from_this(), who = std::weak_ptr(f)] {
    auto self = me.lock();
    if (self) std::erase_if(self->followed_, [gone = who.lock()](const auto& entry) { return entry.second == gone; });
  };
  options.lost = [forget, me = weak_from_this(), told = std::move(options.lost)](const core::error& e) {
    forget();
    if (auto self = me.lock(); told && self && self->is_open()) told(e);
  };
  hub_.follow(
      f, {session, std::move(options),
          [forget, told = while_open<core::session_record>(std::move(attached))](const core::result<core::session_record>& r) {
            if (!r) forget();
            told(r);
          }});
}

void client::unfollow(core::session_id session) {
  auto f = find(session);
  if (!f) return;
  std::erase_if(followed_, [&](const auto& entry) { return entry.second == f; });
  f->leave();
}

void client::follow_all_chats(std::string_view offset) {
  unfollow_all_chats();
  if (hub_.chats()) all_chats_ = hub_.chats()->join(peer_, principal_of(weak_from_this()), offset);
}

void client::unfollow_all_chats() {
  if (auto m = std::exchange(all_chats_, nullptr)) hub_.chats()->leave(m);
}

void client::watch_conversations() {
  if (conversations_ || !hub_.conversations()) return;
  conversations_ = hub_.conversations()->join(peer_, principal_of(weak_from_this()));
}

void client::submit(core::session_id session, core::command command, then<core::command_reply> done) {
  hub_.way().submit(session, principal(), std::move(command), while_open(std::move(done)));
}

void client::ask(core::query query, then<core::answer> done) { hub_.way().ask(std::move(query), while_open(std::move(done))); }

void client::find_approval(core::approval_id approval, then<core::approval_record> found) {
  ask(core::get_approval{approval}, [found = std::move(found)](core::result<core::answer> r) {
    if (r)
      found(std::get<core::approval_record>(std::move(*r)));
    else
      found(r.error());
  });
}

void client::resolve(std::string_view text, then<core::session_id> found) {
  if (auto id = core::session_id::parse(text)) return found(*id);
  constexpr std::size_t longest = 200;
  if (text.empty() || text.size() > longest)
    return found(core::error{core::errc::not_found, "Session not found: " + std::string(text.substr(0, 64))});
  ask(core::resolve_session{config().default_project, std::string(text)},
      [found = std::move(found), name = std::string(text)](const core::result<core::answer>& r) {
        if (r) return found(std::get<core::session_id>(*r));
        if (r.error().code != core::errc::not_found) return found(r.error());
        found(core::error{core::errc::not_found, "Session not found: " + name});
      });
}

void client::announce(core::session_id session, core::event_payload payload) {
  hub_.way().announce(session, std::move(payload));
}

void client::enter_room(core::session_id session) {
  if (!is_open() || std::find(rooms_.begin(), rooms_.end(), session) != rooms_.end()) return;
  rooms_.push_back(session);
  hub_.rooms().enter(session, id_, shown_user(principal()));
}

void client::leave_room(core::session_id session) {
  if (std::erase(rooms_, session) > 0) hub_.rooms().leave(session, id_);
}

std::vector<core::presence_changed::user> client::users_in(core::session_id session) const {
  return hub_.rooms().users(session);
}

core::seq_t client::last_seq() const { return followed_.empty() ? 0 : followed_.back().second->last_seq(); }

std::string client::other_offsets(core::session_id except) const {
  offsets places;
  for (const auto& [session, f] : followed_)
    if (session != except && f->last_seq() != 0) places.emplace_back(session, f->last_seq());
  return places.empty() ? std::string{} : to_text(places);
}

core::session_id client::new_session_id() { return hub_.way().environment().make<core::session_id>(); }

core::millis client::now() const { return hub_.way().environment().now(); }

const core::config& client::config() const { return hub_.way().config(); }

const core::principal& client::principal() const {
  if (who_.expires_at.count() != 0 && who_.is_expired(now())) who_ = core::principal::nobody();
  return who_;
}

core::result<void> client::sign_in(std::string_view credential) {
  auto who = hub_.way().auth().of_token(credential);
  if (!who) return who.error();
  who_ = std::move(*who);
  for (const auto& [session, f] : followed_) f->set_principal(who_);
  return {};
}

}  // namespace troupe::transport

#include "transport/client.hpp"

#include <atomic>

namespace troupe::transport {

namespace {
std::uint64_t next_connection_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}
}  // namespace

std::shared_ptr<client> client::make(feed_hub& hub, std::shared_ptr<peer> p, core::principal who,
                                     const protocol_factory& factory) {
  std::shared_ptr<client> c(new client(hub, std::move(p), std::move(who)));
  c->protocol_ = factory(*c);
  c->protocol_->on_open();
  return c;
}

client::client(feed_hub& hub, std::shared_ptr<peer> p, core::principal who)
    : hub_(hub), peer_(std::move(p)), who_(std::move(who)), id_(next_connection_id()) {
  follower_ = std::make_shared<follower>(peer_, id_);
}

void client::on_message(std::string_view message, bool is_text) {
  if (!is_open()) return;
  auto limit = config().limits.messages_per_second;
  auto now = std::chrono::steady_clock::now();
  if (now - window_start_ >= std::chrono::seconds(1)) {
    window_start_ = now;
    messages_in_window_ = 0;
  }
  if (limit != 0 && ++messages_in_window_ > limit)
    return protocol_->on_refused(
        {core::errc::rate_limited,
         "More than " + std::to_string(limit) + " messages in a second (limits.messages_per_second); slow down."});
  protocol_->on_message(message, is_text);
}

void client::on_drained() { follower_->on_drained(); }

void client::on_closed() {
  protocol_ = nullptr;
  follower_->leave();
}

void client::send(std::string_view json) {
  if (is_open()) peer_->send_text(json);
}

void client::close(std::uint16_t code, std::string_view reason) { peer_->close(code, reason); }

void client::follow(core::session_id session, follow_options options, then<core::session_record> attached) {
  hub_.follow(follower_, session, options.kind, options.after, options.must_exist,
              [me = weak_from_this(), attached = std::move(attached)](const core::result<core::session_record>& r) {
                if (auto self = me.lock(); self && self->is_open()) attached(r);
              });
}

void client::submit(core::session_id session, core::command command, then<core::command_reply> done) {
  hub_.way().submit(session, who_, std::move(command),
                    [me = weak_from_this(), done = std::move(done)](core::result<core::command_reply> r) {
                      if (auto self = me.lock(); self && self->is_open()) done(std::move(r));
                    });
}

void client::find_approval(core::approval_id approval, then<core::approval_record> found) {
  hub_.way().ask(core::get_approval{approval}, [me = weak_from_this(), found = std::move(found)](core::result<core::answer> r) {
    auto self = me.lock();
    if (!self || !self->is_open()) return;
    if (r)
      found(std::get<core::approval_record>(std::move(*r)));
    else
      found(r.error());
  });
}

void client::announce(core::session_id session, core::event_payload payload) {
  hub_.way().announce(session, std::move(payload));
}

core::session_id client::new_session_id() { return hub_.way().environment().make<core::session_id>(); }

const core::config& client::config() const { return hub_.way().config(); }

void client::drain(std::uint16_t code, std::string_view reason) {
  if (!is_open()) return;
  if (protocol_->on_drain())
    peer_->drop();
  else
    peer_->close(code, reason);
}

}  // namespace troupe::transport

#include "transport/socketio/engineio_session.hpp"

#include "transport/net/connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace troupe::transport {

using std::chrono::steady_clock;

engineio_registry::engineio_registry(boost::asio::io_context& context, engineio_options given)
    : executor(context.get_executor()), options(given), deadlines(std::make_shared<engineio_deadlines>(context)) {}

std::shared_ptr<engineio_session> engineio_registry::find(const std::string& sid) const {
  const auto at = sessions.find(sid);
  return at == sessions.end() ? nullptr : at->second;
}

void engineio_registry::add(std::shared_ptr<engineio_session> session) { sessions.emplace(session->id(), std::move(session)); }

void engineio_registry::remove(const engineio_session& session) { sessions.erase(session.id()); }

void engineio_registry::tell_ended(std::shared_ptr<engineio_session> session) {
  ended_.push_back(std::move(session));
  if (ended_.size() > 1) return;
  boost::asio::post(executor, [weak = weak_from_this()] {
    if (auto me = weak.lock()) me->tell_now();
  });
}

void engineio_registry::tell_now() {
  for (auto& session : std::exchange(ended_, {})) session->tell_owner_closed();
}

namespace {

http_request without_body(http_request request) {
  std::string().swap(request.body);
  return request;
}

}  // namespace

engineio_session::engineio_session(std::shared_ptr<engineio_registry> registry, http_request handshake)
    : registry_(std::move(registry)),
      id_(random_engineio_id()),
      handshake_(without_body(std::move(handshake))),
      ping_at_(steady_clock::now() + registry_->options.ping_interval) {}

void engineio_session::start(std::shared_ptr<peer_owner> owner) {
  owner_ = std::move(owner);
  if (!owner_) return end({.code = 1011, .reason = "internal error"});
  if (is_open()) wake();
}

// Time.

void engineio_session::wake() {
  if (phase_ == phase::ended) return;
  registry_->deadlines->schedule(*this,
                                 std::min({ping_at_, pong_due_, congested_until_, probe_until_, noop_at_, leaving_until_}));
}

void engineio_session::on_time(time_point now) {
  const auto keep = self();
  beat(now);
  if (now >= congested_until_) end({.code = 1013, .reason = "client reads too slowly"});
  if (now >= leaving_until_) end({});
  if (now >= probe_until_) drop_probe(1000, "upgrade took too long");
  if (now >= noop_at_) {
    noop_at_ = never;
    send_poll_away();
  }
  wake();
}

/// Also called before a request is looked at, so that a session whose time is over answers none however late the timer is.
void engineio_session::beat(time_point now) {
  if (!is_open()) return;
  const auto patience = registry_->options.ping_timeout;
  if (now >= ping_at_) {
    // Counted from when the ping was due, unless the loop stood still: that is not the client's fault.
    pong_due_ = std::max(ping_at_ + patience, now + patience / 2);
    ping_at_ = never;
    queue_packet(std::string(1, static_cast<char>(engineio_type::ping)));
  }
  if (now < pong_due_) return;
  if (is_paused_)
    pong_due_ = now + patience;  // the pong may be among what we do not read
  else
    end({.reason = "ping timeout"});
}

// Sending.

void engineio_session::send(bytes framed) {
  if (!is_open()) return;
  if (const auto websocket = websocket_)
    websocket->send(std::move(framed));
  else
    outbox_.push_framed(std::move(framed));
  after_queueing();
}

void engineio_session::send_text(std::string_view text) {
  std::string packet(1, static_cast<char>(engineio_type::message));
  queue_packet(std::move(packet.append(text)));
}

void engineio_session::send_binary(std::string_view data) {
  if (!is_open()) return;
  if (const auto websocket = websocket_)
    websocket->send_binary(data);
  else
    outbox_.push_binary(std::string(data));
  after_queueing();
}

void engineio_session::queue_packet(std::string packet) {
  if (!is_open()) return;
  if (const auto websocket = websocket_)
    websocket->send_text(packet);
  else
    outbox_.push_packet(std::move(packet));
  after_queueing();
}

void engineio_session::after_queueing() {
  if (!is_open()) return;
  if (outbox_.size() > registry_->options.outbound_limit_bytes) return end({.code = 1013, .reason = "client reads too slowly"});
  if (!was_congested_ && is_congested()) {
    was_congested_ = true;
    restart_patience();
  }
  // All that is queued in one turn of the loop is one answer.
  if (!poll_ || std::exchange(answer_is_posted_, true)) return;
  post([me = self()] {
    me->answer_is_posted_ = false;
    me->answer_poll();
  });
}

/// A client that moves to its WebSocket does not poll: its time begins when it has arrived, or has given that up.
void engineio_session::restart_patience() {
  if (!was_congested_) return;
  const auto begin = phase_ == phase::probing ? probe_until_ : steady_clock::now();
  congested_until_ = begin + registry_->options.drop_timeout;
  wake();
}

void engineio_session::after_draining() {
  if (!is_open() || !was_congested_ || (websocket_ ? websocket_->is_congested() : !outbox_.empty())) return;
  was_congested_ = false;
  congested_until_ = never;
  if (auto owner = owner_) guarded([&] { owner->on_drained(); });
}

std::size_t engineio_session::queued_bytes() const noexcept { return websocket_ ? websocket_->queued_bytes() : outbox_.size(); }

bool engineio_session::is_congested() const noexcept {
  if (!is_open()) return false;
  return websocket_ ? websocket_->is_congested() : outbox_.size() > registry_->options.high_water_bytes;
}

void engineio_session::pause_reading(bool paused) {
  if (is_paused_ == paused || !is_open()) return;
  is_paused_ = paused;
  if (paused) {
    if (const auto websocket = websocket_) websocket->pause_reading(true);
    return;
  }
  if (pong_due_ != never) pong_due_ = steady_clock::now() + registry_->options.ping_timeout;
  wake();
  // Not from inside the owner's own call; what was posted before the upgrade comes first.
  post([me = self()] {
    if (!me->is_paused_) me->take_post();
    if (const auto websocket = me->websocket_; websocket && !me->is_paused_) websocket->pause_reading(false);
  });
}

void engineio_session::post(std::function<void()> f) {
  boost::asio::post(registry_->executor, [me = shared_from_this(), f = std::move(f)] { guarded(f); });
}

// The end.

void engineio_session::close(std::uint16_t code, std::string_view reason) {
  if (!is_open()) return;
  if (websocket_) return end({.code = code, .reason = reason});
  const auto keep = self();
  drop_probe(code, reason);
  phase_ = phase::leaving;
  ping_at_ = pong_due_ = congested_until_ = noop_at_ = never;
  leaving_until_ = steady_clock::now() + closing_time;
  wake();
  registry_->tell_ended(keep);
  if (!is_taking_post_) take_post();
  if (poll_) take_leave(std::exchange(poll_, nullptr));
}

void engineio_session::drop() {
  if (!is_open()) return;
  const auto websocket = std::exchange(websocket_, nullptr);
  end({});
  if (websocket) websocket->drop();
}

void engineio_session::end_now() { end({.code = 1001, .reason = "the server shuts down"}); }

void engineio_session::end(farewell words) {
  if (phase_ == phase::ended) return;
  const auto keep = self();
  if (is_open()) registry_->tell_ended(keep);
  phase_ = phase::ended;
  registry_->deadlines->schedule(*this, never);
  registry_->remove(*this);
  auto payload = outbox_.take_payload(registry_->options.max_payload);
  std::exchange(outbox_, {});
  if (!payload.empty()) payload.push_back(engineio_separator);
  payload.push_back(static_cast<char>(words.poll));
  const auto poll = std::exchange(poll_, nullptr);
  const auto post = is_taking_post_ ? nullptr : std::exchange(post_, nullptr);
  const auto websocket = std::exchange(websocket_, nullptr);
  const auto probe = std::exchange(probe_, nullptr);
  if (websocket) websocket->close(words.code, words.reason);
  if (probe) probe->close(words.code, words.reason);
  if (poll) poll->respond(engineio_poll_answer(std::move(payload)));
  if (post) post->respond(refuse_engineio(engineio_refusal::bad_request));
}

void engineio_session::tell_owner_closed() {
  if (auto owner = std::move(owner_)) guarded([&] { owner->on_closed(); });
}

}  // namespace troupe::transport

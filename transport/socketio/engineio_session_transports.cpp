// The ways into a session: GET and POST of long polling, its WebSocket, and the WebSocket it may move to.
#include "transport/net/http_target.hpp"
#include "transport/socketio/engineio_session.hpp"

#include <memory>

namespace troupe::transport {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// A probe that has not become the transport by then is closed.
constexpr milliseconds probe_time{10'000};
/// How long a GET waits that comes while the client probes: its `5` may be in the same batch of events, and then wins.
constexpr milliseconds probing_poll_time{20};

constexpr std::string_view noop_packet = "6";

http_response post_answer() {
  http_response out;
  out.content_type = "text/html";  // a browser that was sent here must not offer a download
  out.body = "ok";
  out.headers = {{"Cache-Control", "no-store"}};
  return out;
}

http_response too_large() {
  http_response out;
  out.status = 413;
  out.body = "{\"code\":3,\"message\":\"Payload too large\"}";
  return out;
}

class link final : public peer_owner {
 public:
  link(std::shared_ptr<engineio_session> session, const peer& websocket)
      : session_(std::move(session)), websocket_(websocket) {}
  void on_message(std::string_view message, bool is_text) override {
    if (const auto session = session_) session->on_websocket_message(websocket_, message, is_text);
  }
  void on_drained() override {
    if (const auto session = session_) session->on_websocket_drained(websocket_);
  }
  void on_closed() override {
    if (const auto session = std::move(session_)) session->on_websocket_closed(websocket_);
  }

 private:
  std::shared_ptr<engineio_session> session_;
  const peer& websocket_;  // holds this object, so it outlives it
};

}  // namespace

std::shared_ptr<peer_owner> make_engineio_link(std::shared_ptr<engineio_session> session, const peer& websocket) {
  return std::make_shared<link>(std::move(session), websocket);
}

http_response engineio_poll_answer(std::string payload) {
  http_response out;
  out.content_type = "text/plain; charset=UTF-8";
  out.body = std::move(payload);
  out.headers = {{"Cache-Control", "no-store"}};
  return out;
}

void engineio_session::open_polling(http_exchange& answer) {
  answer.respond(engineio_poll_answer(engineio_handshake(id_, true, registry_->options)));
}

void engineio_session::open_websocket(std::shared_ptr<peer> websocket) {
  phase_ = phase::websocket;
  websocket_ = websocket;
  websocket->send_text(engineio_handshake(id_, false, registry_->options));
}

// GET.

void engineio_session::on_get(std::shared_ptr<http_exchange> exchange) {
  const auto keep = self();
  const auto now = steady_clock::now();
  beat(now);
  if (phase_ == phase::ended) return exchange->respond(refuse_engineio(engineio_refusal::unknown_sid));
  if (phase_ == phase::leaving) return take_leave(std::move(exchange));
  if (phase_ == phase::websocket) return exchange->respond(refuse_engineio(engineio_refusal::bad_request));
  if (poll_) {
    end({});
    return exchange->respond(refuse_engineio(engineio_refusal::bad_request));
  }
  poll_ = exchange;
  // The reference ends the session too: what was in an answer that nobody took is lost.
  exchange->on_abandoned([weak = std::weak_ptr(keep), which = exchange.get()] {
    if (const auto me = weak.lock()) me->on_poll_abandoned(which);
  });
  if (!outbox_.empty()) return answer_poll();
  if (!has_probed_ || phase_ != phase::probing) return;
  noop_at_ = now + probing_poll_time;
  wake();
}

void engineio_session::answer_poll() {
  if (!poll_ || outbox_.empty()) return;
  const auto exchange = std::exchange(poll_, nullptr);
  noop_at_ = never;
  exchange->respond(engineio_poll_answer(outbox_.take_payload(registry_->options.max_payload)));
  after_draining();
}

void engineio_session::send_poll_away() {
  if (!outbox_.empty()) return answer_poll();
  noop_at_ = never;
  if (const auto exchange = std::exchange(poll_, nullptr)) exchange->respond(engineio_poll_answer(std::string(noop_packet)));
}

void engineio_session::take_leave(std::shared_ptr<http_exchange> poll) {
  auto payload = outbox_.take_payload(registry_->options.max_payload);
  if (outbox_.empty()) {
    if (!payload.empty()) payload.push_back(engineio_separator);
    payload.push_back(static_cast<char>(engineio_type::close));
    end({});
  } else {
    leaving_until_ = steady_clock::now() + closing_time;
    wake();
  }
  poll->respond(engineio_poll_answer(std::move(payload)));
}

void engineio_session::on_poll_abandoned(const http_exchange* which) {
  if (poll_.get() != which) return;
  poll_ = nullptr;
  end({.reason = "poll abandoned"});
}

// POST.

void engineio_session::on_post(std::string body, std::shared_ptr<http_exchange> exchange) {
  const auto keep = self();
  beat(steady_clock::now());
  if (!is_open()) return exchange->respond(refuse_engineio(engineio_refusal::unknown_sid));
  if (phase_ == phase::websocket) return exchange->respond(refuse_engineio(engineio_refusal::bad_request));
  if (body.size() > registry_->options.max_payload) return exchange->respond(too_large());
  if (post_ || !is_valid_utf8(body)) {
    end({});
    return exchange->respond(refuse_engineio(engineio_refusal::bad_request));
  }
  posted_ = std::move(body);
  posted_at_ = 0;
  post_ = std::move(exchange);
  take_post();
}

void engineio_session::take_post() {
  if (is_taking_post_ || !post_) return;
  const auto keep = self();
  bool is_valid = true;
  is_taking_post_ = true;
  while (is_open() && !is_paused_ && posted_at_ <= posted_.size())
    is_valid = take_packet(take_engineio_packet(posted_, posted_at_));
  is_taking_post_ = false;
  if (is_open() && posted_at_ <= posted_.size()) return;  // the rest when reading goes on
  std::string().swap(posted_);
  const auto exchange = std::exchange(post_, nullptr);
  exchange->respond(is_valid ? post_answer() : refuse_engineio(engineio_refusal::bad_request));
}

// WebSocket.

void engineio_session::on_websocket_message(const peer& from, std::string_view message, bool is_text) {
  const auto keep = self();
  if (&from == probe_.get()) return on_probe_message(message, is_text);
  if (&from != websocket_.get()) return;
  if (message.size() > registry_->options.max_payload) return end({.code = 1009, .reason = "message too large"});
  if (is_text)
    std::ignore = take_packet(message);
  else
    deliver(message, false);
}

void engineio_session::on_websocket_drained(const peer& from) {
  if (&from == websocket_.get()) after_draining();
}

void engineio_session::on_websocket_closed(const peer& which) {
  if (&which == websocket_.get()) {
    websocket_ = nullptr;
    end({});
  } else if (&which == probe_.get()) {
    drop_probe(1000, {});
  }
}

bool engineio_session::probe(std::shared_ptr<peer> websocket) {
  if (phase_ != phase::polling) return false;
  phase_ = phase::probing;
  probe_ = std::move(websocket);
  has_probed_ = false;
  probe_until_ = steady_clock::now() + probe_time;
  restart_patience();
  wake();
  return true;
}

void engineio_session::on_probe_message(std::string_view message, bool is_text) {
  if (is_text && message == "2probe") {
    has_probed_ = true;
    const auto probe = probe_;
    probe->send_text("3probe");
    return send_poll_away();
  }
  if (is_text && message == "5") return complete_upgrade();
  drop_probe(1002, "invalid packet");
}

void engineio_session::complete_upgrade() {
  const auto websocket = std::exchange(probe_, nullptr);
  const auto poll = std::exchange(poll_, nullptr);
  websocket_ = websocket;
  phase_ = phase::websocket;
  probe_until_ = noop_at_ = never;
  if (is_paused_) websocket->pause_reading(true);
  outbox_.move_to(*websocket);
  restart_patience();
  // One that still waits came behind the probe: the client had no business to send it.
  if (poll)
    poll->respond(has_probed_ ? refuse_engineio(engineio_refusal::bad_request)
                              : engineio_poll_answer(std::string(noop_packet)));
  after_draining();
  wake();
}

void engineio_session::drop_probe(std::uint16_t code, std::string_view reason) {
  const auto probe = std::exchange(probe_, nullptr);
  if (!probe) return;
  phase_ = phase::polling;
  probe_until_ = noop_at_ = never;
  restart_patience();
  probe->close(code, reason);
}

// Packets.

bool engineio_session::take_packet(std::string_view text) {
  std::string storage;
  const auto packet = decode_engineio(text, storage);
  // Only the server pings in this revision.
  if (!packet || packet->type == engineio_type::ping) {
    end({.code = 1002, .reason = "invalid packet"});
    return false;
  }
  switch (packet->type) {
    case engineio_type::message:
      deliver(packet->data, packet->is_text);
      break;
    case engineio_type::pong:
      if (pong_due_ == never) break;
      pong_due_ = never;
      ping_at_ = steady_clock::now() + registry_->options.ping_interval;
      wake();
      break;
    case engineio_type::close:
      end({.poll = engineio_type::noop});
      break;
    default:
      break;
  }
  return true;
}

void engineio_session::deliver(std::string_view message, bool is_text) {
  try {
    if (const auto owner = owner_; owner && is_open()) owner->on_message(message, is_text);
  } catch (...) {  // a defect of the owner, which ends with its own session
    end({.code = 1011, .reason = "internal error"});
  }
}

}  // namespace troupe::transport

#include "transport/net/websocket_connection.hpp"

#include "transport/net/http_target.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

namespace troupe::transport {

using std::chrono::steady_clock;

namespace {

/// Below this the four to ten bytes that deflate saves are not worth its time.
constexpr std::size_t worth_compressing = 256;

std::string control_frame(ws_frame_kind kind, std::string_view payload) {
  std::string out;
  append_websocket_frame(out, kind, payload);
  return out;
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  auto size = std::min<std::size_t>(reason.size(), 123);  // 125 bytes of payload, 2 of them the code (RFC 6455 §5.5)
  while (size > 0 && !is_valid_utf8(reason.substr(0, size))) --size;
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return control_frame(ws_frame_kind::close, payload.append(reason.substr(0, size)));
}

websocket_parser::compression compression_of(const std::optional<deflate_parameters>& deflate) {
  if (!deflate) return websocket_parser::compression::none;
  return deflate->client_no_context_takeover ? websocket_parser::compression::without_context
                                             : websocket_parser::compression::with_context;
}

}  // namespace

websocket_connection::websocket_connection(connection_parts parts, const std::optional<deflate_parameters>& deflate)
    : connection(std::move(parts)),
      executor_(core().io.get_executor()),
      parser_(core().limits.max_frame_bytes, compression_of(deflate)),
      last_read_(steady_clock::now()),
      deflate_(deflate) {}

void websocket_connection::accept(const std::string& key, std::string early) {
  unread_ = std::move(early);
  queue(switching_protocols(key, deflate_));
}

void websocket_connection::start(std::shared_ptr<peer_owner> owner) {
  owner_ = std::move(owner);
  if (!owner_) close(static_cast<std::uint16_t>(close_code::internal_error), "internal error");
  // Not from inside the handler that gave the owner.
  post([self = me()] { self->resume(); });
}

void websocket_connection::send(bytes framed) {
  queue(deflate_ && framed->size() >= worth_compressing ? compressed(std::move(framed)) : std::move(framed));
  was_congested_ = was_congested_ || is_congested();
}

void websocket_connection::send_message(ws_frame_kind kind, std::string_view message) {
  if (is_closed() || out().sealed()) return;
  auto framed = std::make_shared<std::string>();
  std::string smaller;
  if (deflate_ && message.size() >= worth_compressing)
    smaller = core().deflater().compress(message, deflate_->server_window_bits);
  append_websocket_frame(*framed, kind, smaller.empty() ? message : smaller, !smaller.empty());
  queue(std::move(framed));
  was_congested_ = was_congested_ || is_congested();
}

/// What was framed for everybody, for one who asked for compression.
bytes websocket_connection::compressed(bytes framed) {
  auto out = std::make_shared<std::string>();
  std::size_t at = 0;
  for (auto from = at; auto text = take_websocket_text(*framed, at); from = at) {
    std::string smaller;
    if (text->size() >= worth_compressing) smaller = core().deflater().compress(*text, deflate_->server_window_bits);
    if (smaller.empty())
      out->append(*framed, from, at - from);
    else
      append_websocket_frame(*out, ws_frame_kind::text, smaller, true);
  }
  // Anything but text frames is left alone.
  return at == framed->size() ? bytes(std::move(out)) : std::move(framed);
}

void websocket_connection::post(std::function<void()> f) {
  boost::asio::post(executor_, [me = shared_from_this(), f = std::move(f)] { guarded(f); });
}

// ---- reading ----

void websocket_connection::read() {
  // What came before is parsed before more is read.
  if (!read_ended_ && !held_ && unread_.empty()) wait_readable();
}

void websocket_connection::on_readable() {
  if (read_ended_) return;
  std::array<char, 65536> space;
  const auto count = receive(space.data(), space.size());
  if (count == 0 || count == -2) {
    // Without a Close frame of ours in the outbox the connection broke; there is nobody to say goodbye to.
    if (!out().sealed() || dropping_) return finish();
    return end_reading();
  }
  if (count > 0) {
    last_read_ = steady_clock::now();
    take({space.data(), static_cast<std::size_t>(count)});
  }
  read();
}

/// Goes on after a pause.
void websocket_connection::resume() {
  if (is_closed() || read_ended_ || (held_ && paused_ && !closing_)) return;
  if (held_) deliver();
  take(std::exchange(unread_, {}));
  read();
}

void websocket_connection::take(std::string_view input) {
  while (!input.empty() && !held_ && !read_ended_ && !is_closed()) {
    const auto step = parser_.feed(input);
    input.remove_prefix(step.consumed);
    switch (step.what) {
      case websocket_parser::event::need_more:
      case websocket_parser::event::pong:
        break;
      case websocket_parser::event::ping:
        queue(control_frame(ws_frame_kind::pong, parser_.control()));
        break;
      case websocket_parser::event::message:
        held_ = paused_;
        if (!held_) deliver();
        break;
      case websocket_parser::event::close:
        queue(control_frame(ws_frame_kind::close, parser_.control()));
        return end_reading();
      case websocket_parser::event::failed:
        queue(close_frame(static_cast<std::uint16_t>(parser_.why_failed().code), parser_.why_failed().reason));
        return end_reading();
    }
  }
  if (held_ && !is_closed()) unread_ = input;
}

void websocket_connection::deliver() {
  held_ = false;
  if (closing_) return;
  try {
    if (auto owner = owner_) owner->on_message(parser_.message(), parser_.is_text());
  } catch (...) {
    close(static_cast<std::uint16_t>(close_code::internal_error), "internal error");
  }
  if (closing_)
    parser_.discard_messages();
  else
    parser_.release();
}

void websocket_connection::pause_reading(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  last_read_ = steady_clock::now();
  // Not from inside the owner's own call.
  if (!paused && held_ && !is_closed()) post([self = me()] { self->resume(); });
}

// ---- ending ----

void websocket_connection::begin_closing() {
  closing_ = true;
  seal();
  // The owner may be looking at the last message: what discards it comes from the loop.
  post([self = me()] {
    if (self->is_closed() || self->read_ended_) return;
    self->parser_.discard_messages();
    self->resume();
  });
}

void websocket_connection::close(std::uint16_t code, std::string_view reason) {
  if (closing_ || is_closed()) return;
  queue(close_frame(code, reason));
  begin_closing();
}

void websocket_connection::drop() {
  if (dropping_ || is_closed()) return;
  dropping_ = true;
  begin_closing();
  schedule_flush();
}

/// After the peer's last word, or one that ends all talk: ours is in the outbox.
void websocket_connection::end_reading() {
  if (dropping_) return finish();
  read_ended_ = closing_ = true;
  parser_.discard_messages();
  notify_closed();
  end_after_flush();
}

void websocket_connection::on_outbox_empty() {
  if (std::exchange(was_congested_, false) && !closing_) {
    if (auto owner = owner_) guarded([&] { owner->on_drained(); });
  } else if (dropping_) {
    notify_closed();
    shut_down_sending();
  } else if (closing_ && !read_ended_) {
    set_deadline(steady_clock::now() + closing_time);
  }
}

void websocket_connection::on_slow() {
  if (closing_) return finish();
  discard_unsent();
  close(static_cast<std::uint16_t>(close_code::try_again), "client reads too slowly");
  set_deadline(steady_clock::now() + closing_time);
}

time_point websocket_connection::on_tick(time_point now) {
  const auto limit = core().limits.idle_timeout;
  if (paused_ || closing_) return now + limit / 2;
  const auto quiet = now - last_read_;
  if (quiet >= limit) {
    finish();
    return never;
  }
  if (quiet >= limit / 2 && pinged_at_ <= last_read_) {
    pinged_at_ = now;
    queue(control_frame(ws_frame_kind::ping, {}));
  }
  return last_read_ + (pinged_at_ > last_read_ ? limit : limit / 2);
}

void websocket_connection::notify_closed() {
  if (auto owner = std::move(owner_)) guarded([&] { owner->on_closed(); });
}

}  // namespace troupe::transport

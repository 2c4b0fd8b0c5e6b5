#include "transport/net/connection.hpp"

#include "transport/net/flusher.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace troupe::transport {

using boost::system::error_code;
using std::chrono::steady_clock;

connection::connection(connection_parts parts)
    : core_(parts.core),
      socket_(std::move(parts.socket)),
      out_(std::move(parts.out)),
      address_(std::move(parts.address)),
      last_sent_(steady_clock::now()) {}

void connection::queue(bytes piece) {
  if (is_closed() || out_.sealed()) return;
  out_.push(std::move(piece));
  schedule_flush();
}

void connection::schedule_flush() {
  if (flush_scheduled_ || is_closed()) return;
  flush_scheduled_ = true;
  core_->flush_turn.add(self());
}

void connection::flush() {
  flush_scheduled_ = false;
  if (is_closed()) return;
  auto written = waiting_writable_ ? outbox::written{outbox::outcome::blocked, 0, 0} : out_.write_to(socket_.native_handle());
  const auto now = steady_clock::now();
  atomic_counters::add(core_->counters.bytes_out, written.bytes);
  atomic_counters::add(core_->counters.writes, written.calls);
  if (written.bytes > 0) {
    last_sent_ = now;
    blocked_since_ = never;
  }
  switch (written.result) {
    case outbox::outcome::failed:
      return finish();
    case outbox::outcome::empty:
      blocked_since_ = congested_since_ = never;
      if (ending_ && !lingering_) {
        lingering_ = true;
        shut_down_sending();
        wait_readable();
      }
      return on_outbox_empty();
    case outbox::outcome::more:
      schedule_flush();
      break;
    case outbox::outcome::blocked:
      if (blocked_since_ == never) blocked_since_ = now;
      wait_writable();
      break;
  }
  if (is_congested_now() && congested_since_ == never) congested_since_ = now;
  wake_at(now + core_->limits.slow_client_timeout);
  if (has_outbound_limit() && written.result == outbox::outcome::blocked &&
      out_.footprint() > core_->limits.outbound_limit_bytes)
    on_slow();
}

bool connection::is_slow(time_point now) const noexcept {
  const auto patience = core_->limits.slow_client_timeout;
  return (blocked_since_ != never && now - blocked_since_ >= patience) ||
         (has_outbound_limit() && congested_since_ != never && now - congested_since_ >= patience);
}

time_point connection::tick(time_point now) {
  if (now >= deadline_) {
    deadline_ = never;
    on_deadline();
  } else if (is_slow(now)) {
    blocked_since_ = congested_since_ = never;
    on_slow();
  }
  if (is_closed()) return never;
  auto next = std::min(deadline_, on_tick(now));
  const auto patience = core_->limits.slow_client_timeout;
  if (blocked_since_ != never) next = std::min(next, blocked_since_ + patience);
  if (congested_since_ != never) next = std::min(next, congested_since_ + patience);
  return next;
}

void connection::set_deadline(time_point when) {
  deadline_ = when;
  if (when != never) wake_at(when);
}

void connection::wake_at(time_point when) {
  if (!is_closed()) core_->wake_at(slot_, when);
}

void connection::wait_writable() {
  if (waiting_writable_) return;
  waiting_writable_ = true;
  socket_.async_wait(tcp_socket::wait_write, [me = self()](error_code ec) {
    me->waiting_writable_ = false;
    if (!ec) me->flush();
  });
}

void connection::wait_readable() {
  if (waiting_readable_ || is_closed()) return;
  waiting_readable_ = true;
  socket_.async_wait(tcp_socket::wait_read, [me = self()](error_code ec) {
    me->waiting_readable_ = false;
    if (ec || me->is_closed()) return;
    if (me->lingering_)
      me->discard_input();
    else
      me->on_readable();
  });
}

long connection::receive(char* to, std::size_t size) {
  for (;;) {
    const auto count = ::recv(socket_.native_handle(), to, size, MSG_DONTWAIT);
    if (count >= 0) {
      atomic_counters::add(core_->counters.bytes_in, static_cast<std::uint64_t>(count));
      return count;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN ? -1 : -2;
  }
}

void connection::discard_input() {
  std::array<char, 16384> scrap;
  for (int i = 0; i < 4; ++i) {
    const auto count = receive(scrap.data(), scrap.size());
    if (count == -1) break;
    if (count <= 0) return finish();
  }
  wait_readable();
}

void connection::end_after_flush() {
  if (ending_ || is_closed()) return;
  ending_ = true;
  seal();
  // With nothing queued the flush finds an empty outbox and goes on from there.
  schedule_flush();
}

void connection::shut_down_sending() {
  error_code ignored;
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
  set_deadline(steady_clock::now() + closing_time);
}

connection_parts connection::release() {
  error_code ignored;
  if (waiting_readable_ || waiting_writable_) socket_.cancel(ignored);
  connection_parts parts{core_, std::move(socket_), std::move(out_), address_};
  closed_.store(true, std::memory_order_release);
  return parts;
}

void connection::finish() {
  if (is_closed()) return;
  auto keep = self();
  closed_.store(true, std::memory_order_release);
  error_code ignored;
  socket_.close(ignored);
  out_ = {};
  core_->remove(*this);
  on_finished();
}

}  // namespace troupe::transport

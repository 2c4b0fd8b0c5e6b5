// One TCP connection whatever is spoken on it: its socket, its outbox, its deadlines and its orderly end. HTTP, WebSocket and
// event-stream connections derive from it and hand the socket on to each other. Kept alive by the registry of server_core
// until it is finished; io thread only.
#pragma once

#include "transport/net/outbox.hpp"
#include "transport/net/server_core.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <memory>

namespace troupe::transport {

/// The concrete executor keeps type erasure off the hot path.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// What moves from one connection object to the next when the protocol changes.
struct connection_parts {
  server_core* core = nullptr;
  tcp_socket socket;
  outbox out;
  boost::asio::ip::address address;
};

/// Runs what others gave us; what it throws must not reach the loop.
template <class F>
void guarded(F&& f) noexcept {
  try {
    f();
  } catch (...) {  // a defect of the owner, which ends with its own connection
  }
}

class connection {
 public:
  explicit connection(connection_parts parts);
  virtual ~connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  [[nodiscard]] const boost::asio::ip::address& address() const noexcept { return address_; }
  /// Any thread.
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }

  /// Called by the flusher, once per loop turn while something was queued.
  void flush();
  /// Called by the sweep; returns when it wants to be called again.
  [[nodiscard]] time_point tick(time_point now);
  /// The server closes everything; must not finish at once.
  virtual void shut_down(std::uint16_t code, const std::string& reason) = 0;
  /// Closes the socket and leaves the registry; what is queued is lost.
  void finish();

 protected:
  [[nodiscard]] virtual std::shared_ptr<connection> self() = 0;
  virtual void on_readable() {}
  virtual void on_outbox_empty() {}
  /// More bytes wait than `outbound_limit_bytes`, or the client has not taken any for `slow_client_timeout`.
  virtual void on_slow() = 0;
  /// More than the high-water mark for longer than `slow_client_timeout` counts as slow too.
  [[nodiscard]] virtual bool has_outbound_limit() const noexcept = 0;
  virtual void on_deadline() { finish(); }
  [[nodiscard]] virtual time_point on_tick(time_point) { return never; }
  /// After finish(), once.
  virtual void on_finished() = 0;

  [[nodiscard]] server_core& core() noexcept { return *core_; }
  [[nodiscard]] std::size_t slot() const noexcept { return slot_; }
  [[nodiscard]] tcp_socket& socket() noexcept { return socket_; }
  [[nodiscard]] const outbox& out() const noexcept { return out_; }
  [[nodiscard]] bool is_congested_now() const noexcept { return out_.size() > core_->limits.outbound_high_water_bytes; }
  [[nodiscard]] time_point last_sent() const noexcept { return last_sent_; }

  /// Nothing happens once sealed or closed.
  void queue(bytes piece);
  void queue(std::string piece) { queue(std::make_shared<const std::string>(std::move(piece))); }
  void seal() noexcept { out_.seal(); }
  void discard_unsent() { out_.discard_unsent(); }
  void schedule_flush();
  void set_deadline(time_point when);
  void wake_at(time_point when);
  /// One on_readable() follows, unless the connection ends first.
  void wait_readable();
  /// Reads without blocking: a positive count, 0 at the end of the stream, -1 nothing now, -2 broken.
  [[nodiscard]] long receive(char* to, std::size_t size);
  /// What is queued goes out, then TCP is closed in both directions: ours first, the peer's within `closing_time`. What the
  /// peer still sends is thrown away; closing with unread input would reset the connection under the last answer.
  void end_after_flush();
  /// Half of that: sends FIN; reading goes on.
  void shut_down_sending();
  [[nodiscard]] bool is_ending() const noexcept { return ending_; }
  /// Gives the socket to another protocol; this object is closed without on_finished().
  [[nodiscard]] connection_parts release();

 private:
  friend class server_core;

  [[nodiscard]] bool is_slow(time_point now) const noexcept;
  void wait_writable();
  void discard_input();

  server_core* core_;  ///< valid until closed
  tcp_socket socket_;
  outbox out_;
  boost::asio::ip::address address_;
  std::size_t slot_ = 0;
  time_point deadline_ = never;
  time_point blocked_since_ = never;    ///< no byte was taken since
  time_point congested_since_ = never;  ///< above the high-water mark, and never empty since
  time_point last_sent_;
  std::atomic<bool> closed_{false};
  bool flush_scheduled_ = false;
  bool waiting_readable_ = false;
  bool waiting_writable_ = false;
  bool ending_ = false;
  bool lingering_ = false;
};

}  // namespace troupe::transport

// What the connections of one listener share: limits, handlers, counters, the registry of open connections, and the sweep
// that wakes those whose time has come. Owned by the server object, io thread only except for the counters.
#pragma once

#include "core/config.hpp"
#include "transport/net/server.hpp"
#include "transport/net/websocket_deflate.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe::transport {

class connection;
class flusher;

using time_point = std::chrono::steady_clock::time_point;
inline constexpr time_point never = time_point::max();
using io_timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      boost::asio::io_context::executor_type>;

/// How long a peer may take over the end of its connection, after which it is closed hard.
inline constexpr std::chrono::seconds closing_time{2};

struct atomic_counters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> writes{0};

  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
};

class server_core : public std::enable_shared_from_this<server_core> {
 public:
  server_core(boost::asio::io_context& io, const core::transport_limits& limits, server_handlers handlers);
  /// Closes what is still open and tells the owners.
  ~server_core();
  server_core(const server_core&) = delete;
  server_core& operator=(const server_core&) = delete;

  boost::asio::io_context& io;
  const core::transport_limits limits;
  const server_handlers handlers;
  flusher& flush_turn;
  atomic_counters counters;

  enum class verdict : std::uint8_t { welcome, too_many, too_many_from_address };
  [[nodiscard]] verdict judge(const boost::asio::ip::address& from) const;
  [[nodiscard]] std::size_t open_connections() const noexcept { return slots_.size(); }

  void add(std::shared_ptr<connection> who);
  /// `next` goes on with the socket of the connection in `slot`.
  void replace(std::size_t slot, std::shared_ptr<connection> next);
  void remove(const connection& who);
  /// The connection in `slot` gets its tick at `when` or earlier.
  void wake_at(std::size_t slot, time_point when);

  /// One for all connections: it costs a quarter of a megabyte, and no message refers to an earlier one.
  [[nodiscard]] message_deflater& deflater();

  void close_all(std::uint16_t code, const std::string& reason);
  void close_hard();

  /// The handler's answer, or a plain one where the handler throws.
  [[nodiscard]] http_response error_response(int http_status, core::error why) const;

 private:
  struct entry {
    time_point due = never;
    std::shared_ptr<connection> who;
  };

  void arm_sweep();
  void sweep();

  std::vector<entry> slots_;
  std::unordered_map<boost::asio::ip::address, std::uint32_t> per_address_;
  io_timer sweep_timer_;
  std::chrono::milliseconds sweep_period_;
  bool sweep_armed_ = false;
  std::unique_ptr<message_deflater> deflater_;  ///< made when first needed
};

}  // namespace troupe::transport

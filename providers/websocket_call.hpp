// One call over a WebSocket, as far as it does not depend on the socket: its time limits, its answer, its one end. Kept alive
// by what it waits for; on the io thread but for `cancel`.
#pragma once

#include "providers/call_failure.hpp"
#include "providers/websocket_upstream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace troupe::providers {

class websocket_call : public std::enable_shared_from_this<websocket_call> {
 public:
  websocket_call(std::shared_ptr<const http_api> to, boost::asio::io_context& io, stream_options options, model_sink sink);
  virtual ~websocket_call() = default;
  websocket_call(const websocket_call&) = delete;
  websocket_call& operator=(const websocket_call&) = delete;

  void begin();
  /// Any thread.
  void cancel();

 protected:
  enum class phase : std::uint8_t { connecting, waiting, streaming, closing };

  virtual void connect() = 0;
  /// Ends every step that is under way.
  virtual void close_socket() noexcept = 0;

  void enter(phase next);
  /// A sign of life.
  void note_bytes();
  /// Nothing more is to be read or told.
  [[nodiscard]] bool is_over() const noexcept { return over_ || cancelled_; }

  void fail(transfer_result result, std::string text = {});
  void fail(call_failure failure);
  /// Tells what has come. After an error the connection is closed; after the upstream's end `is_over()`, and it is open.
  void deliver();
  void drop() noexcept;

  websocket_parser parser_;
  model_output pending_;
  std::optional<std::chrono::milliseconds> retry_after_;

 private:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] clock::time_point silence_ends() const;
  void watch();
  void on_time();

  std::shared_ptr<const http_api> api_;
  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  model_sink sink_;
  std::atomic<bool> cancelled_{false};
  clock::time_point started_;
  clock::time_point last_byte_;
  phase phase_ = phase::connecting;
  bool over_ = false;
};

}  // namespace troupe::providers

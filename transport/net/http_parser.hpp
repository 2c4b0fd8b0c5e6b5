// Bytes in, HTTP/1.1 requests out: one parser per request, no sockets. Beast's parser and the checks it leaves to us (Host,
// transfer codings, Expect, the WebSocket handshake's fields). Owned by an HTTP connection, io thread only.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"
#include "transport/net/server.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

/// What an answer needs to know of its request.
struct request_traits {
  bool is_http_1_1 = true;
  bool keep_alive = false;
  bool is_head = false;
};

class http_parser {
 public:
  enum class status : std::uint8_t { need_more, head_complete, complete, failed };
  struct step {
    status result = status::need_more;
    std::size_t consumed = 0;
  };
  struct failure {
    int http_status = 400;
    core::error why;
    std::string_view header = {};  ///< one more field of the answer, and its value
    std::string_view header_value = {};
  };

  /// Keeps a reference to the limits.
  explicit http_parser(const core::transport_limits& limits);
  ~http_parser();
  http_parser(const http_parser&) = delete;
  http_parser& operator=(const http_parser&) = delete;

  /// Give it the unconsumed bytes again together with new ones. `head_complete` comes once, before any of the body is
  /// consumed; after `complete` and `failed` it is not called again.
  [[nodiscard]] step feed(std::string_view input);
  [[nodiscard]] bool has_head() const noexcept { return has_head_; }
  /// After `failed`.
  [[nodiscard]] const failure& why_failed() const noexcept { return failure_; }

  // From `head_complete` on.
  [[nodiscard]] request_traits traits() const;
  [[nodiscard]] bool expects_continue() const noexcept { return expects_continue_; }
  /// The client's Sec-WebSocket-Key when this is a well-formed upgrade request.
  [[nodiscard]] const std::optional<std::string>& websocket_key() const noexcept { return websocket_key_; }

  /// Method, path, query, headers and the body read so far. Once.
  [[nodiscard]] http_request take_request();

 private:
  struct impl;
  step fail(failure why, std::size_t consumed);
  [[nodiscard]] const char* unclear_line(std::string_view input) noexcept;
  std::optional<failure> check_head();
  std::optional<failure> check_upgrade();

  std::unique_ptr<impl> impl_;
  const core::transport_limits& limits_;
  std::size_t head_bytes_ = 0;
  std::size_t scanned_ = 0;  ///< bytes of the next input that were looked at before
  char last_scanned_ = 0;
  bool line_is_empty_ = true;
  bool head_is_scanned_ = false;
  bool has_head_ = false;
  bool expects_continue_ = false;
  std::optional<std::string> websocket_key_;
  failure failure_;
};

}  // namespace troupe::transport

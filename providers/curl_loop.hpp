// Thousands of HTTP exchanges on the thread of one io_context: libcurl's multi interface, its sockets in one epoll
// set, its timer in Asio. Owned by app/; outlives every client that uses it. Destroy it after the io_context has stopped,
// before the io_context itself; transfers that are still open are closed then and tell nobody.
#pragma once

#include "core/config.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

/// Asked for every address before a connection to it is made, whatever the URL's host looked like. On the loop's thread.
using address_filter = std::function<bool(const sockaddr&)>;

/// Redirects are not followed: they are responses. Header lines are `Name: value` without line ends; `Name;` sends an empty
/// one.
struct http_request {
  std::string url;
  std::vector<std::string> headers;
  std::string body;
  core::provider_timeouts timeouts;
  std::string ca_file{};        ///< certificates to trust instead of the system's; empty: the system's
  std::string proxy{};          ///< URL; empty: what http_proxy, https_proxy and no_proxy in the environment say
  std::string method = "POST";  ///< GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  bool decodes = false;         ///< asks for a compressed body; on_data gets it decompressed, in small pieces
  /// A connection for this request alone: it is neither sent again on another one when the first breaks, nor kept.
  bool own_connection = false;
  address_filter allows{};  ///< empty: every address. Otherwise no proxy is used, and the connection is this request's own.
};

/// What came before the body. `content_type` may be empty.
struct response_head {
  long status = 0;
  std::string_view content_type;
  std::optional<std::chrono::milliseconds> retry_after;
};

enum class transfer_result : std::uint8_t {
  closed,   ///< the whole response came, whatever its status
  refused,  ///< on_head or on_data wanted no more
  connect_timeout,
  first_byte_timeout,
  idle_timeout,
  total_timeout,
  unreachable,        ///< no connection, or no name for it
  forbidden_address,  ///< the filter let no connection be made
  untrusted,          ///< TLS
  broken,             ///< the connection ended before the response did
  bad_request,        ///< libcurl would not send it: the URL, say
};

struct transfer_end {
  transfer_result result = transfer_result::closed;
  std::string text{};  ///< libcurl's words, empty when closed
};

class transfer {
 public:
  virtual ~transfer() = default;
  /// Closes the connection; no call of the handler begins after it. Any thread, idempotent. On the loop's own thread the
  /// connection is closed when it returns. Not from on_head or on_data.
  virtual void cancel() = 0;
  /// From now on, so much silence ends the transfer. On the loop's thread, from on_head, on_data or on_turn.
  virtual void limit_silence(std::chrono::milliseconds limit) = 0;
  /// A header of the response, in any case, empty where there is none; several are joined with `, `. As limit_silence; empty
  /// when the transfer has ended.
  [[nodiscard]] virtual std::string header(const std::string& name) const = 0;
};

/// All calls on the loop's thread.
class transfer_handler {
 public:
  virtual ~transfer_handler() = default;
  /// Before the first on_data, and before on_done where a response without a body came. False: close the connection.
  [[nodiscard]] virtual bool on_head(transfer& t, const response_head& head) = 0;
  /// Body bytes, decoded. Several calls for one read of the socket: keep what they give until on_turn.
  [[nodiscard]] virtual bool on_data(transfer& t, std::string_view bytes) = 0;
  /// After on_data, once per turn of the loop.
  virtual void on_turn(transfer& t) = 0;
  /// Last, once.
  virtual void on_done(transfer& t, const transfer_end& end) = 0;
};

class curl_loop {
 public:
  /// `io` is run by one thread.
  explicit curl_loop(boost::asio::io_context& io);
  ~curl_loop();
  curl_loop(const curl_loop&) = delete;
  curl_loop& operator=(const curl_loop&) = delete;

  /// Any thread. Never throws for what the request holds: that is told through on_done, possibly before this returns.
  [[nodiscard]] std::shared_ptr<transfer> start(http_request request, std::shared_ptr<transfer_handler> handler);

  /// For adapters whose streams are not libcurl's, on the same thread.
  [[nodiscard]] boost::asio::io_context& context() noexcept;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace troupe::providers

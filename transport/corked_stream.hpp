// What Beast's WebSocket stream sits on: reads come from the socket, writes end up in the connection's outbox and complete at
// once. So Beast's own frames (pong, close) keep their order among ours and leave in the same system call. io thread only.
#pragma once

#include "transport/connection.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>

#include <string>

namespace troupe::transport {

/// Counts what was read before Beast gets it.
template <class Handler>
struct counting_handler {
  Handler next;
  connection* who;
  void (*on_bytes)(connection&, std::size_t);

  void operator()(boost::system::error_code ec, std::size_t count) {
    on_bytes(*who, count);
    std::move(next)(ec, count);
  }
};

class corked_stream {
 public:
  using executor_type = tcp_socket::executor_type;
  using error_code = boost::system::error_code;
  using on_bytes_function = void (*)(connection&, std::size_t);

  /// `who` outlives every operation: their handlers hold it.
  corked_stream(connection& who, std::string early, on_bytes_function on_bytes)
      : who_(&who), early_(std::move(early)), on_bytes_(on_bytes) {}

  executor_type get_executor() noexcept { return who_->socket().get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& to) {
          counting_handler<decltype(handler)> counting{std::move(handler), who_, on_bytes_};
          if (early_.empty()) return who_->socket().async_read_some(to, std::move(counting));
          const auto count = boost::asio::buffer_copy(to, boost::asio::buffer(early_));
          early_.erase(0, count);
          boost::asio::post(get_executor(), boost::asio::append(std::move(counting), error_code{}, count));
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          const auto count = cork(from);
          boost::asio::post(get_executor(), boost::asio::append(std::move(handler), error_code{}, count));
        },
        token, buffers);
  }

  /// Beast writes the handshake's answer synchronously.
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& ec) {
    ec = {};
    return cork(buffers);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return cork(buffers);
  }

  /// Beast asks for them in its concept check and calls them only where it reads the handshake itself, which we never let it.
  template <class Buffers>
  std::size_t read_some(const Buffers&, error_code& ec) {
    ec = boost::asio::error::operation_not_supported;
    return 0;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers&) {
    return 0;
  }

 private:
  template <class Buffers>
  std::size_t cork(const Buffers& buffers) {
    std::string piece(boost::asio::buffer_size(buffers), '\0');
    boost::asio::buffer_copy(boost::asio::buffer(piece), buffers);
    const auto count = piece.size();
    constexpr char close_frame = '\x88';
    const bool is_close = !piece.empty() && piece.front() == close_frame;
    who_->queue(std::move(piece));
    // Nothing may follow a Close frame (RFC 6455 §5.5.1), whoever wrote it.
    if (is_close) who_->seal();
    return count;
  }

  connection* who_;
  std::string early_;
  on_bytes_function on_bytes_;
};

// Beast looks these up by argument. The connection ends TCP itself, after its outbox is empty.
inline void beast_close_socket(corked_stream&) noexcept {}
inline void teardown(boost::beast::role_type, corked_stream&, boost::system::error_code& ec) { ec = {}; }
template <class Handler>
void async_teardown(boost::beast::role_type, corked_stream& stream, Handler&& handler) {
  boost::asio::post(stream.get_executor(), boost::asio::append(std::forward<Handler>(handler), boost::system::error_code{}));
}

}  // namespace troupe::transport

template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, troupe::transport::counting_handler<Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const troupe::transport::counting_handler<Handler>& h) noexcept {
    return Associator<Handler, Default>::get(h.next);
  }
  static auto get(const troupe::transport::counting_handler<Handler>& h, const Default& d) noexcept {
    return Associator<Handler, Default>::get(h.next, d);
  }
};

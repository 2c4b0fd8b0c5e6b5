// An HTTP server that answers with exactly the bytes a test writes, when the test wants, on a port of its own. One thread
// per connection, blocking: it is the peer under control, not the thing under test. Owned by the test.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace troupe::testing {

class raw_connection {
 public:
  explicit raw_connection(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  /// Head and body of the next request; empty when the peer closed.
  std::string read_request() {
    while (true) {
      auto head = received_.find("\r\n\r\n");
      if (head != std::string::npos) {
        auto length = std::string::size_type{0};
        auto at = received_.find("Content-Length: ");
        if (at != std::string::npos && at < head) length = std::stoul(received_.substr(at + 16));
        auto size = head + 4 + length;
        if (received_.size() >= size) {
          auto request = received_.substr(0, size);
          received_.erase(0, size);
          return request;
        }
      }
      if (!read_some()) return {};
    }
  }
  /// So many bytes; fewer when the peer closed.
  std::string read_bytes(std::size_t size) {
    while (received_.size() < size && read_some()) {
    }
    auto bytes = received_.substr(0, size);
    received_.erase(0, bytes.size());
    return bytes;
  }
  /// False: the peer takes no more.
  bool send(std::string_view bytes) {
    boost::system::error_code ec;
    boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), ec);
    return !ec;
  }
  /// Blocks until the peer has closed, or the server stops.
  void wait_closed() {
    while (read_some()) received_.clear();
  }
  /// The connection ends with RST instead of FIN.
  void reset() {
    boost::system::error_code ec;
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ec);
    std::lock_guard lock(mutex_);
    socket_.close(ec);
  }
  void shut_down() {
    boost::system::error_code ec;
    std::lock_guard lock(mutex_);
    if (socket_.is_open()) socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_both, ec);
  }

 private:
  bool read_some() {
    std::array<char, 4096> buffer;
    boost::system::error_code ec;
    auto n = socket_.read_some(boost::asio::buffer(buffer), ec);
    received_.append(buffer.data(), n);
    return !ec;
  }

  boost::asio::ip::tcp::socket socket_;
  std::string received_;
  std::mutex mutex_;
};

class raw_http_server {
 public:
  using serve_function = std::function<void(raw_connection&)>;

  /// `serve` runs once per connection; the connection closes when it returns.
  explicit raw_http_server(serve_function serve)
      : serve_(std::move(serve)), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    thread_ = std::thread([this] { accept_all(); });
  }
  ~raw_http_server() {
    stopping_ = true;
    boost::system::error_code ec;
    boost::asio::ip::tcp::socket wake(io_);
    wake.connect(acceptor_.local_endpoint(), ec);
    thread_.join();
    for (auto& c : connections_) c.connection->shut_down();
    for (auto& c : connections_) c.thread.join();
  }
  raw_http_server(const raw_http_server&) = delete;
  raw_http_server& operator=(const raw_http_server&) = delete;

  [[nodiscard]] std::string base_url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/v1";
  }

 private:
  struct served {
    std::shared_ptr<raw_connection> connection;
    std::thread thread;
  };

  void accept_all() {
    while (true) {
      boost::system::error_code ec;
      boost::asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket, ec);
      if (stopping_) return;
      if (ec) continue;
      auto connection = std::make_shared<raw_connection>(std::move(socket));
      connections_.push_back({connection, std::thread([this, connection] {
                                serve_(*connection);
                                connection->shut_down();
                              })});
    }
  }

  serve_function serve_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  std::list<served> connections_;
};

}  // namespace troupe::testing

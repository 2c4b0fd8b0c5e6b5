#include "transport/net/server.hpp"

#include "transport/net/http_connection.hpp"
#include "transport/net/listen_address.hpp"
#include "transport/net/server_core.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace troupe::transport {

namespace asio = boost::asio;
using core::errc;

namespace {

constexpr int backlog = 4096;
/// Accepted in a row before other sockets get their turn.
constexpr int accepts_per_turn = 64;
constexpr std::chrono::milliseconds accept_pause{100};
/// Clients beyond the limits that are told why; any more are just closed.
constexpr std::size_t told_refusals = 64;

using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

/// Accepts until closed. Kept alive by its own waits.
class listener : public std::enable_shared_from_this<listener> {
 public:
  listener(std::shared_ptr<server_core> core, tcp_acceptor acceptor)
      : core_(std::move(core)), acceptor_(std::move(acceptor)), pause_(core_->io.get_executor()) {}

  void wait() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_wait(tcp_acceptor::wait_read, [weak = weak_from_this()](boost::system::error_code ec) {
      if (auto me = weak.lock(); me && !ec) me->accept_some();
    });
  }

  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  void accept_some() {
    for (int i = 0; i < accepts_per_turn && acceptor_.is_open(); ++i) {
      asio::ip::tcp::endpoint from;
      auto size = static_cast<socklen_t>(from.capacity());
      const int fd = ::accept4(acceptor_.native_handle(), from.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        from.resize(size);
        adopt(fd, from);
      } else if (errno == EAGAIN) {
        break;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause();
      }  // anything else is the fate of one client that has gone already (accept(2))
    }
    wait();
  }

  /// Out of file descriptors: the socket stays readable, so waiting for it would spin.
  void pause() {
    pause_.expires_after(accept_pause);
    pause_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
      if (auto me = weak.lock(); me && !ec) me->accept_some();
    });
  }

  void adopt(int fd, const asio::ip::tcp::endpoint& from) {
    atomic_counters::add(core_->counters.accepted, 1);
    tcp_socket socket(core_->io.get_executor());
    boost::system::error_code ec;
    socket.assign(from.protocol(), fd, ec);
    if (ec) {
      ::close(fd);
      return;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), ec);
    auto address = from.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    const auto verdict = core_->judge(address);
    if (verdict != server_core::verdict::welcome) {
      atomic_counters::add(core_->counters.refused, 1);
      if (core_->open_connections() >= core_->limits.max_connections + told_refusals) return;
    }
    auto text = address.to_string();
    auto who =
        std::make_shared<http_connection>(connection_parts{core_.get(), std::move(socket), {}, address}, std::move(text));
    core_->add(who);
    switch (verdict) {
      case server_core::verdict::welcome:
        return who->start();
      case server_core::verdict::too_many:
        return who->refuse(503, {errc::busy, "server: too many connections (max_connections); try again later"});
      case server_core::verdict::too_many_from_address:
        return who->refuse(429, {errc::rate_limited,
                                 "server: too many connections from your address (connections_per_address); "
                                 "close some first"});
    }
  }

  std::shared_ptr<server_core> core_;
  tcp_acceptor acceptor_;
  io_timer pause_;
};

class asio_server final : public server {
 public:
  asio_server(std::shared_ptr<server_core> core, tcp_acceptor acceptor, std::string url)
      : core_(std::move(core)), listener_(std::make_shared<listener>(core_, std::move(acceptor))), url_(std::move(url)) {
    asio::post(core_->io.get_executor(), [l = listener_] { l->wait(); });
  }

  ~asio_server() override {
    auto end = [core = core_, l = listener_] {
      l->close();
      core->close_hard();
    };
    if (core_->io.stopped() || core_->io.get_executor().running_in_this_thread())
      end();
    else
      guarded([&] { asio::post(core_->io.get_executor(), end); });
  }

  std::string url() const override { return url_; }

  void stop_accepting() override {
    asio::post(core_->io.get_executor(), [l = listener_] { l->close(); });
  }

  void close_all(std::uint16_t code, std::string_view reason) override {
    asio::post(core_->io.get_executor(), [core = core_, code, reason = std::string(reason)] { core->close_all(code, reason); });
  }

  server_counters counters() const override {
    const auto& c = core_->counters;
    return {c.accepted, c.open, c.refused, c.bytes_in, c.bytes_out, c.writes};
  }

 private:
  std::shared_ptr<server_core> core_;
  std::shared_ptr<listener> listener_;
  std::string url_;
};

core::error cannot_listen(const std::string& address, const boost::system::error_code& ec) {
  std::string remedy = "check the address";
  if (ec == asio::error::address_in_use) remedy = "stop the program that has this port, or choose another";
  if (ec == asio::error::access_denied) remedy = "choose a port above 1023, or give the program CAP_NET_BIND_SERVICE";
  if (ec == boost::system::errc::address_not_available)
    remedy = "no interface has this address; use 127.0.0.1, or 0.0.0.0 for all";
  return {errc::configuration_error, "listen " + address + ": " + ec.message() + "; " + remedy};
}

}  // namespace

core::result<std::unique_ptr<server>> server::listen(asio::io_context& io, const std::string& address,
                                                     const core::transport_limits& limits, server_handlers handlers) {
  auto where = resolve_listen_address(address);
  if (!where) return where.error();
  boost::system::error_code ec;
  tcp_acceptor acceptor(io.get_executor());
  acceptor.open(where->endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec && ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC) != 0) ec.assign(errno, boost::system::system_category());
  if (!ec) acceptor.bind(where->endpoint, ec);
  if (!ec) acceptor.listen(backlog, ec);
  if (!ec) acceptor.native_non_blocking(true, ec);
  if (ec) return cannot_listen(address, ec);
  const auto bound = acceptor.local_endpoint(ec);
  if (ec) return cannot_listen(address, ec);
  auto core = std::make_shared<server_core>(io, limits, std::move(handlers));
  return std::make_unique<asio_server>(std::move(core), std::move(acceptor),
                                       "http://" + where->host + ":" + std::to_string(bound.port()));
}

}  // namespace troupe::transport

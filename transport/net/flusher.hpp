// Collects the connections of one io_context that have something to send and flushes them once per turn of the loop, so that
// everything queued in a turn leaves a connection in one system call. A service of the io_context; io thread only.
#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>
#include <vector>

namespace troupe::transport {

class connection;

class flusher : public boost::asio::execution_context::service {
 public:
  static boost::asio::execution_context::id id;

  explicit flusher(boost::asio::io_context& io) : service(io), io_(io) {}
  /// `who` is flushed after the handlers that are ready now.
  void add(std::shared_ptr<connection> who);

 private:
  void shutdown() override;
  void run();

  boost::asio::io_context& io_;
  std::vector<std::shared_ptr<connection>> waiting_;
  std::vector<std::shared_ptr<connection>> running_;  ///< kept for its room
};

}  // namespace troupe::transport

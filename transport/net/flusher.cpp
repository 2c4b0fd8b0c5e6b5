#include "transport/net/flusher.hpp"

#include "transport/net/connection.hpp"

#include <boost/asio/post.hpp>

namespace troupe::transport {

boost::asio::execution_context::id flusher::id;

void flusher::add(std::shared_ptr<connection> who) {
  waiting_.push_back(std::move(who));
  // Posted behind all handlers that the last look at the sockets made ready: the end of this turn.
  if (waiting_.size() == 1) boost::asio::post(io_.get_executor(), [this] { run(); });
}

void flusher::run() {
  running_.swap(waiting_);
  for (auto& who : running_) who->flush();
  running_.clear();
}

void flusher::shutdown() {
  waiting_.clear();
  running_.clear();
}

}  // namespace troupe::transport

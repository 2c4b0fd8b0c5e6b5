// The times at which many sessions want to be woken, behind one timer: ten thousand heartbeats cost one armed timer and a tree
// node each, which a session keeps. Owned by a server of Engine.IO or Socket.IO, io thread only.
#pragma once

#include "transport/net/server_core.hpp"

#include <map>
#include <memory>

namespace troupe::transport {

class engineio_deadlines : public std::enable_shared_from_this<engineio_deadlines> {
 public:
  /// Something that is woken. It stays where it is in memory, and takes itself out before it dies.
  class sleeper {
   public:
    sleeper() = default;
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;

   protected:
    virtual ~sleeper() = default;
    /// Its time has come; it is not scheduled any more.
    virtual void on_time(time_point now) = 0;

   private:
    friend engineio_deadlines;
    std::multimap<time_point, sleeper*>::node_type node_;
    std::multimap<time_point, sleeper*>::iterator place_;
    bool is_scheduled_ = false;
  };

  explicit engineio_deadlines(boost::asio::io_context& io) : timer_(io.get_executor()) {}

  /// Wakes `who` at `when` instead of when it was to be woken so far; `never` forgets it.
  void schedule(sleeper& who, time_point when);

 private:
  void arm();
  void fire();

  std::multimap<time_point, sleeper*> order_;
  io_timer timer_;
  time_point armed_ = never;
};

}  // namespace troupe::transport

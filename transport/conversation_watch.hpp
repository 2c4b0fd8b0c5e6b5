// Tells the sockets of `chat-room` which conversations were made, renamed, shared or deleted (PROTOCOLS §5,
// `chat:conversations-updated`). A watcher of that dialect's sessions; each member gets the list that its user may see. io
// thread, but for deliver.
#pragma once

#include "actors/event_sink.hpp"
#include "transport/gateway.hpp"
#include "transport/net/server.hpp"
#include "transport/presence.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace troupe::transport {

class conversation_watch final : public actors::event_sink, public std::enable_shared_from_this<conversation_watch> {
 public:
  /// Made before the actors, which know it as a watcher; `start` follows once there is a gateway, before any socket.
  explicit conversation_watch(boost::asio::io_context& io);
  ~conversation_watch() override;
  void start(gateway& way);
  /// Who is where, for the lists; `rooms` must live until stop.
  void show(const presence& rooms) { rooms_ = &rooms; }
  /// After this nothing reaches a member any more.
  void stop();

  /// `to` is told until the handle is dropped. `who` is asked at every delivery.
  [[nodiscard]] std::shared_ptr<void> join(std::shared_ptr<peer> to, std::function<const core::principal&()> who);

  void deliver(core::event_batch_ptr batch) noexcept override;

 private:
  struct member;
  struct round;

  void wait();
  void begin();
  /// Who may see one of the changes gets the list, asked for once per user.
  void tell(const std::shared_ptr<round>& r);
  void send_list(const std::vector<std::shared_ptr<member>>& to);

  boost::asio::steady_timer timer_;
  gateway* way_ = nullptr;
  const presence* rooms_ = nullptr;
  bool waiting_ = false;  ///< the timer runs
  bool telling_ = false;  ///< a round is under way
  std::vector<std::weak_ptr<member>> members_;
  std::size_t sweep_at_ = 64;

  std::mutex mutex_;
  std::set<core::session_id> changed_;
  bool too_many_ = false;  ///< more changed than are remembered: everybody is told
  bool posted_ = false;
};

}  // namespace troupe::transport

// The io thread's way to the actors: each call becomes a message to the listener actor, each reply comes back on the io
// thread it was asked from. One per io_context; must outlive the connections that use it.
#pragma once

#include "actors/interfaces.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace troupe::transport {

class gateway {
 public:
  template <class T>
  using then = std::function<void(core::result<T>)>;

  gateway(boost::asio::io_context& io, actors::listener_actor listener, core::config_ptr config,
          std::shared_ptr<core::environment> environment, std::vector<core::tool_record> tools = {});

  void submit(core::session_id session, core::principal by, core::command command, then<core::command_reply> done);
  void attach(core::session_id session, actors::event_sink_ptr sink, bool must_exist, then<actors::attached> done);
  void detach(core::session_id session, actors::event_sink_ptr sink);
  static constexpr std::uint32_t rows_per_page = 500;
  /// The events after `after`, at most `rows_per_page` stored rows; none: that was the end of the log.
  void read_events(core::session_id session, core::seq_t after, then<actors::event_page> done);
  void ask(core::query query, then<core::answer> done);
  void announce(core::session_id session, core::event_payload payload);

  /// Runs `f` on the io thread. Any thread.
  void post(std::function<void()> f);
  [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] const core::config& config() const noexcept { return *config_; }
  [[nodiscard]] core::environment& environment() noexcept { return *environment_; }
  /// In name order.
  [[nodiscard]] const std::vector<core::tool_record>& tools() const noexcept { return tools_; }
  [[nodiscard]] core::millis started_at() const noexcept { return started_at_; }
  /// Lets go of the actors, so that they can end. After this every call answers SHUTTING_DOWN.
  void close();

 private:
  template <class T, class Message>
  void call(Message message, then<T> done);

  boost::asio::io_context& io_;
  actors::listener_actor listener_;
  bool closed_ = false;
  core::config_ptr config_;
  std::shared_ptr<core::environment> environment_;
  std::vector<core::tool_record> tools_;
  core::millis started_at_;
};

}  // namespace troupe::transport

// The io thread's way to the actors: each call becomes a message to the listener actor, each reply comes back on the io
// thread it was asked from. One per io_context; must outlive the connections that use it.
#pragma once

#include "actors/event_sink.hpp"
#include "actors/session_view.hpp"
#include "core/command.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/health.hpp"
#include "core/query.hpp"
#include "transport/agent_desk.hpp"
#include "transport/auth.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace boost::asio {
class thread_pool;
}

namespace troupe::transport {

struct actor_link;

class gateway {
 public:
  template <class T>
  using then = std::function<void(core::result<T>)>;

  using tool_list = std::function<std::vector<core::tool_record>()>;

  /// `link` is made by who knows the actors (transport/actor_link.hpp). `tools` gives those there are now, in name order, and
  /// tells `health` how their sources do; it is called on the io thread.
  gateway(boost::asio::io_context& io, std::unique_ptr<actor_link> link, core::config_ptr config,
          std::shared_ptr<core::environment> environment, tool_list tools = {},
          std::shared_ptr<const core::status_board> health = std::make_shared<core::status_board>());
  /// Waits for what runs aside, and forgets what waits for it.
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  void submit(core::session_id session, core::principal by, core::command command, then<core::command_reply> done);
  void attach(core::session_id session, actors::event_sink_ptr sink, bool must_exist, then<actors::attached> done);
  void detach(core::session_id session, actors::event_sink_ptr sink);
  static constexpr std::uint32_t rows_per_page = 500;
  /// The events after `after`, at most `rows_per_page` stored rows; none: that was the end of the log.
  void read_events(core::session_id session, core::seq_t after, then<actors::event_page> done);
  void ask(core::query query, then<core::answer> done);
  void announce(core::session_id session, core::event_payload payload);
  /// The next version of a stored agent; `done` when it is on disk. Only the desk below knows what may be stored.
  void store_agent(core::agent_version_record version, then<void> done);

  /// From here on agents can be made over REST. `board` is told when one that could not be used is well again.
  void keep_agents(std::shared_ptr<const agent_parser> parser, std::shared_ptr<core::status_board> board) {
    agents_ = std::make_unique<agent_desk>(*this, std::move(parser), std::move(board));
  }
  /// Null where none can be made.
  [[nodiscard]] agent_desk* agents() const noexcept { return agents_.get(); }

  /// Runs `f` on the io thread. Any thread.
  void post(std::function<void()> f);
  static constexpr int most_aside = 8;
  /// Runs `f` on a thread of its own kind, one after the other: for passwords, whose check takes long by design. False,
  /// and nothing happens, while `most_aside` wait.
  [[nodiscard]] bool run_aside(std::function<void()> f);
  [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] const core::config& config() const noexcept { return *config_; }
  [[nodiscard]] core::environment& environment() noexcept { return *environment_; }
  [[nodiscard]] const authenticator& auth() const noexcept { return auth_; }
  /// As they are now, in name order.
  [[nodiscard]] std::vector<core::tool_record> tools() const { return tools_ ? tools_() : std::vector<core::tool_record>{}; }
  /// As it is now.
  [[nodiscard]] const core::status_board& health() const {
    static_cast<void>(tools());
    return *health_;
  }
  [[nodiscard]] core::millis started_at() const noexcept { return started_at_; }
  /// `f` is called once when the gateway closes, for who waits for more than one answer; not after `forget` with the number
  /// this gives.
  std::uint64_t on_close(std::function<void()> f);
  void forget(std::uint64_t number) { at_close_.erase(number); }
  /// Lets go of the actors, so that they can end. After this every call answers SHUTTING_DOWN.
  void close();

 private:
  template <class T, class Message>
  void call(Message message, then<T> done);

  boost::asio::io_context& io_;
  std::unique_ptr<actor_link> link_;  ///< null once closed
  core::config_ptr config_;
  std::shared_ptr<core::environment> environment_;
  tool_list tools_;
  std::shared_ptr<const core::status_board> health_;
  core::millis started_at_;
  authenticator auth_;
  std::map<std::uint64_t, std::function<void()>> at_close_;
  std::uint64_t last_number_ = 0;
  std::unique_ptr<agent_desk> agents_;
  std::atomic<int> aside_{0};
  std::unique_ptr<boost::asio::thread_pool> aside_thread_;  ///< made when it is needed first
};

}  // namespace troupe::transport

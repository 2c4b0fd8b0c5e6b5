// The events of a session as something to wait for together with a keyboard: a session_stream whose thread wakes a descriptor,
// and which is opened again, without a gap, while a server is away. Owned by `chat` and `events --follow`.
#pragma once

#include "app/cli/remote_api.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

class live_events {
 public:
  /// Frames behind seq `after`. Gives up when the server was away for two minutes, or refuses.
  live_events(connection_options server, std::string session, core::seq_t after);
  /// Ends the thread.
  ~live_events();
  live_events(const live_events&) = delete;
  live_events& operator=(const live_events&) = delete;

  /// Readable when `take` has something, or `is_lost` or `failure` have changed.
  [[nodiscard]] int fd() const noexcept;
  /// What has come since the last call, in order.
  [[nodiscard]] std::vector<boost::json::object> take();
  /// True while the server is away.
  [[nodiscard]] bool is_lost() const;
  /// Why no more will come; nothing while it may.
  [[nodiscard]] std::optional<core::error> failure() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe::app

// The events of a session of a running server as they come: its event stream (SSE), followed on a thread of its own and taken
// up again where it broke off. Owned by who plays a scenario there.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

class session_stream {
 public:
  /// Frames behind seq `after`. `url` and `ca_file` are those of a rest_client.
  session_stream(std::string url, std::string token, std::string session, core::seq_t after, std::string ca_file = {});
  /// Closes the stream and ends the thread.
  ~session_stream();
  session_stream(const session_stream&) = delete;
  session_stream& operator=(const session_stream&) = delete;

  /// What has come since the last call, in order.
  [[nodiscard]] std::vector<boost::json::object> take();
  /// Returns as soon as something has come that was not taken, or the stream has failed; at the latest then.
  void wait(std::chrono::milliseconds most);
  /// Why no more will come; nothing while it may.
  [[nodiscard]] std::optional<core::error> failure() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe::app

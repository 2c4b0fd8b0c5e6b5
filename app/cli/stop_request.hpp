// Asks a server to stop the run of a session. Nobody waits for it: who wants to leave must not wait for a server that does not
// answer. Of `chat`; the request is made on a thread of its own, which outlives this where it must.
#pragma once

#include "app/cli/remote_api.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::app {

class stop_request {
 public:
  stop_request(const connection_options& server, const std::string& session);
  ~stop_request();
  stop_request(const stop_request&) = delete;
  stop_request& operator=(const stop_request&) = delete;

  /// Readable when there is an answer.
  [[nodiscard]] int fd() const noexcept;
  /// Why the server has not stopped it; nothing where it has, or has not answered.
  [[nodiscard]] std::optional<core::error> failure() const;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace troupe::app

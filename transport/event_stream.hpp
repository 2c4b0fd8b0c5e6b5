// Server-sent events of a session (PROTOCOLS §1.5): a follower over an HTTP stream. Runs on the connection's io thread.
#pragma once

#include "transport/rest.hpp"

#include <optional>

namespace troupe::transport {

struct event_stream_options {
  std::optional<core::seq_t> after;
  bool must_exist = true;
};

/// Answers `call` with the session's events as they come, until the client leaves. `attached`, where given, is told once
/// the stream stands or has failed.
void stream_events(const rest_call_ptr& call, core::session_id session, event_stream_options options,
                   std::function<void(const std::shared_ptr<peer>&, const core::result<core::session_record>&)> attached);

/// `Last-Event-ID` or `?after=`; answers the call when it is not a number.
[[nodiscard]] std::optional<std::optional<core::seq_t>> requested_after(const rest_call_ptr& call);

}  // namespace troupe::transport

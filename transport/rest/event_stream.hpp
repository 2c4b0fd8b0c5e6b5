// Server-sent events of a session (PROTOCOLS §1.5): a follower over an HTTP stream. Runs on the connection's io thread.
#pragma once

#include "transport/rest/rest.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace troupe::transport {

struct event_stream_options {
  std::optional<core::seq_t> after;
  bool must_exist = true;
  encoder_kind kind = encoder_kind::nexus_a;
};

class follower;

/// One such stream: what its follower sends, what its maker adds, and its end.
class event_stream final : public peer_owner {
 public:
  void send(bytes framed) { to_->send(std::move(framed)); }
  /// The regular end, once the client has been sent all that the session has shown: a slow one still reads the log.
  void end();

  void on_message(std::string_view, bool) override {}
  void on_drained() override;
  void on_closed() override;

 private:
  friend void stream_events(
      const rest_call_ptr&, core::session_id, event_stream_options,
      std::function<void(const std::shared_ptr<event_stream>&, const core::result<core::session_record>&)>);

  std::shared_ptr<peer> to_;
  std::shared_ptr<follower> follower_;
};

/// Answers `call` with the session's events as they come, until the client leaves. `attached`, where given, is told once
/// the stream stands or has failed.
void stream_events(
    const rest_call_ptr& call, core::session_id session, event_stream_options options,
    std::function<void(const std::shared_ptr<event_stream>&, const core::result<core::session_record>&)> attached);

/// `Last-Event-ID` or `?after=`; answers the call when it is not a number.
[[nodiscard]] std::optional<std::optional<core::seq_t>> requested_after(const rest_call_ptr& call);

}  // namespace troupe::transport

// One WebSocket client: its connection, its dialect's protocol and its place in a session's feed, tied together. Owned by
// the peer until the socket is closed. Runs on the connection's io thread.
#pragma once

#include "transport/session_feed.hpp"

namespace troupe::transport {

/// Makes the protocol of the dialect that a client speaks.
using protocol_factory = std::function<std::unique_ptr<client_protocol>(client_port&)>;

class client final : public peer_owner, public client_port, public std::enable_shared_from_this<client> {
 public:
  /// Opens the protocol before it returns.
  static std::shared_ptr<client> make(feed_hub& hub, std::shared_ptr<peer> p, core::principal who,
                                      const protocol_factory& factory);

  void on_message(std::string_view message, bool is_text) override;
  void on_drained() override;
  void on_closed() override;

  void send(std::string_view json) override;
  void close(std::uint16_t code, std::string_view reason) override;
  void follow(core::session_id session, follow_options options, then<core::session_record> attached) override;
  void submit(core::session_id session, core::command command, then<core::command_reply> done) override;
  void find_approval(core::approval_id approval, then<core::approval_record> found) override;
  void announce(core::session_id session, core::event_payload payload) override;
  [[nodiscard]] core::seq_t last_seq() const override { return follower_->last_seq(); }
  core::session_id new_session_id() override;
  [[nodiscard]] const core::config& config() const override;
  [[nodiscard]] const core::principal& principal() const override { return who_; }
  [[nodiscard]] std::uint64_t connection_id() const override { return id_; }

  /// The server is about to stop.
  void drain(std::uint16_t code, std::string_view reason);

 private:
  client(feed_hub& hub, std::shared_ptr<peer> p, core::principal who);
  [[nodiscard]] bool is_open() const noexcept { return protocol_ != nullptr; }

  feed_hub& hub_;
  std::shared_ptr<peer> peer_;
  std::shared_ptr<follower> follower_;
  core::principal who_;
  std::uint64_t id_;
  std::unique_ptr<client_protocol> protocol_;
  std::chrono::steady_clock::time_point window_start_{};
  std::uint32_t messages_in_window_ = 0;
};

}  // namespace troupe::transport

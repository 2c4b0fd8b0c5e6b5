// The sockets of `chat-events` that joined no chat get the events of every session made through that dialect which they may
// read (PROTOCOLS §4). A watcher of that dialect's sessions: encodes each event once and sends it to its members. A member
// that falls behind, or comes back with an offset, reads the logs from where it was until it is level. io thread, but for
// deliver and recall.
#pragma once

#include "actors/event_sink.hpp"
#include "transport/dialects/chat_events.hpp"
#include "transport/gateway.hpp"
#include "transport/net/server.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::transport {

class chat_stream final : public actors::event_sink, public std::enable_shared_from_this<chat_stream> {
 public:
  class member;

  /// Made before the actors, which know it as a watcher; `start` follows once there is a gateway, before any socket.
  explicit chat_stream(boost::asio::io_context& io);
  ~chat_stream() override;
  void start(gateway& way);
  /// After this nothing reaches a member any more.
  void stop();

  /// From now on `to` gets the events, from `offset` on where can_resume says so. `who` is asked at every delivery.
  std::shared_ptr<member> join(std::shared_ptr<peer> to, std::function<const core::principal&()> who, std::string_view offset);
  void leave(const std::shared_ptr<member>& m);
  /// The member's outbound queue is empty again.
  void on_drained(const std::shared_ptr<member>& m);
  /// True for an offset of this stream that tells enough to go on from.
  [[nodiscard]] bool can_resume(std::string_view offset) const;

  void deliver(core::event_batch_ptr batch) noexcept override;
  void recall(core::event_batch_ptr live_run) noexcept override;

 private:
  /// A chat that has a run in flight, or of which something was shown within `chat_stream_quiet`.
  struct chat {
    std::unique_ptr<encoder> shown;  ///< has seen everything that was shown
    core::seq_t cursor = 0;
    core::millis last_shown{0};
    bool in_run = false;
    std::optional<core::session_record> record;  ///< who may see it; looked up once, where there is auth
    std::vector<std::function<void()>> waiting;  ///< for that
  };
  struct arrival {
    core::event_batch_ptr batch;
    bool is_recalled = false;
  };
  /// What the members are sent of one batch.
  struct news {
    core::session_id session;
    core::seq_t first = 0;
    core::seq_t last = 0;
    bytes framed;  ///< null: nothing that clients of this dialect see
    core::millis at{0};
    std::map<std::string, bytes> by_reader{};  ///< with the places that a reader may know of
  };

  void put(arrival a) noexcept;
  void drain();
  void take(const core::event_batch_ptr& batch, bool is_recalled);
  /// Encodes what is new of the batch; the seqs it spans are told in `out`.
  void encode(chat& c, const core::event_batch& batch, frame_writer& frames, news& out);
  void show(const core::event_batch& batch);
  /// Calls `f` when it is known who may see the chat.
  void when_known(core::session_id session, std::function<void()> f);
  void prune(core::millis now);
  void show_open_cards(const std::shared_ptr<member>& m);
  [[nodiscard]] chat& chat_of(core::session_id session);
  [[nodiscard]] bool may_read(const core::principal& who, const std::optional<core::session_record>& record) const;
  /// The chats whose place a client must know to go on from `at`, without `except`, as far as `who` may see them.
  [[nodiscard]] offsets places(core::millis at, const core::principal& who, core::session_id except) const;
  [[nodiscard]] bytes with_places(news& n, const core::principal& who) const;

  boost::asio::io_context& io_;
  gateway* way_ = nullptr;
  bool has_offsets_ = true;
  std::map<core::session_id, chat> chats_;
  std::vector<std::shared_ptr<member>> members_;
  core::millis pruned_at_{0};

  std::mutex mutex_;
  std::vector<arrival> inbox_;
  bool posted_ = false;
};

}  // namespace troupe::transport

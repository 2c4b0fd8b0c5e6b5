// Fan-out: events of one session, encoded once per dialect, to any number of connections of one io thread. A connection
// that comes late or falls behind reads the log from its cursor with an encoder of its own until it is level, then joins.
// Who may not see the session gets nothing of it, checked at every delivery.
#pragma once

#include "actors/event_sink.hpp"
#include "transport/dialects/dialect.hpp"
#include "transport/gateway.hpp"
#include "transport/net/server.hpp"
#include "transport/presence.hpp"
#include "transport/recovery_store.hpp"
#include "transport/turn_gate.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

namespace troupe::transport {

class feed;
class feed_hub;
class chat_stream;
class console;
class conversation_watch;
class scenario_service;

/// One connection's place in a feed. Owned by the connection; the feed only looks at it.
class follower : public std::enable_shared_from_this<follower> {
 public:
  using attached_fn = std::function<void(const core::result<core::session_record>&)>;

  follower(std::shared_ptr<peer> p, std::uint64_t connection, core::principal who)
      : peer_(std::move(p)), connection_(connection), who_(std::move(who)) {}

  /// Called by the connection when its outbound queue is empty again.
  void on_drained();
  /// Leaves the feed. Idempotent.
  void leave();
  [[nodiscard]] core::seq_t last_seq() const noexcept;
  /// Nobody else from now on: the connection's credentials changed.
  void set_principal(const core::principal& who) { who_ = who; }
  /// Calls `f` once when the client has been sent all there is; at once where it has.
  void when_level(std::function<void()> f);

 private:
  friend class feed;
  friend class feed_hub;

  [[nodiscard]] std::optional<core::error> refusal(const core::session_record& session, core::millis now) const;
  void lose(const core::error& e);
  void become_live();
  void catch_up();
  void start_catching_up(core::seq_t cursor, bool merge_deltas);
  void on_page(const core::result<actors::event_page>& page, core::seq_t upto);

  std::shared_ptr<peer> peer_;
  std::uint64_t connection_;
  core::principal who_;
  std::shared_ptr<feed> feed_;
  attached_fn attached_;
  std::function<void(const core::event&)> observe_;
  std::function<void(const core::error&)> lost_;
  std::function<void()> when_level_;
  std::optional<core::seq_t> after_;
  std::uint32_t stay_ = 0;  ///< counts leavings, so that an answer to an earlier question is known as such
  bool live_ = false;
  bool reading_ = false;              ///< a page is being fetched
  bool merge_deltas_ = false;         ///< it fell behind: one frame for adjacent deltas
  core::seq_t cursor_ = 0;            ///< while not live: what was sent so far
  core::seq_t read_from_ = 0;         ///< what its own encoder has seen so far
  std::unique_ptr<encoder> encoder_;  ///< its own, while not live
};

class feed final : public actors::event_sink, public std::enable_shared_from_this<feed> {
 public:
  feed(feed_hub& hub, core::session_id session, encoder_kind kind, framing f);

  void deliver(core::event_batch_ptr batch) noexcept override;

 private:
  friend class follower;
  friend class feed_hub;

  [[nodiscard]] std::unique_ptr<encoder> new_encoder() const;
  void start(bool must_exist);
  void on_attached(core::result<actors::attached> r);
  void admit(const std::shared_ptr<follower>& f);
  void drain();
  void take(const core::event_batch& batch);
  /// `before`: where the members stood; `silent`: the connection that caused a transient event, which does not hear it.
  void send(const bytes& framed, core::seq_t before, std::uint64_t silent);
  /// True where the session's visibility changed.
  bool fold(const core::event& e);
  void evict();
  void remove(follower* f);

  feed_hub& hub_;
  core::session_id session_;
  encoder_kind kind_;
  framing framing_;
  std::unique_ptr<encoder> encoder_;
  core::seq_t cursor_ = 0;
  bool attached_ = false;
  core::session_record record_;
  std::vector<std::shared_ptr<follower>> members_;
  std::vector<core::event_batch_ptr> early_;  ///< came before the answer to attach

  std::mutex mutex_;
  std::vector<core::event_batch_ptr> inbox_;
  bool posted_ = false;
};

/// What a connection wants of a feed.
struct follow_request {
  core::session_id session;
  client_port::follow_options options;
  follower::attached_fn attached;
};

/// The feeds of one io thread, and what else its connections share.
class feed_hub {
 public:
  feed_hub(gateway& way, std::shared_ptr<chat_stream> chats, std::shared_ptr<conversation_watch> conversations);

  /// Joins `f` to the session's feed, made if there is none.
  void follow(const std::shared_ptr<follower>& f, follow_request request);
  [[nodiscard]] gateway& way() noexcept { return gateway_; }
  [[nodiscard]] std::size_t size() const noexcept { return feeds_.size(); }
  [[nodiscard]] presence& rooms() noexcept { return presence_; }
  [[nodiscard]] turn_gate& turns() noexcept { return *turns_; }
  [[nodiscard]] recovery_store& recovery() noexcept { return recovery_; }
  /// Null where nothing watches (tests of single parts).
  [[nodiscard]] chat_stream* chats() noexcept { return chats_.get(); }
  [[nodiscard]] conversation_watch* conversations() noexcept { return conversations_.get(); }
  /// Null where the program was built without it.
  [[nodiscard]] const console* web_console() const noexcept { return console_.get(); }
  void show(std::shared_ptr<const console> files) { console_ = std::move(files); }
  /// Null where nothing plays scenarios (tests of single parts).
  [[nodiscard]] scenario_service* scenarios() const noexcept { return scenarios_.get(); }
  void play(std::shared_ptr<scenario_service> scenarios) { scenarios_ = std::move(scenarios); }

 private:
  friend class feed;
  using key = std::tuple<core::session_id, encoder_kind, framing>;

  gateway& gateway_;
  std::map<key, std::shared_ptr<feed>> feeds_;
  presence presence_;
  std::shared_ptr<turn_gate> turns_;
  recovery_store recovery_;
  std::shared_ptr<chat_stream> chats_;
  std::shared_ptr<conversation_watch> conversations_;
  std::shared_ptr<const console> console_;
  std::shared_ptr<scenario_service> scenarios_;
};

}  // namespace troupe::transport

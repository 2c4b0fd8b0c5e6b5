// Fan-out: events of one session, encoded once per dialect, to any number of connections of one io thread. A connection
// that comes late or falls behind reads the log from its cursor with an encoder of its own until it is level, then joins.
#pragma once

#include "actors/event_sink.hpp"
#include "transport/dialects/dialect.hpp"
#include "transport/gateway.hpp"
#include "transport/server.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

namespace troupe::transport {

class feed;
class feed_hub;

/// One connection's place in a feed. Owned by the connection; the feed only looks at it.
class follower : public std::enable_shared_from_this<follower> {
 public:
  using attached_fn = std::function<void(const core::result<core::session_record>&)>;

  follower(std::shared_ptr<peer> p, std::uint64_t connection) : peer_(std::move(p)), connection_(connection) {}

  /// Called by the connection when its outbound queue is empty again.
  void on_drained();
  /// Leaves the feed. Idempotent.
  void leave();
  [[nodiscard]] core::seq_t last_seq() const noexcept;

 private:
  friend class feed;
  friend class feed_hub;

  void catch_up();
  void start_catching_up(core::seq_t cursor, bool merge_deltas);
  void on_page(const core::result<actors::event_page>& page, core::seq_t upto);

  std::shared_ptr<peer> peer_;
  std::uint64_t connection_;
  std::shared_ptr<feed> feed_;
  attached_fn attached_;
  std::optional<core::seq_t> after_;
  bool live_ = false;
  bool reading_ = false;              ///< a page is being fetched
  core::seq_t cursor_ = 0;            ///< while not live: what was sent so far
  core::seq_t read_from_ = 0;         ///< what its own encoder has seen so far
  bool merge_deltas_ = false;         ///< it fell behind: one frame for adjacent deltas
  std::unique_ptr<encoder> encoder_;  ///< its own, while not live
};

class feed final : public actors::event_sink, public std::enable_shared_from_this<feed> {
 public:
  feed(feed_hub& hub, core::session_id session, encoder_kind kind, framing f);

  void deliver(core::event_batch_ptr batch) noexcept override;

 private:
  friend class follower;
  friend class feed_hub;

  void start(bool must_exist);
  void on_attached(core::result<actors::attached> r);
  void admit(const std::shared_ptr<follower>& f);
  void drain();
  void take(const core::event_batch& batch);
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

/// The feeds of one io thread.
class feed_hub {
 public:
  explicit feed_hub(gateway& g) : gateway_(g) {}

  /// Joins `f` to the session's feed, made if there is none. `after` absent: what comes from now on, and open cards.
  void follow(const std::shared_ptr<follower>& f, core::session_id session, encoder_kind kind, std::optional<core::seq_t> after,
              bool must_exist, follower::attached_fn attached);
  [[nodiscard]] gateway& way() noexcept { return gateway_; }
  [[nodiscard]] std::size_t size() const noexcept { return feeds_.size(); }

 private:
  friend class feed;
  using key = std::tuple<core::session_id, encoder_kind, framing>;

  gateway& gateway_;
  std::map<key, std::shared_ptr<feed>> feeds_;
};

}  // namespace troupe::transport

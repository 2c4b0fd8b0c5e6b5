// Tells an HTTP endpoint that an approval waits, signed as Standard Webhooks has it (webhook-id, webhook-timestamp,
// webhook-signature). A watcher of every dialect; sends from the io thread. Tells each question at least once: again after a
// restart, under the same id. Owned by serve().
#pragma once

#include "actors/event_sink.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"
#include "providers/curl_loop.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// `v1,<base64 of HMAC-SHA256>` over `id.timestamp.body`. A secret that begins with `whsec_` is base64 behind that, others are
/// taken as they are.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                                            std::string_view body);

class approval_webhook final : public actors::event_sink, public std::enable_shared_from_this<approval_webhook> {
 public:
  /// `loop` outlives the actors.
  approval_webhook(core::webhook_config config, std::shared_ptr<core::environment> environment, providers::curl_loop& loop);
  ~approval_webhook() override;

  /// Adds itself to the watchers of every dialect.
  void watch(std::map<std::string, std::vector<actors::event_sink_ptr>>& watchers);
  /// Nothing is sent any more. On the loop's thread, before the loop goes.
  void stop();

  void deliver(core::event_batch_ptr batch) noexcept override;
  void recall(core::event_batch_ptr batch) noexcept override;

 private:
  struct delivery;

  void forget(const core::approval_id& id);
  void tell(const core::session_id& session, const core::approval_requested& question, core::millis at);

  core::webhook_config config_;
  std::shared_ptr<core::environment> environment_;
  providers::curl_loop& loop_;
  std::mutex mutex_;
  std::set<core::approval_id> told_;
  std::map<core::approval_id, std::shared_ptr<delivery>> under_way_;  ///< on the loop's thread
  bool is_stopped_ = false;                                           ///< likewise
};

}  // namespace troupe::app

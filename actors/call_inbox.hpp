// Between a streaming tool, on its thread, and the actor that waits for it: output gathers here, however fast it comes, and the
// actor is woken once for many pieces. Shared by both; any thread.
#pragma once

#include "actors/interfaces.hpp"

#include <mutex>
#include <string>

namespace troupe::actors {

class call_inbox final : public tools::call_listener {
 public:
  /// So much is shown of one call; what comes later is only in its result.
  static constexpr std::size_t max_shown_bytes = 256 << 10;
  /// With so much waiting the actor need not wait any longer.
  static constexpr std::size_t full_bytes = 4 << 10;

  /// `to` is not kept alive.
  call_inbox(core::tool_call_id call, const tool_invocation_actor& to);

  void progress(std::string text) override;
  void ask(tools::question q) override;
  void done(tools::tool_result result) override;

  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::string take();

 private:
  template <class Message>
  void post(Message m) const;

  core::tool_call_id call_;
  caf::weak_actor_ptr to_;
  mutable std::mutex mutex_;
  std::string waiting_;
  std::size_t taken_in_ = 0;
  bool is_over_ = false;  ///< the limit is reached, and said
};

}  // namespace troupe::actors

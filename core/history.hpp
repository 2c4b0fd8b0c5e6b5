// What the model is told of the conversation so far, folded from the log. The fold keeps one promise (DESIGN §5 rule 7):
// every tool call has exactly one result, directly after the message that asked for it, whatever crashed, was denied,
// cancelled or malformed. Pure; copies are cheap (copy on write).
#pragma once

#include "core/event.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::core {

struct history_message {
  core::role role = role::user;
  std::string content;
  std::vector<tool_call> calls;           ///< assistant only
  tool_call_id call;                      ///< tool only: which call this answers
  bool ok = true;                         ///< tool only
  std::vector<attachment> attachments{};  ///< user only

  bool operator==(const history_message&) const = default;
};

/// The text given as the result of a call that never got one.
inline constexpr std::string_view missing_result_text = "No result: the call was not carried out.";

/// Stands before what a compaction made of earlier messages.
inline constexpr std::string_view summary_prefix = "Summary of the conversation so far:\n";

class history {
 public:
  /// Takes the next event of the log. A user message joins when its run starts, not when it is queued; until then it may be
  /// edited. A clearing forgets all but what waits and, should a run be going on, that run's own exchange. Of two plain
  /// answers in one run the second one counts.
  void apply(const event& e);

  /// Always valid for every provider: a message with calls joins together with their results, when the last one is in.
  [[nodiscard]] const std::vector<history_message>& messages() const noexcept { return *messages_; }
  /// A view that stays as it is while this history goes on.
  [[nodiscard]] std::shared_ptr<const std::vector<history_message>> snapshot();
  [[nodiscard]] bool has_open_calls() const noexcept { return !open_.empty(); }
  void clear();

 private:
  friend struct history_fold;
  void close_open_calls();
  std::vector<history_message>& writable();

  std::shared_ptr<std::vector<history_message>> messages_ = std::make_shared<std::vector<history_message>>();
  struct waiting_message {
    message_id id;
    history_message message;
  };
  std::vector<waiting_message> waiting_;   ///< stored user messages whose run has not started
  run_id run_;                             ///< the run that started last
  bool is_running_ = false;                ///< … and has not ended
  std::size_t run_begin_ = 0;              ///< where in `messages_` its user message is, if it has one
  std::vector<history_message> exchange_;  ///< a message with calls and a result per call, in the order asked
  std::vector<std::size_t> open_;          ///< where in `exchange_` a result is still the stand-in
};

/// Says what is wrong with a history by the rules of the OpenAI and Anthropic APIs, or nothing. For tests and `check`.
[[nodiscard]] std::string defect_of(const std::vector<history_message>& messages);

}  // namespace troupe::core

// One model answer while it streams in: text, reasoning and tool calls, bounded, whole characters only, and exactly one end.
// What the parsers of all adapters share, whatever carries their bytes. Sans I/O; owned by one stream, one thread.
#pragma once

#include "providers/provider.hpp"
#include "providers/utf8.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

struct answer_options {
  /// Offered tools, to give calls their own names back.
  std::shared_ptr<const std::vector<tool_description>> tools;
  std::uint32_t call_number = 1;     ///< makes ids for calls that came without: `call_<call_number>_<n>`
  std::size_t max_total = 16 << 20;  ///< bytes of text, reasoning and arguments together
};

class answer {
 public:
  static constexpr std::size_t max_calls = 128;

  struct call {
    std::int64_t index = 0;  ///< the upstream's; calls are told in its order
    std::string id;
    std::string name;  ///< as on the wire
    std::string arguments;
  };

  explicit answer(answer_options options) : options_(std::move(options)) {}

  /// The next bytes of a text; they may end inside a character.
  void add_text(std::string_view bytes, model_output& out) { add(bytes, text_gate_, out.text, out); }
  void add_reasoning(std::string_view bytes, model_output& out) { add(bytes, reasoning_gate_, out.reasoning, out); }
  /// Null: one too many, and the answer has ended with that. Good until the next call begins.
  [[nodiscard]] call* begin_call(std::int64_t index, model_output& out);
  void add_arguments(call& to, std::string_view bytes, model_output& out);
  [[nodiscard]] std::vector<call>& calls() noexcept { return calls_; }

  void set_usage(core::token_usage usage, model_output& out) noexcept { usage_ = out.usage = usage; }
  /// The upstream said why it stopped: nothing but usage and its last word can follow (DESIGN §8).
  void set_finish(core::finish_reason reason) noexcept { finish_ = reason; }

  [[nodiscard]] bool has_finish_reason() const noexcept { return finish_.has_value(); }
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }

  // Each of these is the end; after the first one they do nothing.

  /// The upstream's own end marker.
  void complete(model_output& out);
  /// The transfer stopped. After a finish reason the answer is complete all the same.
  void break_off(core::error error, bool retryable, model_output& out);
  void fail(core::error error, bool retryable, model_output& out);
  /// "the upstream <what>", which nobody tries again.
  void malformed(const std::string& what, model_output& out);

 private:
  void add(std::string_view bytes, utf8_gate& gate, core::text_pieces& to, model_output& out);
  [[nodiscard]] bool count(std::size_t bytes, model_output& out);
  [[nodiscard]] std::vector<core::tool_call> finished_calls();

  answer_options options_;
  utf8_gate text_gate_;
  utf8_gate reasoning_gate_;
  std::vector<call> calls_;
  std::optional<core::finish_reason> finish_;
  std::optional<core::token_usage> usage_;
  std::size_t total_ = 0;
  bool ended_ = false;
};

}  // namespace troupe::providers

// The rules of a `scripted` provider, compiled once, and one answer by them. Sans I/O and without a clock: a player says
// how long to wait. The language is documented in docs/scripted.md. A script is immutable and shared by all threads; a
// player belongs to one call.
#pragma once

#include "providers/provider.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::providers {

/// What placeholders stand for while one answer is played. Views into the request's history.
struct script_values {
  std::string_view user;            ///< the last user message
  std::string_view result;          ///< the last tool result
  std::vector<std::string> groups;  ///< `${1}` is the first
};

/// Text with `${user}`, `${result}` and `${1}` in it.
class script_text {
 public:
  enum class source : std::uint8_t { user, result, group };
  struct part {
    std::string before;  ///< constant text in front of the value
    source from = source::user;
    std::size_t group = 0;  ///< 0-based
  };
  std::vector<part> parts;
  std::string tail;

  [[nodiscard]] bool is_constant() const noexcept { return parts.empty(); }
  /// `as_json`: values are escaped to stand inside a JSON string.
  void append_to(std::string& out, const script_values& values, bool as_json = false) const;
};

/// A condition on text, without regard to the case of ASCII letters. Without regex characters it is a plain substring.
class script_pattern {
 public:
  /// A regex looks at the beginning of its subject only; a substring is searched for in all of it.
  static constexpr std::size_t max_regex_subject = 16 << 10;

  /// Throws `std::regex_error`.
  explicit script_pattern(std::string_view text);
  [[nodiscard]] std::size_t group_count() const noexcept;
  /// Appends one group per `group_count` when it matches.
  [[nodiscard]] bool matches(std::string_view subject, std::vector<std::string>& groups) const;

 private:
  std::string needle_;  ///< lower case
  struct expression;    ///< keeps <regex> out of this header
  std::shared_ptr<const expression> expression_;
};

struct script_when {
  std::optional<script_pattern> user;
  std::optional<script_pattern> result;
  std::optional<core::role> after;
  std::string tool;        ///< empty: any
  std::uint32_t call = 0;  ///< 0: any
};

struct say_pieces {
  bool is_reasoning = false;
  core::text_pieces fixed;         ///< filled instead of `texts` where nothing varies
  std::vector<script_text> texts;  ///< one piece each, or cut into pieces of `chunk` characters
  std::uint32_t chunk = 0;         ///< 0: pieces as given
  std::uint32_t times = 1;
  std::chrono::milliseconds every{0};  ///< between two pieces
};
struct say_delay {
  std::chrono::milliseconds time{0};
};
struct say_tool {
  std::string tool;
  std::string id;  ///< empty: `call_<call number>_<n>`
  script_text arguments;
  bool is_json = true;
};
struct say_usage {
  core::token_usage tokens;
};
struct say_error {
  std::string text;
  bool retryable = false;
  std::optional<std::chrono::milliseconds> retry_after;
  core::errc code = core::errc::provider_error;
};
struct say_finish {
  core::finish_reason reason = core::finish_reason::stop;
};
using script_step = std::variant<say_pieces, say_delay, say_tool, say_usage, say_error, say_finish>;

struct script_rule {
  script_when when;
  std::vector<script_step> say;
};

struct script {
  static constexpr std::size_t max_answer = 8 << 20;  ///< bytes of text, reasoning and arguments in one answer

  std::vector<script_rule> rules;
  std::optional<std::vector<script_step>> otherwise;
};
using script_ptr = std::shared_ptr<const script>;

/// A `configuration_error` says where (a JSON pointer), what is wrong, and which words would be right.
[[nodiscard]] core::result<script_ptr> parse_script(std::string_view text);

/// Text cut after every `chunk` characters.
void cut_into_pieces(std::string_view text, std::uint32_t chunk, core::text_pieces& out);

class script_player {
 public:
  script_player(script_ptr rules, const model_request& request);

  /// Appends all that is to be said now. Returns how long to wait before the next call, or nothing after `out.end`.
  [[nodiscard]] std::optional<std::chrono::milliseconds> play(model_output& out);

 private:
  void choose(const model_request& request);
  [[nodiscard]] bool holds(const script_when& when, const model_request& request);
  [[nodiscard]] bool say(const say_pieces& step, model_output& out);
  void say(const say_tool& step);
  [[nodiscard]] bool count(std::size_t bytes, model_output& out);
  void fail(std::string text, bool retryable, model_output& out, core::errc code = core::errc::provider_error);

  script_ptr script_;
  std::shared_ptr<const std::vector<core::history_message>> history_;  ///< what `values_` looks into
  script_values values_;
  const std::vector<script_step>* steps_ = nullptr;
  std::string no_answer_;  ///< why there is nothing to play
  std::size_t step_ = 0;
  // The step that is being said piece by piece; `pieces_` is its own text where the step is not constant.
  bool in_pieces_ = false;
  core::text_pieces pieces_;
  std::size_t piece_ = 0;
  std::size_t offset_ = 0;
  std::size_t said_ = 0;
  std::uint32_t call_number_;
  model_end end_;
  std::optional<core::finish_reason> finish_;
};

}  // namespace troupe::providers

// The events that came and that no step has expected yet. In a run with restarts it takes out what a restart repeats, so
// that the same expectations hold (docs/scenarios.md, "With restarts"). Owned by the runner; one thread.
#pragma once

#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::app {

class received {
 public:
  received(std::vector<std::string> ignored, bool forgives_restarts)
      : ignored_(std::move(ignored)), forgives_restarts_(forgives_restarts) {}

  void add(std::vector<core::event> events);
  /// The next event, adjacent text of one message merged; nothing when all are expected already.
  [[nodiscard]] std::optional<boost::json::object> take();
  /// The same, left where it is.
  [[nodiscard]] std::optional<boost::json::object> peek() const;
  /// Of text that waits, only the first `bytes`; more of it is left.
  [[nodiscard]] boost::json::object take_text(std::size_t bytes);
  /// Only text of one message waits, or nothing: more of it may come.
  [[nodiscard]] bool may_grow() const;
  /// A step that runs again still has to say what it had said.
  [[nodiscard]] bool is_owed() const;
  /// A restart came while this call ran; its outcome is unknown.
  [[nodiscard]] bool is_unknown(std::string_view call) const { return unknown_.contains(std::string(call)); }
  /// Questions about such calls that came since the last call.
  [[nodiscard]] std::vector<core::approval_id> take_cards() { return std::exchange(cards_, {}); }
  /// All that came, also what is ignored, adjacent text merged.
  [[nodiscard]] const std::vector<boost::json::object>& past();
  [[nodiscard]] std::vector<boost::json::object> rest() const;
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  /// A step that ran again and left out text that was expected before, or nothing.
  [[nodiscard]] std::optional<std::string> defect() const { return defect_; }

 private:
  /// Text and reasoning of a message are told apart.
  using text_key = std::pair<core::message_id, bool>;

  void add_one(core::event e);
  /// The next event, adjacent text merged.
  [[nodiscard]] std::optional<core::event> next() const;
  [[nodiscard]] static bool continues(const core::event& next, const core::event& e);
  [[nodiscard]] bool is_repetition(core::event& e);
  void void_text(const core::message_superseded& lost);

  std::vector<std::string> ignored_;
  bool forgives_restarts_;
  std::deque<core::event> waiting_;
  std::set<std::pair<core::run_id, std::uint32_t>> steps_;
  std::map<text_key, std::string> taken_;  ///< text that steps have expected
  std::map<text_key, std::string> owed_;   ///< of it, what was voided and must come again
  std::set<std::string> unknown_;
  std::vector<core::approval_id> cards_;
  std::set<core::approval_id> known_cards_;
  std::vector<core::event> all_;
  std::vector<boost::json::object> past_;  ///< `all_` as far as it was asked for
  std::size_t last_past_ = 0;              ///< where in `all_` the last of `past_` begins
  std::optional<std::string> defect_;
};

}  // namespace troupe::app

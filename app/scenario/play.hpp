// One playing of a scenario on a scene: its steps in order, what is expected against what comes, and where they part. Made and
// dropped by run_scenario(); one thread.
#pragma once

#include "app/scenario/divergence.hpp"
#include "app/scenario/match.hpp"
#include "app/scenario/received.hpp"
#include "app/scenario/runner.hpp"
#include "core/command.hpp"

#include <chrono>
#include <deque>

namespace troupe::app {

class play {
 public:
  play(const scenario& s, scene& where, const run_options& options);
  [[nodiscard]] scenario_outcome run();

 private:
  using milliseconds = std::chrono::milliseconds;

  /// Thrown and caught inside.
  struct failed {
    std::string text;
    boost::json::object divergence;
  };
  void play_steps();
  void carry_out();
  void hear();
  void done(const core::result<void>& r) const;

  // ---- time that a restart or the network takes ----

  /// Things may come later than they did without a restart.
  [[nodiscard]] bool is_disturbed() const;

  /// False: nothing more will come in time.
  bool wait_for_more();

  /// What a step that runs again has still to say comes before anything new happens.
  void hear_again();

  // ---- commands ----

  void send();

  /// A client whose command a crash swallowed sends it again.
  bool is_lost(std::size_t heard);
  [[nodiscard]] std::string text(const boost::json::value& v) const;

  /// Nil where `true` stands for "whichever there is".
  template <class Id>
  [[nodiscard]] Id id(const boost::json::value& v) const {
    if (v.is_bool()) return {};
    auto given = text(v);
    auto parsed = Id::parse(given);
    if (!parsed) fail("\"" + given + "\" is not an id");
    return *parsed;
  }

  [[nodiscard]] core::command command() const;
  void give_up(const core::approval_id& card);
  /// Of the scenario's last command.
  [[nodiscard]] const std::optional<scene::reply>& last_reply() const;

  // ---- expectations ----

  [[nodiscard]] std::string_view expected_kind() const;
  [[nodiscard]] bool is_passed_over() const;
  void expect();

  /// Whether this is what was expected; then it is taken.
  bool takes(const boost::json::value& expected, const boost::json::object& came);

  // Over a network more or less of a text may have come when a command is sent: the text of a run is compared on its own.

  void take_shown_text();
  void expect_shown_text(const boost::json::value& expected);

  /// Of a call that a restart cut short only that it ended: its result is "outcome unknown".
  [[nodiscard]] boost::json::value wanted_of(const boost::json::value& expected, const boost::json::object& came) const;
  void pass(const boost::json::object& came);
  [[noreturn]] void differ(const boost::json::value& expected, const std::optional<boost::json::object>& came);
  void expect_reply();

  /// An assertion takes what has come as expected.
  void check();

  /// Before a command and at the end: nothing may be left over.
  void expect_quiet();
  /// The step is a command that the next one expects to have no effect.
  [[nodiscard]] bool is_refused_here() const;

  /// What a scenario need not tell of a live server: the spend of other sessions, titles.
  void drop_unseen();

  // ---- --update ----

  void edit(step_edit::how what, std::string_view verb, const boost::json::value& body);

  /// This expectation does not hold: it goes, or another comes before it, or it is changed.
  void accept(const std::optional<boost::json::object>& came);

  // ---- telling ----

  [[nodiscard]] std::string before() const;
  [[nodiscard]] std::string reply_note() const;
  static std::string difference(const mismatch& wrong);
  static std::string listed(const std::vector<boost::json::object>& events, std::size_t most);
  /// `parts`: what is expected and what came, for programs; without them the text is all there is to say.
  [[noreturn]] void fail(const std::string& text, boost::json::object parts = {}) const;

  const scenario& scenario_;
  scene& scene_;
  run_options options_;
  bool is_remote_;
  bool is_forgiving_;
  scenario_outcome outcome_;
  received received_;
  bindings bound_;
  bool reply_is_checked_ = true;
  const scenario_step* step_ = nullptr;
  std::size_t number_ = 0;
  milliseconds waited_{0};  ///< for what the current step is about
  std::string shown_text_;  ///< of a remote scene, that no step has expected yet
  std::deque<passed_event> passed_;
  std::optional<scene::reply> reply_;  ///< kept while commands of our own are answered
};

[[nodiscard]] std::string shown(const boost::json::value& v);

}  // namespace troupe::app

#include "core/run.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace troupe::core;

namespace {

constexpr std::array phases{run_phase::idle,      run_phase::calling_model, run_phase::running_tools, run_phase::parked,
                            run_phase::completed, run_phase::failed,        run_phase::cancelled};
constexpr std::array triggers{run_trigger::begin,       run_trigger::model_answered, run_trigger::model_asked,
                              run_trigger::model_broke, run_trigger::all_wait,       run_trigger::decided,
                              run_trigger::all_settled, run_trigger::steps_spent,    run_trigger::stop,
                              run_trigger::asked_again};

/// A machine in that phase, with one call where it has calls.
run_machine machine_in(run_phase phase, std::uint32_t max_steps) {
  run_machine m(max_steps);
  if (phase == run_phase::idle) return m;
  m.begin();
  if (phase == run_phase::running_tools || phase == run_phase::parked) m.model_ended(1);
  if (phase == run_phase::parked) m.call_waits(0);
  if (phase == run_phase::completed) m.model_ended(0);
  if (phase == run_phase::failed) m.model_failed();
  if (phase == run_phase::cancelled) m.stop();
  REQUIRE(m.phase() == phase);
  return m;
}

/// The input of the machine that a trigger stands for.
run_phase feed(run_machine& m, run_trigger on) {
  switch (on) {
    case run_trigger::begin:
      return m.begin();
    case run_trigger::model_answered:
      return m.model_ended(0);
    case run_trigger::model_asked:
      return m.phase() == run_phase::idle ? m.resume_calls({call_state::started}) : m.model_ended(1);
    case run_trigger::asked_again:
      return m.ask_again();
    case run_trigger::model_broke:
      return m.model_failed();
    case run_trigger::all_wait:
      return m.call_waits(0);
    case run_trigger::decided:
      return m.call_released(0);
    case run_trigger::all_settled:
    case run_trigger::steps_spent:
      return m.phase() == run_phase::idle ? m.begin() : m.call_settled(0);
    case run_trigger::stop:
      return m.stop();
  }
  return m.phase();
}

}  // namespace

TEST_CASE("run: every transition of the table is taken by the input it stands for") {
  for (const auto& t : run_transitions) {
    INFO(to_string(t.from) << " -> " << to_string(t.to));
    bool is_spent = t.on == run_trigger::steps_spent;
    auto m = t.from == run_phase::idle ? run_machine(is_spent ? 1 : 5, is_spent ? 1 : 0) : machine_in(t.from, is_spent ? 1 : 5);
    CHECK(feed(m, t.on) == t.to);
  }
}

TEST_CASE("run: a pair of phase and trigger stands in the table once, and nothing leaves an end") {
  std::set<std::pair<run_phase, run_trigger>> seen;
  for (const auto& t : run_transitions) {
    CHECK(seen.emplace(t.from, t.on).second);
    CHECK(t.from < run_phase::completed);
  }
  for (auto from : phases)
    for (auto on : triggers) CHECK(next_phase(from, on).has_value() == (seen.count({from, on}) == 1));
}

TEST_CASE("run: an ended run ignores every input") {
  for (auto end : {run_phase::completed, run_phase::failed, run_phase::cancelled}) {
    auto m = machine_in(end, 5);
    CHECK(m.is_over());
    for (auto on : triggers) CHECK(feed(m, on) == end);
  }
}

TEST_CASE("run: steps are counted from one and the limit ends the run after its last call") {
  run_machine m(2);
  CHECK(m.step() == 0);
  m.begin();
  CHECK(m.step() == 1);
  m.model_ended(1);
  CHECK(m.call_settled(0) == run_phase::calling_model);
  CHECK(m.step() == 2);
  m.model_ended(2);
  CHECK(m.call_settled(1) == run_phase::running_tools);
  CHECK(m.call_settled(1) == run_phase::running_tools);
  CHECK(m.call_settled(0) == run_phase::failed);
  CHECK(m.step() == 2);
}

TEST_CASE("run: to ask again takes a step, and fails the run that has none left") {
  run_machine m(2);
  CHECK(m.ask_again() == run_phase::idle);
  m.begin();
  CHECK(m.ask_again() == run_phase::calling_model);
  CHECK(m.step() == 2);
  CHECK(m.ask_again() == run_phase::failed);
  CHECK(m.step() == 2);
}

TEST_CASE("run: it is parked when every open call waits, and runs again when one is decided") {
  run_machine m(5);
  m.begin();
  m.model_ended(3);
  CHECK(m.call_waits(0) == run_phase::running_tools);
  CHECK(m.call_waits(2) == run_phase::running_tools);
  CHECK(m.call_settled(1) == run_phase::parked);
  CHECK(m.call_released(0) == run_phase::running_tools);
  CHECK(m.call_settled(0) == run_phase::parked);
  CHECK(m.call_settled(2) == run_phase::calling_model);
}

TEST_CASE("run: a step that is resumed goes on from the states its calls were found in") {
  CHECK(run_machine(5, 1).resume_calls({call_state::waiting, call_state::settled}) == run_phase::parked);
  CHECK(run_machine(5, 1).resume_calls({call_state::started, call_state::waiting}) == run_phase::running_tools);
  run_machine done(5, 1);
  CHECK(done.resume_calls({call_state::settled}) == run_phase::calling_model);
  CHECK(done.step() == 2);
  CHECK(run_machine(1, 1).resume_calls({call_state::settled}) == run_phase::failed);
}

TEST_CASE("run: inputs for calls that do not exist change nothing") {
  run_machine m(5);
  m.begin();
  m.model_ended(1);
  CHECK(m.call_settled(7) == run_phase::running_tools);
  CHECK(m.call_waits(7) == run_phase::running_tools);
  CHECK(m.call_released(7) == run_phase::running_tools);
}

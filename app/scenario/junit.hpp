// Results of scenarios as a JUnit report, for CI systems. Pure but for the file it writes.
#pragma once

#include "app/scenario/runner.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace troupe::app {

struct test_case {
  std::string file;
  scenario_outcome outcome;
  std::chrono::duration<double> took{0};
};

/// One `testcase` per scenario, named after its file.
[[nodiscard]] std::string junit_report(const std::vector<test_case>& cases);

}  // namespace troupe::app

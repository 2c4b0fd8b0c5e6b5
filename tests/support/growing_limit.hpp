// For tests whose subject is a time limit: what must come before it is shown with a short one where the machine is quick, and
// with a longer one where it is not. Header only.
#pragma once

#include <catch2/catch.hpp>

#include <chrono>
#include <exception>
#include <string>

namespace troupe::testing {

/// True once `holds(limit)` is: for `first`, or for four, sixteen or 64 times as much. A try that throws did not hold; why is
/// shown where none does.
template <class Try>
bool holds_with_some_limit(std::chrono::milliseconds first, Try holds) {
  std::string why;
  for (int factor = 1; factor <= 64; factor *= 4) {
    try {
      if (holds(first * factor)) return true;
    } catch (const std::exception& e) {
      why += std::string(why.empty() ? "" : "; ") + e.what();
    }
  }
  UNSCOPED_INFO("with limits from " << first.count() << " ms on: " << why);
  return false;
}

}  // namespace troupe::testing

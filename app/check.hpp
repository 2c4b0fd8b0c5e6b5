// `troupe check`: prints what storage::check finds.
#pragma once

#include <string>

namespace troupe::app {

struct check_options {
  std::string data = "./troupe-data";
  bool json = false;
};

/// 0: nothing found; 1: findings, or the folder cannot be read.
[[nodiscard]] int check(const check_options& options);

}  // namespace troupe::app

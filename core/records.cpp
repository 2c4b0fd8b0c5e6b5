#include "core/records.hpp"

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {

constexpr std::array<std::string_view, 7> run_status_names{"queued", "running",   "parked",  "completed",
                                                           "failed", "cancelled", "dequeued"};

}  // namespace

std::string_view to_string(run_status v) noexcept {
  return run_status_names[static_cast<std::size_t>(v) % run_status_names.size()];
}

std::optional<run_status> run_status_from(std::string_view text) noexcept {
  const auto* it = std::find(run_status_names.begin(), run_status_names.end(), text);
  if (it == run_status_names.end()) return std::nullopt;
  return static_cast<run_status>(it - run_status_names.begin());
}

}  // namespace troupe::core

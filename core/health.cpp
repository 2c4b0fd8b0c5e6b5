#include "core/health.hpp"

namespace troupe::core {

void status_board::set(std::string_view kind, std::string_view name, std::string_view state, bool is_ok) {
  std::lock_guard lock(mutex_);
  components_[{std::string(kind), std::string(name)}] = {std::string(kind), std::string(name), std::string(state), is_ok};
}

void status_board::count_tool_call(std::string_view tool, bool ok) {
  std::lock_guard lock(mutex_);
  auto known = calls_.find(tool);
  if (known == calls_.end()) {
    std::string name(calls_.size() < most_tools ? tool : std::string_view());
    known = calls_.try_emplace(name, tool_calls{name, 0, 0}).first;
  }
  ++(ok ? known->second.succeeded : known->second.failed);
}

std::vector<status_board::component> status_board::components() const {
  std::lock_guard lock(mutex_);
  std::vector<component> out;
  for (const auto& [key, c] : components_) out.push_back(c);
  return out;
}

std::vector<status_board::tool_calls> status_board::calls() const {
  std::lock_guard lock(mutex_);
  std::vector<tool_calls> out;
  for (const auto& [name, counts] : calls_) out.push_back(counts);
  return out;
}

}  // namespace troupe::core

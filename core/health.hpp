// How the parts of a server do that it can live without for a while: providers, sources of tools. Told by who owns the part,
// read by /readyz and /metrics. One per process, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::core {

class status_board {
 public:
  struct component {
    std::string kind;  ///< `provider` or `tools`
    std::string name;
    std::string state;  ///< a word (`open`), or what is wrong
    bool is_ok = true;
  };
  struct tool_calls {
    std::string tool;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
  };
  /// More tools than this are counted as one of no name: models make up names.
  static constexpr std::size_t most_tools = 500;

  void set(std::string_view kind, std::string_view name, std::string_view state, bool is_ok);
  void count_tool_call(std::string_view tool, bool ok);

  /// By kind and name.
  [[nodiscard]] std::vector<component> components() const;
  [[nodiscard]] std::vector<tool_calls> calls() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, component> components_;
  std::map<std::string, tool_calls, std::less<>> calls_;
};

}  // namespace troupe::core

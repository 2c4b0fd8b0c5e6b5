// Agents that people make over REST (docs/agents.md): their definitions, read as the configuration file is, what the
// catalogue begins with when the server starts, and where it finds former versions.
#pragma once

#include "core/config.hpp"
#include "core/health.hpp"
#include "storage/store.hpp"
#include "transport/agent_desk.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::app {

/// Reads against `config` and what its catalogue holds at that time. One thread at a time.
[[nodiscard]] std::shared_ptr<const transport::agent_parser> make_agent_parser(core::config_ptr config);

/// Fills `config.stored` before anything reads it. One that cannot be used does not stop the server: `board` has it, and the
/// texts that this gives are for the log. Cannot be read at all: `storage_unavailable`.
[[nodiscard]] core::result<std::vector<std::string>> load_stored_agents(const core::config& config, storage::queries& from,
                                                                        const transport::agent_parser& parser,
                                                                        core::status_board& board);

/// While it lives, `config.stored` finds versions that are not in memory in the store: those that runs began with which go on
/// after a crash, and those of recordings. One short read on the thread that asks, any of them.
class former_agents {
 public:
  former_agents(const core::config_ptr& config, std::unique_ptr<storage::queries> from);
  ~former_agents();
  former_agents(const former_agents&) = delete;
  former_agents& operator=(const former_agents&) = delete;

 private:
  struct reading;
  std::shared_ptr<core::agent_catalogue> catalogue_;
  std::shared_ptr<reading> reading_;
};

}  // namespace troupe::app

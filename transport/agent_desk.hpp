// Changes of the agents that are made over REST: checks them, has them stored and shows them to everybody (docs/agents.md).
// One change after the other, so that none is checked against what another is about to change. Owned by the gateway; io thread.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"
#include "core/health.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::transport {

class gateway;

struct agent_problem {
  std::string path;  ///< JSON pointer into the definition; empty: all of it
  std::string message;
};

/// Definitions of agents, as the configuration file has them. app/ knows them; any thread, one at a time.
class agent_parser {
 public:
  virtual ~agent_parser() = default;

  struct outcome {
    core::agent_ptr agent;  ///< null where there are problems
    std::vector<agent_problem> problems;
    core::agent_ptr shown;  ///< with problems: as much as could be read
  };
  [[nodiscard]] virtual outcome parse(const core::project_id& project, const core::agent_id& id,
                                      const boost::json::object& definition) const = 0;
  /// What stands in the configuration file, without what is so by default.
  [[nodiscard]] virtual boost::json::object definition_of(const core::agent_config& agent) const = 0;
};

inline constexpr std::size_t max_agent_definition = 256 << 10;
inline constexpr std::size_t max_stored_agents = 1'000;  ///< of a project, deleted ones too
inline constexpr std::uint32_t max_agent_versions = 1'000;
inline constexpr std::size_t max_agent_note = 2'000;

class agent_desk {
 public:
  agent_desk(gateway& way, std::shared_ptr<const agent_parser> parser, std::shared_ptr<core::status_board> board)
      : way_(way), parser_(std::move(parser)), board_(std::move(board)) {}

  struct change {
    std::string by;  ///< principal
    core::project_id project;
    core::agent_id agent;
    boost::json::object definition;
    std::string note;
    bool is_new = false;                  ///< else another version of what is there
    std::optional<std::uint32_t> edited;  ///< refused where another version is current
  };
  struct saved {
    core::result<void> result;
    std::vector<agent_problem> problems{};  ///< of an INVALID_AGENT
  };
  using then = std::function<void(saved)>;

  void save(change what, then done);
  /// One, or several that may name each other: all are deleted, in this order, or none where one cannot be. The store takes one
  /// after the other: what fails there leaves those before it deleted.
  void remove(std::string by, core::project_id project, std::vector<core::agent_id> agents, then done);
  /// What `save` would say of it.
  [[nodiscard]] std::vector<agent_problem> check(const core::project_id& project, const core::agent_id& id,
                                                 const boost::json::object& definition) const;
  [[nodiscard]] const agent_parser& parser() const noexcept { return *parser_; }

 private:
  static constexpr std::size_t most_waiting = 100;

  void next(std::function<void()> work, const then& done);
  void finish(const then& done, saved with);
  void save_now(const change& what, const then& done);
  struct removal {
    std::string by;
    core::project_id project;
    std::vector<core::agent_id> agents;
    then done;
  };
  void remove_now(const std::shared_ptr<const removal>& what);
  [[nodiscard]] core::result<void> may_remove(const removal& what, const core::agent_id& agent) const;
  void remove_from(const std::shared_ptr<const removal>& what, std::size_t at);
  void store(core::agent_version_record version, core::agent_ptr agent, std::function<void(core::result<void>)> then);

  gateway& way_;
  std::shared_ptr<const agent_parser> parser_;
  std::shared_ptr<core::status_board> board_;
  bool is_busy_ = false;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace troupe::transport

// Scenarios over REST (docs/scenarios.md, "From the console"): what the routes of scenarios.cpp ask of the program, which has
// the files and plays them. Made by app/. Any thread; answers come on a thread of its own.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/ids.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::transport {

/// A file of the folder, named from there.
struct scenario_entry {
  std::string file;
  std::string description;
  std::vector<std::string> tags;
  std::map<std::string, std::string> skip;  ///< mode → why it is not played in it
  std::string problem;                      ///< why it is no scenario; else empty
};

struct scenario_result {
  std::string file;
  std::string verdict;  ///< passed, failed or skipped
  double seconds = 0;
  std::int64_t events = 0;
  std::int64_t boundaries = 0;
  std::string hash;
  std::string text;                ///< how it failed, or why it was skipped
  boost::json::object divergence;  ///< where it failed; may be empty
};

struct scenario_request {
  std::optional<std::vector<std::string>> files;  ///< absent: all of the folder
  std::vector<std::string> tags;                  ///< only those that have all of them
  bool restart_every_step = false;
  std::string crash_at;  ///< a number, `every`, or empty
};

enum class scenario_run_status : std::uint8_t { running, completed, cancelled, failed };

struct scenario_run {
  std::string id;
  scenario_run_status status = scenario_run_status::running;
  core::millis started_at{0};
  std::optional<core::millis> ended_at;
  scenario_request request;
  std::size_t total = 0;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::string current;  ///< the file that is played
  std::string problem;  ///< why its status is failed
  std::vector<std::shared_ptr<const scenario_result>> results;

  [[nodiscard]] std::size_t done() const noexcept { return passed + failed + skipped; }
};

class scenario_service {
 public:
  template <class T>
  using then = std::function<void(core::result<T>)>;

  virtual ~scenario_service() = default;

  /// False: there is no folder; then only `record` may be called.
  [[nodiscard]] virtual bool is_configured() const = 0;
  /// Its last name.
  [[nodiscard]] virtual std::string folder() const = 0;
  virtual void list(then<std::vector<scenario_entry>> done) = 0;
  /// SCENARIO_RUN_ACTIVE while another goes on; VALIDATION_ERROR on a file that is not in the folder, or where none is left.
  virtual void start(scenario_request request, then<scenario_run> done) = 0;
  /// The last ones, newest first, without results.
  [[nodiscard]] virtual std::vector<scenario_run> runs() const = 0;
  [[nodiscard]] virtual std::optional<scenario_run> find(const std::string& id) const = 0;
  /// Id of the one that goes on.
  [[nodiscard]] virtual std::optional<std::string> active() const = 0;
  /// Ends it; nothing where it has ended or is not there.
  virtual void stop(const std::string& id) = 0;

  /// A session as a scenario: its text. BUSY while a run of it goes on, SESSION_NOT_RECORDABLE where it cannot be one,
  /// RATE_LIMITED while too many are made.
  virtual void record(core::session_id session, then<std::string> done) = 0;
};

}  // namespace troupe::transport

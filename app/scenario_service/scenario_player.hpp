// The scenarios of a serving process: lists and plays the configured folder with `troupe replay` as a child, one run at a time,
// and keeps the last runs in memory. Owned by serve(). Any thread; children live on the tools' thread, files are looked at and
// sessions are told by the blocking pool.
#pragma once

#include "app/record/redaction.hpp"
#include "app/scenario_service/corpus.hpp"
#include "app/scenario_service/replay_child.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"
#include "storage/store.hpp"
#include "tools/tool.hpp"
#include "transport/rest/scenario_service.hpp"

#include <atomic>
#include <deque>
#include <mutex>

namespace troupe::app {

struct scenario_player_options {
  std::filesystem::path folder;   ///< empty: none is configured
  std::filesystem::path scratch;  ///< this server's alone: what lies there when it starts is of one that was killed
  tools::process_host host;
  std::function<void(std::function<void()>)> run_blocking;
  std::shared_ptr<core::environment> environment;
  core::config_ptr config;
  std::shared_ptr<const tools::toolbox> tools;
  std::function<core::result<std::unique_ptr<storage::queries>>()> open_queries;
};

class scenario_player final : public transport::scenario_service, public std::enable_shared_from_this<scenario_player> {
 public:
  static constexpr std::size_t max_runs = 20;
  static constexpr std::chrono::seconds run_limit{600};
  static constexpr std::chrono::seconds list_limit{60};
  /// A list is kept while its files are as they were, up to so many bytes of it. A file that was written just now may be
  /// written again within the same tick of the file system's clock: what it says is not kept.
  static constexpr std::size_t max_kept_list = 8 << 20;
  static constexpr std::chrono::seconds settled_after{2};

  explicit scenario_player(scenario_player_options options);

  /// Kills what is played and refuses everything from then on. Waits; not on the thread of the host.
  void close();

  [[nodiscard]] bool is_configured() const override { return !options_.folder.empty(); }
  [[nodiscard]] std::string folder() const override;
  void list(then<std::vector<transport::scenario_entry>> done) override;
  void start(transport::scenario_request request, then<transport::scenario_run> done) override;
  [[nodiscard]] std::vector<transport::scenario_run> runs() const override;
  [[nodiscard]] std::optional<transport::scenario_run> find(const std::string& id) const override;
  [[nodiscard]] std::optional<std::string> active() const override;
  void stop(const std::string& id) override;
  void record(core::session_id session, then<std::string> done) override;

 private:
  using entries = std::vector<transport::scenario_entry>;
  struct choice {
    std::vector<std::string> files;  ///< in the order in which they are played
    entries broken;
  };

  struct kept_list {
    std::vector<file_stamp> stamps;
    entries told;  ///< of these files only; what is refused by its name or size is looked at each time
  };

  void begin_listing(core::result<corpus> found);
  void keep_list(std::vector<file_stamp> stamps, const entries& told, std::filesystem::file_time_type looked_at);
  [[nodiscard]] core::result<temporary_folder> make_scratch() const;
  void end_listing(const core::result<entries>& told);
  [[nodiscard]] static core::result<choice> choose(const transport::scenario_request& request, const entries& all);
  void begin_run(transport::scenario_run run, choice chosen, const then<transport::scenario_run>& done);
  void take(boost::json::object line);
  void end_run(int status, const std::string& trouble);
  void keep(transport::scenario_result result);
  void set_current();
  void give_up_slot();

  scenario_player_options options_;
  redaction hidden_;
  std::atomic<int> recording_{0};

  // Of the host's thread.
  std::unique_ptr<replay_child> lister_;
  std::unique_ptr<replay_child> player_;
  entries listed_;
  std::optional<kept_list> kept_;

  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::vector<then<entries>> waiting_;        ///< for the list that is being made
  bool is_taken_ = false;                     ///< a run goes on, or is about to
  bool is_stopped_ = false;                   ///< it was asked to end
  std::deque<transport::scenario_run> runs_;  ///< newest first; the one that goes on is the first
  std::vector<std::string> order_;            ///< files of the run that goes on
  std::size_t played_ = 0;                    ///< of them
  std::size_t kept_bytes_ = 0;                ///< of its results
};

}  // namespace troupe::app

// `troupe serve --record DIR`: a scenario file for every session that is used while the server runs. It listens to what
// sessions show, for the times of their text and to know when a run has ended, and makes each file anew from the log then.
// What the log lacks comes from taps (live_log.hpp). Owned by serve(); has a thread of its own.
#pragma once

#include "actors/event_sink.hpp"
#include "app/record/live_log.hpp"
#include "app/record/session_record.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace troupe::app {

struct recorder_options {
  std::filesystem::path folder;
  core::config_ptr config;
  std::shared_ptr<const tools::toolbox> tools;
  std::string made_by;
};

class recorder final : public actors::event_sink, public std::enable_shared_from_this<recorder> {
 public:
  /// Makes the folder; one that cannot be written is a `configuration_error`. `queries` are the recorder's own.
  [[nodiscard]] static core::result<std::shared_ptr<recorder>> open(recorder_options options,
                                                                    std::unique_ptr<storage::queries> queries);
  ~recorder() override;

  /// Adds itself to the watchers of every dialect.
  void watch(std::map<std::string, std::vector<actors::event_sink_ptr>>& watchers);
  /// What the taps tell.
  [[nodiscard]] const std::shared_ptr<live_log>& live() const noexcept { return live_; }
  /// Writes what is not written yet and ends the thread. After the actors have stored everything; idempotent.
  void stop();

  void deliver(core::event_batch_ptr batch) noexcept override;

 private:
  recorder(recorder_options options, std::unique_ptr<storage::queries> queries);
  void work();
  void write(const core::session_id& session);

  recorder_options options_;
  redaction hidden_;
  std::unique_ptr<storage::queries> queries_;  ///< of the thread
  std::shared_ptr<live_log> live_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::set<core::session_id> ended_;    ///< a run of these has ended: they are written soon
  std::set<core::session_id> touched_;  ///< changed since they were written
  std::map<core::session_id, text_times> times_;
  std::size_t time_count_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace troupe::app

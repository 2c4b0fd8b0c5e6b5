// A whole server without network on CAF's test scheduler, with one session: what a scenario is played on. It moves only
// when told, in a defined order; it can be stopped and started, or crash. Owned by the runner (or a test); one thread.
#pragma once

#include "app/actor_stack.hpp"
#include "app/scenario/crash_gate.hpp"
#include "app/scenario/recorded_tools.hpp"
#include "app/scenario/scene.hpp"
#include "app/scenario/temporary_folder.hpp"
#include "app/scenario/virtual_world.hpp"
#include "core/command.hpp"
#include "providers/recorded.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

/// What a recording brings: its model's answers and its tools' results, in the place of a script and of real tools.
struct stage_parts {
  providers::recording_ptr recording;
  std::shared_ptr<const recorded_calls> calls;
};

class stage final : public scene {
 public:
  /// The session is open; its session_created has been seen.
  [[nodiscard]] static core::result<std::unique_ptr<stage>> open(core::config_ptr config, stage_parts parts = {});
  ~stage() override;
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Each of these ends when nothing is left to do at this moment of the clock, or the process has crashed. An error is a
  /// defect: a livelock, an actor that does not end, a store that cannot be read.
  [[nodiscard]] core::result<void> send(core::principal by, core::command command) override;
  [[nodiscard]] core::result<void> advance(std::chrono::milliseconds by) override;
  [[nodiscard]] core::result<std::optional<std::chrono::milliseconds>> advance_to_next(std::chrono::milliseconds most) override;
  [[nodiscard]] core::result<void> restart() override;
  [[nodiscard]] core::result<void> crash() override;
  void crash_before(std::string kind) override { gate_->arm(std::move(kind)); }
  [[nodiscard]] bool awaits_crash() const noexcept override { return gate_->armed().has_value(); }

  [[nodiscard]] std::vector<core::event> take_events() override;
  [[nodiscard]] const std::optional<reply>& last_reply() const noexcept override { return *reply_; }
  [[nodiscard]] std::uint32_t starts() const noexcept override { return starts_; }

  /// Called before time moves; the default is not to wait.
  void on_time(std::function<void(std::chrono::milliseconds)> f) { on_time_ = std::move(f); }
  [[nodiscard]] crash_gate& gate() noexcept { return *gate_; }

  [[nodiscard]] const core::session_id& session() const noexcept { return session_; }
  [[nodiscard]] storage::store& store() noexcept { return *gate_; }
  [[nodiscard]] virtual_environment& environment() noexcept { return *environment_; }

  // ---- for tests of races: each does one thing only ----

  /// Sends without running anything. The reply comes into what it answers, and is `last_reply`.
  std::shared_ptr<const std::optional<reply>> post(core::principal by, core::command command);
  /// At most so many jobs of the scheduler; false when there was none left.
  bool run_some(std::size_t jobs);
  /// The disk is full for the next commits.
  void fill_disk(std::size_t commits) { gate_->refuse(commits); }
  /// Time passes, timers of actors are due; nothing runs.
  void elapse(std::chrono::milliseconds by);
  [[nodiscard]] core::result<void> settle();

 private:
  class client;
  struct settings : caf::actor_system_config {
    settings();
  };
  struct process {
    settings config;
    caf::actor_system system{config};
    std::unique_ptr<actor_stack> stack;
    actors::listener_actor listener;
  };

  stage() = default;
  [[nodiscard]] caf::scheduler::test_coordinator& scheduler() const;
  [[nodiscard]] core::result<void> start();
  [[nodiscard]] core::result<void> stop();
  void attach();
  [[nodiscard]] core::result<void> run_until_idle();
  void run_blocking(std::function<void()> f);
  /// Moves to the next moment at which something is due, or to `until`. False: nothing is due up to it.
  [[nodiscard]] core::result<bool> move_time(core::millis until);

  core::config_ptr config_;
  stage_parts parts_;
  core::session_id session_;
  temporary_folder workspaces_;
  std::shared_ptr<virtual_environment> environment_ = std::make_shared<virtual_environment>();
  virtual_timers timers_{*environment_};
  work_queue work_;
  std::unique_ptr<crash_gate> gate_;
  std::shared_ptr<const tools::toolbox> tools_;
  std::shared_ptr<client> client_;
  /// Shared with the function that a reply goes to, which may come after the next command.
  std::shared_ptr<std::optional<reply>> reply_ = std::make_shared<std::optional<reply>>();
  std::unique_ptr<process> process_;
  std::uint32_t starts_ = 0;
  std::function<void(std::chrono::milliseconds)> on_time_;
  std::vector<std::unique_ptr<core::timer>> pauses_;  ///< of recorded tools
};

}  // namespace troupe::app

// One conversation. Alone gives events their seqs, has them stored, and shows them to its sinks in order: what must be
// durable first waits for its commit, text is shown at once. Woken by the directory, retires when it has nothing to do.
#pragma once

#include "actors/services.hpp"
#include "actors/session_log.hpp"
#include "core/history.hpp"
#include "core/turn.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::actors {

struct session_state {
  struct current_run {
    core::run_id run;
    core::message_id message;
    core::message_options options;
    agent_loop_actor loop;         ///< null while the history is read
    std::optional<stop_run> stop;  ///< asked for before there was a loop
    core::principal by{};          ///< who sent the message; after a restart known with the history
    core::agent_ptr agent{};       ///< as it was when the run began
  };
  enum class life { loading, awake, resting, retiring };

  services_ptr services;
  directory_actor directory;
  core::session_id id;
  life phase = life::loading;
  bool is_used = false;  ///< a command came since it woke
  /// What came while loading or retiring: carried out here, by the next incarnation, or not at all.
  struct deferred_request {
    std::function<void()> run;
    std::function<void()> forward;
    std::function<void(const caf::error&)> refuse;
  };
  std::vector<deferred_request> deferred;

  core::session_record record;  ///< nil project: not created yet
  std::vector<event_sink_ptr> sinks;

  session_log log;
  bool flush_armed = false;

  std::optional<current_run> run;
  core::turn turn;
  std::vector<core::event_batch_ptr> live_run;  ///< published batches of the run in flight; empty between runs
  bool run_is_visible = false;                  ///< its run_started is published, its end is not
  std::map<core::approval_id, approval_actor> approvals;
  std::deque<core::session_state::queued> queue;
  core::history history;
  bool history_loaded = false;
  std::vector<core::event> history_backlog;  ///< while the history is lent to the loop
  std::uint32_t model_calls = 0;
  std::unordered_map<std::string, core::message_accepted> recent_messages;  ///< by client message id
  /// Reactions that changed lately, maybe not on disk yet: message, emoji and principal → is there.
  std::map<std::tuple<core::message_id, std::string, std::string>, bool> recent_reactions;
  /// The same of what people thought of answers: message and principal → what they said last.
  std::map<std::pair<core::message_id, std::string>, std::pair<core::rating, std::string>> recent_feedback;
  title_actor title_writer;             ///< null: none is at work
  std::vector<core::attachment> files;  ///< of the session, once `files_loaded`
  bool files_loaded = false;
  core::millis last_activity{0};
};

session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self, services_ptr services,
                                     directory_actor directory, core::session_id id, std::vector<event_sink_ptr> sinks);

}  // namespace troupe::actors

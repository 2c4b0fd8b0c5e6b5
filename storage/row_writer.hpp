// Writes what a projection holds into its tables, with prepared statements. Owned by the journal, inside its transaction.
#pragma once

#include "storage/connection.hpp"
#include "storage/projection.hpp"

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

namespace troupe::storage {

class row_writer {
 public:
  explicit row_writer(connection& c);
  ~row_writer();

  /// Everything of `p` that is not stored yet; a new session learns its number. See session_projection::let_go_of_finished.
  void write(session_projection& p);
  void write_event(std::int64_t session, const core::event& e);
  /// The sums by day and agent of what `write` wrote; once per transaction.
  void write_days();
  /// After a rollback: what was counted or thought known is not.
  void forget();

 private:
  struct statements;
  struct agent_seen {
    std::string provider;
    std::string model;
    std::uint64_t config_hash = 0;
    core::millis at{0};
  };
  struct day_sum {
    core::micro_usd cost;
    std::int64_t tokens = 0;
    std::int64_t requests = 0;
  };

  void write_session(session_projection& p);
  void write_runs(session_projection& p);
  void write_messages(const session_projection& p);
  void write_clearings(const session_projection& p);
  void write_participants(const session_projection& p);
  void write_files(const session_projection& p);
  void write_reactions(const session_projection& p);
  void write_feedback(const session_projection& p);
  void write_alerts(const session_projection& p);
  void write_calls(const session_projection& p);
  void write_approvals(const session_projection& p);
  void write_outputs(const session_projection& p);
  void write_grants(const session_projection& p);
  void write_usage(const session_projection& p);
  void see_agent(const run_row& row, const session_projection& p);

  connection& c_;
  std::unique_ptr<statements> sql_;
  std::map<std::pair<core::project_id, core::agent_id>, agent_seen> agents_;
  std::map<std::tuple<core::project_id, std::int64_t, core::agent_id>, day_sum> days_;  ///< by days since the epoch
};

}  // namespace troupe::storage

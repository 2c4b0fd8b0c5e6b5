// The single writer (store.hpp's `journal`): events and, in the same transaction, every table made from them. Owned by
// the store, used by the persistence actor's thread.
#pragma once

#include "storage/connection.hpp"
#include "storage/projection.hpp"
#include "storage/row_writer.hpp"
#include "storage/store.hpp"

#include <unordered_map>
#include <vector>

namespace troupe::storage {

class sqlite_journal final : public journal, private row_source {
 public:
  /// `c` has the current schema and outlives the journal.
  explicit sqlite_journal(connection& c) : c_(c), rows_(c) {}

  [[nodiscard]] core::result<void> commit(std::span<const append> appends) override;
  [[nodiscard]] core::result<void> store_agent(const core::agent_version_record& version) override;

 private:
  struct kept_session {
    session_projection rows;
    bool is_touched = false;  ///< by the commit under way
  };

  std::optional<run_row> find_run(core::run_id id) override;
  std::optional<message_row> find_message(core::session_id session, core::message_id id) override;

  void write(std::span<const append> appends);
  kept_session& session_of(const core::event_batch& batch);
  void load(session_projection& p);

  connection& c_;
  row_writer rows_;
  /// What the next events of recently written sessions may change; dropped as a whole after a failure.
  std::unordered_map<core::session_id, kept_session> sessions_;
  std::vector<kept_session*> touched_;
};

}  // namespace troupe::storage

#include "app/record/session_record.hpp"

#include <algorithm>
#include <fstream>

namespace troupe::app {

using core::errc;
using core::error;

namespace {

constexpr std::size_t rows_at_once = 5'000;

/// Of all files of a session together: a recording is read as a whole.
constexpr std::int64_t max_recorded_files = 8 << 20;

bool is_text(const core::event& e) { return e.as<core::text_delta>() || e.as<core::reasoning_delta>(); }

void add_cut(std::vector<core::event>& to, core::event e, const text_times& times) {
  if (!is_text(e)) return to.push_back(std::move(e));
  if (auto exact = times.find(e.first); exact != times.end()) e.at = exact->second;
  for (auto next = times.upper_bound(e.first); next != times.end() && next->first <= e.seq; next = times.upper_bound(e.first)) {
    to.push_back(core::head_upto(e, next->first - 1));
    e = core::tail_after(e, next->first - 1);
    e.at = next->second;
  }
  to.push_back(std::move(e));
}

}  // namespace

core::result<std::vector<core::event>> read_log(storage::queries& from, core::session_id session, const text_times& times,
                                                std::size_t most) {
  std::vector<core::event> out;
  try {
    for (core::seq_t after = 0;;) {
      auto rows = from.events(session, after, static_cast<core::seq_t>(-1) >> 1U, rows_at_once);
      for (auto& e : rows) add_cut(out, std::move(e), times);
      if (rows.size() < rows_at_once) return out;
      after = out.back().seq;
      if (out.size() > most)
        return error{errc::payload_too_large, "session " + session.str() + " has more than " + std::to_string(most) +
                                                  " events; that is too long for a recording"};
    }
  } catch (const core::bad_result& e) {
    return error{errc::storage_unavailable, "reading session " + session.str() + ": " + e.what()};
  }
}

std::map<core::file_id, std::shared_ptr<const std::string>> read_files(storage::queries& from,
                                                                       const std::vector<core::event>& log,
                                                                       core::session_id session) {
  std::map<core::file_id, std::shared_ptr<const std::string>> out;
  std::int64_t left = max_recorded_files;
  for (const auto& e : log) {
    const auto* added = e.as<core::file_added>();
    if (!added || added->file.size > static_cast<std::int64_t>(max_recorded_file_bytes) || added->file.size > left) continue;
    try {
      if (auto record = from.file(session, added->file.file)) out[added->file.file] = std::move(record->data);
      left -= added->file.size;
    } catch (const core::bad_result&) {
      // One file less: the recording says that it was left out.
    }
  }
  return out;
}

std::shared_ptr<const core::agent_config> agent_of(const std::vector<core::event>& log, const core::config& config) {
  std::shared_ptr<const core::agent_config> agent;
  core::project_id project;
  for (const auto& e : log) {
    if (const auto* created = e.as<core::session_created>()) project = created->project;
    const auto* run = e.as<core::run_started>();
    if (!run) continue;
    if (!agent) agent = config.find_agent(project, run->agent, run->config_hash);
    if (!agent || agent->hash != run->config_hash || agent->id != run->agent) return nullptr;
  }
  return agent;
}

core::result<void> write_file(const std::filesystem::path& file, std::string_view text) {
  auto wrong = [&](const std::string& why) {
    return error{errc::storage_unavailable, file.string() + ": cannot be written: " + why};
  };
  auto beside = file;
  beside += ".part";
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush()) return wrong("is the folder there, and is there room on the disk?");
  }
  std::error_code failure;
  std::filesystem::rename(beside, file, failure);
  if (failure) return wrong(failure.message());
  return {};
}

}  // namespace troupe::app

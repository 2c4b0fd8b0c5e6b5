#include "app/record/session_record.hpp"

#include <algorithm>
#include <fstream>

namespace troupe::app {

using core::errc;
using core::error;

namespace {

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
                                                log_limits most) {
  std::vector<core::event> out;
  std::size_t bytes = 0;
  bool is_over = false;
  try {
    from.each_event(session, 0, [&](core::event e, std::size_t size) {
      bytes += size;
      if (bytes <= most.bytes) add_cut(out, std::move(e), times);
      is_over = bytes > most.bytes || out.size() > most.events;
      return !is_over;
    });
  } catch (const core::bad_result& e) {
    return error{errc::storage_unavailable, "reading session " + session.str() + ": " + e.what()};
  }
  if (!is_over) return out;
  auto what = bytes > most.bytes ? std::to_string(most.bytes) + " bytes in its log" : std::to_string(most.events) + " events";
  return error{errc::payload_too_large,
               "session " + session.str() + " has more than " + what + "; that is too long for a recording"};
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

#include "app/scenario_service/session_scenario.hpp"

#include "app/record/session_record.hpp"

#include <set>

namespace troupe::app {

using core::errc;
using core::error;

namespace {

bool has_open_run(const std::vector<core::event>& log) {
  std::set<core::run_id> open;
  for (const auto& e : log) {
    if (const auto* begun = e.as<core::run_started>()) open.insert(begun->run);
    if (const auto* end = e.as<core::run_completed>()) open.erase(end->run);
    if (const auto* end = e.as<core::run_failed>()) open.erase(end->run);
    if (const auto* end = e.as<core::run_cancelled>()) open.erase(end->run);
  }
  return !open.empty();
}

error as_not_recordable(const error& e) {
  bool is_about_session = e.code == errc::validation_error || e.code == errc::payload_too_large;
  return is_about_session ? error{errc::session_not_recordable, e.text} : e;
}

}  // namespace

core::result<std::string> scenario_of_session(storage::queries& from, core::session_id session, const core::config& config,
                                              const tools::toolbox* tools, const redaction& hidden) {
  auto log = read_log(from, session, {}, {max_downloaded_events, max_downloaded_bytes});
  if (!log) return as_not_recordable(log.error());
  if (has_open_run(*log))
    return error{errc::busy, "A run of this session is going on; it can be told as a scenario when it has ended."};
  recording_source source;
  source.agent = agent_of(*log, config);
  source.files = read_files(from, *log, session);
  source.log = std::move(*log);
  source.tools = tools;
  source.made_by = "troupe " TROUPE_VERSION;
  auto text = make_recording(std::move(source), hidden);
  if (!text) return as_not_recordable(text.error());
  if (text->size() > max_downloaded_bytes)
    return error{errc::session_not_recordable,
                 "As a scenario the session has more than " + std::to_string(max_downloaded_bytes) + " bytes."};
  return text;
}

}  // namespace troupe::app

// Stored records as the JSON objects of the REST API (PROTOCOLS §1.6). Pure functions, any thread.
#pragma once

#include "core/command.hpp"
#include "core/config.hpp"
#include "core/records.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace troupe::transport {

[[nodiscard]] boost::json::object project_json(const core::project_config& p, std::size_t agents);
/// Without the instructions: they may hold what users are not meant to read.
[[nodiscard]] boost::json::object agent_json(const core::agent_config& a, bool is_default);
/// One that was made over REST and is not deleted; with `problem` where it cannot be used.
[[nodiscard]] boost::json::object agent_json(const core::agent_id& id, const core::project_id& project,
                                             const core::stored_agent& stored);
[[nodiscard]] boost::json::object tool_json(const core::tool_record& t);
[[nodiscard]] boost::json::object session_json(const core::session_record& s);
[[nodiscard]] boost::json::object approval_json(const core::approval_record& a);
/// `now` tells whether it holds.
[[nodiscard]] boost::json::object grant_json(const core::grant_record& g, core::millis now);
/// A call with its result; without its session.
[[nodiscard]] boost::json::object tool_call_json(const core::tool_call_record& c);
[[nodiscard]] boost::json::object file_json(const core::file_record& f);
[[nodiscard]] boost::json::object queued_json(const core::session_state::queued& q, std::size_t position);
/// `root` is the span of the run.
[[nodiscard]] boost::json::object trace_json(const core::span_record& root, const core::project_id& project);
[[nodiscard]] boost::json::object span_json(const core::span_record& s);
[[nodiscard]] boost::json::object usage_day_json(const core::usage_day& d);

[[nodiscard]] boost::json::object feedback_json(core::message_id message, const core::message_record::opinion& f);

/// Messages with their calls, each call with its result where there is one. `results` are those of the session, in order.
[[nodiscard]] boost::json::array messages_json(const std::vector<core::message_record>& messages,
                                               const std::vector<core::tool_call_record>& results);

/// What a caller is told who decided too late: who won, and how.
[[nodiscard]] core::error lost_decision(const core::approval_settled& winner);
/// `record`: as it is stored, where it is at hand.
[[nodiscard]] boost::json::object winner_json(const core::approval_settled& winner, const core::approval_record* record);

/// 32 hex digits, as the API writes trace ids, or the form with dashes.
[[nodiscard]] std::optional<core::trace_id> parse_trace_id(std::string_view text);

}  // namespace troupe::transport

// The log of a session as far as the REST API of its server tells it (`GET /sessions/{id}/export`): frames have no times, and
// the facts without a frame are not there. Times come from messages, approvals and traces; what streamed between two of them is
// spread evenly. The history begins after the last clearing.
#pragma once

#include "core/config.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::app {

class rest_client;

struct remote_log {
  std::vector<core::event> events;
  std::shared_ptr<const core::agent_config> agent;  ///< what of it is told, as it is set up now
  std::map<core::file_id, std::shared_ptr<const std::string>> files;
};

/// An error names the server, and what it answered.
[[nodiscard]] core::result<remote_log> read_remote_log(rest_client& from, const std::string& session);

/// The events of an export. `traces` by id, each with its spans; `effect_of` knows the tools. Pure.
[[nodiscard]] std::vector<core::event> events_of_export(const boost::json::object& document,
                                                        const std::map<std::string, boost::json::object>& traces,
                                                        const std::function<core::effect(const std::string&)>& effect_of);

}  // namespace troupe::app

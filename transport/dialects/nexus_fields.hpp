// The fields of nexus frames that other dialects send under names of their own (PROTOCOLS §4, §5: "nexus payloads plus
// conversationId"). Pure functions, any thread.
#pragma once

#include "core/event.hpp"

#include <boost/json/object.hpp>

namespace troupe::transport {

[[nodiscard]] boost::json::object tool_start_fields(const core::tool_started& m);
[[nodiscard]] boost::json::object tool_complete_fields(const core::tool_completed& m);
[[nodiscard]] boost::json::object approval_card_fields(const core::approval_requested& m);
[[nodiscard]] boost::json::object approval_decided_fields(const core::approval_decided& m);

}  // namespace troupe::transport

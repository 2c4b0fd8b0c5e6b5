// The fields of nexus frames that other dialects send under names of their own (PROTOCOLS §4, §5: "nexus payloads plus
// conversationId"). Pure functions, any thread.
#pragma once

#include "core/command.hpp"
#include "core/turn.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace troupe::transport {

[[nodiscard]] boost::json::object tool_start_fields(const core::tool_started& m);
[[nodiscard]] boost::json::object tool_complete_fields(const core::tool_completed& m);
/// As it is asked: nobody has approved yet.
[[nodiscard]] boost::json::object approval_card_fields(const core::approval_requested& m);
/// For who comes later: with those of several who have approved already.
[[nodiscard]] boost::json::object open_card_fields(const core::turn& turn, const core::approval_requested& open);
/// `turn` has seen the event.
[[nodiscard]] boost::json::object approval_endorsed_fields(const core::turn& turn, const core::approval_endorsed& m);
[[nodiscard]] boost::json::object approval_decided_fields(const core::approval_decided& m);
/// For who decided too late: the winner's decision.
[[nodiscard]] boost::json::object approval_decided_fields(const core::approval_settled& winner);

/// What a person may say of a call whose outcome is unknown: retry, done, failed.
[[nodiscard]] boost::json::array outcome_choices();

}  // namespace troupe::transport

// What people say to an open approval, as every dialect and REST take it: {approved | choice | answer, note?, editedInput?,
// remember?, argumentsHash?}. Pure functions, any thread.
#pragma once

#include "core/access.hpp"
#include "core/command.hpp"
#include "core/records.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace troupe::transport {

/// A field of a client's object that is not what it should be.
struct field_problem {
  std::string path;     ///< `remember.when[1].argument`
  std::string message;  ///< what was expected, without a full stop: `must be …`
  core::errc code = core::errc::validation_error;
};
/// As sockets tell it: `Field "x" must be ….`
[[nodiscard]] core::error to_error(const field_problem& problem);

struct given_decision {
  core::decide_approval what;      ///< its approval is for the caller to set, where the client named one
  bool remembers_exactly = false;  ///< the arguments of the call, which only its approval knows
};

/// Nothing, and `problem` says why, where it is not a decision.
[[nodiscard]] std::optional<given_decision> read_decision(const boost::json::object& o, field_problem& problem);

/// For this approval; nothing where its kind takes other answers, or `by` may not remember so much.
[[nodiscard]] std::optional<core::decide_approval> decision_on(const core::approval_record& approval, given_decision given,
                                                               const core::principal& by, field_problem& problem);

}  // namespace troupe::transport

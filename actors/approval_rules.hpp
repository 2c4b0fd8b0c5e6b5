// When a decision counts, and what it comes to (docs/approvals.md). Pure: no actors, no clock.
#pragma once

#include "core/command.hpp"
#include "core/event.hpp"
#include "tools/tool.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// What is to be approved, as it stands: people may edit it and must then agree on the edit.
struct proposal {
  std::string edited_input;     ///< JSON text; empty: as the model asked
  std::string arguments_hash;   ///< of what would run
  std::vector<std::string> by;  ///< who has approved exactly this

  [[nodiscard]] static proposal of(const core::approval_requested& request);
  /// Approves it, or another edit of it, which starts over: earlier approvals were of something else. False: this person's
  /// approval counts already.
  bool endorse(const std::string& who, const std::string& edit, const std::string& hash);
  /// The same as it is found in the log.
  void endorse(const core::approval_endorsed& known);
};

/// A decision that counts, for the log.
struct settlement {
  core::approval_decided decided;
  std::optional<core::grant_given> grant;  ///< without id
};

/// `tool` is asked for only where arguments were edited. Errors: FORBIDDEN; APPROVAL_NOT_PENDING where the person looked at
/// other arguments; VALIDATION_ERROR.
[[nodiscard]] core::result<settlement> settlement_of(const core::approval_requested& request, const proposal& standing,
                                                     const core::decide_approval& said, const core::principal& by,
                                                     const std::function<tools::tool_ptr()>& find_tool, core::millis now);

/// Nobody decided in time.
[[nodiscard]] core::approval_decided expiry_of(const core::approval_requested& request);

}  // namespace troupe::actors

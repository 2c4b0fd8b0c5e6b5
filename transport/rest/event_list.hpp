// A session's frames as one list (PROTOCOLS §1.5): what `Accept: application/json` gets instead of the stream. Reads the
// log page by page on the connection's io thread; keeps only the frames that are asked for.
#pragma once

#include "transport/rest/rest.hpp"

namespace troupe::transport {

/// Answers `call` with the frames of the events after `after`; `w` counts frames.
void list_events(const rest_call_ptr& call, core::session_id session, core::seq_t after, core::window w);

}  // namespace troupe::transport

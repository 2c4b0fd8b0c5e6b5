// Idempotency-Key on requests that send a message (PROTOCOLS §1.6). The key of one principal on one route becomes the client's
// id of the message, which its session keeps: so a repeat is known after a crash too, and for as long as the session lives.
#pragma once

#include "core/command.hpp"
#include "core/records.hpp"

#include <string>
#include <string_view>

namespace troupe::transport {

class rest_call;

/// The client message id that stands for the request's key; empty where it has none.
[[nodiscard]] std::string idempotent_id(const rest_call& call);
/// Such ids are not the client's own: they are not shown.
[[nodiscard]] bool is_idempotent_id(std::string_view client_message_id) noexcept;
/// The session that the request with this key makes: the same every time.
[[nodiscard]] core::session_id idempotent_session(const rest_call& call);

/// False where a key comes back with another message than it was used for before.
[[nodiscard]] bool is_same_message(const core::message_record& before, const core::send_message& now);
[[nodiscard]] core::error reused_key();

}  // namespace troupe::transport

// What a `chat-room` client sends, as commands, and what the server remembers of it over a lost connection. Pure.
#pragma once

#include "core/command.hpp"
#include "transport/decision.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

/// One event of the client until it is dealt with.
struct room_event {
  std::string name;
  boost::json::value payload;  ///< its first argument; null: none
  std::optional<std::uint64_t> ack;
  std::string conversation;  ///< as the client wrote it

  /// Null also where the field is null.
  [[nodiscard]] const boost::json::value* field(std::string_view key) const;
};

/// VALIDATION_ERROR naming the field.
[[nodiscard]] core::result<std::string> conversation_of(const room_event& e);
[[nodiscard]] core::result<core::send_message> message_of(const room_event& e);
/// Its approval is set.
[[nodiscard]] core::result<given_decision> decision_of(const room_event& e);
[[nodiscard]] core::result<core::react> reaction_of(const room_event& e);
[[nodiscard]] core::result<bool> flag_of(const room_event& e, std::string_view key);

/// A session that a client follows.
struct room_state {
  bool joined = false;             ///< else it only sent to it
  bool exists = false;             ///< there is such a session, and this client may see it
  std::optional<core::seq_t> seq;  ///< where it was when it came
  std::uint64_t used = 0;          ///< rises with every use
};
using room_states = std::map<core::session_id, room_state>;

/// For client_protocol::recovery_state.
[[nodiscard]] std::string to_text(const room_states& rooms);
/// The inverse, each with the place that `offset` tells, at most `limit`. Without `state`: the sessions of the offset, all
/// joined. Nothing where neither can be read.
[[nodiscard]] std::optional<room_states> recovered_rooms(const std::optional<std::string>& state, std::string_view offset,
                                                         std::size_t limit);

}  // namespace troupe::transport

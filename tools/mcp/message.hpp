// JSON-RPC 2.0 as MCP speaks it: one message out of bytes that a server sent, and the bytes of ours. Pure functions, any
// thread. Ids of our requests are integers above 0; those of a server's requests are whatever it likes and go back as they
// came.
#pragma once

#include "core/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools::mcp {

/// Of one message, either way.
inline constexpr std::size_t max_message_bytes = 8 << 20;
inline constexpr std::size_t max_message_depth = 64;
/// Of one array of messages (protocol version 2025-03-26 has them).
inline constexpr std::size_t max_batch = 1'000;

/// Numbers of the JSON-RPC and MCP specifications.
namespace rpc {
inline constexpr std::int64_t method_not_found = -32601;
inline constexpr std::int64_t invalid_params = -32602;
inline constexpr std::int64_t header_mismatch = -32020;
inline constexpr std::int64_t missing_capability = -32021;
inline constexpr std::int64_t unsupported_version = -32022;
inline constexpr std::int64_t url_elicitation_required = -32042;
}  // namespace rpc

struct message {
  enum class kind : std::uint8_t { request, notification, result, error };
  kind is = kind::notification;
  std::int64_t id = 0;         ///< of a result or error: that of our request; 0 where it is none of ours
  boost::json::value peer_id;  ///< of a request
  std::string method;          ///< of a request or notification
  boost::json::object params;  ///< of a request or notification; empty where there are none
  boost::json::object result;  ///< of a result
  std::int64_t code = 0;       ///< of an error
  std::string text;            ///< of an error, bounded plain text
  boost::json::value data;     ///< of an error
};

/// One message, or a batch of them. A `parse_error` says what is wrong with the text; it quotes nothing of it.
[[nodiscard]] core::result<std::vector<message>> parse_messages(std::string_view text);

[[nodiscard]] std::string request_text(std::int64_t id, std::string_view method, boost::json::object params);
[[nodiscard]] std::string notification_text(std::string_view method, boost::json::object params);
[[nodiscard]] std::string result_text(boost::json::value peer_id, boost::json::object result);
[[nodiscard]] std::string error_text(boost::json::value peer_id, std::int64_t code, std::string_view text);

/// `text` as people and models may read it: without NUL, at most `bytes` bytes of valid UTF-8.
[[nodiscard]] std::string readable(std::string_view text, std::size_t bytes);

/// Members of an object, where they are there and of that kind; else null or the empty text.
[[nodiscard]] const boost::json::object* object_at(const boost::json::object& from, std::string_view key);
[[nodiscard]] std::string_view text_at(const boost::json::object& from, std::string_view key);

}  // namespace troupe::tools::mcp

// What an upstream says went wrong, out of whichever shape it uses, and whether the same request may be sent again. Pure;
// shared by the adapters that speak HTTP.
#pragma once

#include <boost/json/fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers {

struct upstream_error {
  std::string text;  ///< bounded, one line; empty: it said nothing
  bool retryable = false;
};

/// Nothing when `body` holds no error. `name` is that of the SSE event.
[[nodiscard]] std::optional<upstream_error> upstream_error_of(const boost::json::value& body, std::string_view name = {});
/// Of a response that is not 2xx; `body` may be cut or be no JSON at all.
[[nodiscard]] upstream_error upstream_error_of_response(long status, std::string_view body);
/// Whether the official clients of OpenAI and Anthropic would send the request again after this status.
[[nodiscard]] bool is_retryable_status(long status) noexcept;

}  // namespace troupe::providers

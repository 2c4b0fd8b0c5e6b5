// What went wrong between us and a model API, in words that name the remedy, and whether the same request may be sent again.
// Shared by the adapters that reach the network, so that a failure reads the same over HTTP and WebSocket. Pure; any thread.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"
#include "providers/curl_loop.hpp"

#include <string>
#include <string_view>

namespace troupe::providers {

struct call_failure {
  core::error error;
  bool retryable = false;
};

/// Of a transfer that did not close in good order.
[[nodiscard]] call_failure failure_of(const transfer_end& end, const core::provider_timeouts& limits);
/// Of a response that is not what was asked for; `body` may be cut or be no JSON at all.
[[nodiscard]] call_failure failure_of_status(long status, std::string_view body);

/// The text with `***` in the place of the key.
[[nodiscard]] std::string without_key(std::string text, const std::string& key);

}  // namespace troupe::providers

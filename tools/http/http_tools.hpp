// The tools that speak HTTP: `http_request`, with which a model asks any server it may, and those that the configuration
// declares for one endpoint. Made by app/ at start-up; all of mode `streaming`, on the thread of the curl loop, which outlives
// them.
#pragma once

#include "providers/curl_loop.hpp"
#include "tools/tool.hpp"

#include <memory>
#include <string_view>

namespace troupe::tools {

/// Kind `http_request`. Errors name the tool and the key of its configuration. `allows` takes the place of the rule about
/// public addresses (for tests, whose servers are on loopback).
[[nodiscard]] core::result<std::unique_ptr<tool>> make_http_request(const core::tool_config& config, providers::curl_loop& loop,
                                                                    providers::address_filter allows = {});
/// Kind `http`. As above.
[[nodiscard]] core::result<std::unique_ptr<tool>> make_http_tool(const core::tool_config& config, providers::curl_loop& loop,
                                                                 providers::address_filter allows = {});

/// RFC 9110 §9.2: what such a request does to the server. Unknown methods are `once`.
[[nodiscard]] core::effect effect_of_method(std::string_view method) noexcept;

}  // namespace troupe::tools

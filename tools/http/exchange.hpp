// One HTTP call of a tool: the request, the redirects it may follow, a bounded response, and the result the model reads. Lives
// on the thread of the curl loop; only giving up comes from elsewhere.
#pragma once

#include "providers/curl_loop.hpp"
#include "tools/http/header_rules.hpp"
#include "tools/http/redirect.hpp"
#include "tools/tool.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::tools {

inline constexpr std::size_t max_request_body = 1 << 20;

/// What holds for all calls of one tool.
struct exchange_rules {
  std::string tool;  ///< its name, for texts
  providers::address_filter allows{};
  host_list hosts{};
  std::string ca_file{};
  std::size_t max_body = 1 << 20;  ///< of the response, decompressed; more is cut
  std::chrono::milliseconds time_limit{600'000};
  /// The model chose the URL: it reads status, headers and where redirects led. Else it reads the body alone where all is well.
  bool is_open = true;
};
/// The filter of a configuration: public addresses, or all.
[[nodiscard]] exchange_rules rules_of(const core::tool_config& config, const std::string& name);

struct outgoing_request {
  std::string method = "GET";
  http_url url;
  std::vector<http_header> headers;  ///< checked
  std::string body;
};

/// Nothing is sent again, whatever breaks.
[[nodiscard]] std::unique_ptr<running_call> start_exchange(providers::curl_loop& loop,
                                                           std::shared_ptr<const exchange_rules> rules,
                                                           outgoing_request request, std::shared_ptr<call_listener> listener);

}  // namespace troupe::tools

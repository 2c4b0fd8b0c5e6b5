// What a redirect (RFC 9110 §15.4) makes of a request, and which ones are not followed. Pure values, any thread.
#pragma once

#include "tools/http/url.hpp"

#include <string>
#include <string_view>

namespace troupe::tools {

inline constexpr int max_redirects = 5;

/// The statuses that ask a client to go elsewhere by itself.
[[nodiscard]] bool is_redirect(long status) noexcept;

struct next_request {
  http_url url;
  std::string method;
  bool keeps_body = true;
  bool keeps_headers = true;  ///< false: another origin, which gets none but harmless ones
};

/// The error's text, for the model, says why this one is not followed.
[[nodiscard]] core::result<next_request> follow_redirect(const http_url& from, std::string_view method, long status,
                                                         std::string_view location, const host_list& hosts);

}  // namespace troupe::tools

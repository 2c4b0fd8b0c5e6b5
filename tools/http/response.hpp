// How a response becomes the text a model reads, and how a call that got none does. Pure values, any thread.
#pragma once

#include "providers/curl_loop.hpp"
#include "tools/http/exchange.hpp"
#include "tools/http/header_rules.hpp"
#include "tools/tool.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// What came, as far as it came.
struct incoming_response {
  providers::transfer_end end;
  std::string method;  ///< of the last request
  http_url url;        ///< of the last request
  int redirects = 0;
  long status = 0;  ///< 0: no response began
  std::vector<http_header> headers;
  std::string content_type;
  std::string body;
  bool is_cut = false;       ///< there was more
  std::string stopped_by{};  ///< why a redirect was not followed; empty: none was refused
};

/// The headers that a model can do something with; others are not kept.
[[nodiscard]] const std::vector<std::string>& shown_headers();

[[nodiscard]] tool_result result_of(incoming_response response, const exchange_rules& rules);

}  // namespace troupe::tools

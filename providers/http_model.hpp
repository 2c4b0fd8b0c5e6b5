// A model API over HTTP: one POST per call, a stream of events back. Adapters say what the request holds and what the events
// mean; this owns the rest: keys, limits, refusals, the end. Clients are called on any thread, sinks on the loop's.
#pragma once

#include "providers/provider.hpp"
#include "providers/stream_parser.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

class curl_loop;

/// Value of an environment variable, or nothing.
using environment_lookup = std::function<std::optional<std::string>(const std::string&)>;

struct http_api {
  std::string name;  ///< of the provider, as error texts call it
  std::string url;
  std::string key;                   ///< kept out of every text; empty: none
  std::vector<std::string> headers;  ///< the API's own, `Name: value`; the key in one of them
  core::provider_timeouts timeouts;
  std::string ca_file;
  std::string proxy;
  std::function<std::string(const model_request&)> body;
  std::function<std::unique_ptr<stream_parser>(stream_options)> parser;
};

/// What a configuration says of an API: name, URL (`base_url` without its last slashes), key, limits, certificates, proxy. A
/// `configuration_error` names the missing variable, or the field that is wrong. `example` is a base_url with TLS.
[[nodiscard]] core::result<http_api> http_api_of(const core::provider_config& config, const environment_lookup& environment,
                                                 std::string_view example);

/// `loop` outlives the client.
[[nodiscard]] std::unique_ptr<model_client> make_http_model(http_api api, curl_loop& loop);

}  // namespace troupe::providers

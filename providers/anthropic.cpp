#include "providers/anthropic.hpp"

namespace troupe::providers {

namespace {

constexpr std::string_view version = "anthropic-version: 2023-06-01";

}  // namespace

core::result<std::unique_ptr<model_client>> make_anthropic(const core::provider_config& config, curl_loop& loop,
                                                           const environment_lookup& environment) {
  auto api = http_api_of(config, environment, "https://api.anthropic.com");
  if (!api) return api.error();
  if (api->url.ends_with("/v1")) api->url.resize(api->url.size() - 3);  // as other clients want it
  api->url += "/v1/messages";
  api->headers.emplace_back(version);
  if (!api->key.empty()) api->headers.push_back("x-api-key: " + api->key);
  api->body = anthropic_request;
  api->parser = [](stream_options options) { return std::make_unique<anthropic_stream_parser>(std::move(options)); };
  return make_http_model(std::move(*api), loop);
}

}  // namespace troupe::providers

#include "providers/openai.hpp"

namespace troupe::providers {

core::result<std::unique_ptr<model_client>> make_openai(const core::provider_config& config, curl_loop& loop,
                                                        const environment_lookup& environment) {
  auto api = http_api_of(config, environment, "https://api.openai.com/v1");
  if (!api) return api.error();
  const auto* limit = api->url.find("://api.openai.com") != std::string::npos ? "max_completion_tokens" : "max_tokens";
  api->url += "/chat/completions";
  if (!api->key.empty()) api->headers = {"Authorization: Bearer " + api->key};
  api->body = [limit](const model_request& request) { return openai_request(request, limit); };
  api->parser = [](stream_options options) { return std::make_unique<openai_stream_parser>(std::move(options)); };
  return make_http_model(std::move(*api), loop);
}

}  // namespace troupe::providers

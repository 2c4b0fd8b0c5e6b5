// The chat-completions API of OpenAI and of the many servers that copy it (INTEROP §2). Request building and stream
// parsing are sans I/O; the client joins them to a `curl_loop`, whose thread calls every sink.
#pragma once

#include "providers/http_model.hpp"
#include "providers/provider.hpp"
#include "providers/stream_parser.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace troupe::providers {

/// The JSON body. `output_limit_field` is `max_completion_tokens` at OpenAI itself and `max_tokens` elsewhere.
[[nodiscard]] std::string openai_request(const model_request& request, std::string_view output_limit_field = "max_tokens");

class openai_stream_parser final : public stream_parser {
 public:
  using stream_parser::stream_parser;

 private:
  void take_object(const boost::json::object& chunk, std::string_view name, model_output& out) override;
  void take_done(model_output& out) override;
  void take_delta(const boost::json::object& delta, model_output& out);
  void take_call(const boost::json::object& call, model_output& out);
  [[nodiscard]] answer::call* call_at(const boost::json::object& call, model_output& out);
};

/// A `configuration_error` names the missing variable, or the field that is wrong. `loop` outlives the client.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_openai(const core::provider_config& config, curl_loop& loop,
                                                                      const environment_lookup& environment);

}  // namespace troupe::providers

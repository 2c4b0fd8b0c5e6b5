// The messages API of Anthropic and of the servers that copy it (INTEROP §3). Request building and stream parsing are sans
// I/O; the client joins them to a `curl_loop`, whose thread calls every sink.
#pragma once

#include "providers/http_model.hpp"
#include "providers/provider.hpp"
#include "providers/stream_parser.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

/// The JSON body. User and assistant take turns in it, whatever the history holds; the results of an assistant's calls open
/// the turn that follows.
[[nodiscard]] std::string anthropic_request(const model_request& request);

/// `message_stop` is the end; a stop reason counts as one where the stream breaks before it (DESIGN §8).
class anthropic_stream_parser final : public stream_parser {
 public:
  static constexpr std::size_t max_open_blocks = 256;

  using stream_parser::stream_parser;

 private:
  /// A content block between its start and its stop.
  struct block {
    std::int64_t index = 0;
    std::optional<std::size_t> call;  ///< which of the answer's, for a tool_use
    std::string input{};              ///< that came whole with the start; deltas replace it
  };

  void take_object(const boost::json::object& event, std::string_view name, model_output& out) override;
  void take_done(model_output&) override {}
  void start_block(const boost::json::object& event, model_output& out);
  void take_delta(const boost::json::object& event, model_output& out);
  void stop_block(std::int64_t index, model_output& out);
  void take_usage(const boost::json::object& usage, model_output& out);
  [[nodiscard]] std::vector<block>::iterator find_block(std::int64_t index);

  std::vector<block> open_;
  std::int64_t input_ = 0, cache_read_ = 0, cache_creation_ = 0, output_ = 0;
};

/// A `configuration_error` names the missing variable, or the field that is wrong. `loop` outlives the client.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_anthropic(const core::provider_config& config, curl_loop& loop,
                                                                         const environment_lookup& environment);

}  // namespace troupe::providers

// A model behind a WebSocket (PROTOCOLS §4, "Upstream of this seed"): one connection per call, one message to it, then
// `message_chunk`s up to `end` or `error`. The parser is sans I/O; the client lives on the thread of a `curl_loop`, which
// calls every sink.
#pragma once

#include "providers/http_model.hpp"
#include "providers/provider.hpp"
#include "providers/stream_parser.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers {

/// Messages of one connection, from the first to the answer's end. Only `type`, `content` of a chunk, the words of an error
/// and `usage` of an end are read; whatever else is there, or is not, never matters.
class websocket_parser {
 public:
  /// `max_line` bounds one message.
  explicit websocket_parser(stream_options options) : max_message_(options.max_line), answer_(std::move(options)) {}

  /// The next bytes of a message, cut anywhere.
  void feed(std::string_view bytes, model_output& out);
  /// The message whose bytes were fed is whole.
  void finish_message(model_output& out);
  /// The upstream closed with that code (RFC 6455 §7.4; 0: none) and those words.
  void close(unsigned code, std::string_view words, model_output& out);
  void fail(core::error error, bool retryable, model_output& out) { answer_.fail(std::move(error), retryable, out); }
  /// "the upstream <what>", which nobody tries again.
  void malformed(const std::string& what, model_output& out) { answer_.malformed(what, out); }

  [[nodiscard]] bool has_ended() const noexcept { return answer_.has_ended(); }

 private:
  void take(const boost::json::value& message, model_output& out);

  std::size_t max_message_;
  answer answer_;
  std::string message_;
};

/// `ws://host[:port][/path][?query]`, or `wss://`.
struct websocket_url {
  bool is_secure = false;
  std::string host;  ///< without the brackets of an IPv6 address
  std::string port;
  std::string authority;  ///< as in the URL
  std::string target;     ///< path and query

  /// Nothing where it is none; one with a name and password in it is none either.
  [[nodiscard]] static std::optional<websocket_url> parse(std::string_view text);
};

/// A `configuration_error` names the missing variable, or the field that is wrong. `loop` outlives the client.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_websocket(const core::provider_config& config, curl_loop& loop,
                                                                         const environment_lookup& environment);

}  // namespace troupe::providers

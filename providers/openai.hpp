// The chat-completions API of OpenAI and of the many servers that copy it (INTEROP §2). Request building and stream
// parsing are sans I/O; the client joins them to a `curl_loop`, whose thread calls every sink.
#pragma once

#include "providers/provider.hpp"
#include "providers/sse_parser.hpp"
#include "providers/utf8.hpp"

#include <boost/json/fwd.hpp>

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

/// A tool's name as the API allows it: `files.read` is `files__read` there.
[[nodiscard]] std::string openai_tool_name(std::string_view name);

/// The JSON body. `output_limit_field` is `max_completion_tokens` at OpenAI itself and `max_tokens` elsewhere.
[[nodiscard]] std::string openai_request(const model_request& request, std::string_view output_limit_field = "max_tokens");

/// What an upstream says went wrong, out of whichever JSON shape it uses.
struct openai_error {
  std::string text;  ///< bounded, one line; empty: it said nothing
  bool retryable = false;
};
/// Nothing when `body` holds no error. `name` is that of the SSE event.
[[nodiscard]] std::optional<openai_error> openai_error_of(const boost::json::value& body, std::string_view name = {});
/// Of a response that is not 2xx; `body` may be cut or be no JSON at all.
[[nodiscard]] openai_error openai_error_of_response(long status, std::string_view body);
/// Whether OpenAI's own clients would send the request again after this status.
[[nodiscard]] bool is_retryable_status(long status) noexcept;

struct openai_stream_options {
  /// Offered tools, to give calls their own names back.
  std::shared_ptr<const std::vector<tool_description>> tools;
  std::uint32_t call_number = 1;  ///< makes ids for calls that came without: `call_<call_number>_<n>`
  std::size_t max_line = sse_parser::default_max_line;
  std::size_t max_total = 16 << 20;  ///< bytes of text, reasoning and arguments together
};

/// One response stream, from the first body byte to its `end`. One thread.
class openai_stream_parser {
 public:
  static constexpr std::size_t max_calls = 128;

  explicit openai_stream_parser(openai_stream_options options);

  /// Takes bytes, cut anywhere, and appends what they hold to `out`.
  void feed(std::string_view bytes, model_output& out);
  /// The upstream closed in good order.
  void close(model_output& out);
  /// The transfer broke. After a finish_reason the answer is complete all the same.
  void fail(core::error error, bool retryable, model_output& out);

  /// Nothing but usage and `[DONE]` can follow.
  [[nodiscard]] bool has_finish_reason() const noexcept { return finish_.has_value(); }
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }

 private:
  struct partial_call {
    std::int64_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;
  };

  void take_event(const sse_event& event, model_output& out);
  void take_chunk(const boost::json::object& chunk, model_output& out);
  void take_delta(const boost::json::object& delta, model_output& out);
  void take_call(const boost::json::object& call, model_output& out);
  void add_text(std::string_view bytes, utf8_gate& gate, core::text_pieces& to, model_output& out);
  [[nodiscard]] bool count(std::size_t bytes, model_output& out);
  [[nodiscard]] partial_call* call_at(const boost::json::object& call);
  [[nodiscard]] std::vector<core::tool_call> finished_calls();
  [[nodiscard]] std::string own_name(const std::string& wire_name) const;
  void complete(model_output& out);
  void end_with(core::error error, bool retryable, model_output& out);
  void malformed(std::string what, model_output& out);

  openai_stream_options options_;
  sse_parser sse_;
  utf8_gate text_gate_;
  utf8_gate reasoning_gate_;
  std::vector<partial_call> calls_;
  std::optional<core::finish_reason> finish_;
  std::optional<core::token_usage> usage_;
  std::size_t total_ = 0;
  bool ended_ = false;
};

/// A `configuration_error` names the missing variable, or the field that is wrong. `loop` outlives the client.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_openai(const core::provider_config& config, curl_loop& loop,
                                                                      const environment_lookup& environment);

}  // namespace troupe::providers

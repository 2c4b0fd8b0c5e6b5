#include "providers/stream_parser.hpp"

#include "providers/upstream_error.hpp"
#include "providers/wire_json.hpp"

#include <boost/json/monotonic_resource.hpp>

namespace troupe::providers {

namespace json = boost::json;

stream_parser::stream_parser(stream_options options)
    : answer_(std::move(static_cast<answer_options&>(options))), max_line_(options.max_line), sse_(options.max_line) {}

void stream_parser::feed(std::string_view bytes, model_output& out) {
  if (has_ended()) return;
  sse_.feed(bytes);
  while (!has_ended()) {
    auto event = sse_.next();
    if (!event) break;
    take_event(*event, out);
  }
  if (sse_.too_long() && !has_ended())
    answer_.malformed("sent a line or an event of more than " + std::to_string(max_line_) + " bytes", out);
}

void stream_parser::close(model_output& out) {
  if (has_ended()) return;
  if (auto event = sse_.finish()) take_event(*event, out);
  fail({core::errc::provider_error, "the upstream closed the stream before its end marker; the answer may be incomplete"}, true,
       out);
}

void stream_parser::fail(core::error error, bool retryable, model_output& out) {
  answer_.break_off(std::move(error), retryable, out);
}

void stream_parser::take_event(const sse_event& event, model_output& out) {
  if (event.data == "[DONE]") return take_done(out);
  if (event.data.empty()) return;
  unsigned char buffer[4096];
  json::monotonic_resource memory(buffer, sizeof(buffer));
  // A character may be cut between two deltas; the answer puts it together.
  auto value = object_in(event.data, true, &memory);
  if (value.is_null())
    return answer_.malformed("sent an event that is not a JSON object: " + bounded_text(event.data, 80), out);
  if (auto error = upstream_error_of(value, event.name)) {
    auto text = error->text.empty() ? std::string("the upstream sent an error without a text") : std::move(error->text);
    return answer_.fail({core::errc::provider_error, std::move(text)}, error->retryable, out);
  }
  take_object(value.get_object(), event.name, out);
}

}  // namespace troupe::providers

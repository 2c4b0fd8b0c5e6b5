// A response that is a stream of server-sent JSON objects, from its first body byte to the answer's end. An API derives and
// says what its objects mean. Sans I/O; owned by one stream, one thread.
#pragma once

#include "providers/answer.hpp"
#include "providers/sse_parser.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace troupe::providers {

struct stream_options : answer_options {
  std::size_t max_line = sse_parser::default_max_line;
};

class stream_parser {
 public:
  explicit stream_parser(stream_options options);
  virtual ~stream_parser() = default;
  stream_parser(const stream_parser&) = delete;
  stream_parser& operator=(const stream_parser&) = delete;

  /// Takes bytes, cut anywhere, and appends what they hold to `out`.
  void feed(std::string_view bytes, model_output& out);
  /// The upstream closed in good order.
  void close(model_output& out);
  /// The transfer broke. After a finish reason the answer is complete all the same.
  void fail(core::error error, bool retryable, model_output& out);

  /// Nothing but usage and the API's last word can follow.
  [[nodiscard]] bool has_finish_reason() const noexcept { return answer_.has_finish_reason(); }
  [[nodiscard]] bool has_ended() const noexcept { return answer_.has_ended(); }

 protected:
  /// The next object that is not an error. `name` is that of its event, often empty.
  virtual void take_object(const boost::json::object& object, std::string_view name, model_output& out) = 0;
  /// `[DONE]`, which is the last word of some APIs and means nothing in others.
  virtual void take_done(model_output& out) = 0;

  answer answer_;

 private:
  void take_event(const sse_event& event, model_output& out);

  std::size_t max_line_;
  sse_parser sse_;
};

}  // namespace troupe::providers

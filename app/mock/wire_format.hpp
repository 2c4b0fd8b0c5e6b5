// A model API as its server speaks it: reads a request, writes an answer as a stream or whole, and its errors. The two of
// `troupe mock-model` are openai_format.cpp and anthropic_format.cpp. Pure: no sockets, no clock; immutable, any thread.
#pragma once

#include "providers/provider.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::app {

/// A request as the script sees it, and how its sender wants the answer.
struct wire_question {
  providers::model_request request;
  bool stream = false;
  bool wants_usage = true;  ///< in the stream; a whole answer always has it
};

/// A request that is refused, or an answer that fails.
struct wire_error {
  int status = 400;
  std::string text;
  std::string place;  ///< of the request, e.g. `messages[0].role`; may be empty
};

struct answer_identity {
  std::string id;  ///< without the prefix of the API
  std::string model;
  std::int64_t created = 0;  ///< seconds since 1970
};

/// One streamed answer, as the text of server-sent events.
class stream_writer {
 public:
  virtual ~stream_writer() = default;
  /// Appends the events of what the model says next. An `end` that failed is written as the API's error event.
  virtual void add(const providers::model_output& said, std::string& out) = 0;
};

class wire_format {
 public:
  virtual ~wire_format() = default;
  /// `tools` are the names that the script knows; calls of the history are given those back.
  [[nodiscard]] std::variant<wire_question, wire_error> read(std::string_view body,
                                                             const std::vector<providers::tool_description>& tools) const;
  [[nodiscard]] virtual std::unique_ptr<stream_writer> stream(answer_identity identity, const wire_question& to) const = 0;
  /// `said` is the whole answer, with an end that did not fail.
  [[nodiscard]] virtual std::string whole(const answer_identity& identity, const providers::model_output& said) const = 0;
  [[nodiscard]] virtual std::string error(const wire_error& why) const = 0;
  /// The answer to `GET /v1/models`.
  [[nodiscard]] virtual std::string models(std::string_view model) const = 0;

 private:
  /// May throw a `wire_fault`.
  [[nodiscard]] virtual wire_question question_of(std::string_view body,
                                                  const std::vector<providers::tool_description>& tools) const = 0;
};

[[nodiscard]] const wire_format& openai_format();
[[nodiscard]] const wire_format& anthropic_format();

/// What an answer that failed is over HTTP.
[[nodiscard]] wire_error wire_error_of(const providers::model_end& end);

// ---- parts that both formats are made of ----

/// Very many pieces are merged: an answer has as many events at most.
inline constexpr std::size_t max_pieces = 20'000;
void for_each_piece(const core::text_pieces& pieces, const std::function<void(std::string_view)>& f);
/// The arguments of a call in the pieces that a model would send.
void for_each_argument_piece(std::string_view arguments, const std::function<void(std::string_view)>& f);
/// Thrown and caught by the readers.
struct wire_fault {
  wire_error why;
};
[[noreturn]] void refuse(std::string place, std::string text);
/// The body, with a `model` and messages in it.
[[nodiscard]] boost::json::object body_of(std::string_view body);
[[nodiscard]] const boost::json::array& messages_of(const boost::json::object& body);
[[nodiscard]] const boost::json::object& message_at(const boost::json::array& messages, std::size_t i);
/// A string, a list of parts whose `text` counts, or null.
[[nodiscard]] std::string content_text(const boost::json::value* content, const std::string& place);
[[nodiscard]] bool flag_at(const boost::json::object& body, std::string_view key);
/// Sets the history and `call_number`. A call without its result right after it is refused, and so is a stray result.
void finish_request(providers::model_request& request, std::vector<core::history_message> history);

}  // namespace troupe::app

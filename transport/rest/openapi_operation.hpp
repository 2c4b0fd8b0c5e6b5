// What the OpenAPI document says of a route beyond what the route tells itself: its name, what it takes and gives. Written
// in the table of routes.cpp; openapi.cpp turns it into the document. Constants, any thread.
//
// Schemas are named as openapi_schemas*.cpp defines them, parameters as openapi_parameters.cpp does. `X[]` is an array of X,
// `X*` a list of the API: {items, data, total, limit, offset}.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace troupe::transport {

/// A success; errors follow from the route. An empty schema: no body, or bytes of `type`.
struct openapi_answer {
  int status = 0;
  std::string_view schema;
  std::string_view type = "application/json";
};

/// Not default-constructible, and not without words: a route that says nothing of itself does not compile.
class operation {
 public:
  constexpr operation(std::string_view id_text, std::string_view tag_text, std::string_view summary_text)
      : id(id_text), tag(tag_text), summary(summary_text) {
    if (id.empty() || tag.empty() || summary.empty()) throw "a route needs an operation id, a tag and a summary";
  }

  std::string_view id;
  std::string_view tag;
  std::string_view summary;
  std::string_view remark;                  ///< more words, where the summary does not do
  std::array<openapi_answer, 3> answers{};  ///< up to answer_count
  std::size_t answer_count = 0;
  std::string_view parameters;               ///< of query and headers, with a space between
  std::string_view body;                     ///< schema of the JSON body; empty: none is read
  std::array<std::string_view, 2> examples;  ///< of the body, against the demo; an end-to-end test sends them
  std::string_view failures;                 ///< statuses of errors that do not follow from the route, with a space between
  bool may_stream = false;                   ///< answers as an event stream where the client accepts one
  bool takes_files = false;
  bool is_paged = false;
  bool is_send = false;

  [[nodiscard]] constexpr operation gives(int status, std::string_view schema) const {
    return gives_bytes(status, schema, "application/json");
  }
  [[nodiscard]] constexpr operation gives_bytes(int status, std::string_view schema, std::string_view type) const {
    auto out = *this;
    if (out.answer_count == out.answers.size()) throw "more answers than an operation holds";
    out.answers[out.answer_count++] = {status, schema, type};
    return out;
  }
  /// 200 with a list that is read in pages.
  [[nodiscard]] constexpr operation lists(std::string_view schema) const { return gives(200, schema).paged(); }
  /// Takes `limit` and `offset`.
  [[nodiscard]] constexpr operation paged() const {
    auto out = *this;
    out.is_paged = true;
    return out;
  }
  [[nodiscard]] constexpr operation asks(std::string_view names) const {
    auto out = *this;
    out.parameters = names;
    return out;
  }
  [[nodiscard]] constexpr operation takes(std::string_view schema, std::string_view example,
                                          std::string_view other_example = {}) const {
    auto out = *this;
    if (schema.empty() || example.empty()) throw "a body needs a schema and an example";
    out.body = schema;
    out.examples = {example, other_example};
    return out;
  }
  [[nodiscard]] constexpr operation uploads() const {
    auto out = *this;
    out.takes_files = true;
    return out;
  }
  [[nodiscard]] constexpr operation fails(std::string_view statuses) const {
    auto out = *this;
    out.failures = statuses;
    return out;
  }
  [[nodiscard]] constexpr operation streams() const {
    auto out = *this;
    out.may_stream = true;
    return out;
  }
  /// Sends a message: takes an Idempotency-Key, and fails as runs do.
  [[nodiscard]] constexpr operation sends() const {
    auto out = *this;
    out.is_send = true;
    return out;
  }
  [[nodiscard]] constexpr operation notes(std::string_view text) const {
    auto out = *this;
    out.remark = text;
    return out;
  }
};

}  // namespace troupe::transport

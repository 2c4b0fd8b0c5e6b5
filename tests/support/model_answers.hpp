// Plays the bytes of a model API into its parser, cut everywhere, and compares what came out with a row of a table. Every
// adapter's stream test is such a table. Catch2 only; one thread.
#pragma once

#include "providers/answer.hpp"
#include "providers/utf8.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

struct heard_answer {
  std::string text;
  std::string reasoning;
  std::vector<std::uint32_t> lengths;
  std::optional<providers::model_end> end;
};

struct answer_row {
  std::string name;
  std::string bytes;
  std::string text;
  std::string error;  ///< a part of the expected text; empty: it must complete
  core::finish_reason finish = core::finish_reason::stop;
  std::vector<core::tool_call> calls{};
  std::optional<core::token_usage> usage{};
  bool retryable = false;
  std::string reasoning{};
};

/// One event; line breaks are for the reader of the test only.
inline std::string sse_frame(std::string json) {
  std::replace(json.begin(), json.end(), '\n', ' ');
  return "data: " + json + "\n\n";
}

/// Feeds the parts, then closes in good order. `Parser` is made of `Options` and has feed and close.
template <class Parser, class Options>
heard_answer play_answer(const std::vector<std::string>& parts, Options options) {
  Parser parser(std::move(options));
  heard_answer got;
  auto take = [&](providers::model_output out) {
    CHECK_FALSE(got.end);
    std::size_t at = 0;
    for (auto length : out.text.lengths) {
      auto piece = std::string_view(out.text.text).substr(at, length);
      CHECK(providers::scan_utf8(piece).valid == piece.size());
      CHECK_FALSE(piece.empty());
      at += length;
    }
    CHECK(at == out.text.text.size());
    got.text += out.text.text;
    got.lengths.insert(got.lengths.end(), out.text.lengths.begin(), out.text.lengths.end());
    got.reasoning += out.reasoning.text;
    got.end = std::move(out.end);
  };
  for (const auto& part : parts) {
    providers::model_output out;
    std::string own(part);
    parser.feed(own, out);
    if (!out.text.empty() || !out.reasoning.empty() || out.end) take(std::move(out));
  }
  providers::model_output out;
  parser.close(out);
  if (out.end || !out.text.empty()) take(std::move(out));
  REQUIRE(got.end);
  return got;
}

inline void check_answer(const heard_answer& got, const answer_row& r) {
  CHECK(got.text == r.text);
  CHECK(got.reasoning == r.reasoning);
  CHECK(got.end->usage == r.usage);
  if (!r.error.empty()) {
    CHECK(got.end->error.code == core::errc::provider_error);
    CHECK_THAT(got.end->error.text, Catch::Contains(r.error));
    CHECK(got.end->retryable == r.retryable);
    return;
  }
  CHECK(got.end->error.text == "");
  CHECK(got.end->error.code == core::errc::ok);
  CHECK(got.end->finish == r.finish);
  CHECK(got.end->calls == r.calls);
}

/// Every row whole, cut in two at each byte, and byte by byte.
template <class Parser, class Options>
void check_answers(const std::vector<answer_row>& rows, const std::function<Options()>& options) {
  for (const auto& r : rows) {
    DYNAMIC_SECTION(r.name) {
      check_answer(play_answer<Parser>({r.bytes}, options()), r);
      for (std::size_t i = 1; i < r.bytes.size(); ++i) {
        CAPTURE(i);
        check_answer(play_answer<Parser>({r.bytes.substr(0, i), r.bytes.substr(i)}, options()), r);
      }
      std::vector<std::string> single;
      for (char c : r.bytes) single.emplace_back(1, c);
      check_answer(play_answer<Parser>(single, options()), r);
    }
  }
}

}  // namespace troupe::testing

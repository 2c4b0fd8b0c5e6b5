// The end guarantee (DESIGN §8) as a table over real sockets: an answer completes only on the upstream's own end marker,
// whatever breaks, and nothing that an upstream sends costs unbounded memory. An adapter's test says how its API speaks and
// runs the table.
#pragma once

#include "tests/support/growing_limit.hpp"
#include "tests/support/model_client_bench.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace troupe::testing {

/// How an API speaks. What `wrap` is not said of is the bytes inside it: an SSE event, a WebSocket message.
struct spoken_api {
  make_client_function make = nullptr;
  /// Takes the request and sends all that comes before the first of the API's own bytes.
  std::function<void(raw_connection&)> begin = [](raw_connection& c) {
    c.read_request();
    c.send(stream_head());
  };
  std::function<std::string(std::string_view)> wrap = [](std::string_view bytes) { return chunk(bytes); };
  std::string farewell = last_chunk;  ///< closes in good order, outside `wrap`

  std::function<std::string(std::string_view)> text;   ///< a delta with this text, which needs no escapes
  std::function<std::string(std::string_view)> error;  ///< an error frame that may be retried
  std::string reason;                                  ///< says why the model stopped; empty: the API has no such thing
  std::string end;                                     ///< the end marker, with a usage of 3 + 2 tokens before it or in it
  std::string end_without_usage;
  std::string unknown;            ///< events that nobody knows
  std::string garbage;            ///< an event that cannot be read
  std::string line_begin;         ///< the beginning of an event that never ends
  std::string open_call;          ///< a call of `t`, id `a`, with the arguments `{"pa` and no more; empty: it knows no tools
  std::string twin_calls;         ///< calls of `t`, id `a`, and of `u`, id `b`, at one index, both with `{}`
  bool speaks_of_content = true;  ///< a response of another content type is refused
};

struct broken_end {
  core::errc code = core::errc::ok;
  std::string error;  ///< a part of the text
  std::string said;
  bool retryable = false;
};

class end_guarantee {
 public:
  explicit end_guarantee(spoken_api api) : api_(std::move(api)) {}

  void check() {
    auto w = [this](std::string_view bytes) { return api_.wrap(bytes); };
    const auto hel = w(api_.text("Hel"));
    const broken_end early{core::errc::provider_error, "before its end marker", "", true};
    auto after = [&](broken_end end, std::string said) {
      end.said = std::move(said);
      return end;
    };

    row("a whole answer", says(hel + w(api_.text("lo")) + w(api_.end)), {core::errc::ok, "", "Hello"});
    CHECK(last_.usage == core::token_usage{3, 0, 2});
    row("missing usage", says(hel + w(api_.end_without_usage)), {core::errc::ok, "", "Hel"});
    CHECK_FALSE(last_.usage.has_value());
    row("unknown events", says(w(api_.unknown) + hel + w(api_.unknown) + w(api_.end)), {core::errc::ok, "", "Hel"});

    row("closed in good order, without text", says(api_.farewell), early);
    row("closed in good order, with text", says(hel + api_.farewell), after(early, "Hel"));
    row("cut, without text", says(""), early);
    row("cut, with text", says(hel), after(early, "Hel"));
    row("cut inside an event", says(hel + w(api_.text("lo").substr(0, 12))), after(early, "Hel"));
    row("reset", reset_after(hel), {core::errc::provider_error, "", "Hel", true});
    row("not even a response", [](raw_connection& c) { c.read_request(); }, {core::errc::provider_error, "", "", true});
    if (!api_.reason.empty()) {
      row("cut after the reason", says(hel + w(api_.reason)), {core::errc::ok, "", "Hel"});
      row("an error after the reason", says(hel + w(api_.reason) + w(api_.error("late"))),
          {core::errc::provider_error, "late", "Hel", true});
    }

    core::provider_timeouts limits{10 * patience, std::chrono::milliseconds{80}, std::chrono::milliseconds{80}, 10 * patience};
    row("a stall before the first byte", stalls(""), {core::errc::timeout, "timeouts_ms.first_byte", "", true}, limits);
    limits.first_byte = 10 * patience;
    CHECK(holds_with_some_limit(limits.idle, [&](auto limit) {  // long enough for the text to come
      limits.idle = limit;
      hear(stalls(hel), limits);
      return said_ == "Hel";
    }));
    check_row("a stall after text", {core::errc::timeout, "timeouts_ms.idle", "Hel", true});

    row("an error frame, first", says(w(api_.error("boom"))), {core::errc::provider_error, "boom", "", true});
    row("an error frame in the middle", stalls(hel + w(api_.error("boom " + test_key))),
        {core::errc::provider_error, "boom ***", "Hel", true});
    row("an event that cannot be read", stalls(hel + w(api_.garbage)),
        {core::errc::provider_error, "the upstream sent", "Hel", false});

    auto euro = api_.text("a\xE2\x82\xAC.");
    auto cut = euro.find('\x82');
    row("a character split across reads", says_in_parts({hel + w(euro.substr(0, cut)), w(euro.substr(cut)) + w(api_.end)}),
        {core::errc::ok, "", "Hela\xE2\x82\xAC."});
    row("a character that never ends", says(w(api_.text("a\xE2\x82")) + w(api_.end)), {core::errc::ok, "", "a\xEF\xBF\xBD"});
    row("bytes that are no text", stalls(w(api_.text("a\xFF"))), {core::errc::provider_error, "not UTF-8", "", false});

    if (!api_.open_call.empty()) {
      row("arguments that never become JSON", says(w(api_.open_call) + w(api_.end)), {core::errc::ok, "", ""});
      CHECK(last_.calls == std::vector<core::tool_call>{{{"a"}, "t", "{\"pa"}});
      row("two calls at one index", says(w(api_.twin_calls) + w(api_.end)), {core::errc::ok, "", ""});
      CHECK(last_.calls == std::vector<core::tool_call>{{{"a"}, "t", "{}"}, {{"b"}, "u", "{}"}});
    }

    check_refusals();
    check_endless_line();
  }

 private:
  static constexpr std::size_t endless = 100 << 20;

  raw_http_server::serve_function says(std::string bytes) { return says_in_parts({std::move(bytes)}); }
  /// Each part goes out when the client has read the one before.
  raw_http_server::serve_function says_in_parts(std::vector<std::string> parts) {
    return [this, parts](raw_connection& c) {
      api_.begin(c);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) heard_->wait_text("Hel");
        c.send(parts[i]);
      }
    };
  }
  raw_http_server::serve_function stalls(std::string bytes) {
    return [this, bytes](raw_connection& c) {
      api_.begin(c);
      c.send(bytes);
      c.wait_closed();
    };
  }
  raw_http_server::serve_function reset_after(std::string bytes) {
    return [this, bytes](raw_connection& c) {
      api_.begin(c);
      c.send(bytes);
      heard_->wait_text("Hel");
      c.reset();
    };
  }

  void row(const std::string& name, raw_http_server::serve_function serve, const broken_end& expected,
           std::optional<core::provider_timeouts> limits = std::nullopt) {
    hear(std::move(serve), limits);
    check_row(name, expected);
  }
  void hear(raw_http_server::serve_function serve, const std::optional<core::provider_timeouts>& limits) {
    heard_stream heard;
    heard_ = &heard;
    raw_http_server server(std::move(serve));
    client_world world(api_.make, server.base_url());
    if (limits) world.config.timeouts = *limits;
    auto client = world.make();
    REQUIRE(client.has_value());
    auto stream = (*client)->start(model_question(), heard.sink());
    last_ = heard.wait_end();
    world.settle();
    said_ = heard.text;
  }
  void check_row(const std::string& name, const broken_end& expected) {
    INFO(name << ": " << last_.error.text);
    CHECK(last_.error.code == expected.code);
    CHECK_THAT(last_.error.text, Catch::Contains(expected.error) && !Catch::Contains(test_key));
    CHECK(last_.retryable == expected.retryable);
    CHECK(said_ == expected.said);
    CHECK((last_.error.code == core::errc::ok || last_.calls.empty()));
  }

  void refusal(const std::string& name, std::string bytes, const std::string& error, bool retryable) {
    row(name,
        [bytes](raw_connection& c) {
          c.read_request();
          c.send(bytes);
        },
        {core::errc::provider_error, error, "", retryable});
  }

  void check_refusals() {
    auto body = [](std::string_view words) { return R"({"error":{"type":"x","message":")" + std::string(words) + "\"}}"; };
    refusal("too many requests", response("429 Slow", "Retry-After: 7\r\n", body("slow down")), "HTTP 429: slow down", true);
    CHECK(last_.retry_after == std::chrono::seconds{7});
    refusal("overloaded", response("529 Site is overloaded", "", body("Overloaded")), "HTTP 529: Overloaded", true);
    refusal("a wrong model", response("404 Not Found", "", body("model: nope")), "HTTP 404: model: nope", false);
    refusal("a bad request", response("400 Bad", "", body("max_tokens: too many")), "HTTP 400: max_tokens: too many", false);
    refusal("a wrong key", response("401 No", "", body("wrong key " + test_key)), "wrong key ***", false);
    refusal("a page for people", response("502 Bad", "", std::string(100'000, '<')), "HTTP 502", true);
    CHECK(last_.error.text.size() < 200);
    refusal("a redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "redirect",
            false);
    if (!api_.speaks_of_content) return;
    refusal("another content type", stream_head("text/html") + chunk("<html>"), "text/html", false);
    refusal("an answer that is no stream", response("200 OK", "", "{}"), "application/json", false);
  }

  void check_endless_line() {
    std::atomic<std::size_t> sent{0};
    const std::string piece(64 << 10, 'x');
    row("an event of 100 MB",
        [&](raw_connection& c) {
          api_.begin(c);
          c.send(api_.wrap(api_.line_begin));
          while (sent < endless && c.send(api_.wrap(piece))) sent += piece.size();
        },
        {core::errc::provider_error, "more than", "", false});
    CHECK(sent < endless / 4);  // what one limit and the sockets' buffers hold
  }

  spoken_api api_;
  providers::model_end last_;
  std::string said_;
  heard_stream* heard_ = nullptr;
};

}  // namespace troupe::testing

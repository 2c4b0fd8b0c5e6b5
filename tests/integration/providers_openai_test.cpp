#include "providers/openai.hpp"
#include "tests/support/end_guarantee.hpp"

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::providers;
using namespace troupe::testing;
using std::chrono::milliseconds;
using test_clock = std::chrono::steady_clock;

namespace {

std::string frame(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }
std::string delta(std::string_view fields) {
  return frame(R"({"choices":[{"index":0,"delta":{)" + std::string(fields) + "}}]}");
}
std::string text(std::string_view t) { return chunk(delta(R"("content":")" + std::string(t) + '"')); }
std::string call(std::string_view fields) { return delta(R"("tool_calls":[{)" + std::string(fields) + "}]"); }
const std::string stop = chunk(frame(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"));
const std::string done = chunk("data: [DONE]\n\n");

spoken_api chat_completions() {
  spoken_api api;
  api.make = make_openai;
  api.text = [](std::string_view t) { return delta(R"("content":")" + std::string(t) + '"'); };
  api.error = [](std::string_view t) {
    return frame(R"({"error":{"type":"server_error","message":")" + std::string(t) + "\"}}");
  };
  api.reason = frame(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
  api.end_without_usage = "data: [DONE]\n\n";
  api.end = frame(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})") + api.end_without_usage;
  api.unknown = ": comment\n\n" + frame(R"({"object":"novelty","choices":[{"index":7,"delta":{"content":"no"}}]})");
  api.garbage = "data: {oops\n\n";
  api.line_begin = R"(data: {"choices":[{"index":0,"delta":{"content":")";
  api.open_call = call(R"("index":0,"id":"a","function":{"name":"t","arguments":"{\"pa"})");
  api.twin_calls = call(R"("index":0,"id":"a","function":{"name":"t","arguments":"{}"})") +
                   call(R"("index":0,"id":"b","function":{"name":"u","arguments":"{}"})");
  return api;
}

struct world : client_world {
  explicit world(std::string base_url) : client_world(make_openai, std::move(base_url)) {}
};

/// One exchange with a server that serves each connection so.
model_end exchange(raw_http_server::serve_function serve, std::string* said = nullptr,
                   core::provider_timeouts* timeouts = nullptr) {
  raw_http_server server(std::move(serve));
  world w(server.base_url());
  if (timeouts != nullptr) w.config.timeouts = *timeouts;
  auto client = w.make();
  REQUIRE(client.has_value());
  heard_stream h;
  auto stream = (*client)->start(model_question(), h.sink());
  auto end = h.wait_end();
  w.settle();
  if (said != nullptr) *said = h.text;
  CHECK_THAT(end.error.text, !Catch::Contains(test_key));
  return end;
}

raw_http_server::serve_function says(std::string bytes) {
  return [bytes](raw_connection& c) {
    c.read_request();
    c.send(bytes);
  };
}

/// Sends, then waits for the client to go away.
raw_http_server::serve_function stall_after(std::string bytes) {
  return [bytes](raw_connection& c) {
    c.read_request();
    c.send(bytes);
    c.wait_closed();
  };
}

}  // namespace

TEST_CASE("openai client: an answer completes on its end marker only, whatever breaks") {
  end_guarantee(chat_completions()).check();
}

TEST_CASE("openai client: a normal answer arrives, and its connection serves the next call") {
  std::atomic<int> connections{0};
  std::mutex mutex;
  std::vector<std::string> requests;
  raw_http_server server([&](raw_connection& c) {
    ++connections;
    while (true) {
      auto r = c.read_request();
      if (r.empty()) return;
      {
        std::lock_guard lock(mutex);
        requests.push_back(r);
      }
      c.send(stream_head() + text("Hel") + text("lo") + stop +
             chunk("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n") + done + last_chunk);
    }
  });
  world w(server.base_url() + "/");
  auto client = w.make();
  REQUIRE(client.has_value());
  for (int i = 0; i < 3; ++i) {
    heard_stream h;
    auto stream = (*client)->start(model_question(), h.sink());
    auto end = h.wait_end();
    CHECK(end.error.code == core::errc::ok);
    CHECK(end.usage == core::token_usage{3, 0, 2});
    w.settle();
    CHECK(h.text == "Hello");
    CHECK(h.outputs == 1);  // one read, one output
  }
  CHECK(connections == 1);
  std::lock_guard lock(mutex);
  REQUIRE(requests.size() == 3);
  CHECK_THAT(requests[0], Catch::StartsWith("POST /v1/chat/completions HTTP/1.1\r\n"));
  CHECK_THAT(requests[0], Catch::Contains("Authorization: Bearer " + test_key + "\r\n"));
  CHECK_THAT(requests[0], !Catch::Contains("Expect:"));
  auto body = boost::json::parse(requests[0].substr(requests[0].find("\r\n\r\n") + 4));
  CHECK(body.at_pointer("/messages/0/content") == "hi");
}

TEST_CASE("openai client: a large request is sent whole") {
  std::promise<std::size_t> size;
  raw_http_server server([&](raw_connection& c) {
    size.set_value(c.read_request().size());
    c.send(stream_head() + text("ok") + done + last_chunk);
  });
  world w(server.base_url());
  auto client = w.make();
  auto r = model_question();
  r.instructions = std::string(3 << 20, 'x');
  heard_stream h;
  auto stream = (*client)->start(r, h.sink());
  CHECK(h.wait_end().error.code == core::errc::ok);
  CHECK(size.get_future().get() > r.instructions.size());
}

TEST_CASE("openai client: an answer that takes too long in all is ended and not tried again") {
  std::string said;
  core::provider_timeouts limits{10 * patience, 10 * patience, 10 * patience, {}};
  model_end end;
  CHECK(holds_with_some_limit(milliseconds{250}, [&](auto total) {  // long enough for the text to come
    limits.total = total;
    end = exchange(stall_after(stream_head() + text("Hel")), &said, &limits);
    return said == "Hel";
  }));
  CHECK(end.error.code == core::errc::timeout);
  CHECK_THAT(end.error.text, Catch::Contains("timeouts_ms.total"));
  CHECK_FALSE(end.retryable);
}

TEST_CASE("openai client: bytes that keep coming hold the idle limit off") {
  core::provider_timeouts limits{10 * patience, 10 * patience, {}, 10 * patience};
  CHECK(holds_with_some_limit(milliseconds{500}, [&](auto idle) {
    limits.idle = idle;
    std::string said;
    auto end = exchange(
        [&](raw_connection& c) {
          c.read_request();
          c.send(stream_head());
          auto started = test_clock::now();
          while (test_clock::now() - started < 2 * limits.idle && c.send(chunk(": keep-alive\n\n")))
            std::this_thread::sleep_for(limits.idle / 50);
          c.send(text("Hi") + done + last_chunk);
        },
        &said, &limits);
    return end.error.code == core::errc::ok && said == "Hi";
  }));
}

TEST_CASE("openai client: a server that says nothing more after the finish_reason is not waited for long") {
  std::string said;
  auto end = exchange(stall_after(stream_head() + text("Hi") + stop), &said);
  CHECK(end.error.code == core::errc::ok);  // no limit would end it in the patience of this test
  CHECK(said == "Hi");
}

TEST_CASE("openai client: a key that the bound of an error cuts in two does not show") {
  auto words = R"({"error":{"message":")" + std::string(490, 'x') + test_key + "yyyy\"}}";
  CHECK_THAT(exchange(says(response("400 No", "", words))).error.text, !Catch::Contains(test_key.substr(0, 5)));
}

TEST_CASE("openai client: a malformed frame closes the connection at once") {
  std::promise<void> closed;
  auto end = exchange([&](raw_connection& c) {
    c.read_request();
    c.send(stream_head() + chunk("data: {oops\n\n"));
    c.wait_closed();
    closed.set_value();
  });
  CHECK_THAT(end.error.text, Catch::Contains("not a JSON object"));
  CHECK(closed.get_future().wait_for(patience) == std::future_status::ready);
}

TEST_CASE("openai client: a server that is not there cannot be reached") {
  std::string url;
  {
    raw_http_server gone([](raw_connection&) {});
    url = gone.base_url();
  }
  world w(url);
  auto client = w.make();
  heard_stream h;
  auto stream = (*client)->start(model_question(), h.sink());
  auto end = h.wait_end();
  CHECK_THAT(end.error.text, Catch::Contains("cannot be reached"));
  CHECK(end.retryable);
}

TEST_CASE("openai client: cancel closes the socket, and nothing follows") {
  std::promise<void> closed;
  raw_http_server server([&](raw_connection& c) {
    c.read_request();
    c.send(stream_head() + text("Hel"));
    c.wait_closed();
    closed.set_value();
  });
  world w(server.base_url());
  auto client = w.make();
  heard_stream h;
  auto stream = (*client)->start(model_question(), h.sink());
  h.wait_text("Hel");
  stream->cancel();
  stream->cancel();
  REQUIRE(closed.get_future().wait_for(patience) == std::future_status::ready);
  w.settle();
  CHECK_FALSE(h.end);
}

TEST_CASE("openai client: cancel works before the first byte and from inside the sink") {
  std::atomic<int> talked{0};
  std::promise<void> both;
  raw_http_server server([&](raw_connection& c) {
    auto is_quiet = c.read_request().find("\"talk\"") == std::string::npos;
    if (!is_quiet) c.send(stream_head() + text("Hel"));
    c.wait_closed();
    if (!is_quiet && ++talked == 2) both.set_value();
  });
  world w(server.base_url());
  auto client = w.make();

  auto r = model_question();
  r.model = "talk";
  std::promise<std::weak_ptr<model_stream>> started;
  auto stream_future = started.get_future().share();
  std::atomic<int> outputs{0};
  auto talking = (*client)->start(r, [&outputs, stream_future](model_output) {
    ++outputs;
    stream_future.get().lock()->cancel();
  });
  started.set_value(talking);

  heard_stream quiet_heard;
  auto quiet = (*client)->start(model_question(), quiet_heard.sink());
  quiet->cancel();
  heard_stream third_heard;
  auto third = (*client)->start(r, third_heard.sink());
  third_heard.wait_text("Hel");
  third->cancel();
  REQUIRE(both.get_future().wait_for(patience) == std::future_status::ready);
  w.settle();
  CHECK(outputs == 1);
  CHECK_FALSE(quiet_heard.end);
  CHECK_FALSE(third_heard.end);
}

TEST_CASE("openai client: open streams end quietly when the loop goes") {
  raw_http_server server(stall_after(stream_head() + text("Hel")));
  heard_stream h;
  std::shared_ptr<model_stream> stream;
  {
    world w(server.base_url());
    auto client = w.make();
    stream = (*client)->start(model_question(), h.sink());
    h.wait_text("Hel");
  }
  CHECK_FALSE(h.end);
}

TEST_CASE("openai client: what is wrong with the configuration is named") {
  world w("http://127.0.0.1:1/v1");
  auto error_of = [&] {
    auto made = w.make();
    REQUIRE(made.has_error());
    CHECK(made.error().code == core::errc::configuration_error);
    return made.error().text;
  };
  w.config.api_key_env = "OTHER_KEY";
  CHECK_THAT(error_of(), Catch::Contains("provider \"local\"") && Catch::Contains("OTHER_KEY"));
  w.config.api_key_env = "";
  CHECK(w.make().has_value());
  w.config.base_url = "localhost:1";
  CHECK_THAT(error_of(), Catch::Contains("base_url"));
  w.config.base_url = "http://127.0.0.1:1/v1";
  w.config.timeouts.idle = milliseconds{0};
  CHECK_THAT(error_of(), Catch::Contains("timeouts_ms"));
}

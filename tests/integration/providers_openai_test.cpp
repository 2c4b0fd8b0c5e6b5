#include "providers/curl_loop.hpp"
#include "providers/openai.hpp"
#include "tests/support/raw_http_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::providers;
using std::chrono::milliseconds;
using troupe::testing::raw_connection;
using troupe::testing::raw_http_server;
using test_clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds patience{20};
const std::string key = "sk-test-0123456789abcdef";

std::string chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}
std::string head(std::string_view type = "text/event-stream; charset=utf-8") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\nTransfer-Encoding: chunked\r\n\r\n";
}
std::string text(std::string_view t) {
  return chunk(R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(t) + "\"}}]}\n\n");
}
const std::string stop = chunk("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
const std::string done = chunk("data: [DONE]\n\n");
const std::string last = "0\r\n\r\n";

std::string response(std::string_view status_line, std::string_view headers, std::string_view body) {
  return "HTTP/1.1 " + std::string(status_line) + "\r\nContent-Type: application/json\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// What one stream gave, as seen from outside its thread.
struct heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::size_t outputs = 0;
  std::optional<model_end> end;

  model_sink sink() {
    return [this](model_output out) {
      std::lock_guard lock(mutex);
      ++outputs;
      text += out.text.text;
      if (end) text += "<output after the end>";
      if (out.end) end = std::move(out.end);
      changed.notify_all();
    };
  }
  model_end wait_end() {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, patience, [this] { return end.has_value(); })) throw std::runtime_error("no end came");
    return *end;
  }
  void wait_text(std::string_view wanted) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, patience, [&] { return text == wanted; })) throw std::runtime_error("the text did not come");
  }
};

/// The client under test on an io thread of its own.
struct world {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<curl_loop> loop = std::make_unique<curl_loop>(io);
  std::thread thread{[this] { io.run(); }};
  core::provider_config config;

  explicit world(std::string base_url) {
    config.id.value = "local";
    config.kind = "openai";
    config.base_url = std::move(base_url);
    config.api_key_env = "LOCAL_KEY";
    config.timeouts = {milliseconds{5'000}, milliseconds{10'000}, milliseconds{10'000}, milliseconds{60'000}};
  }
  ~world() {
    io.stop();
    thread.join();
    loop.reset();
  }
  [[nodiscard]] core::result<std::unique_ptr<model_client>> make() {
    return make_openai(config, *loop, [](const std::string& name) -> std::optional<std::string> {
      if (name == "LOCAL_KEY") return key + "\n";
      return std::nullopt;
    });
  }
  /// Waits until all that was posted to the io thread so far is done.
  void settle() {
    std::promise<void> reached;
    boost::asio::post(io, [&] { reached.set_value(); });
    reached.get_future().wait();
  }
};

model_request request() {
  model_request r;
  r.model = "m";
  r.history = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, "hi", {}, {}, true}});
  return r;
}

/// One exchange with a server that serves each connection so.
model_end exchange(raw_http_server::serve_function serve, std::string* said = nullptr,
                   core::provider_timeouts* timeouts = nullptr) {
  raw_http_server server(std::move(serve));
  world w(server.base_url());
  if (timeouts != nullptr) w.config.timeouts = *timeouts;
  auto client = w.make();
  REQUIRE(client.has_value());
  heard h;
  auto stream = (*client)->start(request(), h.sink());
  auto end = h.wait_end();
  w.settle();
  if (said != nullptr) *said = h.text;
  CHECK_THAT(end.error.text, !Catch::Contains(key));
  return end;
}

raw_http_server::serve_function answer(std::string bytes) {
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
      c.send(head() + text("Hel") + text("lo") + stop +
             chunk("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n") + done + last);
    }
  });
  world w(server.base_url() + "/");
  auto client = w.make();
  REQUIRE(client.has_value());
  for (int i = 0; i < 3; ++i) {
    heard h;
    auto stream = (*client)->start(request(), h.sink());
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
  CHECK_THAT(requests[0], Catch::Contains("Authorization: Bearer " + key + "\r\n"));
  CHECK_THAT(requests[0], !Catch::Contains("Expect:"));
  auto body = boost::json::parse(requests[0].substr(requests[0].find("\r\n\r\n") + 4));
  CHECK(body.at_pointer("/messages/0/content") == "hi");
}

TEST_CASE("openai client: a large request is sent whole") {
  std::promise<std::size_t> size;
  raw_http_server server([&](raw_connection& c) {
    size.set_value(c.read_request().size());
    c.send(head() + text("ok") + done + last);
  });
  world w(server.base_url());
  auto client = w.make();
  auto r = request();
  r.instructions = std::string(3 << 20, 'x');
  heard h;
  auto stream = (*client)->start(r, h.sink());
  CHECK(h.wait_end().error.code == core::errc::ok);
  CHECK(size.get_future().get() > r.instructions.size());
}

TEST_CASE("openai client: silence is ended by the limit that it breaks") {
  core::provider_timeouts first{milliseconds{5'000}, milliseconds{60}, milliseconds{10'000}, milliseconds{20'000}};
  auto end = exchange(stall_after(""), nullptr, &first);
  CHECK(end.error.code == core::errc::timeout);
  CHECK_THAT(end.error.text, Catch::Contains("timeouts_ms.first_byte"));
  CHECK(end.retryable);

  // A head is not an answer yet.
  end = exchange(stall_after(head()), nullptr, &first);
  CHECK_THAT(end.error.text, Catch::Contains("timeouts_ms.first_byte"));

  core::provider_timeouts idle{milliseconds{5'000}, milliseconds{10'000}, milliseconds{60}, milliseconds{20'000}};
  std::string said;
  end = exchange(stall_after(head() + text("Hel")), &said, &idle);
  CHECK(said == "Hel");
  CHECK(end.error.code == core::errc::timeout);
  CHECK_THAT(end.error.text, Catch::Contains("timeouts_ms.idle"));

  core::provider_timeouts total{milliseconds{5'000}, milliseconds{10'000}, milliseconds{10'000}, milliseconds{80}};
  end = exchange(stall_after(head() + text("Hel")), &said, &total);
  CHECK_THAT(end.error.text, Catch::Contains("timeouts_ms.total"));
  CHECK_FALSE(end.retryable);
}

TEST_CASE("openai client: bytes that keep coming hold the idle limit off") {
  constexpr milliseconds limit{400};
  core::provider_timeouts idle{milliseconds{5'000}, milliseconds{10'000}, limit, milliseconds{20'000}};
  std::string said;
  auto end = exchange(
      [&](raw_connection& c) {
        c.read_request();
        c.send(head());
        auto started = test_clock::now();
        while (test_clock::now() - started < 2 * limit) c.send(chunk(": keep-alive\n\n"));
        c.send(text("Hi") + done + last);
      },
      &said, &idle);
  CHECK(end.error.code == core::errc::ok);
  CHECK(said == "Hi");
}

TEST_CASE("openai client: a stream that stops without its end marker failed, with and without text") {
  std::string said;
  for (bool with_text : {false, true}) {
    for (bool whole_response : {false, true}) {
      CAPTURE(with_text, whole_response);
      auto end = exchange(answer(head() + (with_text ? text("Hel") : "") + (whole_response ? last : "")), &said);
      CHECK(end.error.code == core::errc::provider_error);
      CHECK_THAT(end.error.text, Catch::StartsWith("provider \"local\"") && Catch::Contains("before its end marker"));
      CHECK(end.retryable);
      CHECK(said == (with_text ? "Hel" : ""));
    }
  }
  auto end = exchange(answer(""));
  CHECK(end.error.code == core::errc::provider_error);
}

TEST_CASE("openai client: a reset in the middle failed, after the finish_reason it does not matter") {
  auto reset_after = [](std::string bytes) {
    return [bytes](raw_connection& c) {
      c.read_request();
      c.send(bytes);
      c.reset();
    };
  };
  auto end = exchange(reset_after(head() + text("Hel")));
  CHECK(end.error.code == core::errc::provider_error);
  CHECK(end.retryable);
  std::string said;
  end = exchange(answer(head() + text("Hi") + stop), &said);
  CHECK(end.error.code == core::errc::ok);
  CHECK(said == "Hi");
}

TEST_CASE("openai client: a server that says nothing more after the finish_reason is not waited for long") {
  std::string said;
  auto started = test_clock::now();
  auto end = exchange(stall_after(head() + text("Hi") + stop), &said);
  CHECK(end.error.code == core::errc::ok);
  CHECK(said == "Hi");
  CHECK(test_clock::now() - started < std::chrono::seconds{8});
}

TEST_CASE("openai client: the upstream's refusals are passed on with its own words") {
  auto end = exchange(answer(response("429 Too Many Requests", "Retry-After: 7\r\n", R"({"error":{"message":"slow down"}})")));
  CHECK(end.error.code == core::errc::provider_error);
  CHECK_THAT(end.error.text, Catch::Contains("HTTP 429") && Catch::Contains("slow down"));
  CHECK(end.retryable);
  CHECK(end.retry_after == milliseconds{7'000});

  end = exchange(answer(response("500 Oh", "", R"({"error":{"message":"broken","type":"server_error"}})")));
  CHECK_THAT(end.error.text, Catch::Contains("HTTP 500") && Catch::Contains("broken"));
  CHECK(end.retryable);
  CHECK_FALSE(end.retry_after);

  end = exchange(answer(response("401 No", "", R"({"error":{"message":"wrong key )" + key + " given\"}}")));
  CHECK_THAT(end.error.text, Catch::Contains("wrong key *** given"));
  CHECK_FALSE(end.retryable);

  // The copy of the key that the bound cuts in two does not show either.
  end = exchange(answer(response("400 No", "", R"({"error":{"message":")" + std::string(490, 'x') + key + "yyyy\"}}")));
  CHECK_THAT(end.error.text, !Catch::Contains(key.substr(0, 5)));

  end = exchange(answer(response("502 Bad", "", std::string(100'000, '<'))));
  CHECK_THAT(end.error.text, Catch::Contains("HTTP 502"));
  CHECK(end.error.text.size() < 200);

  end = exchange(answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));
  CHECK_THAT(end.error.text, Catch::Contains("redirect"));
}

TEST_CASE("openai client: an error frame in the stream ends it with its text") {
  std::string said;
  auto end = exchange(stall_after(head() + text("Hel") +
                                  chunk("data: {\"error\":{\"message\":\"boom " + key + "\",\"type\":\"server_error\"}}\n\n")),
                      &said);
  CHECK(said == "Hel");
  CHECK_THAT(end.error.text, Catch::Contains("boom ***"));
  CHECK(end.retryable);
}

TEST_CASE("openai client: a response that is no event stream is refused") {
  auto end = exchange(stall_after(head("text/html") + chunk("<html>")));
  CHECK_THAT(end.error.text, Catch::Contains("text/html") && Catch::Contains("base_url"));
  end = exchange(answer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"));
  CHECK_THAT(end.error.text, Catch::Contains("application/json"));
}

TEST_CASE("openai client: a malformed frame closes the connection at once") {
  std::promise<void> closed;
  auto end = exchange([&](raw_connection& c) {
    c.read_request();
    c.send(head() + chunk("data: {oops\n\n"));
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
  heard h;
  auto stream = (*client)->start(request(), h.sink());
  auto end = h.wait_end();
  CHECK_THAT(end.error.text, Catch::Contains("cannot be reached"));
  CHECK(end.retryable);
}

TEST_CASE("openai client: cancel closes the socket within 100 ms, and nothing follows") {
  std::promise<test_clock::time_point> closed;
  raw_http_server server([&](raw_connection& c) {
    c.read_request();
    c.send(head() + text("Hel"));
    c.wait_closed();
    closed.set_value(test_clock::now());
  });
  world w(server.base_url());
  auto client = w.make();
  heard h;
  auto stream = (*client)->start(request(), h.sink());
  h.wait_text("Hel");
  auto cancelled_at = test_clock::now();
  stream->cancel();
  stream->cancel();
  auto future = closed.get_future();
  REQUIRE(future.wait_for(patience) == std::future_status::ready);
  CHECK(future.get() - cancelled_at < milliseconds{100});
  w.settle();
  CHECK_FALSE(h.end);
}

TEST_CASE("openai client: cancel works before the first byte and from inside the sink") {
  std::atomic<int> closed{0};
  std::promise<void> both;
  auto count = [&] {
    if (++closed == 2) both.set_value();
  };
  raw_http_server server([&](raw_connection& c) {
    auto r = c.read_request();
    if (r.find("\"talk\"") != std::string::npos) c.send(head() + text("Hel"));
    c.wait_closed();
    count();
  });
  world w(server.base_url());
  auto client = w.make();

  auto r = request();
  r.model = "talk";
  std::promise<std::weak_ptr<model_stream>> started;
  auto stream_future = started.get_future().share();
  std::atomic<int> outputs{0};
  auto talking = (*client)->start(r, [&outputs, stream_future](model_output) {
    ++outputs;
    stream_future.get().lock()->cancel();
  });
  started.set_value(talking);

  heard quiet_heard;
  auto quiet = (*client)->start(request(), quiet_heard.sink());
  quiet->cancel();
  // Whether the quiet call had connected by then is a race; a third one makes up for it.
  heard third_heard;
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
  raw_http_server server(stall_after(head() + text("Hel")));
  heard h;
  std::shared_ptr<model_stream> stream;
  {
    world w(server.base_url());
    auto client = w.make();
    stream = (*client)->start(request(), h.sink());
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

#include "providers/websocket_upstream.hpp"
#include "tests/support/end_guarantee.hpp"
#include "tests/support/websocket_bytes.hpp"

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::providers;
using namespace troupe::testing;
using std::chrono::milliseconds;
using test_clock = std::chrono::steady_clock;

namespace {

std::string chunk_of(std::string_view t) { return R"({"type":"message_chunk","content":")" + std::string(t) + "\"}"; }
std::string text(std::string_view t) { return message_frame(chunk_of(t)); }
const std::string end = message_frame(R"({"type":"end"})");

core::result<std::unique_ptr<model_client>> make(const core::provider_config& config, curl_loop& loop,
                                                 const environment_lookup& environment) {
  auto own = config;
  if (own.base_url.starts_with("http")) own.base_url.replace(0, 4, "ws");
  return make_websocket(own, loop, environment);
}

spoken_api chunks() {
  spoken_api api;
  api.make = make;
  api.begin = [](raw_connection& c) { accept_websocket(c); };
  api.wrap = [](std::string_view bytes) { return std::string(bytes); };
  api.farewell = close_frame(1000);
  api.text = text;
  api.error = [](std::string_view t) {
    return message_frame(R"({"type":"error","message":")" + std::string(t) + R"(","code":503})");
  };
  api.end = message_frame(R"({"type":"end","usage":{"prompt_tokens":3,"completion_tokens":2}})");
  api.end_without_usage = end;
  api.unknown = message_frame(R"({"type":"session","content":"no"})") + frame(9, "ping") + message_frame("{}");
  api.garbage = message_frame("{oops");
  api.line_begin = frame_head(1, 100 << 20) + R"({"type":"message_chunk","content":")";
  api.speaks_of_content = false;
  return api;
}

/// What a client hears of an upstream that has taken the message and then does as told.
model_end exchange(const raw_http_server::serve_function& then, std::string* said = nullptr,
                   const core::provider_timeouts* limits = nullptr) {
  raw_http_server server([&](raw_connection& c) {
    accept_websocket(c);
    then(c);
  });
  client_world world(make, server.base_url());
  if (limits != nullptr) world.config.timeouts = *limits;
  auto client = world.make();
  REQUIRE(client.has_value());
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  auto ended = heard.wait_end();
  world.settle();
  if (said != nullptr) *said = heard.text;
  return ended;
}
model_end hears(const std::string& bytes, std::string* said = nullptr) {
  return exchange([&](raw_connection& c) { c.send(bytes); }, said);
}

}  // namespace

TEST_CASE("websocket client: an answer completes on its end marker only, whatever breaks") { end_guarantee(chunks()).check(); }

TEST_CASE("websocket client: key, address and message go out, and the connection is closed in good order") {
  std::promise<std::string> handshake, message;
  std::promise<client_frame> farewell;
  raw_http_server server([&](raw_connection& c) {
    auto request = c.read_request();
    handshake.set_value(request);
    c.send(switching_protocols(request));
    message.set_value(read_frame(c).payload);
    c.send(text("Hello") + end);
    farewell.set_value(read_frame(c));
    c.send(close_frame(1000));
    c.wait_closed();
  });
  client_world world(make, server.base_url() + "/chat/?v=1");
  world.config.message = R"({"ask":"${content}","model":"${model}"})";
  auto client = world.make();
  REQUIRE(client.has_value());
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  CHECK(heard.wait_end().error.code == core::errc::ok);
  CHECK(heard.text == "Hello");
  auto request = handshake.get_future().get();
  CHECK_THAT(request, Catch::StartsWith("GET /v1/chat/?v=1 HTTP/1.1\r\n") &&
                          Catch::Contains("Authorization: Bearer " + test_key + "\r\n") && Catch::Contains("Host: 127.0.0.1:"));
  CHECK(boost::json::parse(message.get_future().get()) == boost::json::parse(R"({"ask":"hi","model":"m"})"));
  auto last = farewell.get_future();
  REQUIRE(last.wait_for(patience) == std::future_status::ready);
  CHECK(last.get().opcode == 8);
}

TEST_CASE("websocket client: messages in fragments, with control frames between, and right behind the handshake are whole") {
  std::string said;
  auto whole = chunk_of("Hello");
  auto fragments = frame(1, whole.substr(0, 9)) + frame(9, "") + frame(0, whole.substr(9, 20)) + frame(0, whole.substr(29));
  fragments[0] = 0x01;
  fragments[9 + 2 + 2] = 0x00;
  CHECK(hears(fragments + end, &said).error.code == core::errc::ok);
  CHECK(said == "Hello");

  raw_http_server server([&](raw_connection& c) {
    c.send(switching_protocols(c.read_request()) + text("Hi") + end);
    c.wait_closed();
  });
  client_world world(make, server.base_url());
  auto client = world.make();
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  CHECK(heard.wait_end().error.code == core::errc::ok);
  CHECK(heard.text == "Hi");
}

TEST_CASE("websocket client: a history of megabytes goes out while the answer comes in") {
  std::promise<std::size_t> got;
  raw_http_server server([&](raw_connection& c) {
    got.set_value(accept_websocket(c).size());
    c.send(end);
  });
  client_world world(make, server.base_url());
  auto client = world.make();
  auto question = model_question();
  question.history = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, std::string(4 << 20, 'x'), {}, {}, true}});
  heard_stream heard;
  auto stream = (*client)->start(question, heard.sink());
  CHECK(heard.wait_end().error.code == core::errc::ok);
  CHECK(got.get_future().get() > 4U << 20U);
}

TEST_CASE("websocket client: an upstream that takes nothing more is heard to its last word") {
  raw_http_server server([](raw_connection& c) {
    c.send(switching_protocols(c.read_request()));
    c.send(message_frame(R"({"type":"error","message":"too much"})"));
  });
  client_world world(make, server.base_url());
  auto client = world.make();
  auto question = model_question();
  question.history = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, std::string(32 << 20, 'x'), {}, {}, true}});
  heard_stream heard;
  auto stream = (*client)->start(question, heard.sink());
  CHECK_THAT(heard.wait_end().error.text, Catch::Contains("too much"));
}

TEST_CASE("websocket client: what the upstream does wrong is named") {
  auto early = hears(text("Hel") + close_frame(1011, "out of " + test_key));
  CHECK_THAT(early.error.text, Catch::Contains("(code 1011: out of ***)") && Catch::Contains("before its end marker"));
  CHECK(early.retryable);
  CHECK_FALSE(hears(close_frame(1008, "who are you")).retryable);
  auto invalid = hears(frame(1, chunk_of("a\xFF")));
  CHECK_THAT(invalid.error.text, Catch::Contains("not UTF-8"));
  CHECK_THAT(hears(frame(5, "x")).error.text, Catch::Contains("broke the WebSocket protocol"));
  CHECK_THAT(hears(frame(1, std::string(std::size_t{1} << 21U, 'x'))).error.text, Catch::Contains("more than 1048576 bytes"));
}

TEST_CASE("websocket client: an address where nobody speaks WebSocket is named") {
  auto answered = [](const std::string& bytes) {
    raw_http_server server([&](raw_connection& c) {
      c.read_request();
      c.send(bytes);
    });
    client_world world(make, server.base_url());
    auto client = world.make();
    heard_stream heard;
    auto stream = (*client)->start(model_question(), heard.sink());
    return heard.wait_end();
  };
  for (const auto& bytes : {response("200 OK", "", "{}"), std::string("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
                            std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                        "Sec-WebSocket-Accept: bm9uc2Vuc2U=\r\n\r\n")}) {
    auto ended = answered(bytes);
    INFO(ended.error.text);
    CHECK_THAT(ended.error.text, Catch::Contains("check base_url"));
    CHECK_FALSE(ended.retryable);
  }
}

TEST_CASE("websocket client: time limits of silence, which pings end, and of the whole") {
  core::provider_timeouts limits{10 * patience, 10 * patience, 10 * patience, milliseconds{150}};
  auto slow = exchange(
      [](raw_connection& c) {
        while (c.send(text("x"))) std::this_thread::yield();
      },
      nullptr, &limits);
  CHECK(slow.error.code == core::errc::timeout);
  CHECK_THAT(slow.error.text, Catch::Contains("timeouts_ms.total"));
  CHECK_FALSE(slow.retryable);

  // Pings of an upstream that thinks are signs of life.
  limits.total = 10 * patience;
  CHECK(holds_with_some_limit(milliseconds{500}, [&](auto limit) {
    limits.first_byte = limits.idle = limit;
    auto pinged = exchange(
        [&](raw_connection& c) {
          auto started = test_clock::now();
          while (test_clock::now() - started < 2 * limit) {
            c.send(frame(9, ""));
            if (read_frame(c).opcode != 10) return;
          }
          c.send(end);
        },
        nullptr, &limits);
    return pinged.error.text.empty();
  }));

  // Not even the handshake is answered.
  raw_http_server mute([](raw_connection& c) { c.wait_closed(); });
  client_world world(make, mute.base_url());
  world.config.timeouts = limits;
  auto client = world.make();
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  CHECK_THAT(heard.wait_end().error.text, Catch::Contains("timeouts_ms.first_byte"));
}

TEST_CASE("websocket client: a server that is not there cannot be reached, nor a name that is none") {
  std::string gone;
  {
    raw_http_server server([](raw_connection&) {});
    gone = server.base_url();
  }
  for (const auto& url : {gone, std::string("ws://name.invalid/")}) {
    client_world world(make, url);
    auto client = world.make();
    heard_stream heard;
    auto stream = (*client)->start(model_question(), heard.sink());
    auto ended = heard.wait_end();
    CHECK_THAT(ended.error.text, Catch::Contains("provider \"local\": the upstream cannot be reached"));
    CHECK(ended.retryable);
  }
}

TEST_CASE("websocket client: cancel closes the socket, and nothing follows") {
  std::promise<void> asked, closed;
  bool before_text = GENERATE(true, false);
  raw_http_server server([&](raw_connection& c) {
    accept_websocket(c);
    if (!before_text) c.send(text("Hel"));
    asked.set_value();
    c.wait_closed();
    closed.set_value();
  });
  client_world world(make, server.base_url());
  auto client = world.make();
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  asked.get_future().wait();
  if (!before_text) heard.wait_text("Hel");
  stream->cancel();
  stream->cancel();
  REQUIRE(closed.get_future().wait_for(patience) == std::future_status::ready);
  world.settle();
  CHECK_FALSE(heard.end);
}

TEST_CASE("websocket client: cancel works from inside the sink, before the connection, and after the end") {
  raw_http_server server([&](raw_connection& c) {
    accept_websocket(c);
    c.send(text("Hel") + text("lo") + end);
    c.wait_closed();
  });
  client_world world(make, server.base_url());
  auto client = world.make();
  std::promise<std::weak_ptr<model_stream>> started;
  std::promise<void> called;
  auto itself = started.get_future().share();
  std::atomic<int> outputs{0};
  auto stream = (*client)->start(model_question(), [&outputs, &called, itself](model_output) {
    itself.get().lock()->cancel();
    if (++outputs == 1) called.set_value();
  });
  started.set_value(stream);
  REQUIRE(called.get_future().wait_for(patience) == std::future_status::ready);

  // One that never answers: else the whole answer may be here before this thread comes to cancel it.
  raw_http_server silent([](raw_connection& c) { c.wait_closed(); });
  client_world silent_world(make, silent.base_url());
  auto silent_client = silent_world.make();
  heard_stream quiet;
  (*silent_client)->start(model_question(), quiet.sink())->cancel();

  heard_stream whole;
  auto done = (*client)->start(model_question(), whole.sink());
  CHECK(whole.wait_end().error.code == core::errc::ok);
  done->cancel();
  world.settle();
  silent_world.settle();
  CHECK(outputs == 1);
  CHECK_FALSE(quiet.end);
  CHECK(whole.text == "Hello");
}

TEST_CASE("websocket client: open streams end quietly when the loop goes") {
  raw_http_server server([](raw_connection& c) {
    accept_websocket(c);
    c.send(text("Hel"));
    c.wait_closed();
  });
  heard_stream heard;
  std::shared_ptr<model_stream> stream;
  {
    client_world world(make, server.base_url());
    auto client = world.make();
    stream = (*client)->start(model_question(), heard.sink());
    heard.wait_text("Hel");
  }
  stream->cancel();
  CHECK_FALSE(heard.end);
}

TEST_CASE("websocket client: a proxy is asked for a tunnel, and what follows goes through it") {
  std::string asked;
  raw_http_server proxy([&](raw_connection& c) {
    asked = c.read_request();
    c.send("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
    accept_websocket(c);
    c.send(text("Hel") + text("lo") + end);
    c.wait_closed();
  });
  client_world world(make, "ws://name.invalid:8080/chat");
  world.config.proxy = proxy.base_url();
  auto client = world.make();
  REQUIRE(client.has_value());
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  CHECK(heard.wait_end().error.code == core::errc::ok);
  CHECK(heard.text == "Hello");
  CHECK_THAT(asked, Catch::StartsWith("CONNECT name.invalid:8080 HTTP/1.1\r\nHost: name.invalid:8080\r\n"));
  CHECK_THAT(asked, !Catch::Contains(test_key));
}

TEST_CASE("websocket client: a proxy that makes no tunnel is named with what it said") {
  struct row {
    std::string answer, told;
  };
  auto r = GENERATE(row{"HTTP/1.1 403 Filtered\r\nContent-Length: 2\r\n\r\nno", "refused the tunnel: HTTP 403 Filtered"},
                    row{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "give its name and password"},
                    row{"HTTP/1.1 200 OK\r\n\r\nhello", "sent more than its answer"}, row{"", "End of file"},
                    row{"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), ""});
  INFO(r.answer.substr(0, 60));
  raw_http_server proxy([&](raw_connection& c) {
    c.read_request();
    c.send(r.answer);
  });
  client_world world(make, "wss://model.example");
  world.config.proxy = proxy.base_url();
  auto client = world.make();
  heard_stream heard;
  auto stream = (*client)->start(model_question(), heard.sink());
  auto ended = heard.wait_end();
  CHECK_THAT(ended.error.text, Catch::Contains("the upstream cannot be reached: the proxy 127.0.0.1:"));
  CHECK_THAT(ended.error.text, Catch::Contains(r.told));
}

TEST_CASE("websocket client: what is wrong with the configuration is named") {
  client_world world(make, "wss://127.0.0.1:1");
  auto error_of = [&] {
    auto made = world.make();
    REQUIRE(made.has_error());
    CHECK(made.error().code == core::errc::configuration_error);
    return made.error().text;
  };
  CHECK(world.make().has_value());
  world.config.ca_file = "/nowhere/ca.pem";
  CHECK_THAT(error_of(), Catch::Contains("ca_file /nowhere/ca.pem cannot be read"));
  world.config.ca_file = "/dev/null";
  CHECK_THAT(error_of(), Catch::Contains("ca_file /dev/null holds no certificates"));
  world.config.ca_file = "";
  world.config.message = R"({"a":"${b}"})";
  CHECK_THAT(error_of(), Catch::Contains("provider \"local\": message: \"${b}\" is no placeholder"));
  world.config.message = "";
  world.config.proxy = "socks5://p:1";
  CHECK_THAT(error_of(), Catch::Contains("proxy is not of the form http://HOST"));
  world.config.proxy = "";
  world.config.base_url = "model.example";
  CHECK_THAT(error_of(), Catch::Contains("base_url must begin with ws:// or wss://"));
  world.config.base_url = "wss://:1";
  CHECK_THAT(error_of(), Catch::Contains("ws://HOST"));
  world.config.base_url = "ws://h";
  world.config.api_key_env = "OTHER_KEY";
  CHECK_THAT(error_of(), Catch::Contains("OTHER_KEY"));
}

#include "providers/websocket_message.hpp"
#include "providers/websocket_proxy.hpp"
#include "providers/websocket_upstream.hpp"
#include "tests/support/model_answers.hpp"

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::providers;
using row = troupe::testing::answer_row;
namespace json = boost::json;

namespace {

stream_options websocket_options() { return {}; }

/// Messages as lines, for the table.
class line_parser {
 public:
  explicit line_parser(stream_options o) : parser_(std::move(o)) {}

  void feed(std::string_view bytes, model_output& out) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      parser_.feed(bytes.substr(0, end), out);
      parser_.finish_message(out);
      bytes.remove_prefix(end + 1);
    }
    parser_.feed(bytes, out);
  }
  void close(model_output& out) { parser_.close(1000, "", out); }

 private:
  websocket_parser parser_;
};

troupe::testing::heard_answer play_websocket(const std::string& bytes, stream_options o = websocket_options()) {
  return troupe::testing::play_answer<line_parser>({bytes}, std::move(o));
}

std::string chunk(std::string_view t) {
  return R"({"type":"message_chunk","content":")" + std::string(t) + R"(","thread_id":"t","client_id":"c"})" + "\n";
}
const std::string end = "{\"type\":\"end\"}\n";

const std::vector<row>& websocket_rows() {
  using core::finish_reason;
  static const std::vector<row> all{
      {"an ordinary answer", chunk("Hel") + chunk("lo") + end, "Hello", ""},
      {"an answer without text", end, "", ""},
      {"unknown and missing fields",
       R"({"content":"Hi","type":"message_chunk","conversation_id":7,"error":"no","x":{"y":[]}})"
       "\n"
       R"({"type":"message_chunk"})"
       "\n"
       R"({"type":"message_chunk","content":null})"
       "\n"
       R"({"type":"end","conversation_id":null,"error":"none","content":"no"})"
       "\n",
       "Hi", ""},
      {"chunks of other threads are this one's",
       R"({"type":"message_chunk","content":"a","thread_id":"other"})"
       "\n" +
           end,
       "a", ""},
      {"unknown types",
       R"({"type":"session"})"
       "\n{}\n"
       R"({"type":7,"content":"no"})"
       "\n" +
           chunk("Hi") +
           R"({"type":"END"})"
           "\n" +
           end,
       "Hi", ""},
      {"usage in the end",
       chunk("Hi") + R"({"type":"end","usage":{"prompt_tokens":9,"completion_tokens":2}})"
                     "\n",
       "Hi",
       "",
       finish_reason::stop,
       {},
       core::token_usage{9, 0, 2}},
      {"characters of several bytes", chunk("caf\xC3\xA9 \xF0\x9F\x98\x80") + end, "caf\xC3\xA9 \xF0\x9F\x98\x80", ""},
      {"a character cut between two chunks", chunk("a\xE2\x82") + chunk("\xAC.") + end, "a\xE2\x82\xAC.", ""},
      {"a character that never ends", chunk("a\xE2\x82") + end, "a\xEF\xBF\xBD", ""},
      {"escapes", chunk("a\\n\\u00e9\\ud83d\\ude00") + end, "a\n\xC3\xA9\xF0\x9F\x98\x80", ""},
      {"closed with text",
       chunk("Hi"),
       "Hi",
       "closed the connection (code 1000) before its end marker",
       finish_reason::stop,
       {},
       {},
       true},
      {"closed without text", "", "", "before its end marker", finish_reason::stop, {}, {}, true},
      {"closed inside a message",
       chunk("Hi") + R"({"type":"end")",
       "Hi",
       "before its end marker",
       finish_reason::stop,
       {},
       {},
       true},
      {"nothing counts after the end",
       chunk("Hi") + end + chunk("no") +
           R"({"type":"error","message":"no"})"
           "\n{oops\n",
       "Hi", ""},
      {"an error with a message",
       chunk("Hi") +
           R"({"type":"error","message":"boom"})"
           "\n" +
           end,
       "Hi", "boom"},
      {"an error with a text",
       R"({"type":"error","error":"boom"})"
       "\n" +
           end,
       "", "boom"},
      {"an error in its content",
       R"({"type":"error","content":"boom","thread_id":"t"})"
       "\n" +
           end,
       "", "boom"},
      {"an error in its detail",
       R"({"type":"error","detail":"boom"})"
       "\n",
       "", "boom"},
      {"an error object that may pass",
       R"({"type":"error","error":{"message":"boom","code":503}})"
       "\n",
       "",
       "boom",
       finish_reason::stop,
       {},
       {},
       true},
      {"an error without a type",
       R"({"error":"boom"})"
       "\n" +
           end,
       "", "boom"},
      {"an error without a word",
       R"({"type":"error"})"
       "\n" +
           end,
       "", "an error without a text"},
      {"no JSON", chunk("Hi") + "{oops\n" + end, "Hi", "not a JSON object: {oops"},
      {"no object", "[1]\n" + end, "", "not a JSON object: [1]"},
      {"an empty message", "\n" + end, "", "not a JSON object"},
      {"two objects in one message",
       R"({"type":"end"}{"type":"end"})"
       "\n",
       "", "not a JSON object"},
      {"bytes that are no text", chunk("a\xFF") + end, "", "not UTF-8"},
  };
  return all;
}

model_request question() {
  model_request r;
  r.model = "m";
  r.instructions = "Be brief.";
  r.max_output_tokens = 77;
  r.history = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, "one", {}, {}, true},
                                         {core::role::assistant, "", {{{"a"}, "clock", "{}"}}, {}, true},
                                         {core::role::tool, "noon", {}, {"a"}, true},
                                         {core::role::assistant, "It is noon.", {}, {}, true},
                                         {core::role::user, "two \"${model}\"", {}, {}, true}});
  return r;
}

json::value filled(std::string_view form, const model_request& request) {
  auto parsed = message_template::parse(form);
  REQUIRE(parsed.has_value());
  return json::parse(parsed->fill(request));
}
std::string fault(std::string_view form) {
  auto parsed = message_template::parse(form);
  return parsed ? "no error" : parsed.error().text;
}

}  // namespace

TEST_CASE("websocket stream: every row gives the same, however its messages are cut") {
  troupe::testing::check_answers<line_parser, stream_options>(websocket_rows(), websocket_options);
}

TEST_CASE("websocket stream: messages, answers and nesting are bounded") {
  auto small = websocket_options();
  small.max_line = 100;
  small.max_total = 10;
  CHECK_THAT(play_websocket(std::string(101, 'x'), small).end->error.text, Catch::Contains("more than 100 bytes"));
  CHECK_THAT(play_websocket(chunk("123456") + chunk("78901"), small).end->error.text, Catch::Contains("more than 10 bytes"));
  auto nested = "{\"type\":\"end\",\"x\":" + std::string(100'000, '[');
  CHECK_THAT(play_websocket(nested + "\n").end->error.text, Catch::Contains("not a JSON object"));
}

TEST_CASE("websocket stream: the code and the words of a close are told, and say whether another time may help") {
  auto closed = [](unsigned code, std::string_view words) {
    websocket_parser parser(websocket_options());
    model_output out;
    parser.close(code, words, out);
    REQUIRE(out.end);
    return *out.end;
  };
  CHECK_THAT(closed(1011, "out of memory").error.text, Catch::Contains("(code 1011: out of memory)"));
  CHECK(closed(1011, "").retryable);
  CHECK(closed(0, "").retryable);
  CHECK_THAT(closed(0, "").error.text, !Catch::Contains("code"));
  for (unsigned code : {1002U, 1003U, 1007U, 1008U, 1009U}) CHECK_FALSE(closed(code, "").retryable);
}

TEST_CASE("websocket message: without a template it is that of the seed") {
  auto request = question();
  auto got = filled("", request);
  auto expected = json::parse(R"({"type":"message","content":"two \"${model}\"","max_tokens":77,"history":[
      {"role":"system","content":"Be brief."},{"role":"user","content":"one"},{"role":"tool","content":"noon"},
      {"role":"assistant","content":"It is noon."}]})");
  expected.as_object()["thread_id"] = request.session.str();
  CHECK(got == expected);
  request.temperature = 0.5;
  CHECK(filled("", request).at("temperature") == 0.5);
  CHECK(filled("", {}).at("content") == "");
  CHECK(filled("", {}).at("history") == json::array{});
}

TEST_CASE("websocket message: placeholders stand for whole values at any depth, the rest stays as it is") {
  auto got = filled(R"({"op":"ask","v":2,"on":null,"in":{"q":["${content}",1,"${temperature}"],"who":"${model}"},
                        "sys":"${instructions}","past":"${history}","$":"$content"})",
                    question());
  CHECK(got.at("op") == "ask");
  CHECK(got.at("v") == 2);
  CHECK(got.at("on").is_null());
  CHECK(got.at_pointer("/in/q") == json::parse(R"(["two \"${model}\"",1])"));
  CHECK(got.at_pointer("/in/who") == "m");
  CHECK(got.at("sys") == "Be brief.");
  CHECK(got.at("past").as_array().size() == 3);
  CHECK(got.at("$") == "$content");
}

TEST_CASE("websocket message: what is not UTF-8 is sent as such") {
  auto request = question();
  request.history = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, "a\xFF", {}, {}, true}});
  CHECK(filled("", request).at("content") == "a\xEF\xBF\xBD");
}

TEST_CASE("websocket message: files are part of the content, as text or by name") {
  auto request = question();
  core::history_message asked{core::role::user, "Look:", {}, {}, true};
  core::attachment image;
  image.name = "cat.png";
  image.content_type = "image/png";
  asked.attachments = {image};
  request.takes_images = request.takes_files = true;
  request.history = std::make_shared<const std::vector<core::history_message>>(std::vector<core::history_message>{asked});
  auto content = std::string(filled("", request).at("content").as_string());
  CHECK_THAT(content, Catch::StartsWith("Look:\n\n") && Catch::Contains("cat.png"));
}

TEST_CASE("websocket message: what is wrong with a template is named") {
  CHECK_THAT(fault("[]"), Catch::Contains("expected a JSON object"));
  CHECK_THAT(fault("{"), Catch::Contains("expected a JSON object"));
  CHECK_THAT(fault(R"({"a":["${contnet}"]})"),
             Catch::Contains("\"${contnet}\" is no placeholder") && Catch::Contains("${content}"));
  CHECK_THAT(fault(R"({"a":"Say: ${content}"})"), Catch::Contains("whole value"));
}

TEST_CASE("websocket URL: scheme, host, port and path come out, and what is none is refused") {
  auto url = websocket_url::parse("wss://model.example/chat/?v=1");
  REQUIRE(url.has_value());
  CHECK(url->is_secure);
  CHECK(std::tie(url->host, url->port, url->authority, url->target) ==
        std::make_tuple("model.example", "443", "model.example", "/chat/?v=1"));
  url = websocket_url::parse("ws://[::1]:8080");
  REQUIRE(url.has_value());
  CHECK_FALSE(url->is_secure);
  CHECK(std::tie(url->host, url->port, url->authority, url->target) == std::make_tuple("::1", "8080", "[::1]:8080", "/"));
  CHECK(websocket_url::parse("ws://h?x")->target == "/?x");
  for (auto text : {"", "http://h", "ws://", "ws://:1", "ws:///x", "ws://h:", "ws://h:x", "ws://h:65536", "ws://[::1",
                    "ws://[::1]x", "ws://me:secret@h", "ws://me@h", "ws://h/a b", "ws://h/#x", "ws://h/\xC3\xA9"}) {
    INFO(text);
    CHECK_FALSE(websocket_url::parse(text).has_value());
  }
}

TEST_CASE("websocket proxy: the configured one wins, then the environment's, unless it is not for that host") {
  std::map<std::string, std::string> variables;
  auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    auto it = variables.find(name);
    return it == variables.end() ? std::nullopt : std::optional(it->second);
  };
  auto proxy_of = [&](const char* url, const std::string& configured = {}) {
    auto found = proxy_for(*websocket_url::parse(url), configured, lookup);
    INFO((found ? std::string() : found.error().text));
    REQUIRE(found.has_value());
    return *found ? (*found)->host + ":" + (*found)->port : std::string("none");
  };
  CHECK(proxy_of("wss://model.example/") == "none");
  variables = {{"http_proxy", "http://plain:81"}, {"https_proxy", "secure:82"}, {"all_proxy", "http://all"}};
  CHECK(proxy_of("wss://model.example/") == "secure:82");
  CHECK(proxy_of("ws://model.example/") == "plain:81");
  CHECK(proxy_of("ws://model.example/", "http://[::1]:3128/") == "::1:3128");
  variables["no_proxy"] = "other.example, .model.example,10.0.0.1";
  CHECK(proxy_of("wss://EU.model.example/") == "none");
  CHECK(proxy_of("wss://model.example:444/") == "none");
  CHECK(proxy_of("ws://10.0.0.1/") == "none");
  CHECK(proxy_of("ws://notmodel.example/") == "plain:81");
  CHECK(proxy_of("ws://model.example/", "http://p:1") == "p:1");
  variables = {{"HTTP_PROXY", "http://a-stranger:1"}, {"HTTPS_PROXY", "http://large:1"}, {"ALL_PROXY", "http://all"}};
  CHECK(proxy_of("ws://model.example/") == "all:1080");
  CHECK(proxy_of("wss://model.example/") == "large:1");
  variables["NO_PROXY"] = "*";
  CHECK(proxy_of("wss://model.example/") == "none");

  variables = {{"https_proxy", "socks5://name:secret@h:1"}};
  auto wrong = proxy_for(*websocket_url::parse("wss://h/"), {}, lookup);
  REQUIRE(wrong.has_error());
  CHECK_THAT(wrong.error().text, Catch::Contains("environment variable https_proxy is not of the form http://HOST"));
  CHECK_THAT(wrong.error().text, !Catch::Contains("secret"));
  CHECK_THAT(proxy_for(*websocket_url::parse("wss://h/"), "https://h:1", lookup).error().text,
             Catch::StartsWith("proxy is not"));
}

TEST_CASE("websocket proxy: the tunnel is asked for with name and password, and a refusal is told") {
  auto proxy = websocket_proxy::parse("http://ada:p%40ss@proxy.example:3128");
  REQUIRE(proxy);
  CHECK(proxy->request_to(*websocket_url::parse("wss://model.example/chat")) ==
        "CONNECT model.example:443 HTTP/1.1\r\nHost: model.example:443\r\nUser-Agent: troupe\r\n"
        "Proxy-Authorization: Basic YWRhOnBAc3M=\r\n\r\n");
  CHECK_THAT(websocket_proxy::parse("h")->request_to(*websocket_url::parse("ws://[::1]:8080")),
             Catch::StartsWith("CONNECT [::1]:8080 HTTP/1.1\r\n"));
  for (const auto* none : {"", "ftp://h", "http://", "http://h:x", "http://h:99999", "http://a b"})
    CHECK_FALSE(websocket_proxy::parse(none));
  CHECK_FALSE(refusal_of_proxy("HTTP/1.0 200 Connection established\r\n\r\n"));
  CHECK(refusal_of_proxy("HTTP/1.1 403 Filtered\r\n\r\n") == "refused the tunnel: HTTP 403 Filtered");
  CHECK_THAT(*refusal_of_proxy("HTTP/1.1 407 Auth\r\n\r\n"), Catch::Contains("give its name and password"));
  CHECK(refusal_of_proxy("SSH-2.0\r\n") == "answered no HTTP: SSH-2.0");
  CHECK(refusal_of_proxy("HTTP/1.1"));
}

// The client against servers as people install them: the reference servers of the MCP project (legacy era), and one made with
// the official SDK of the modern era. They come with scripts/setup --tests.
#include "tests/support/helper_program.hpp"
#include "tests/support/mcp_world.hpp"

using namespace troupe;
using namespace troupe::testing;
using Catch::Contains;

namespace {

const std::string e2e = TROUPE_SOURCE_DIR "/tests/e2e/";

std::string package(const std::string& name) {
  auto file = e2e + "node_modules/@modelcontextprotocol/" + name + "/dist/index.js";
  if (!fs::exists(file)) FAIL(file << " is missing; scripts/setup --tests brings it");
  return file;
}

struct reference_world : mcp_world {
  /// server-everything over HTTP; again on the same port where one is given.
  std::unique_ptr<helper_program> everything_over_http(unsigned short port) {
    auto out =
        std::make_unique<helper_program>(std::vector<std::string>{TROUPE_NODE, package("server-everything"), "streamableHttp"},
                                         std::vector<std::string>{"PORT=" + std::to_string(port)});
    REQUIRE(!out->wait_output("listening on port").empty());
    return out;
  }
  core::tool_config at(const std::string& url) const {
    auto out = config({});
    out.url = url;
    out.environment.clear();
    return out;
  }
  std::string here(unsigned short port) { return "http://127.0.0.1:" + std::to_string(port) + "/mcp"; }

  void check_everything(const tools::tool_source& source) {
    CHECK_THAT(source.status(), Contains("ready; 1 left out; `simulate-research-query`: it can only be called as an MCP task"));
    CHECK(count_logged("MCP 2025-11-25") == 1);
    CHECK_FALSE(find(source, "trigger-sampling-request"));  // shown only to clients that offer it
    CHECK_FALSE(find(source, "get-roots-list"));
    CHECK(find(source, "echo")->spec().effect == core::effect::read_only);
    CHECK(result(source, "echo", R"({"message":"gr\u00fc\u00df\nGott"})").output == "Echo: gr\u00fc\u00df\nGott");
    CHECK(result(source, "get-sum", R"({"a":2,"b":3.5})").output == "The sum of 2 and 3.5 is 5.5.");

    auto image = result(source, "get-tiny-image");
    CHECK(image.ok);
    REQUIRE(image.files.size() == 1);
    CHECK(image.files[0].name == "image-1.png");
    CHECK(image.files[0].content_type == "image/png");
    CHECK(image.files[0].bytes.starts_with("\x89PNG\r\n"));
    CHECK(image.output == "Here's the image you requested:\n(picture: file image-1.png, image/png, " +
                              std::to_string(image.files[0].bytes.size()) + " bytes)\nThe image above is the MCP logo.");

    auto weather = result(source, "get-structured-content", R"({"location":"Chicago"})");
    CHECK(weather.ok);
    CHECK_THAT(weather.output, Contains(R"("temperature":36)"));

    auto resource = result(source, "get-resource-reference", R"({"resourceType":"Text","resourceId":7})");
    CHECK_THAT(resource.output, Contains("Resource 7: This is a plaintext resource"));
    REQUIRE(resource.files.size() == 1);
    CHECK(resource.files[0].content_type == "text/plain");
    resource = result(source, "get-resource-reference", R"({"resourceType":"Blob","resourceId":7})");
    REQUIRE(resource.files.size() == 1);
    CHECK_THAT(resource.files[0].bytes, Contains("Resource 7: This is a base64 blob"));
    CHECK_THAT(result(source, "get-resource-links", R"({"count":2})").output, Contains("(link to demo://resource/"));

    auto slow = call(source, "trigger-long-running-operation", R"({"duration":0.2,"steps":4})");
    CHECK(slow.wait().output == "Long running operation completed. Duration: 0.2 seconds, Steps: 4.");
    // Over HTTP each step is a piece of the response: what came after the result has been read is not lost, but cannot be told.
    CHECK(slow.heard->reports == std::vector<std::string>{"1 of 4", "2 of 4", "3 of 4", "4 of 4"});

    auto asking = call(source, "trigger-elicitation-request");
    REQUIRE(asking.wait_question());
    CHECK_THAT(asking.heard->questions[0].text, Contains("Please provide inputs for the following fields"));
    asking.running->answer({true, {{"name", "Ada"}, {"check", true}, {"integer", 42}}});
    CHECK_THAT(asking.wait().output, Contains("- Name: Ada") && Contains("- Favorite Integer: 42"));
    asking = call(source, "trigger-elicitation-request");
    REQUIRE(asking.wait_question());
    asking.running->answer({false, {}});
    CHECK_THAT(asking.wait().output, Contains("User declined"));

    auto given_up = call(source, "trigger-long-running-operation", R"({"duration":600,"steps":2})");
    auto beside = call(source, "echo", R"({"message":"beside"})");
    CHECK(beside.wait().output == "Echo: beside");
    given_up.running.reset();
    CHECK(result(source, "echo", R"({"message":"after"})").output == "Echo: after");
    CHECK(given_up.heard->ends == 0);
  }
};

}  // namespace

TEST_CASE_METHOD(reference_world, "mcp: server-everything over stdio, every kind of result, progress, questions, cancel") {
  auto source = ready(config({TROUPE_NODE, package("server-everything")}));
  check_everything(*source);
  CHECK(stop(source));
  CHECK(until_gone());
}

TEST_CASE_METHOD(reference_world, "mcp: server-everything over Streamable HTTP, the same, and the session is ended") {
  auto port = free_port();
  auto server = everything_over_http(port);
  auto source = ready(at(here(port)));
  check_everything(*source);
  CHECK(stop(source));
  CHECK_FALSE(server->wait_output("Received session termination request").empty());
}

TEST_CASE_METHOD(reference_world, "mcp: an HTTP server that was started again has forgotten the session, and nobody notices") {
  auto port = free_port();
  auto server = everything_over_http(port);
  auto source = ready(at(here(port)));
  auto echo = find(*source, "echo");
  auto hung = call(*source, "trigger-long-running-operation", R"({"duration":600,"steps":2})");
  CHECK(result(*source, "echo", R"({"message":"a"})").ok);
  server->end(SIGKILL);
  CHECK_THAT(hung.wait().output, Contains("did not finish the call"));
  CHECK_THAT(result(*source, "echo", R"({"message":"a"})").output, Contains("it cannot be reached"));
  server = everything_over_http(port);
  // It answers 400, "No valid session ID provided"; the protocol says 404.
  CHECK(result(*source, "echo", R"({"message":"b"})").output == "Echo: b");
  CHECK(find(*source, "echo") == echo);
  CHECK(count_logged("is down") == 0);
}

TEST_CASE_METHOD(reference_world, "mcp: an HTTP server that is not there yet is waited for") {
  auto port = free_port();
  auto source = ready(at(here(port)));
  CHECK_THAT(source->status(), Contains("down: it cannot be reached"));
  CHECK(source->tools().empty());
  auto server = everything_over_http(port);
  CHECK(events.wait([&] { return find(*source, "echo") != nullptr; }));
  CHECK(result(*source, "echo", R"({"message":"b"})").output == "Echo: b");
}

TEST_CASE_METHOD(reference_world, "mcp: server-filesystem works in its folder and nowhere else") {
  auto source = ready(config({TROUPE_NODE, package("server-filesystem"), folder.string()}));
  CHECK(source->status() == "ready");
  CHECK(find(*source, "read_text_file")->spec().effect == core::effect::read_only);
  CHECK(find(*source, "write_file")->spec().approval == core::approval_policy::always);
  CHECK(find(*source, "write_file")->spec().risk == "high");
  auto path = (folder / "note.txt").string();
  CHECK(result(*source, "write_file", R"({"path":")" + path + R"(","content":"kept"})").ok);
  CHECK(content_of(path) == "kept");
  CHECK(result(*source, "read_text_file", R"({"path":")" + path + R"("})").output == "kept");
  CHECK_THAT(result(*source, "list_directory", R"({"path":")" + folder.string() + R"("})").output, Contains("[FILE] note.txt"));
  auto outside = result(*source, "read_text_file", R"({"path":"/etc/passwd"})");
  CHECK_FALSE(outside.ok);
  CHECK_THAT(outside.output, Contains("Access denied"));
}

TEST_CASE_METHOD(reference_world, "mcp: server-memory remembers over a restart") {
  auto with = config({TROUPE_NODE, package("server-memory")});
  with.environment["MEMORY_FILE_PATH"] = (folder / "memory.jsonl").string();
  auto source = ready(with);
  CHECK(source->status() == "ready");
  CHECK(result(*source, "create_entities",
               R"({"entities":[{"name":"Ada","entityType":"person","observations":["wrote a program"]}]})")
            .ok);
  CHECK(stop(source));
  source = ready(with);
  auto graph = result(*source, "read_graph");
  CHECK(graph.ok);
  CHECK_THAT(graph.output, Contains("wrote a program"));
}

TEST_CASE_METHOD(reference_world, "mcp: the official SDK of the modern era, over stdio and HTTP, serving one era or both") {
  bool is_http = GENERATE(false, true);
  bool is_dual = GENERATE(false, true);
  std::vector<std::string> command{TROUPE_NODE, e2e + "support/mcp_modern_server.mjs", is_http ? "http" : "stdio"};
  if (is_dual) command.push_back("legacy");
  std::unique_ptr<helper_program> server;
  auto with = config(command);
  if (is_http) {
    server = std::make_unique<helper_program>(command);
    auto port = server->wait_output("\n");
    REQUIRE_FALSE(port.empty());
    with = at(here(static_cast<unsigned short>(std::stoul(port))));
  }
  auto source = ready(with);
  CHECK(source->status() == "ready");
  CHECK(count_logged("MCP 2026-07-28") == 1);
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  CHECK(result(*source, "region", R"({"name":"eu-west"})").output == "region eu-west");
  CHECK(result(*source, "region", R"({"name":" \u00e9 "})").output == "region  \u00e9 ");
  CHECK(result(*source, "region", R"({"name":""})").output == "region ");

  auto counting = call(*source, "count", R"({"to":3})");
  CHECK(counting.wait().output == "counted");
  CHECK(counting.heard->reports == std::vector<std::string>{"1 of 3", "2 of 3", "3 of 3"});

  auto asking = call(*source, "ask");
  REQUIRE(asking.wait_question());
  CHECK(asking.heard->questions[0].text == "The MCP server `server` asks: Which color?");
  asking.running->answer({true, {{"color", "blue"}}});
  CHECK(asking.wait().output == R"({"action":"accept","content":{"color":"blue"}})");
  asking = call(*source, "ask");
  REQUIRE(asking.wait_question());
  asking.running->answer({false, {}});
  CHECK(asking.wait().output == R"({"action":"decline"})");

  auto waiting = call(*source, "wait");
  CHECK(result(*source, "echo", R"({"text":"b"})").output == "b");
  waiting.running.reset();
  if (is_http)
    CHECK_FALSE(server->wait_output("wait was cancelled").empty());
  else
    CHECK(wait_logged("wait was cancelled"));

  CHECK_FALSE(find(*source, "grown"));
  CHECK(result(*source, "grow").output == "grown");
  REQUIRE(events.wait([&] { return find(*source, "grown") != nullptr; }));
  CHECK(result(*source, "grown").output == "I am new");
  CHECK(stop(source));
}

#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/chat_room.hpp"
#include "transport/dialects/chat_room_input.hpp"
#include "transport/dialects/chat_room_json.hpp"

#include <catch2/catch.hpp>

namespace json = boost::json;
using namespace troupe;
using namespace troupe::core;
using transport_test::names_of;
using transport_test::pieces;
using transport_test::question;
using transport_test::recording_port;
using transport_test::reply;
using transport_test::run;
using transport_test::stage;
using transport_test::stage_session;
using transport_test::words;

namespace {

const auto room = stage_session;
const std::string room_text = stage_session.str();

stage empty_stage(bool offsets = true) { return stage(std::make_unique<transport::chat_room_encoder>(room, offsets)); }

message_added asked() { return {question, role::user, "hi", "u1", "m-1", "Ana", {}, {}}; }
message_completed said(const char* text, std::vector<tool_call> calls = {}, bool cut = false) {
  return {run, 1, reply, text, std::move(calls), finish_reason::stop, cut};
}

stage room_started() {
  auto s = empty_stage();
  s(session_created{{"demo"}, {"guide"}, "chat-room", {}, "u1", {}});
  s(asked());
  s(run_started{run, question, reply, {}, {"guide"}, 0, {}});
  s(step_started{run, 1, reply, "p", "m"});
  return s;
}

json::value parsed(const char* text) { return json::parse(text); }

/// What a field of the payload of the only packet is.
json::value only(const std::vector<transport_test::packet>& packets, const char* field) {
  REQUIRE(packets.size() == 1);
  return packets[0].payload.as_object().at(field);
}

}  // namespace

TEST_CASE("chat-room: a turn is chat:message(user), thinking, streaming*, isComplete, chat:message(assistant), complete") {
  auto s = empty_stage();
  CHECK(s.names(session_created{{"demo"}, {"guide"}, "chat-room", {}, "u1", {}}).empty());
  auto user = s(asked());
  CHECK(
      user ==
      words{
          R"(42/chat,["chat:message",{"conversationId":")" + room_text + R"(","message":{"id":")" + question.str() +
          R"(","role":"user","content":"hi","metadata":{"clientMessageId":"m-1"},"mcpToolCalls":null,"createdAt":"1970-01-01T00:00:00.000Z","conversationId":")" +
          room_text + R"(","userId":"u1","username":"Ana"}},")" + room_text + R"(:2"])"});
  CHECK(s(run_started{run, question, reply, {}, {"guide"}, 0, {}}) ==
        words{R"(42/chat,["chat:thinking",{"conversationId":")" + room_text + R"(","status":"processing"},")" + room_text +
              R"(:3"])"});
  CHECK(s.names(step_started{run, 1, reply, "p", "m"}).empty());
  auto streamed = s(text_delta{reply, pieces({"Hel", "lo \"x\"\n"})});
  auto chunk = [&](const std::string& text, const char* seq) {
    return R"(42/chat,["chat:streaming",{"conversationId":")" + room_text + R"(","messageId":")" + reply.str() +
           R"(","chunk":)" + text + R"(,"isComplete":false},")" + room_text + ":" + seq + R"("])";
  };
  CHECK(streamed == words{chunk(R"("Hel")", "5"), chunk(R"("lo \"x\"\n")", "6")});
  auto end = s.packets(said("Hello \"x\"\n"));
  REQUIRE(names_of(end) == words{"chat:streaming", "chat:message"});
  CHECK(end[0].payload ==
        json::value{{"conversationId", room_text}, {"messageId", reply.str()}, {"chunk", ""}, {"isComplete", true}});
  const auto& message = end[1].payload.at("message").as_object();
  CHECK(message.at("id").as_string() == reply.str());
  CHECK(message.at("role").as_string() == "assistant");
  CHECK(message.at("content").as_string() == "Hello \"x\"\n");
  CHECK(message.at("username").as_string() == "AI");
  CHECK(message.at("userId").is_null());
  CHECK(message.at("mcpToolCalls").is_null());
  auto complete = s.packets(run_completed{run, reply, {}, {}, {}, 1});
  REQUIRE(names_of(complete) == words{"chat:complete"});
  CHECK(complete[0].payload == json::value{{"conversationId", room_text}, {"messageId", reply.str()}});
}

TEST_CASE("chat-room: only the last packet of an event moves the client's place in the log") {
  auto s = room_started();
  auto end = s.packets(said("x"));
  REQUIRE(end.size() == 2);
  CHECK(end[0].offset.empty());
  CHECK(end[1].offset == room_text + ":5");
}

TEST_CASE("chat-room: without recovery no event carries an offset") {
  auto s = empty_stage(false);
  CHECK(s.packets(asked()).at(0).offset.empty());
  CHECK(s.packets(text_delta{reply, pieces({"a"})}).at(0).offset.empty());
}

TEST_CASE("chat-room: merged deltas are one chunk that carries the last place") {
  auto s = empty_stage();
  event e{4, 9, millis{0}, text_delta{reply, pieces({"abc"})}};
  transport::frame_writer out(transport::framing::websocket);
  transport::chat_room_encoder(room, true).encode(e, out);
  auto packets = transport_test::packets_of(transport_test::texts_of(*out.take()));
  REQUIRE(packets.size() == 1);
  CHECK(packets[0].offset == room_text + ":9");
}

TEST_CASE("chat-room: a queued message is shown at once, its thinking comes when its run starts") {
  auto s = room_started();
  message_id next{{2, 2}};
  CHECK(s.names(message_added{next, role::user, "more", "u2", {}, "Ben", {}, {}}) == words{"chat:message"});
  CHECK(s.names(run_queued{{{1, 2}}, next, 1}).empty());
  s(said("x"));
  CHECK(s.names(run_completed{run, reply, {}, {}, {}, 1}) == words{"chat:complete"});
  CHECK(s.names(run_started{{{1, 2}}, next, {{3, 2}}, {}, {"guide"}, 0, {}}) == words{"chat:thinking"});
}

TEST_CASE("chat-room: text that a crash took back is told by a second chat:thinking") {
  auto s = room_started();
  s(text_delta{reply, pieces({"lost"})});
  CHECK(s.names(message_superseded{reply, 5}) == words{"chat:thinking"});
  CHECK(s.names(message_superseded{{}, 5}).empty());
}

TEST_CASE("chat-room: a model failure is chat:error with no complete") {
  auto s = room_started();
  s(text_delta{reply, pieces({"Ha"})});
  CHECK(s.names(said("Ha", {}, true)).empty());
  auto error = s.packets(run_failed{run, errc::provider_error, "boom", 1});
  REQUIRE(names_of(error) == words{"chat:error"});
  CHECK(error[0].payload == json::value{{"conversationId", room_text}, {"error", "boom"}, {"code", "PROVIDER_ERROR"}});
}

TEST_CASE("chat-room: a stopped run keeps the text it had, and is chat:error with no complete") {
  auto s = room_started();
  s(text_delta{reply, pieces({"Half"})});
  CHECK(s.names(said("Half", {}, true)).empty());
  auto end = s.packets(run_cancelled{run, "u1", true});
  REQUIRE(names_of(end) == words{"chat:streaming", "chat:message", "chat:error"});
  CHECK(end[1].payload.at("message").at("content").as_string() == "Half");
  CHECK(end[1].payload.at("message").at("metadata") == json::value{{"cut", true}});
  SECTION("the next failure has no text left over") {
    s(run_started{{{1, 2}}, question, reply, {}, {"guide"}, 0, {}});
    CHECK(s.names(run_failed{{{1, 2}}, errc::provider_error, "boom", 0}) == words{"chat:error"});
  }
}

TEST_CASE("chat-room: tool calls and approvals are nexus payloads plus conversationId") {
  auto s = room_started();
  tool_call call{{"c1"}, "delete_file", R"({"path":"a"})"};
  CHECK(s.names(said("", {call})).empty());
  CHECK(
      s.packets(tool_started{run, {"c1"}, "delete_file", R"({"path":"a"})", effect::once}).at(0).payload ==
      json::value{
          {"conversationId", room_text}, {"toolCallId", "c1"}, {"tool", "delete_file"}, {"input", json::value{{"path", "a"}}}});
  auto card = s.packets(
      approval_requested{run, {{4, 1}}, {"c1"}, "delete_file", R"({"path":"a"})", approval_kind::tool, "high", millis{1000}});
  REQUIRE(names_of(card) == words{"chat:approval-required"});
  CHECK(card[0].payload.at("approvalId").as_string() == approval_id{{4, 1}}.str());
  CHECK(card[0].payload.at("conversationId").as_string() == room_text);
  CHECK(card[0].payload.at("action") == parsed(R"({"path":"a"})"));
  CHECK(s.open_cards().size() == 1);
  auto decided = s.packets(approval_decided{run, {{4, 1}}, {"c1"}, decision::approved, "ben", "fine", {}});
  REQUIRE(names_of(decided) == words{"chat:approval-decided"});
  CHECK(decided[0].payload == json::value{{"conversationId", room_text},
                                          {"approvalId", approval_id{{4, 1}}.str()},
                                          {"decision", "approved"},
                                          {"resolvedBy", "ben"},
                                          {"note", "fine"}});
  CHECK(s.open_cards().empty());
  auto done = s.packets(tool_completed{run, {"c1"}, "delete_file", true, "gone", 3});
  REQUIRE(names_of(done) == words{"chat:tool-complete"});
  CHECK(done[0].payload.at("success") == true);
  CHECK(done[0].payload.at("durationMs") == 3);
  s(step_started{run, 2, reply, "p", "m"});

  SECTION("the next message with text brings the calls with their results") {
    auto end = s.packets(said("Done"));
    REQUIRE(names_of(end) == words{"chat:streaming", "chat:message"});
    CHECK(
        end[1].payload.at("message").at("mcpToolCalls") ==
        parsed(
            R"([{"toolCallId":"c1","tool":"delete_file","input":{"path":"a"},"success":true,"output":"gone","durationMs":3}])"));
  }
}

TEST_CASE("chat-room: a message with text and calls is shown with its calls, before they have results") {
  auto s = room_started();
  auto shown = s.packets(said("Let me look.", {{{"c1"}, "clock", "{}"}}));
  REQUIRE(names_of(shown) == words{"chat:streaming", "chat:message"});
  const auto& calls = shown[1].payload.at("message").at("mcpToolCalls").as_array();
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].at("success").is_null());
  s(tool_started{run, {"c1"}, "clock", "{}", effect::read_only});
  s(tool_completed{run, {"c1"}, "clock", true, "noon", 1});
  s(step_started{run, 2, reply, "p", "m"});
  CHECK(s.packets(said("It is noon.")).at(1).payload.at("message").at("mcpToolCalls").is_null());
}

TEST_CASE("chat-room: chat:user-joined, chat:user-left and chat:presence-update tell who is in the room") {
  auto s = room_started();
  presence_changed::user ana{"u1", "Ana"};
  presence_changed::user ben{"u2", "Ben"};
  auto came = s.packets(presence_changed{{ana, ben}, ben, presence_changed::what::joined, 7});
  REQUIRE(names_of(came) == words{"chat:user-joined", "chat:presence-update"});
  CHECK(came[0].payload == json::value{{"conversationId", room_text}, {"userId", "u2"}, {"username", "Ben"}});
  CHECK(came[1].payload ==
        json::value{{"conversationId", room_text},
                    {"activeUsers", parsed(R"([{"userId":"u1","username":"Ana"},{"userId":"u2","username":"Ben"}])")}});
  CHECK(came[1].offset.empty());
  CHECK(s.names(presence_changed{{ana}, ben, presence_changed::what::left, 7}) ==
        words{"chat:user-left", "chat:presence-update"});
}

TEST_CASE("chat-room: chat:user-typing and chat:reaction name the user") {
  auto s = room_started();
  CHECK(s.packets(typing_changed{"u2", "Ben", true, 7}).at(0).payload ==
        json::value{{"conversationId", room_text}, {"userId", "u2"}, {"username", "Ben"}, {"isTyping", true}});
  CHECK(s.packets(typing_changed{"", "", true, 7}).at(0).payload.at("userId") == "anonymous");
  auto reaction = s.packets(reaction_changed{question, "👍", true, "u2", "Ben"});
  REQUIRE(names_of(reaction) == words{"chat:reaction"});
  CHECK(reaction[0].payload == json::value{{"conversationId", room_text},
                                           {"messageId", question.str()},
                                           {"emoji", "👍"},
                                           {"added", true},
                                           {"userId", "u2"},
                                           {"username", "Ben"}});
}

TEST_CASE("chat-room: attachments stand in the message's metadata") {
  auto s = room_started();
  auto message = asked();
  message.attachments = {{{{7, 7}}, "a.png", "image/png", 12}};
  CHECK(only(s.packets(message), "message").at("metadata").at("attachments") ==
        json::value(json::array{
            json::value{{"fileId", file_id{{7, 7}}.str()}, {"name", "a.png"}, {"contentType", "image/png"}, {"size", 12}}}));
}

TEST_CASE("chat-room: stored messages look as they did live") {
  message_record user;
  user.id = question;
  user.session = room;
  user.role = role::user;
  user.content = "hi";
  user.author = "u1";
  user.author_name = "Ana";
  user.reactions = {{"👍", "u2", "Ben"}};
  message_record calling = user;
  calling.id = {{3, 9}};
  calling.run = run;
  calling.role = role::assistant;
  calling.content = "";
  calling.reactions.clear();
  calling.calls = {{{"c1"}, "clock", "{}"}};
  message_record answer = calling;
  answer.id = reply;
  answer.content = "noon";
  answer.calls.clear();
  tool_call_record result;
  result.id = {"c1"};
  result.run = run;
  result.tool = "clock";
  result.ok = true;
  result.output = "12:00";
  auto shown = transport::room_history_json({user, calling, answer}, {result});
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].at("username") == "Ana");
  CHECK(shown[0].at("metadata").at("reactions").at(0).at("username") == "Ben");
  CHECK(shown[1].at("username") == "AI");
  CHECK(shown[1].at("mcpToolCalls").at(0).at("output") == "12:00");
}

TEST_CASE("chat-room: a conversation shows its owner, agent, prompt and who is there") {
  session_record s;
  s.id = room;
  s.agent = {"guide"};
  s.owner = "u1";
  s.metadata = R"({"systemPrompt":"Be kind.","mcpServers":["git"]})";
  CHECK(json::value(transport::room_conversation_json(s, {{"u2", "Ben"}}, {})) ==
        json::value{{"id", room_text},
                    {"title", "New Conversation"},
                    {"model", "guide"},
                    {"systemPrompt", "Be kind."},
                    {"mcpServers", parsed(R"(["git"])")},
                    {"activeUsers", parsed(R"([{"userId":"u2","username":"Ben"}])")},
                    {"createdBy", "u1"},
                    {"createdAt", "1970-01-01T00:00:00.000Z"},
                    {"updatedAt", "1970-01-01T00:00:00.000Z"},
                    {"messages", json::array()}});
}

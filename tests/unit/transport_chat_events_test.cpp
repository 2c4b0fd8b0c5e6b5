#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/chat_events.hpp"
#include "transport/dialects/chat_events_rest.hpp"

#include <catch2/catch.hpp>

namespace json = boost::json;
using namespace troupe;
using namespace troupe::core;
using transport::chat_id_of;
using transport::chat_stream_place;
using transport::chat_stream_place_from;
using transport_test::packet;
using transport_test::pieces;
using transport_test::question;
using transport_test::recording_port;
using transport_test::reply;
using transport_test::run;
using transport_test::stage;
using transport_test::stage_session;
using transport_test::words;

namespace {

const std::string chat = chat_id_of(stage_session);
const std::string epoch = "1970-01-01T00:00:00.000Z";

json::value with_chat(json::object fields) {
  fields["chatId"] = chat;
  return fields;
}

std::string place(seq_t seq) { return stage_session.str() + ":" + std::to_string(seq); }

run_started start_of_run() { return {run, question, reply, {}, {"guide"}, 0, {}, "¿Hola?"}; }
message_completed complete(const char* text) { return {run, 1, reply, text, {}, finish_reason::stop, false}; }
run_completed end_of_run() { return {run, reply, {}, {}, {}, 1}; }

/// In a run whose first step is open, at seq 3.
stage chat_started() {
  stage s(transport::encoder_kind::chat_events);
  s(message_added{question, role::user, "¿Hola?", {}, {}});
  s(start_of_run());
  s(step_started{run, 1, reply, "p", "m"});
  return s;
}

approval_requested card() {
  return {run, {{4, 1}}, {"c1"}, "delete_file", R"({"path":"a"})", approval_kind::tool, "high", millis{1000}};
}

}  // namespace

// ---- PROTOCOLS §4, the table of events ----

TEST_CASE("chat-events ai-response-start: once, with the chat and the time") {
  stage s(transport::encoder_kind::chat_events);
  CHECK(s.names(message_added{question, role::user, "¿Hola?", {}, {}}).empty());
  auto sent = s.packets(start_of_run());
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].name == "ai-response-start");
  CHECK(sent[0].payload == with_chat({{"timestamp", epoch}}));
  CHECK(sent[0].offset == place(2));
  CHECK(s.names(step_started{run, 1, reply, "p", "m"}).empty());
  CHECK(s.names(step_started{run, 2, reply, "p", "m"}).empty());
}

TEST_CASE("chat-events ai-response-chunk: one for each delta that has text, counted from 0") {
  auto s = chat_started();
  auto sent = s.packets(text_delta{reply, pieces({"Hel", "", "lo \"x\"\n"})});
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].name == "ai-response-chunk");
  CHECK(sent[0].payload == with_chat({{"chunk", "Hel"}, {"chunkIndex", 0}}));
  CHECK(sent[0].offset == place(4));
  CHECK(sent[1].payload == with_chat({{"chunk", "lo \"x\"\n"}, {"chunkIndex", 1}}));
  CHECK(sent[1].offset == place(6));
  CHECK(s.packets(text_delta{reply, pieces({"!"})}).at(0).payload.at("chunkIndex") == 2);
  CHECK(s.names(reasoning_delta{reply, pieces({"hm"})}).empty());
}

TEST_CASE("chat-events ai-response-end: question and whole answer over all steps, only at the end of the run") {
  auto s = chat_started();
  s(text_delta{reply, pieces({"Let me see. "})});
  CHECK(s.names(message_completed{run, 1, reply, "Let me see. ", {{{"c1"}, "clock", "{}"}}, finish_reason::tool_calls, false})
            .empty());
  CHECK(s.names(tool_started{run, {"c1"}, "clock", "{}", effect::read_only}).empty());
  CHECK(s.names(tool_completed{run, {"c1"}, "clock", true, "12:00", 3}).empty());
  s(step_started{run, 2, reply, "p", "m"});
  s(text_delta{reply, pieces({"It's ", "12 😀"})});
  CHECK(s.names(complete("It's 12 😀")).empty());
  auto sent = s.packets(end_of_run());
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].name == "ai-response-end");
  CHECK(sent[0].payload ==
        with_chat({{"message", json::object{{"content", "¿Hola?"}, {"answer", "Let me see. It's 12 😀"}, {"timestamp", epoch}}},
                   {"completedSuccessfully", true},
                   {"totalCharacters", 22}}));
  CHECK(sent[0].offset == place(s.seq()));
}

TEST_CASE("chat-events totalCharacters: UTF-16 units, as the client's language counts") {
  const std::pair<const char*, int> rows[] = {{"", 0}, {"abc", 3}, {"ñ", 1}, {"€", 1}, {"😀", 2}, {"a😀ñ€", 5}};
  for (const auto& [text, units] : rows) {
    auto s = chat_started();
    if (*text) s(text_delta{reply, pieces({text})});
    CHECK(s.packets(end_of_run()).at(0).payload.at("totalCharacters") == units);
  }
}

TEST_CASE("chat-events error: instead of the end, when the run fails or is stopped, with and without text") {
  for (bool has_text : {false, true}) {
    auto s = chat_started();
    if (has_text) s(text_delta{reply, pieces({"So "})});
    SECTION(has_text ? "failed with text" : "failed") {
      auto sent = s.packets(run_failed{run, errc::provider_error, "the upstream broke", 1});
      REQUIRE(sent.size() == 1);
      CHECK(sent[0].name == "error");
      CHECK(sent[0].payload == with_chat({{"error", "the upstream broke"}, {"errorCode", "PROVIDER_ERROR"}}));
      CHECK(sent[0].offset == place(s.seq()));
    }
    SECTION(has_text ? "stopped with text" : "stopped") {
      auto sent = s.packets(run_cancelled{run, "u1", has_text});
      REQUIRE(sent.size() == 1);
      CHECK(sent[0].name == "error");
      CHECK(sent[0].payload.at("errorCode") == "CANCELLED");
    }
  }
}

TEST_CASE("chat-events: a failed run is forgotten by the next one") {
  auto s = chat_started();
  s(text_delta{reply, pieces({"So "})});
  s(run_failed{run, errc::provider_error, "broke", 1});
  s(run_started{{{1, 2}}, {{2, 2}}, reply, {}, {"guide"}, 0, {}, "again"});
  s(step_started{{{1, 2}}, 1, reply, "p", "m"});
  CHECK(s.packets(text_delta{reply, pieces({"ok"})}).at(0).payload.at("chunkIndex") == 0);
  auto end = s.packets(run_completed{{{1, 2}}, reply, {}, {}, {}, 1}).at(0).payload;
  CHECK(end.at("message").at("content") == "again");
  CHECK(end.at("message").at("answer") == "ok");
}

TEST_CASE("chat-events chat-created and chat-deleted") {
  stage s(transport::encoder_kind::chat_events);
  auto made = s.packets(session_created{{"demo"}, {"guide"}, "chat-events", {}, "u7", {}}).at(0);
  CHECK(made.name == "chat-created");
  CHECK(made.payload ==
        json::value{
            {"userId", "u7"},
            {"chat",
             json::object{
                 {"id", chat}, {"userId", "u7"}, {"messages", json::array()}, {"createdAt", epoch}, {"updatedAt", epoch}}}});
  CHECK(made.offset == place(1));
  CHECK(s.names(session_updated{session_status::active, "a title"}).empty());
  CHECK(s.names(session_updated{session_status::closed, {}}).empty());
  auto gone = s.packets(session_updated{session_status::deleted, {}}).at(0);
  CHECK(gone.name == "chat-deleted");
  CHECK(gone.payload == with_chat({}));
}

TEST_CASE("chat-events approval-required: the nexus payload with the chat, the rest follows after the decision") {
  auto s = chat_started();
  s(message_completed{run, 1, reply, "", {{{"c1"}, "delete_file", "{}"}}, finish_reason::tool_calls, false});
  s(tool_started{run, {"c1"}, "delete_file", R"({"path":"a"})", effect::once});
  auto asked = s.packets(card()).at(0);
  CHECK(asked.name == "approval-required");
  CHECK(asked.payload.at("chatId").as_string() == chat);
  CHECK(asked.payload.at("approvalId").as_string() == approval_id{{4, 1}}.str());
  CHECK(asked.payload.at("tool") == "delete_file");
  CHECK(asked.payload.at("action") == json::value{{"path", "a"}});
  SECTION("who comes later is shown the card, without a place") {
    auto cards = transport_test::packets_of(s.open_cards());
    REQUIRE(cards.size() == 1);
    CHECK(cards[0].payload == asked.payload);
    CHECK(cards[0].offset.empty());
  }
  auto decided = s.packets(approval_decided{run, {{4, 1}}, {"c1"}, decision::approved, "u2", "ok", {}}).at(0);
  CHECK(decided.name == "approval-decided");
  CHECK(decided.payload.at("decision") == "approved");
  CHECK(decided.payload.at("chatId").as_string() == chat);
  CHECK(s.open_cards().empty());
  s(tool_completed{run, {"c1"}, "delete_file", true, "gone", 3});
  s(step_started{run, 2, reply, "p", "m"});
  CHECK(s.names(text_delta{reply, pieces({"Done"})}) == words{"ai-response-chunk"});
  CHECK(s.names(end_of_run()) == words{"ai-response-end"});
}

TEST_CASE("chat-events superseded text: a second start, then the text that stays, as the first chunk") {
  auto s = chat_started();
  s(text_delta{reply, pieces({"One. "})});
  s(message_completed{run, 1, reply, "One. ", {{{"c1"}, "clock", "{}"}}, finish_reason::tool_calls, false});
  s(step_started{run, 2, reply, "p", "m"});
  s(text_delta{reply, pieces({"Tw", "o"})});
  auto sent = s.packets(message_superseded{reply, 7});
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].name == "ai-response-start");
  CHECK(sent[0].offset.empty());  // who leaves between the two gets both again
  CHECK(sent[1].payload == with_chat({{"chunk", "One. "}, {"chunkIndex", 0}}));
  CHECK(sent[1].offset == place(s.seq()));
  CHECK(s.packets(text_delta{reply, pieces({"Two."})}).at(0).payload.at("chunkIndex") == 1);
  CHECK(s.packets(end_of_run()).at(0).payload.at("message").at("answer") == "One. Two.");
}

TEST_CASE("chat-events superseded text: in the first step only the start, seqs that were only skipped show nothing") {
  auto s = chat_started();
  s(text_delta{reply, pieces({"Hal"})});
  auto sent = s.packets(message_superseded{reply, 4});
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].name == "ai-response-start");
  CHECK(sent[0].offset == place(s.seq()));
  CHECK(s.packets(text_delta{reply, pieces({"Hallo"})}).at(0).payload.at("chunkIndex") == 0);
  CHECK(s.names(message_superseded{{}, 0}).empty());
}

TEST_CASE("chat-events: merged deltas are one chunk with the last place, and count as what they were") {
  transport::chat_events_encoder encoder(stage_session, true);
  auto play = [&](seq_t first, seq_t last, text_pieces p) {
    transport::frame_writer out(transport::framing::websocket);
    encoder.encode({first, last, {}, text_delta{reply, std::move(p)}}, out);
    return transport_test::packets_of(transport_test::texts_of(*out.take()));
  };
  auto merged = play(4, 6, pieces({"abc"}));
  REQUIRE(merged.size() == 1);
  CHECK(merged[0].payload.at("chunkIndex") == 0);
  CHECK(merged[0].offset == place(6));
  CHECK(play(7, 7, pieces({"d"})).at(0).payload.at("chunkIndex") == 3);
}

TEST_CASE("chat-events: without state recovery no event carries a place") {
  stage s(std::make_unique<transport::chat_events_encoder>(stage_session, false));
  CHECK(s.packets(start_of_run()).at(0).offset.empty());
  CHECK(s(text_delta{reply, pieces({"x"})}) ==
        words{R"(42["ai-response-chunk",{"chatId":")" + chat + R"(","chunk":"x","chunkIndex":0}])"});
}

TEST_CASE("chat-events: chat ids are the first 24 hex digits of the session's UUID") {
  auto id = session_id::parse("0123abcd-4567-89ef-0123-456789abcdef");
  REQUIRE(id.has_value());
  CHECK(chat_id_of(*id) == "0123abcd456789ef01234567");
}

// ---- places of those who listen to every chat ----

TEST_CASE("chat-events places: chats and the time come back, anything else is nothing") {
  chat_stream_place here{{{stage_session, 7}}, millis{1234}};
  CHECK(to_text(here) == place(7) + ",at:1234");
  auto again = chat_stream_place_from(to_text(here));
  REQUIRE(again.has_value());
  CHECK(again->chats == here.chats);
  CHECK(again->at == here.at);
  CHECK(chat_stream_place_from("at:5")->chats.empty());
  for (const auto* text : {"", "at:", "at:x", "at:-1", "at:1 ", "-", "x,at:1", ",at:1", "at:1,at:2", "At:1"}) {
    INFO(text);
    CHECK(!chat_stream_place_from(text).has_value());
  }
  CHECK(!chat_stream_place_from(place(7)).has_value());
}

TEST_CASE("chat-events places: more chats than fit leave nothing to go on from") {
  chat_stream_place many{{}, millis{1}};
  for (std::uint64_t i = 0; i < transport::chat_stream_places; ++i) many.chats.emplace_back(session_id{{1, i}}, 1);
  CHECK(chat_stream_place_from(place(7) + "," + to_text(many)).has_value());
  many.chats.emplace_back(session_id{{2, 2}}, 1);
  CHECK(!chat_stream_place_from(place(7) + "," + to_text(many)).has_value());
}

// ---- clients ----

namespace {

struct chat_client {
  recording_port port;
  std::unique_ptr<transport::client_protocol> protocol = transport::make_chat_events(port);

  void emit(std::string name, json::array args, std::optional<std::uint64_t> ack = std::nullopt) {
    protocol->on_event({std::move(name), std::move(args), {}, ack});
  }
  void join(session_id session) {
    emit("join-chat", {json::object{{"chatId", session.str()}}});
    session_record r;
    r.id = session;
    port.attach(r);
  }
};

const session_id other{{5, 5}};

}  // namespace

TEST_CASE("chat-events client: takes every chat from the start, and says nothing") {
  chat_client c;
  c.protocol->on_open();
  CHECK(c.port.all_chats == words{""});
  CHECK(c.port.sent.empty());
}

TEST_CASE("chat-events join-chat: from then on only the joined chats, by object or plain id") {
  chat_client c;
  c.protocol->on_open();
  SECTION("object") { c.emit("join-chat", {json::object{{"chatId", stage_session.str()}}}, 3); }
  SECTION("string") { c.emit("join-chat", {stage_session.str()}, 3); }
  CHECK(c.port.all_chats.empty());
  REQUIRE(c.port.followed.size() == 1);
  CHECK(c.port.followed[0].first == stage_session);
  CHECK(c.port.followed[0].second.kind == transport::encoder_kind::chat_events);
  CHECK(c.port.followed[0].second.alongside);
  CHECK(!c.port.followed[0].second.after.has_value());
  CHECK(c.port.acks.empty());
  c.port.attach(session_record{});
  REQUIRE(c.port.acks.size() == 1);
  CHECK(c.port.acks[0].first == 3);
  CHECK(c.port.acks[0].second == json::array{json::object{{"status", "ok"}, {"chatId", stage_session.str()}}});
  CHECK(c.port.sent.empty());
}

TEST_CASE("chat-events join-chat: by 24 hex digits, one that is unknown is an error event and a bad ack") {
  chat_client c;
  c.protocol->on_open();
  c.emit("join-chat", {json::object{{"chatId", chat}}}, 1);
  CHECK(c.port.resolved == words{chat});
  c.port.on_resolved(error{errc::not_found, "Session not found: x"});
  auto sent = c.port.take_packets();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].name == "error");
  CHECK(sent[0].payload.at("chatId").as_string() == chat);
  CHECK(sent[0].payload.at("error").as_string() == "Chat not found: " + chat);
  CHECK(sent[0].offset.empty());
  CHECK(c.port.acks.at(0).second.at(0).at("status") == "error");
}

TEST_CASE("chat-events join-chat: one that may not be seen, or is deleted, is not found") {
  chat_client c;
  c.protocol->on_open();
  c.emit("join-chat", {stage_session.str()});
  SECTION("not seen") { c.port.attach(error{errc::not_found, "Session not found"}); }
  SECTION("deleted") {
    session_record r;
    r.status = session_status::deleted;
    c.port.attach(r);
    CHECK(c.port.unfollowed == std::vector{stage_session});
  }
  CHECK(c.port.take_packets().at(0).payload.at("errorCode") == "NOT_FOUND");
}

TEST_CASE("chat-events join-chat: without a usable chatId an error, and nothing is joined") {
  const json::array bad[] = {{},
                             json::array{nullptr},
                             json::array{5},
                             json::array{""},
                             json::array{json::object{}},
                             json::array{json::object{{"chatId", 5}}},
                             json::array{json::object{{"chatId", ""}}},
                             json::array{json::array{"x"}}};
  for (const auto& args : bad) {
    chat_client c;
    c.protocol->on_open();
    c.emit("join-chat", args, 9);
    CHECK(c.port.take_packets().at(0).name == "error");
    CHECK(c.port.acks.size() == 1);
    CHECK(c.port.all_chats.size() == 1);
    CHECK(c.port.followed.empty());
  }
}

TEST_CASE("chat-events join-chat: a long id is repeated in part, and never cut inside a character") {
  chat_client c;
  c.protocol->on_open();
  std::string name = "a";
  for (int i = 0; i < 100; ++i) name += "ñ";
  c.emit("join-chat", {name});
  c.port.on_resolved(error{errc::not_found, "x"});
  CHECK(c.port.take_packets().at(0).payload.at("chatId").as_string() == name.substr(0, 63));
}

TEST_CASE("chat-events leave-chat: undoes a join, after the last one every chat comes again") {
  chat_client c;
  c.protocol->on_open();
  c.join(stage_session);
  c.join(other);
  c.emit("leave-chat", {stage_session.str()}, 1);
  CHECK(c.port.unfollowed == std::vector{stage_session});
  CHECK(c.port.all_chats.empty());
  c.emit("leave-chat", {json::object{{"chatId", stage_session.str()}}}, 2);
  CHECK(c.port.all_chats.empty());
  c.emit("leave-chat", {other.str()}, 3);
  CHECK(c.port.all_chats == words{""});
  CHECK(c.port.acks.size() == 3);
}

TEST_CASE("chat-events: a joined chat that is lost is an error event") {
  chat_client c;
  c.protocol->on_open();
  c.join(stage_session);
  c.port.followed.back().second.lost(error{errc::not_found, "Session not found"});
  auto sent = c.port.take_packets();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].payload.at("chatId").as_string() == stage_session.str());
}

TEST_CASE("chat-events: unknown events are passed over, but who waits for an answer gets one") {
  chat_client c;
  c.protocol->on_open();
  c.emit("typing", {1});
  CHECK(c.port.sent.empty());
  CHECK(c.port.acks.empty());
  c.emit("typing", {1}, 4);
  CHECK(c.port.acks.at(0).second.at(0).at("status") == "error");
  c.protocol->on_refused({errc::rate_limited, "slow down"});
  CHECK(c.port.take_packets().at(0).payload == json::value{{"error", "slow down"}, {"errorCode", "RATE_LIMITED"}});
}

TEST_CASE("chat-events recovery: a listener to every chat goes on from its offset while it is young enough") {
  chat_client c;
  c.port.clock = millis{1'000'000};
  auto state = c.protocol->recovery_state();
  REQUIRE(state.has_value());
  auto window = std::chrono::duration_cast<millis>(c.port.settings.socketio.recovery_window);
  auto at = [](millis t) { return place(7) + ",at:" + std::to_string(t.count()); };
  for (const auto& known : {state, std::optional<std::string>{}}) {
    chat_client back;
    back.port.clock = c.port.clock;
    CHECK(!back.protocol->recover(known, at(c.port.clock - window - millis{1})));
    CHECK(!back.protocol->recover(known, at(c.port.clock + millis{1})));
    CHECK(!back.protocol->recover(known, ""));
    CHECK(!back.protocol->recover(known, "-"));
    CHECK(back.protocol->recover(known, at(c.port.clock)));
    back.protocol->on_open();
    CHECK(back.port.all_chats == words{at(c.port.clock)});
  }
  chat_client back;
  CHECK(!back.protocol->recover(state, place(7)));
}

TEST_CASE("chat-events recovery: who joined chats goes on in each of them, or not at all") {
  chat_client c;
  c.protocol->on_open();
  c.join(stage_session);
  c.join(other);
  auto state = c.protocol->recovery_state();
  auto both = transport::to_text(transport::offsets{{other, 3}, {stage_session, 7}});
  SECTION("with the server's memory") {
    chat_client back;
    CHECK(!back.protocol->recover(state, place(7)));
    CHECK(!back.protocol->recover(state, "at:1"));
    chat_client again;
    CHECK(again.protocol->recover(state, both));
    again.protocol->on_open();
    CHECK(again.port.all_chats.empty());
    REQUIRE(again.port.followed.size() == 2);
    CHECK(again.port.followed[0].first == stage_session);
    CHECK(again.port.followed[0].second.after == seq_t{7});
    CHECK(again.port.followed[1].second.after == seq_t{3});
  }
  SECTION("without it the offset tells which they were") {
    chat_client again;
    CHECK(again.protocol->recover(std::nullopt, both));
    again.protocol->on_open();
    CHECK(again.port.followed.size() == 2);
  }
}

// ---- REST ----

TEST_CASE("chat-events messages: pairs of question and answer, of completed runs only") {
  auto user = [](std::uint64_t n, const char* text) {
    message_record m;
    m.run = {{1, n}};
    m.role = role::user;
    m.content = text;
    return m;
  };
  auto assistant = [](std::uint64_t n, const char* text, bool asks, bool cut) {
    message_record m;
    m.run = {{1, n}};
    m.role = role::assistant;
    m.content = text;
    m.cut = cut;
    m.created_at = millis{static_cast<std::int64_t>(n)};
    if (asks) m.calls.push_back({{"c1"}, "clock", "{}"});
    return m;
  };
  auto shown = transport::exchanges_of({assistant(9, "of an earlier page", false, false), user(1, "q1"), user(2, "q2"),
                                        assistant(1, "a1 ", true, false), assistant(1, "a1", false, false),
                                        assistant(2, "a2", false, true), user(3, "q3"), assistant(3, "a3", true, false),
                                        user(4, "q4"), user(5, "q5"), assistant(5, "", false, false)});
  CHECK(shown == json::array{{{"content", "q1"}, {"answer", "a1 a1"}, {"timestamp", "1970-01-01T00:00:00.001Z"}},
                             {{"content", "q5"}, {"answer", ""}, {"timestamp", "1970-01-01T00:00:00.005Z"}}});
}

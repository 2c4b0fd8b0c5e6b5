#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/chat_room.hpp"
#include "transport/dialects/chat_room_input.hpp"

#include <catch2/catch.hpp>

namespace json = boost::json;
using namespace troupe;
using namespace troupe::core;
using transport_test::names_of;
using transport_test::recording_port;
using transport_test::words;

namespace {

const session_id input_room{{1, 2}};
const std::string input_room_text = input_room.str();

/// A client in the namespace.
struct table {
  recording_port port;
  std::unique_ptr<transport::client_protocol> protocol;

  table() {
    port.settings = transport_test::demo_settings();
    port.who = {"u1", "Ana", scope::user, millis{0}};
    protocol = transport::make_chat_room(port);
    protocol->on_open();
  }
  void emit(const char* name, const std::string& payload, std::optional<std::uint64_t> ack = std::nullopt) {
    json::array args;
    if (!payload.empty()) args.push_back(json::parse(payload));
    protocol->on_event({name, std::move(args), {}, ack});
  }
  std::string in_room(const std::string& more = "") { return R"({"conversationId":")" + input_room_text + "\"" + more + "}"; }
  [[nodiscard]] session_record record(const std::string& owner = "u1") const {
    session_record s;
    s.id = input_room;
    s.project = {"demo"};
    s.owner = owner;
    s.last_seq = 12;
    return s;
  }
  void join() {
    emit("chat:join", in_room());
    port.attach(record());
    port.take_packets();
  }
  void find(result<answer> a) { std::exchange(port.on_answer, nullptr)(std::move(a)); }
};

error missing() { return {errc::not_found, "Session not found"}; }

}  // namespace

TEST_CASE("chat-room: nothing is followed or sent before an event has passed the check") {
  table t;
  CHECK(t.port.followed.empty());
  CHECK(t.port.watching == 0);
  CHECK(t.port.sent.empty());
  CHECK_FALSE(t.protocol->recovery_state().has_value());
  t.emit("chat:leave", t.in_room());
  CHECK(t.port.watching == 1);
}

TEST_CASE("chat-room: credentials are checked on every event, without them the namespace ends, with no error event") {
  table t;
  bool expires_later = GENERATE(false, true);  // a token may expire mid-connection
  if (expires_later) t.join();
  t.port.who = principal::nobody();
  auto name = GENERATE("chat:join", "chat:leave", "chat:send", "chat:typing", "chat:get-active-users", "chat:approve",
                       "chat:cancel", "chat:react", "whatever");
  t.emit(name, "{}", 3);
  CHECK(t.port.disconnected);
  CHECK(t.port.sent.empty());
  CHECK(t.port.acks.empty());
}

TEST_CASE("chat-room: chat:join follows, enters the room, and tells the joiner who is there") {
  table t;
  t.port.users = {{"u1", "Ana"}, {"u2", "Ben"}};
  t.emit("chat:join", t.in_room(), 5);
  REQUIRE(t.port.followed.size() == 1);
  CHECK(t.port.followed[0].first == input_room);
  CHECK(t.port.followed[0].second.alongside);
  CHECK(t.port.entered.empty());
  t.port.attach(t.record());
  CHECK(t.port.entered == std::vector<session_id>{input_room});
  const auto packet = [](const char* name) {
    return std::string("2/chat,[\"") + name + R"(",{"conversationId":")" + input_room_text +
           R"(","activeUsers":[{"userId":"u1","username":"Ana"},{"userId":"u2","username":"Ben"}]}])";
  };
  CHECK(t.port.sent == words{packet("chat:joined"), packet("chat:presence-update")});
  REQUIRE(t.port.acks.size() == 1);
  CHECK(t.port.acks[0].first == 5);
  CHECK(t.port.acks[0].second.at(0).at("status") == "ok");

  SECTION("joining again is answered again and follows nothing twice") {
    t.port.take_packets();
    t.emit("chat:join", t.in_room());
    CHECK(t.port.followed.size() == 1);
    CHECK(names_of(t.port.take_packets()) == words{"chat:joined"});
  }
}

TEST_CASE("chat-room: joining an unknown id is chat:joined") {
  table t;
  SECTION("a UUID: it is followed, for it may be made later") {
    t.emit("chat:join", t.in_room());
    CHECK_FALSE(t.port.followed.at(0).second.must_exist);
    t.port.attach(session_record{});
    CHECK(names_of(t.port.take_packets()) == words{"chat:joined", "chat:presence-update"});
  }
  SECTION("another name: nobody is there") {
    t.emit("chat:join", R"({"conversationId":"nowhere"})");
    t.port.on_resolved(missing());
    auto joined = t.port.take_packets();
    REQUIRE(names_of(joined) == words{"chat:joined"});
    CHECK(joined[0].payload == json::value{{"conversationId", "nowhere"}, {"activeUsers", json::array()}});
    CHECK(t.port.followed.empty());
  }
}

TEST_CASE("chat-room: joining or sending to another user's conversation is chat:error") {
  table t;
  SECTION("join") {
    t.emit("chat:join", t.in_room());
    t.port.attach(missing());
    CHECK(t.port.entered.empty());
  }
  SECTION("send") {
    t.emit("chat:send", t.in_room(R"(,"content":"hi","role":"user")"));
    t.find(t.record("u2"));
    CHECK(t.port.followed.empty());
  }
  SECTION("get-active-users") {
    t.emit("chat:get-active-users", t.in_room());
    t.find(t.record("u2"));
  }
  SECTION("typing") {
    t.emit("chat:typing", t.in_room(R"(,"isTyping":true)"));
    t.find(t.record("u2"));
    CHECK(t.port.announced.empty());
  }
  CHECK(t.port.submitted.empty());
  auto told = t.port.take_packets();
  REQUIRE(names_of(told) == words{"chat:error"});
  CHECK(told[0].payload == json::value{{"conversationId", input_room_text},
                                       {"error", "You have no access to conversation " + input_room_text + "."}});
}

TEST_CASE("chat-room: chat:leave leaves the room and stops the events") {
  table t;
  t.join();
  t.emit("chat:leave", t.in_room(), 2);
  CHECK(t.port.left == std::vector<session_id>{input_room});
  CHECK(t.port.unfollowed == std::vector<session_id>{input_room});
  CHECK(t.port.acks.size() == 1);
  CHECK(t.port.sent.empty());
}

TEST_CASE("chat-room: chat:send in a joined conversation is one command") {
  table t;
  t.join();
  t.emit("chat:send",
         t.in_room(R"(,"content":"hi","role":"user","clientMessageId":"m1","attachments":[")" + file_id{{7, 7}}.str() + "\"]"),
         4);
  REQUIRE(t.port.submitted.size() == 1);
  const auto& sent = std::get<send_message>(t.port.submitted[0].second);
  CHECK(sent.content == "hi");
  CHECK(sent.client_message_id == "m1");
  CHECK(sent.attachments == std::vector<file_id>{{{7, 7}}});
  CHECK(t.port.followed.size() == 1);
  SECTION("the ack tells the stored message") {
    t.port.on_done(command_reply{message_accepted{transport_test::run, transport_test::question, 2, false}});
    CHECK(t.port.acks.at(0).second.at(0) ==
          json::value{{"status", "ok"}, {"messageId", transport_test::question.str()}, {"position", 2}});
    CHECK(t.port.sent.empty());
  }
  SECTION("a refusal is chat:error, and a negative ack") {
    t.port.on_done(error{errc::queue_full, "The session's queue is full."});
    CHECK(t.port.take_packets().at(0).payload ==
          json::value{{"conversationId", input_room_text}, {"error", "The session's queue is full."}});
    CHECK(t.port.acks.at(0).second.at(0).at("status") == "error");
  }
}

TEST_CASE("chat-room: who only sends follows first, without being in the room") {
  table t;
  t.emit("chat:send", t.in_room(R"(,"content":"one")"));
  t.emit("chat:send", t.in_room(R"(,"content":"two")"));
  REQUIRE(t.port.queries.size() == 1);
  t.find(t.record());
  REQUIRE(t.port.followed.size() == 1);
  CHECK(t.port.submitted.empty());
  t.port.attach(t.record());
  CHECK(t.port.entered.empty());
  CHECK(t.port.sent.empty());
  REQUIRE(t.port.submitted.size() == 2);
  CHECK(std::get<send_message>(t.port.submitted[0].second).content == "one");
  CHECK(std::get<send_message>(t.port.submitted[1].second).content == "two");
  CHECK(t.port.followed.size() == 1);
}

TEST_CASE("chat-room: an unknown conversation is thinking, then chat:error") {
  table t;
  const words unknown{input_room_text, "nowhere", std::string(300, 'x')};
  auto id = unknown[GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2})];
  t.emit("chat:send", R"({"conversationId":")" + id + R"(","content":"hi","role":"user"})");
  if (t.port.on_resolved) t.port.on_resolved(missing());
  if (t.port.on_answer) t.find(missing());
  auto told = t.port.take_packets();
  REQUIRE(names_of(told) == words{"chat:thinking", "chat:error"});
  CHECK(told[0].payload == json::value{{"conversationId", id}, {"status", "processing"}});
  CHECK(told[1].payload.at("error") == json::string("Conversation with ID " + id.substr(0, 200) + " not found"));
  CHECK(t.port.submitted.empty());
}

TEST_CASE("chat-room: a payload that is not what it should be is exception, with its cause") {
  struct row {
    const char* name;
    const char* payload;
  };
  auto r = GENERATE(values<row>({{"chat:join", ""},
                                 {"chat:join", "{}"},
                                 {"chat:join", R"({"conversationId":""})"},
                                 {"chat:join", R"({"conversationId":5})"},
                                 {"chat:join", "\"text\""},
                                 {"chat:leave", "null"},
                                 {"chat:send", R"({"conversationId":"a"})"},
                                 {"chat:send", R"({"conversationId":"a","content":""})"},
                                 {"chat:send", R"({"conversationId":"a","content":"x","role":"assistant"})"},
                                 {"chat:send", R"({"conversationId":"a","content":"x","clientMessageId":1})"},
                                 {"chat:send", R"({"conversationId":"a","content":"x","attachments":["f"]})"},
                                 {"chat:send", R"({"conversationId":"a","content":"x","attachments":1})"},
                                 {"chat:typing", R"({"conversationId":"a"})"},
                                 {"chat:get-active-users", "[]"},
                                 {"chat:approve", R"({"approved":true})"},
                                 {"chat:approve", R"({"approvalId":"x"})"},
                                 {"chat:approve", R"({"approvalId":"x","approved":true,"note":1})"},
                                 {"chat:cancel", "{}"},
                                 {"chat:react", R"({"conversationId":"a","messageId":"x","emoji":"y"})"}}));
  CAPTURE(r.name, r.payload);
  table t;
  t.emit(r.name, r.payload, 9);
  auto told = t.port.take_packets();
  REQUIRE(names_of(told) == words{"exception"});
  CHECK(told[0].payload.at("status") == "error");
  CHECK(told[0].payload.at("message").as_string().size() > 10);
  CHECK(told[0].payload.at("cause") ==
        json::value{{"pattern", r.name}, {"data", *r.payload ? json::parse(r.payload) : json::value(nullptr)}});
  CHECK(t.port.acks.at(0).second.at(0).at("status") == "error");
  CHECK_FALSE(t.port.disconnected);
  SECTION("and the next event has its turn") {
    t.emit("chat:join", t.in_room());
    CHECK(t.port.followed.size() == 1);
  }
}

TEST_CASE("chat-room: an event of no known name is passed over") {
  table t;
  t.emit("chat:sing", "{}", 1);
  CHECK(t.port.sent.empty());
  CHECK(t.port.acks.empty());
}

TEST_CASE("chat-room: chat:typing goes to the others of the room") {
  table t;
  t.join();
  t.emit("chat:typing", t.in_room(R"(,"isTyping":true)"));
  REQUIRE(t.port.announced.size() == 1);
  CHECK(t.port.announced_in[0] == input_room);
  const auto& typing = std::get<typing_changed>(t.port.announced[0]);
  CHECK(typing.user_id == "u1");
  CHECK(typing.username == "Ana");
  CHECK(typing.is_typing);
  CHECK(typing.origin == 5);
}

TEST_CASE("chat-room: chat:get-active-users answers the asker") {
  table t;
  t.join();
  t.port.users = {{"u2", "Ben"}};
  t.emit("chat:get-active-users", t.in_room());
  CHECK(t.port.sent == words{R"(2/chat,["chat:active-users",{"conversationId":")" + input_room_text +
                             R"(","activeUsers":[{"userId":"u2","username":"Ben"}]}])"});
}

TEST_CASE("chat-room: chat:approve decides, who loses is told the winner") {
  table t;
  t.join();
  approval_id approval{{4, 1}};
  t.emit("chat:approve", R"({"approvalId":")" + approval.str() + R"(","approved":false,"note":"no"})", 1);
  REQUIRE(t.port.asked == std::vector<approval_id>{approval});
  approval_record known;
  known.id = approval;
  known.session = input_room;
  t.port.on_found(known);
  REQUIRE(t.port.submitted.size() == 1);
  const auto& command = std::get<decide_approval>(t.port.submitted[0].second);
  CHECK_FALSE(command.approved);
  CHECK(command.note == "no");
  SECTION("the winner hears it from the log") {
    t.port.on_done(command_reply{approval_settled{approval, decision::denied, "u1", "no", true}});
    CHECK(t.port.sent.empty());
  }
  SECTION("the loser at once") {
    t.port.on_done(command_reply{approval_settled{approval, decision::approved, "u2", {}, false}});
    auto told = t.port.take_packets();
    REQUIRE(names_of(told) == words{"chat:approval-decided"});
    CHECK(told[0].payload == json::value{{"conversationId", input_room_text},
                                         {"approvalId", approval.str()},
                                         {"decision", "approved"},
                                         {"resolvedBy", "u2"}});
  }
  CHECK(t.port.acks.at(0).second.at(0).at("status") == "ok");
}

TEST_CASE("chat-room: what a token does not permit is chat:error") {
  table t;
  t.port.who.scopes = scope::read;
  auto name = GENERATE("chat:send", "chat:approve", "chat:typing", "chat:cancel", "chat:react");
  t.emit(name, t.in_room(R"(,"content":"x","approvalId":"x","approved":true,"isTyping":true)"));
  CHECK(names_of(t.port.take_packets()) == words{"chat:error"});
  CHECK(t.port.submitted.empty());
  CHECK(t.port.asked.empty());
}

TEST_CASE("chat-room: chat:cancel stops the run, chat:react changes a reaction") {
  table t;
  t.join();
  t.emit("chat:cancel", t.in_room());
  t.emit("chat:react", t.in_room(R"(,"messageId":")" + transport_test::question.str() + R"(","emoji":"👍","added":false)"));
  REQUIRE(t.port.submitted.size() == 2);
  CHECK(std::get<cancel_run>(t.port.submitted[0].second).run.is_nil());
  CHECK_FALSE(std::get<react>(t.port.submitted[1].second).added);
}

TEST_CASE("chat-room: who loses access to a conversation is told, and is out of its input_room") {
  table t;
  t.join();
  auto lost = t.port.followed.at(0).second.lost;
  SECTION("taken off its participants: chat:error") {
    lost({errc::not_found, "You may not see it any more."});
    CHECK(names_of(t.port.take_packets()) == words{"chat:error"});
  }
  SECTION("the token expired: not a word") {
    t.port.who = principal::nobody();
    lost({errc::auth_failed, "expired"});
    CHECK(t.port.sent.empty());
  }
  CHECK(t.port.left == std::vector<session_id>{input_room});
}

TEST_CASE("chat-room: one that only sent makes input_room for the next when there are too many") {
  table t;
  t.port.settings.sessions.max_rooms = 2;
  auto send_to = [&](std::uint64_t n) {
    session_id id{{8, n}};
    t.emit("chat:send", R"({"conversationId":")" + id.str() + R"(","content":"x"})");
    auto known = t.record();
    t.find(known);
    t.port.attach(known);
  };
  send_to(1);
  send_to(2);
  send_to(3);
  CHECK(t.port.unfollowed == std::vector<session_id>{{{8, 1}}});
  CHECK(t.port.following.size() == 2);
}

TEST_CASE("chat-room: a client that comes back goes on in its rooms without a chat:joined") {
  table t;
  t.join();
  session_id sent{{8, 1}};
  t.emit("chat:send", R"({"conversationId":")" + sent.str() + R"(","content":"x"})");
  t.find(t.record());
  t.port.attach(t.record());
  auto state = t.protocol->recovery_state();
  REQUIRE(state.has_value());

  recording_port port;
  port.settings = transport_test::demo_settings();
  auto back = transport::make_chat_room(port);
  REQUIRE(back->recover(state, input_room_text + ":40"));
  back->on_open();
  CHECK(port.watching == 1);
  REQUIRE(port.followed.size() == 2);
  CHECK(port.followed[0].first == input_room);
  CHECK(port.followed[0].second.after == seq_t{40});
  CHECK(port.followed[1].first == sent);
  CHECK(port.followed[1].second.after == seq_t{12});  // nothing came of it since
  port.attach(t.record());
  CHECK(port.sent.empty());
}

TEST_CASE("chat-room: recovery after a restart of the server takes the rooms of the offset, all joined") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto back = transport::make_chat_room(port);
  REQUIRE(back->recover(std::nullopt, input_room_text + ":40"));
  back->on_open();
  REQUIRE(port.followed.size() == 1);
  CHECK(port.followed[0].second.after == seq_t{40});
  port.attach(session_record{});
  CHECK(port.entered == std::vector<session_id>{input_room});
  CHECK(port.sent.empty());
}

TEST_CASE("chat-room: recovery is refused where nothing can be read, or nobody asks") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto back = transport::make_chat_room(port);
  CHECK_FALSE(back->recover(std::nullopt, ""));
  CHECK_FALSE(back->recover(std::nullopt, "nonsense"));
  CHECK_FALSE(back->recover(std::string("{"), input_room_text + ":40"));
  port.who = principal::nobody();
  CHECK_FALSE(back->recover(std::nullopt, input_room_text + ":40"));
}

TEST_CASE("chat-room: what is remembered is bounded") {
  std::string offset;
  for (std::uint64_t n = 1; n <= 20; ++n) offset += (n > 1 ? "," : "") + session_id{{8, n}}.str() + ":1";
  CHECK(transport::recovered_rooms(std::nullopt, offset, 5)->size() == 5);
  transport::room_states rooms{{input_room, {true, true, 3, 0}}, {{{8, 1}}, {false, false, std::nullopt, 0}}};
  auto back = transport::recovered_rooms(transport::to_text(rooms), "", 5);
  REQUIRE(back.has_value());
  REQUIRE(back->size() == 2);
  CHECK(back->at(input_room).joined);
  CHECK(back->at(input_room).seq == seq_t{3});
  CHECK_FALSE(back->at(session_id{{8, 1}}).seq.has_value());
}

TEST_CASE("chat-room: events that wait are bounded") {
  table t;
  for (int i = 0; i < 300; ++i) t.emit("chat:join", t.in_room());  // the first waits for its answer
  auto told = t.port.take_packets();
  REQUIRE_FALSE(told.empty());
  CHECK(told.front().name == "exception");
  CHECK(t.port.followed.size() == 1);
}

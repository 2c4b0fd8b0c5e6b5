#include "tests/unit/transport_chat_stream_bench.hpp"

using namespace troupe;
using namespace troupe::core;
using namespace troupe::transport_test;
using transport::chat_id_of;
using transport::chat_stream_place_from;

namespace {

const session_id one{{1, 1}};
const session_id two{{2, 2}};
const session_id three{{3, 3}};

session_created made(const char* owner = "") { return {{"demo"}, {"guide"}, "chat-events", {}, owner, {}}; }
run_started begin(std::uint64_t n) { return {{{1, n}}, question, reply, {}, {"guide"}, 0, {}, "q"}; }
step_started step(std::uint64_t n) { return {{{1, n}}, 1, reply, "p", "m"}; }
text_delta text(std::initializer_list<std::string_view> parts) { return {reply, pieces(parts)}; }
run_completed end(std::uint64_t n) { return {{{1, n}}, reply, {}, {}, {}, 1}; }

principal person(const char* id) { return {id, id, scope::user, millis{0}}; }

/// Three chats that talk, one of them twice and with pauses, one only at the beginning; a scene of some seconds.
std::vector<std::function<void(chat_bench&)>> scene() {
  return {
      [](chat_bench& b) { b.say(one, {made()}); },
      [](chat_bench& b) { b.say(two, {made()}); },
      [](chat_bench& b) { b.say(three, {made()}); },
      [](chat_bench& b) {
        b.say(three, {begin(30), step(30), text({"x", "y"}), end(30)});
      },
      [](chat_bench& b) { b.say(one, {begin(1)}); },
      [](chat_bench& b) { b.say(one, {step(1)}); },
      [](chat_bench& b) {
        b.say(one, {text({"a", "b"})});
      },
      [](chat_bench& b) { b.pass(1'500); },
      [](chat_bench& b) {
        b.say(two, {begin(20), step(20)});
      },
      [](chat_bench& b) { b.say(two, {text({"k"})}); },
      [](chat_bench& b) { b.pass(1'500); },
      [](chat_bench& b) {
        b.say(two, {text({"l", "m", "n"})});
      },
      [](chat_bench& b) { b.say(one, {text({"c"})}); },
      [](chat_bench& b) { b.pass(5'000); },
      [](chat_bench& b) {
        b.say(one, {text({"d", "e"})});
      },
      [](chat_bench& b) { b.say(one, {end(1)}); },
      [](chat_bench& b) {
        b.say(one, {begin(2), step(2), text({"f"})});
      },
      [](chat_bench& b) { b.pass(3'000); },
      [](chat_bench& b) { b.say(two, {end(20)}); },
      [](chat_bench& b) { b.say(one, {text({"g"})}); },
      [](chat_bench& b) { b.say(one, {end(2)}); },
      [](chat_bench& b) {
        b.say(two, {session_updated{session_status::deleted, {}}});
      },
  };
}

/// What a socket sees that is there all the time.
std::vector<packet> whole_scene() {
  chat_bench b;
  auto s = b.join();
  for (const auto& act : scene()) {
    act(b);
    b.settle();
  }
  return s.peer->packets;
}

}  // namespace

TEST_CASE("chat stream: every socket gets every event once, with the places of all chats that just talked") {
  chat_bench b;
  auto s = b.join();
  auto t = b.join();
  b.say(one, {made(), begin(1), step(1), text({"a"})});
  b.settle();
  b.pass(100);
  b.say(two, {made()});
  b.settle();
  b.pass(5'000);
  b.say(three, {made()});
  b.settle();
  REQUIRE(names_of(s.peer->packets) ==
          words{"chat-created", "ai-response-start", "ai-response-chunk", "chat-created", "chat-created"});
  CHECK(names_of(t.peer->packets) == names_of(s.peer->packets));
  CHECK(s.peer->packets[1].offset == one.str() + ":2,at:1000000");
  CHECK(s.peer->packets[3].offset == two.str() + ":1," + one.str() + ":4,at:1000100");
  CHECK(s.peer->packets[4].offset == three.str() + ":1,at:1005100");
  b.stream->leave(t.member);
  b.say(one, {end(1)});
  b.settle();
  CHECK(s.peer->packets.size() == 6);
  CHECK(t.peer->packets.size() == 5);
}

TEST_CASE("chat stream: who comes back gets the rest of every chat, wherever it left and whenever it returns") {
  const auto whole = whole_scene();
  const auto expected = transcript_of(whole);
  REQUIRE(whole.size() == 25);
  const auto acts = scene();
  for (std::size_t leaves = 1; leaves <= acts.size(); ++leaves) {
    for (std::size_t returns : {leaves, leaves + 1, leaves + 3, acts.size()}) {
      if (returns > acts.size()) continue;
      chat_bench b;
      auto before = b.join();
      for (std::size_t i = 0; i < leaves; ++i) acts[i](b), b.settle();
      b.stream->leave(before.member);
      auto offset = before.peer->last_offset();
      REQUIRE(b.stream->can_resume(offset));
      for (std::size_t i = leaves; i < returns; ++i) acts[i](b), b.settle();
      auto after = b.join(offset);
      // What follows comes while it still reads.
      for (std::size_t i = returns; i < acts.size(); ++i) acts[i](b);
      INFO("leaves after " << leaves << ", returns after " << returns << " with " << offset);
      b.until([&] { return before.peer->packets.size() + after.peer->packets.size() >= whole.size(); });
      b.settle();
      CHECK(joined(transcript_of(before.peer->packets), transcript_of(after.peer->packets)) == expected);
    }
  }
}

TEST_CASE("chat stream: who leaves in the middle of a burst gets what was cut off") {
  const auto whole = whole_scene();
  const auto expected = transcript_of(whole);
  for (std::size_t seen = 1; seen < whole.size(); ++seen) {
    chat_bench b;
    for (const auto& act : scene()) act(b), b.settle();
    auto after = b.join(whole[seen - 1].offset);
    INFO("after " << seen << " packets, " << whole[seen - 1].offset);
    b.until([&] { return seen + after.peer->packets.size() >= whole.size(); });
    b.settle();
    auto first = std::vector<packet>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(seen));
    CHECK(joined(transcript_of(first), transcript_of(after.peer->packets)) == expected);
  }
}

TEST_CASE("chat stream: who leaves again while it reads goes on from where it was") {
  const auto whole = whole_scene();
  const auto expected = transcript_of(whole);
  chat_bench b;
  for (const auto& act : scene()) act(b), b.settle();
  auto offset = whole[3].offset;
  auto got = std::vector<packet>(whole.begin(), whole.begin() + 4);
  for (int visits = 0; got.size() < whole.size(); ++visits) {
    REQUIRE(visits < 40);
    auto s = b.join(offset);
    b.until([&] { return !s.peer->last_offset().empty(); });
    b.stream->leave(s.member);
    offset = s.peer->last_offset();
    REQUIRE(b.stream->can_resume(offset));
    got.insert(got.end(), s.peer->packets.begin(), s.peer->packets.end());
  }
  CHECK(transcript_of(got) == expected);
}

TEST_CASE("chat stream: what was read from the log before the stream told it comes once") {
  for (bool is_known : {true, false}) {
    chat_bench b;
    b.say(one, {made(), begin(1), step(1), text({"a"}), end(1)});
    b.settle();
    b.pass(5'000);
    // By now the stream has forgotten the first one.
    b.say(two, {made()});
    b.settle();
    if (is_known) {
      b.say(one, {begin(2)});
      b.settle();
    }
    auto early = b.say(one,
                       is_known ? std::vector<event_payload>{step(2), text({"b"})}
                                : std::vector<event_payload>{begin(2), step(2), text({"b"})},
                       false);
    auto s = b.join(one.str() + ":4,at:" + std::to_string(b.clock->now().count()));
    auto said = [&] { return transcript_of(s.peer->packets)[chat_id_of(one)]; };
    // Both chats are read to their ends: it is live again.
    b.until([&] { return b.chats.ends_told == 2; });
    b.settle();
    REQUIRE(said().back() == "ai-response-chunk b");
    b.stream->deliver(early);
    b.say(one, {text({"c"})});
    b.until([&] { return said().back() == "ai-response-chunk c"; });
    CHECK(said() == words{"ai-response-end ", "ai-response-start ", "ai-response-chunk b", "ai-response-chunk c"});
  }
}

TEST_CASE("chat stream: what comes while the end of a log is on its way is not passed over") {
  chat_bench b;
  b.say(one, {made(), begin(1), step(1), text({"a"})});
  b.settle();
  b.chats.after_last_page = [&] { b.say(one, {text({"b"})}); };
  auto s = b.join(one.str() + ":3,at:1000000");
  b.until([&] { return s.peer->packets.size() >= 2; });
  b.say(one, {text({"c"})});
  b.until([&] { return s.peer->packets.size() >= 3; });
  CHECK(transcript_of(s.peer->packets) ==
        transcript{{chat_id_of(one), {"ai-response-chunk a", "ai-response-chunk b", "ai-response-chunk c"}}});
}

TEST_CASE("chat stream: a slow socket gets nothing while its queue is full, and afterwards everything once") {
  const auto whole = whole_scene();
  const auto acts = scene();
  for (std::size_t stalls = 1; stalls < whole.size(); ++stalls) {
    for (std::size_t waits : {0u, 1u, 4u, 100u}) {
      chat_bench b;
      auto slow = b.join();
      auto quick = b.join();
      slow.peer->slow_after = stalls;
      std::size_t idle = 0;
      for (const auto& act : acts) {
        act(b);
        b.settle();
        if (!slow.peer->is_slow || idle++ < waits) continue;
        slow.peer->slow_after = static_cast<std::size_t>(-1);
        slow.peer->is_slow = false;
        b.stream->on_drained(slow.member);
      }
      slow.peer->slow_after = static_cast<std::size_t>(-1);
      slow.peer->is_slow = false;
      b.stream->on_drained(slow.member);
      INFO("stalls after " << stalls << ", for " << waits);
      b.until([&] { return slow.peer->packets.size() >= whole.size(); });
      b.settle();
      CHECK(transcript_of(slow.peer->packets) == transcript_of(whole));
      CHECK(transcript_of(quick.peer->packets) == transcript_of(whole));
    }
  }
}

TEST_CASE("chat stream: after a restart the run goes on where the client left, text that was lost is revoked") {
  chat_bench b;
  auto before = b.join();
  b.say(one, {made(), begin(1), step(1), text({"a", "b"})});
  b.settle();
  auto offset = before.peer->last_offset();
  b.halt();
  b.pass(10'000);
  b.start();
  auto recalled = std::make_shared<event_batch>();
  recalled->session = one;
  recalled->events.assign(b.chats.logs[one].begin() + 1, b.chats.logs[one].end());
  b.stream->recall(recalled);
  b.say(one, {message_superseded{reply, 4}});
  auto after = b.join(offset);
  b.say(one, {text({"A"}), end(1)});
  b.until([&] { return after.peer->packets.size() >= 3; });
  b.settle();
  CHECK(names_of(after.peer->packets) == words{"ai-response-start", "ai-response-chunk", "ai-response-end"});
  CHECK(after.peer->packets[2].payload.at("message").at("answer") == "A");
  CHECK(after.peer->packets[2].payload.at("message").at("content") == "q");
}

TEST_CASE("chat stream: who comes without an offset gets the rest of a run, and first what waits for a decision") {
  chat_bench b;
  b.say(one, {made(), begin(1), step(1), text({"a"})});
  b.say(one, {approval_requested{{{1, 1}}, {{4, 1}}, {"c1"}, "delete_file", "{}", approval_kind::tool, "high", millis{9}}});
  b.settle();
  auto s = b.join();
  REQUIRE(names_of(s.peer->packets) == words{"approval-required"});
  CHECK(s.peer->packets[0].offset.empty());
  b.say(one, {text({"b"}), end(1)});
  b.settle();
  CHECK(names_of(s.peer->packets) == words{"approval-required", "ai-response-chunk", "ai-response-end"});
  CHECK(s.peer->packets[2].payload.at("message").at("answer") == "ab");
}

TEST_CASE("chat stream: only who may read a chat gets its events, and hears of its place") {
  chat_bench b(true);
  auto ana = b.join({}, person("ana"));
  auto bob = b.join({}, person("bob"));
  auto root = b.join({}, {"root", "root", scope::all, millis{0}});
  auto nobody = b.join({}, principal::nobody());
  auto blind = b.join({}, {"ana", "ana", scope::chat, millis{0}});
  auto late = b.join({}, {"ana", "ana", scope::user, b.clock->now()});
  b.say(one, {made("ana")});
  b.say(two, {made("bob")});
  b.say(one, {begin(1)});
  b.say(one, {session_updated{session_status::active, {}, std::vector<std::string>{"bob"}}});
  b.say(one, {step(1), text({"a"})});
  b.until([&] { return root.peer->packets.size() >= 4; });
  CHECK(names_of(ana.peer->packets) == words{"chat-created", "ai-response-start", "ai-response-chunk"});
  CHECK(names_of(bob.peer->packets) == words{"chat-created", "ai-response-chunk"});
  CHECK(nobody.peer->packets.empty());
  CHECK(blind.peer->packets.empty());
  CHECK(late.peer->packets.empty());
  CHECK(ana.peer->last_offset() == one.str() + ":5,at:1000000");
  CHECK(bob.peer->last_offset() == one.str() + ":5," + two.str() + ":1,at:1000000");
  CHECK(root.peer->last_offset() == bob.peer->last_offset());
}

TEST_CASE("chat stream: a chat that woke without telling who may see it is looked up") {
  chat_bench b(true);
  b.say(one, {made("ana"), begin(1)}, false);
  auto ana = b.join({}, person("ana"));
  auto bob = b.join({}, person("bob"));
  b.say(one, {step(1), text({"a"})});
  b.say(one, {text({"b"})});
  b.until([&] { return ana.peer->packets.size() >= 2; });
  b.settle();
  CHECK(bob.peer->packets.empty());
}

TEST_CASE("chat stream: an offset that names other people's chats, or other dialects', brings nothing of them") {
  chat_bench b(true);
  b.say(one, {made("bob"), begin(1), step(1), text({"a"}), end(1)}, false);
  b.say(two, {session_created{{"demo"}, {"guide"}, "nexus", {}, "ana", {}}, begin(2), end(2)}, false);
  b.say(three, {made("ana"), begin(3), end(3)}, false);
  auto ana = b.join(one.str() + ":1," + two.str() + ":1," + three.str() + ":2,at:1000000", person("ana"));
  b.until([&] { return ana.peer->packets.size() >= 1; });
  b.say(three, {begin(4)});
  b.until([&] { return ana.peer->packets.size() >= 2; });
  CHECK(names_of(ana.peer->packets) == words{"ai-response-end", "ai-response-start"});
}

TEST_CASE("chat stream: with more chats at once than an offset holds, it tells that one cannot go on from it") {
  chat_bench b;
  auto s = b.join();
  for (std::uint64_t i = 0; i < transport::chat_stream_places + 1; ++i) b.say({{9, i + 1}}, {made()});
  b.settle();
  CHECK(b.stream->can_resume(s.peer->last_offset()));
  b.say({{9, 9999}}, {made()});
  b.settle();
  CHECK(!s.peer->last_offset().empty());
  CHECK(!b.stream->can_resume(s.peer->last_offset()));
  b.pass(5'000);
  b.say({{9, 1}}, {begin(1)});
  b.settle();
  CHECK(b.stream->can_resume(s.peer->last_offset()));
}

TEST_CASE("chat stream: offsets that are too old, from the future or unreadable are not gone on from") {
  chat_bench b;
  auto window = std::chrono::duration_cast<millis>(b.config->socketio.recovery_window);
  auto at = [&](millis t) { return "at:" + std::to_string((b.clock->now() + t).count()); };
  CHECK(b.stream->can_resume(at(millis{0})));
  CHECK(!b.stream->can_resume(at(millis{1})));
  CHECK(!b.stream->can_resume(at(-window - millis{60'000})));
  for (const auto* text : {"", "x", "-", "at:"}) CHECK(!b.stream->can_resume(text));
  auto s = b.join("x");
  b.say(one, {made()});
  b.settle();
  CHECK(s.peer->packets.size() == 1);
}

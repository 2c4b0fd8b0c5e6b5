#include "core/history.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace troupe::core;

namespace {

message_id msg(std::uint64_t n) { return {uuid{1, n}}; }
run_id nth_run(std::uint64_t n) { return {uuid{2, n}}; }

struct conversation {
  history h;
  seq_t seq = 0;
  conversation& add(event_payload p) {
    ++seq;
    h.apply({seq, seq, millis(1), std::move(p)});
    return *this;
  }
  conversation& user(std::uint64_t n, std::string text) {
    return add(message_added{msg(n), role::user, std::move(text), "", ""})
        .add(run_started{nth_run(n), msg(n), {}, {}, {}, 0, millis(0)});
  }
  conversation& says(std::uint64_t r, std::string text, std::vector<std::string> calls = {}, bool cut = false) {
    message_completed m;
    m.run = nth_run(r);
    m.content = std::move(text);
    for (auto& c : calls) m.calls.push_back({{c}, "tool", "{}"});
    m.cut = cut;
    return add(std::move(m));
  }
  conversation& result(std::string call, std::string text, bool ok = true) {
    return add(tool_completed{nth_run(1), {std::move(call)}, "tool", ok, std::move(text), 1});
  }
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const auto& m : h.messages()) {
      out += m.role == role::user ? "U:" : m.role == role::tool ? "T(" + m.call.value + "):" : "A:";
      out += m.content == missing_result_text ? "-" : m.content;
      for (const auto& c : m.calls) out += "!" + c.id.value;
      out += "|";
    }
    return out;
  }
};

}  // namespace

TEST_CASE("history: a user message joins when its run starts", "[core]") {
  conversation l;
  l.user(1, "one").add(message_added{msg(2), role::user, "two", "", ""}).add(run_queued{nth_run(2), msg(2), 1});
  CHECK(l.told() == "U:one|");
  l.says(1, "first").add(run_completed{nth_run(1), {}, {}, {}, {}, 1});
  CHECK(l.told() == "U:one|A:first|");
  l.add(run_started{nth_run(2), msg(2), {}, {}, {}, 0, millis(0)});
  CHECK(l.told() == "U:one|A:first|U:two|");
}

TEST_CASE("history: a message taken out of the queue never joins", "[core]") {
  conversation l;
  l.user(1, "one").add(message_added{msg(2), role::user, "two", "", ""}).add(run_dequeued{nth_run(2), msg(2)});
  l.add(run_started{nth_run(2), msg(2), {}, {}, {}, 0, millis(0)});
  CHECK(l.told() == "U:one|");
}

TEST_CASE("history: results stand in the order asked, whatever order they came in", "[core]") {
  conversation l;
  l.user(1, "go").says(1, "", {"a", "b", "c"});
  CHECK(l.h.has_open_calls());
  CHECK(l.told() == "U:go|");
  l.result("c", "3").result("a", "1").result("b", "2");
  CHECK_FALSE(l.h.has_open_calls());
  CHECK(l.told() == "U:go|A:!a!b!c|T(a):1|T(b):2|T(c):3|");
}

TEST_CASE("history: calls left open get a failed result when the conversation goes on", "[core]") {
  SECTION("at the next step") {
    conversation l;
    l.user(1, "go").says(1, "", {"a", "b"}).result("b", "2").add(step_started{nth_run(1), 2, msg(9), "", ""});
    CHECK(l.told() == "U:go|A:!a!b|T(a):-|T(b):2|");
    CHECK_FALSE(l.h.messages()[2].ok);
    l.result("a", "too late");
    CHECK(l.told() == "U:go|A:!a!b|T(a):-|T(b):2|");
  }
  SECTION("at the end of the run") {
    auto end = GENERATE(0, 1, 2);
    conversation l;
    l.user(1, "go").says(1, "", {"a"});
    if (end == 0) l.add(run_cancelled{nth_run(1), "", false});
    if (end == 1) l.add(run_failed{nth_run(1), errc::internal_error, "", 1});
    if (end == 2) l.add(run_completed{nth_run(1), {}, {}, {}, {}, 1});
    CHECK(l.told() == "U:go|A:!a|T(a):-|");
  }
  SECTION("at the next user message") {
    conversation l;
    l.user(1, "go").says(1, "", {"a"}).user(2, "more");
    CHECK(l.told() == "U:go|A:!a|T(a):-|U:more|");
  }
  SECTION("but not when another, queued run is cancelled") {
    conversation l;
    l.user(1, "go").says(1, "", {"a"}).add(run_cancelled{nth_run(2), "", false});
    CHECK(l.h.has_open_calls());
    CHECK(l.result("a", "1").told() == "U:go|A:!a|T(a):1|");
  }
}

TEST_CASE("history: text that was cut stays, and empty messages do not come in", "[core]") {
  conversation l;
  l.user(1, "go").says(1, "half an ans", {}, true).add(run_cancelled{nth_run(1), "", true}).user(2, "again").says(2, "");
  CHECK(l.told() == "U:go|A:half an ans|U:again|");
}

TEST_CASE("history: what a crash swallowed leaves no trace", "[core]") {
  conversation l;
  l.user(1, "go").add(step_started{nth_run(1), 1, msg(5), "", ""}).add(text_delta{msg(5), {"lost", {4}}});
  l.add(message_superseded{msg(5), 4}).add(step_started{nth_run(1), 1, msg(6), "", ""}).says(1, "kept");
  CHECK(l.told() == "U:go|A:kept|");
}

TEST_CASE("history: call ids that the model repeats or forgets are asked once", "[core]") {
  conversation l;
  l.user(1, "go").says(1, "", {"a", "a", ""}).result("a", "1").says(1, "", {"a"}).result("a", "2");
  CHECK(l.told() == "U:go|A:!a|T(a):1|A:!a|T(a):2|");
}

TEST_CASE("history: a message that waits may be edited, one that was told may not", "[core]") {
  conversation l;
  l.user(1, "one").add(message_added{msg(2), role::user, "two", "", ""});
  l.add(message_edited{msg(2), "zwei"}).add(message_edited{msg(1), "eins"}).add(message_edited{msg(9), "?"});
  l.says(1, "first")
      .add(run_completed{nth_run(1), {}, {}, {}, {}, 1})
      .add(run_started{nth_run(2), msg(2), {}, {}, {}, 0, millis(0)});
  CHECK(l.told() == "U:one|A:first|U:zwei|");
}

TEST_CASE("history: what a user attaches comes with the message", "[core]") {
  conversation l;
  attachment file{{uuid{5, 5}}, "a.png", "image/png", 12};
  l.add(message_added{msg(1), role::user, "look", "", "", "", {file}});
  l.add(run_started{nth_run(1), msg(1), {}, {}, {}, 0, millis(0)}).says(1, "nice");
  REQUIRE(l.h.messages().size() == 2);
  CHECK(l.h.messages()[0].attachments == std::vector{file});
  CHECK(l.h.messages()[1].attachments.empty());
}

TEST_CASE("history: clearing it forgets what is complete and keeps what waits", "[core]") {
  conversation l;
  l.user(1, "one").says(1, "", {"a"}).result("a", "1").says(1, "first").add(run_completed{nth_run(1), {}, {}, {}, {}, 1});
  auto before = l.h.snapshot();
  l.add(message_added{msg(2), role::user, "two", "", ""}).add(history_cleared{"ann"});
  CHECK(l.told().empty());
  CHECK(before->size() == 4);
  l.says(1, "late");  // nobody asked any more
  CHECK(l.told().empty());
  l.add(run_started{nth_run(2), msg(2), {}, {}, {}, 0, millis(0)}).says(2, "second");
  CHECK(l.told() == "U:two|A:second|");
}

TEST_CASE("history: clearing it in the middle of an exchange keeps that exchange", "[core]") {
  conversation l;
  l.user(1, "one").says(1, "first").add(run_completed{nth_run(1), {}, {}, {}, {}, 1}).user(2, "two");
  SECTION("before it is answered") {
    l.add(history_cleared{}).says(2, "second");
    CHECK(l.told() == "U:two|A:second|");
  }
  SECTION("while a tool works") {
    l.says(2, "", {"a"}).add(history_cleared{}).result("a", "1").says(2, "second").add(history_cleared{});
    CHECK(l.told() == "U:two|A:!a|T(a):1|A:second|");
    l.add(run_completed{nth_run(2), {}, {}, {}, {}, 1}).add(history_cleared{});
    CHECK(l.told().empty());
  }
}

TEST_CASE("history: a summary stands for the messages it replaced, and the run goes on behind it", "[core]") {
  conversation l;
  l.user(1, "one").says(1, "", {"a"}).result("a", "1").says(1, "first").add(run_completed{nth_run(1), {}, {}, {}, {}, 1});
  l.user(2, "two").says(2, "second").add(run_completed{nth_run(2), {}, {}, {}, {}, 1}).user(3, "three");
  l.add(history_compacted{nth_run(3), 4, "it began"});
  const std::string prefix(summary_prefix);
  CHECK(l.told() == "U:" + prefix + "it began|U:two|A:second|U:three|");
  l.says(3, "", {"b"}).add(history_compacted{nth_run(3), 3, "and went on"}).result("b", "2");
  CHECK(l.told() == "U:" + prefix + "and went on|U:three|A:!b|T(b):2|");
  l.add(history_compacted{nth_run(3), 0, "nothing"});
  l.add(history_compacted{nth_run(3), 9, "the current exchange stays"});
  CHECK(l.told() == "U:" + prefix + "the current exchange stays|U:three|A:!b|T(b):2|");
  CHECK(defect_of(l.h.messages()).empty());
}

TEST_CASE("history: a summary takes whole exchanges only", "[core]") {
  conversation l;
  l.user(1, "one").says(1, "", {"a"}).result("a", "1").says(1, "first").add(run_completed{nth_run(1), {}, {}, {}, {}, 1});
  l.user(2, "two").add(history_compacted{nth_run(2), 2, "half of it"});
  CHECK(l.told() == "U:one|A:!a|T(a):1|A:first|U:two|");
}

TEST_CASE("history: of two plain answers in one run the second one counts", "[core]") {
  conversation l;
  l.user(1, "go").says(1, "of no use").says(1, "");
  CHECK(l.told() == "U:go|A:of no use|");
  SECTION("a better one") { CHECK(l.says(1, "better").told() == "U:go|A:better|"); }
  SECTION("a call, and what follows from it") {
    l.says(1, "", {"a"}).result("a", "1").says(1, "better");
    CHECK(l.told() == "U:go|A:!a|T(a):1|A:better|");
  }
  SECTION("not across runs") {
    l.add(run_completed{nth_run(1), {}, {}, {}, {}, 1}).says(1, "late");
    CHECK(l.told() == "U:go|A:of no use|A:late|");
  }
}

TEST_CASE("history: a snapshot stays as it is", "[core]") {
  conversation l;
  l.user(1, "go");
  auto before = l.h.snapshot();
  auto copy = l.h;
  l.says(1, "yes");
  CHECK(before->size() == 1);
  CHECK(copy.messages().size() == 1);
  CHECK(l.h.messages().size() == 2);
  l.h.clear();
  CHECK(l.h.messages().empty());
}

TEST_CASE("history: any sequence of events gives a valid history", "[core]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    auto any = [&](unsigned n) { return random() % n; };
    conversation l;
    for (int i = 0; i < 80; ++i) {
      auto call = std::string(1, static_cast<char>('a' + any(4)));
      switch (any(15)) {
        case 0:
          l.user(any(6), "u" + std::to_string(i));
          break;
        case 1:
          l.add(message_added{msg(any(6)), static_cast<role>(any(4)), "m", "", ""});
          break;
        case 2:
          l.add(run_started{nth_run(any(4)), msg(any(6)), {}, {}, {}, 0, millis(0)});
          break;
        case 3:
          l.says(any(4), any(2) ? "text" : "", any(2) ? std::vector<std::string>{call, "b", call} : std::vector<std::string>{},
                 any(2) == 0);
          break;
        case 4:
        case 5:
        case 6:
          l.result(call, any(2) ? "r" : "", any(2) == 0);
          break;
        case 7:
          l.add(step_started{nth_run(any(4)), 1, msg(any(6)), "", ""});
          break;
        case 8:
          l.add(run_cancelled{nth_run(any(4)), "", false});
          break;
        case 9:
          l.add(run_failed{nth_run(any(4)), errc::timeout, "", 1});
          break;
        case 10:
          l.add(run_dequeued{nth_run(any(4)), msg(any(6))});
          break;
        case 11:
          l.add(message_edited{msg(any(6)), "edited"});
          break;
        case 12:
          l.add(history_cleared{});
          break;
        case 13:
          l.add(history_compacted{nth_run(any(4)), static_cast<std::uint32_t>(any(6)), "s"});
          break;
        default:
          l.add(run_completed{nth_run(any(4)), {}, {}, {}, {}, 1});
          break;
      }
      INFO("seed " << seed << ": " << l.told());
      REQUIRE(defect_of(l.h.messages()).empty());
    }
  }
}

TEST_CASE("defect_of: names what a provider would refuse", "[core]") {
  history_message user{role::user, "u", {}, {}, true};
  history_message text{role::assistant, "a", {}, {}, true};
  history_message asks{role::assistant, "", {{{"c1"}, "t", "{}"}, {{"c2"}, "t", "{}"}}, {}, true};
  history_message first{role::tool, "r", {}, {"c1"}, true};
  history_message second{role::tool, "r", {}, {"c2"}, true};
  history_message system{role::system, "s", {}, {}, true};
  using Catch::Contains;

  CHECK(defect_of({}).empty());
  CHECK(defect_of({system, user, asks, second, first, text, user, user}).empty());
  CHECK_THAT(defect_of({text}), Contains("does not begin with a user"));
  CHECK_THAT(defect_of({user, system}), Contains("system message after"));
  CHECK_THAT(defect_of({user, asks, first}), Contains("c2 has no result at the end"));
  CHECK_THAT(defect_of({user, asks, first, user, second}), Contains("c2 has no result before"));
  CHECK_THAT(defect_of({user, first}), Contains("answers no open call"));
  CHECK_THAT(defect_of({user, asks, first, first, second}), Contains("answers no open call"));
  auto twice = asks;
  twice.calls[1].id = {"c1"};
  CHECK_THAT(defect_of({user, twice, first}), Contains("asked twice"));
  auto nameless = asks;
  nameless.calls[0].id = {};
  CHECK_THAT(defect_of({user, nameless}), Contains("without an id"));
  CHECK_THAT(defect_of({user, {role::assistant, "", {}, {}, true}}), Contains("neither text nor calls"));
  CHECK_THAT(defect_of({{role::user, "u", {{{"c"}, "t", ""}}, {}, true}}), Contains("only an assistant"));
  CHECK_THAT(defect_of({user, {role::assistant, "a", {}, {"c1"}, true}}), Contains("only a tool result"));
  CHECK_THAT(defect_of({user, {role::assistant, "a", {}, {}, true, {attachment{}}}}), Contains("only a user may attach"));
}

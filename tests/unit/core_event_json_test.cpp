#include "core/event_json.hpp"

#include "core/command.hpp"

#include <catch2/catch.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <random>
#include <vector>

using namespace troupe::core;
namespace json = boost::json;

namespace {

template <class Id>
Id id(std::uint64_t n) {
  return Id{uuid{n, ~n}};
}

/// One filled-in event of every kind.
std::vector<event_payload> one_of_each() {
  text_pieces pieces;
  for (auto piece : {"Hel", "lo, ", "w\xC3\xB6rld \"\\\n\t\x01"}) pieces.add(piece);
  return {
      session_created{{"demo"},
                      {"writer"},
                      "nexus",
                      "conv-1",
                      "ann",
                      R"({"a":[1,{"b":null}]})",
                      id<session_id>(8),
                      40,
                      id<session_id>(11),
                      {"c9"},
                      2},
      message_added{id<message_id>(1),
                    role::system,
                    "hi",
                    "ann",
                    "c-1",
                    "Ann",
                    {{id<file_id>(6), "a.png", "image/png", 12}, {id<file_id>(7), "b", "", 0}},
                    R"({"temperature":5E-1})"},
      run_queued{id<run_id>(2), id<message_id>(1), 3},
      run_started{
          id<run_id>(2), id<message_id>(1), id<message_id>(3), id<trace_id>(9), {"writer"}, 0xfedcba9876543210ULL, millis(77)},
      step_started{id<run_id>(2), 4, id<message_id>(3), "local", "qwen3"},
      text_delta{id<message_id>(3), pieces},
      reasoning_delta{id<message_id>(3), pieces},
      message_superseded{id<message_id>(3), 12},
      message_completed{id<run_id>(2),
                        4,
                        id<message_id>(3),
                        "text",
                        {{{"c1"}, "clock", "{not json"}, {{"c2"}, "clock", "{}"}},
                        finish_reason::length,
                        true},
      tool_started{
          id<run_id>(2), {"c1"}, "clock", R"({"zone":"UTC"})", effect::idempotent, id<session_id>(12), id<grant_id>(13)},
      tool_progress{{"c1"}, "half way"},
      tool_completed{id<run_id>(2),
                     {"c1"},
                     "clock",
                     true,
                     "12:00",
                     5,
                     70'000,
                     {7, 1, 2},
                     {99},
                     std::make_shared<const std::string>("never written")},
      tool_outcome_unknown{id<run_id>(2), {"c1"}, "clock"},
      approval_requested{id<run_id>(2),
                         id<approval_id>(5),
                         {"c1"},
                         "clock",
                         R"(["x"])",
                         approval_kind::input,
                         "high",
                         millis(99),
                         "5e88",
                         "Which zone?",
                         R"({"type":"object"})",
                         2,
                         "ann",
                         id<session_id>(12),
                         id<approval_id>(14)},
      approval_decided{id<run_id>(2),
                       id<approval_id>(5),
                       {"c1"},
                       decision::approved,
                       "ann",
                       "fine",
                       R"({"zone":"CET"})",
                       outcome_choice::retry,
                       R"("CET")",
                       "77aa"},
      usage_recorded{id<run_id>(2), 4, "local", "qwen3", {100, 20, 30}, {456}, true, millis(1), millis(2), 3},
      cost_alert{"agent", {80}, {100}, 80},
      run_completed{id<run_id>(2), id<message_id>(3), id<trace_id>(9), {100, 20, 30}, {456}, 4},
      run_failed{id<run_id>(2), errc::provider_error, "down", 2},
      run_cancelled{id<run_id>(2), "ann", true},
      run_dequeued{id<run_id>(2), id<message_id>(1)},
      session_updated{session_status::paused, "A title", std::vector<std::string>{"bob", "eve \""}, R"({"b":2})"},
      session_closed{},
      message_edited{id<message_id>(1), "hello"},
      queue_reordered{{id<message_id>(4), id<message_id>(1)}},
      reaction_changed{id<message_id>(3), "\xF0\x9F\x91\x8D", false, "bob", "Bob"},
      file_added{{id<file_id>(6), "a.png", "image/png", 12}, "ann", std::make_shared<const std::string>("never written")},
      history_cleared{"ann"},
      history_compacted{id<run_id>(7), 4, "They said hello."},
      approval_endorsed{id<run_id>(2), id<approval_id>(5), {"c1"}, "bob", "me too", R"({"zone":"CET"})"},
      grant_given{id<grant_id>(13), grant_scope::project, "clock", R"([{"pointer":"/zone","equals":"UTC"}])", millis(5), "ann",
                  id<approval_id>(5)},
      grant_revoked{id<grant_id>(13), "bob"},
      agent_changed{id<run_id>(2), {"editor"}, "Please go on."},
      run_stop_requested{id<run_id>(2), "ann"},
      message_feedback{id<message_id>(3), rating::down, "too long\n\"really\"", "ann"},
      typing_changed{"u1", "Ann", true},
      presence_changed{{{"u1", "Ann"}}, {"u1", "Ann"}, presence_changed::what::joined, 3},
  };
}

json::object text_to_object(const event_payload& p) { return json::parse(payload_to_text(p)).as_object(); }

std::string reread_input(const std::string& input) {
  event_payload p = tool_started{id<run_id>(1), {"c"}, "t", input, effect::once};
  auto by_text = payload_from_text("tool_started", payload_to_text(p));
  auto by_object = payload_from_json("tool_started", payload_to_json(p));
  REQUIRE(by_text.has_value());
  REQUIRE(by_object.has_value());
  CHECK(std::get<tool_started>(*by_text).input == std::get<tool_started>(*by_object).input);
  return std::get<tool_started>(*by_text).input;
}

}  // namespace

TEST_CASE("event json: every kind comes back as it was, by object and by text", "[core]") {
  auto all = one_of_each();
  REQUIRE(all.size() == std::variant_size_v<event_payload>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& p = all[i];
    REQUIRE(p.index() == i);
    INFO(kind_of(p));
    auto object = payload_to_json(p);
    CHECK(text_to_object(p) == object);
    auto back = payload_from_json(kind_of(p), object);
    REQUIRE(back.has_value());
    CHECK(back->index() == i);
    CHECK(payload_to_json(*back) == object);
    auto read = payload_from_text(kind_of(p), payload_to_text(p));
    REQUIRE(read.has_value());
    CHECK(payload_to_json(*read) == object);
    // No field was lost on the way: an event of defaults looks different in every kind that has fields.
    auto empty = payload_from_json(kind_of(p), {});
    REQUIRE(empty.has_value());
    bool has_fields = !std::holds_alternative<session_closed>(p) && !std::holds_alternative<presence_changed>(p);
    CHECK((payload_to_json(*empty) != object) == has_fields);
  }
}

TEST_CASE("event json: fields of strong types keep their values", "[core]") {
  auto all = one_of_each();
  auto reread = [&]<class T>(std::in_place_type_t<T>) {
    for (const auto& p : all)
      if (std::holds_alternative<T>(p)) return std::get<T>(payload_from_text(kind_of(p), payload_to_text(p)).value());
    throw std::logic_error("no such kind");
  };
  auto started = reread(std::in_place_type<run_started>);
  CHECK(started.trace == id<trace_id>(9));
  CHECK(started.config_hash == 0xfedcba9876543210ULL);
  CHECK(started.queued_at == millis(77));
  CHECK(reread(std::in_place_type<text_delta>).pieces == std::get<text_delta>(all[5]).pieces);
  CHECK(reread(std::in_place_type<message_completed>).calls == std::get<message_completed>(all[8]).calls);
  CHECK(reread(std::in_place_type<approval_requested>).kind == approval_kind::input);
  CHECK(reread(std::in_place_type<usage_recorded>).tokens == token_usage{100, 20, 30});
  CHECK(reread(std::in_place_type<run_failed>).code == errc::provider_error);
  auto updated = reread(std::in_place_type<session_updated>);
  CHECK(updated.status == session_status::paused);
  CHECK(updated.participants == std::vector<std::string>{"bob", "eve \""});
  CHECK(updated.metadata == R"({"b":2})");
  auto created = reread(std::in_place_type<session_created>);
  CHECK(created.forked_from == id<session_id>(8));
  CHECK(created.forked_at == 40);
  auto added = reread(std::in_place_type<message_added>);
  CHECK(added.author_name == "Ann");
  CHECK(added.attachments == std::get<message_added>(all[1]).attachments);
  CHECK(added.options == R"({"temperature":5E-1})");
  CHECK(reread(std::in_place_type<queue_reordered>).messages == std::vector{id<message_id>(4), id<message_id>(1)});
  CHECK_FALSE(reread(std::in_place_type<reaction_changed>).added);
  auto file = reread(std::in_place_type<file_added>);
  CHECK(file.file == attachment{id<file_id>(6), "a.png", "image/png", 12});
  CHECK(file.data == nullptr);
  CHECK(created.parent == id<session_id>(11));
  CHECK(created.parent_call == tool_call_id{"c9"});
  CHECK(created.depth == 2);
  CHECK(reread(std::in_place_type<tool_started>).child == id<session_id>(12));
  CHECK(reread(std::in_place_type<tool_started>).allowed_by == id<grant_id>(13));
  auto completed = reread(std::in_place_type<tool_completed>);
  CHECK(completed.output_bytes == 70'000);
  CHECK(completed.child_tokens == token_usage{7, 1, 2});
  CHECK(completed.child_cost == micro_usd{99});
  CHECK(completed.whole_output == nullptr);
  auto asked = reread(std::in_place_type<approval_requested>);
  CHECK(asked.deciders == 2);
  CHECK(asked.schema == R"({"type":"object"})");
  CHECK(asked.origin == id<session_id>(12));
  CHECK(asked.origin_approval == id<approval_id>(14));
  auto decided = reread(std::in_place_type<approval_decided>);
  CHECK(decided.choice == outcome_choice::retry);
  CHECK(decided.answer == R"("CET")");
  CHECK(decided.arguments_hash == "77aa");
  auto given = reread(std::in_place_type<grant_given>);
  CHECK(given.scope == grant_scope::project);
  CHECK(given.when == R"([{"pointer":"/zone","equals":"UTC"}])");
  CHECK(given.expires_at == millis(5));
}

TEST_CASE("event json: a long output is not in it, only how long it is", "[core]") {
  tool_completed e{id<run_id>(2), {"c1"}, "clock", true, "SEC", 5, 6, {}, {}, std::make_shared<const std::string>("SECRET")};
  CHECK(payload_to_text(e) ==
        R"({"run":")" + e.run.str() + R"(","call":"c1","tool":"clock","ok":true,"output":"SEC","ms":5,"output_bytes":6})");
  CHECK(json::serialize(payload_to_json(e)).find("SECRET") == std::string::npos);
}

TEST_CASE("event json: the bytes of a file are not in it", "[core]") {
  file_added e{{id<file_id>(6), "a.txt", "text/plain", 6}, "ann", std::make_shared<const std::string>("SECRET")};
  CHECK(payload_to_text(e).find("SECRET") == std::string::npos);
  CHECK(json::serialize(payload_to_json(e)).find("SECRET") == std::string::npos);
}

TEST_CASE("event json: rows from before a field was there read as without it", "[core]") {
  auto updated = std::get<session_updated>(payload_from_text("session_updated", R"({"status":"active","title":"t"})").value());
  CHECK_FALSE(updated.participants.has_value());
  CHECK(updated.metadata.empty());
  auto nobody = std::get<session_updated>(payload_from_text("session_updated", R"({"participants":[]})").value());
  CHECK(nobody.participants == std::vector<std::string>{});
  auto added = std::get<message_added>(payload_from_text("message_added", R"({"role":"user","content":"hi"})").value());
  CHECK(added.attachments.empty());
  CHECK(added.options.empty());
  auto created = std::get<session_created>(payload_from_text("session_created", R"({"project":"demo"})").value());
  CHECK(created.forked_from.is_nil());
  CHECK(created.forked_at == 0);
  // And what has no new field is written as before.
  CHECK(payload_to_text(session_created{{"demo"}, {"writer"}, "nexus", "", "", ""}) ==
        R"({"project":"demo","agent":"writer","dialect":"nexus"})");
  CHECK(payload_to_text(tool_completed{{}, {"c"}, "t", true, "out", 5}) ==
        R"({"call":"c","tool":"t","ok":true,"output":"out","ms":5})");
  CHECK(payload_to_text(approval_requested{{}, {}, {"c"}, "t", "{}", approval_kind::tool, "low", millis(9)}) ==
        R"({"call":"c","tool":"t","action":{},"approval_kind":"tool","risk":"low","expires_at":9})");
  CHECK(payload_to_text(approval_decided{{}, {}, {"c"}, decision::denied, "ann", "", ""}) ==
        R"({"call":"c","decision":"denied","by":"ann"})");
  auto asked = std::get<approval_requested>(payload_from_text("approval_requested", R"({"call":"c"})").value());
  CHECK(asked.deciders == 1);
  CHECK(asked.origin.is_nil());
}

TEST_CASE("durable before visible: all but streamed text, progress and what is never stored", "[core]") {
  std::vector<std::string> lossy;
  for (const auto& p : one_of_each())
    if (!is_durable_before_visible(p)) lossy.emplace_back(kind_of(p));
  CHECK(lossy ==
        std::vector<std::string>{"text_delta", "reasoning_delta", "tool_progress", "typing_changed", "presence_changed"});
}

TEST_CASE("message options: come back from their text, and only what is set is written", "[core]") {
  CHECK(to_text(message_options{}).empty());
  for (double temperature : {0.0, 0.1, 0.7, 1.0, 2.0, 1.0 / 3}) {
    auto text = to_text({temperature, 300});
    CHECK(message_options_from(text).temperature == temperature);
    CHECK(message_options_from(text).max_output_tokens == 300u);
    // Also after the log kept it.
    event_payload p = message_added{{}, role::user, "", "", "", "", {}, text};
    CHECK(std::get<message_added>(payload_from_text("message_added", payload_to_text(p)).value()).options == text);
  }
  CHECK_FALSE(message_options_from(to_text({{}, 5})).temperature.has_value());
  for (auto text : {"", "[]", "{", R"({"temperature":"hot","max_output_tokens":-1})", R"({"max_output_tokens":1.5})"}) {
    CHECK_FALSE(message_options_from(text).temperature.has_value());
    CHECK_FALSE(message_options_from(text).max_output_tokens.has_value());
  }
}

TEST_CASE("event json: empty strings and nil ids are left out, and kinds are told apart", "[core]") {
  CHECK(payload_to_json(session_closed{}).empty());
  CHECK(json::serialize(payload_to_json(message_added{})) == R"({"role":"user"})");
  event e{7, 9, millis(5), text_delta{id<message_id>(3), {"abc", {1, 1, 1}}}};
  auto object = event_to_json(e);
  CHECK(object.at("kind") == "text_delta");
  CHECK(object.at("first") == 7);
  CHECK(object.at("seq") == 9);
  auto back = event_from_json(object);
  REQUIRE(back.has_value());
  CHECK(back->first == 7);
  CHECK(back->seq == 9);
  CHECK(back->at == millis(5));
  CHECK(std::get<text_delta>(back->payload).pieces.lengths.size() == 3);
  e.first = 9;
  CHECK_FALSE(event_to_json(e).contains("first"));
  event approval{1, 1, millis(1), approval_requested{}};
  CHECK(event_to_json(approval).at("kind") == "approval_requested");
}

TEST_CASE("event json: one piece needs no lengths, none and several do", "[core]") {
  auto lengths_of = [](text_pieces p) { return payload_to_json(text_delta{{}, std::move(p)}).contains("lengths"); };
  CHECK_FALSE(lengths_of({"abc", {3}}));
  CHECK_FALSE(lengths_of({"", {0}}));
  CHECK(lengths_of({"", {}}));
  CHECK(lengths_of({"abc", {0, 3}}));
  for (const text_pieces& p : {text_pieces{"abc", {3}}, {"", {0}}, {"", {}}, {"abc", {0, 3, 0}}}) {
    auto back = payload_from_text("text_delta", payload_to_text(text_delta{{}, p}));
    REQUIRE(back.has_value());
    CHECK(std::get<text_delta>(*back).pieces == p);
  }
}

TEST_CASE("event json: a JSON text is embedded as a value", "[core]") {
  auto object = payload_to_json(tool_started{{}, {"c"}, "t", R"({ "zone" : ["UTC", 1, 0.5] })", effect::once});
  CHECK(object.at("input").is_object());
  CHECK(json::parse(reread_input(R"({ "zone" : ["UTC", 1, 0.5, -7, true, null] })")) ==
        json::parse(R"({"zone":["UTC",1,0.5,-7,true,null]})"));
  CHECK(reread_input("17") == "17");
  CHECK(reread_input("null") == "null");
}

TEST_CASE("event json: a text that could change its meaning stays a string", "[core]") {
  std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& text :
       {std::string("{not json"), std::string("plain"), std::string("\"quoted\""), std::string("{} {}"),
        std::string("{\"n\":123456789012345678901234567890}"), std::string("[1e999]"), std::string(" "),
        std::string("[195398842.66666666]"), std::string("{\"a\":\"\xff\xfe\"}"), deep})
    CHECK(reread_input(text) == text);
  CHECK(reread_input("{\"n\":18446744073709551615}") == "{\"n\":18446744073709551615}");
}

TEST_CASE("event json: text survives byte for byte", "[core]") {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 40, '\0');
    for (auto& c : text) c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 128));
    event_payload p = tool_completed{id<run_id>(1), {text}, text, true, text, 1};
    auto back = payload_from_text("tool_completed", payload_to_text(p));
    REQUIRE(back.has_value());
    CHECK(std::get<tool_completed>(*back).output == text);
    CHECK(std::get<tool_completed>(*back).call.value == text);
  }
}

TEST_CASE("event json: random JSON texts keep their meaning", "[core]") {
  std::mt19937 random(11);
  std::function<json::value(int)> make = [&](int depth) -> json::value {
    switch (random() % (depth > 0 ? 8 : 6)) {
      case 0:
        return nullptr;
      case 1:
        return random() % 2 == 0;
      case 2:
        return static_cast<std::int64_t>(random()) - 2'000'000'000;
      case 3:
        return static_cast<double>(random()) / 3.0;
      case 4:
        return json::string("s\"\\\n\xC3\xA9" + std::to_string(random() % 9));
      case 5:
        return 0xffffffffffffffffULL;
      case 6: {
        json::array a;
        for (auto n = random() % 4; n > 0; --n) a.push_back(make(depth - 1));
        return a;
      }
      default: {
        json::object o;
        for (auto n = random() % 4; n > 0; --n) o["k" + std::to_string(random() % 5)] = make(depth - 1);
        return o;
      }
    }
  };
  for (int i = 0; i < 500; ++i) {
    auto text = json::serialize(make(4));
    auto reread = reread_input(text);
    CHECK((reread == text || json::parse(reread) == json::parse(text)));
  }
}

TEST_CASE("event json: what does not fit is refused by name", "[core]") {
  auto failure = [](std::string_view kind, std::string_view text) {
    auto r = payload_from_text(kind, text);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == errc::parse_error);
    return r.error().text;
  };
  using Catch::Contains;
  CHECK_THAT(failure("no_such_kind", "{}"), Contains("no_such_kind"));
  CHECK_THAT(failure("message_added", R"({"content":5})"), Contains("content"));
  CHECK_THAT(failure("message_added", R"({"role":"king"})"), Contains("role"));
  CHECK_THAT(failure("message_added", R"({"message":"xyz"})"), Contains("message"));
  CHECK_THAT(failure("step_started", R"({"step":-1})"), Contains("step"));
  CHECK_THAT(failure("step_started", R"({"step":1.5})"), Contains("step"));
  CHECK_THAT(failure("step_started", R"({"step":99999999999})"), Contains("step"));
  CHECK_THAT(failure("text_delta", R"({"text":"abc","lengths":[1,1]})"), Contains("lengths"));
  CHECK_THAT(failure("tool_completed", R"({"ok":"yes"})"), Contains("ok"));
  CHECK_THAT(failure("usage_recorded", R"({"tokens":[1]})"), Contains("tokens"));
  CHECK_THAT(failure("message_completed", R"({"calls":[{"id":1}]})"), Contains("calls"));
  CHECK_THAT(failure("message_added", R"({"attachments":[{"file":"x"}]})"), Contains("attachments"));
  CHECK_THAT(failure("message_added", R"({"attachments":[5]})"), Contains("attachments"));
  CHECK_THAT(failure("session_updated", R"({"participants":["a",5]})"), Contains("participants"));
  CHECK_THAT(failure("queue_reordered", R"({"messages":["a"]})"), Contains("messages"));
  CHECK_THAT(failure("file_added", R"({"file":"a"})"), Contains("file"));
  CHECK_THAT(failure("run_started", R"({"config_hash":"xyz"})"), Contains("config_hash"));
  CHECK_THAT(failure("run_failed", R"({"code":"NO_SUCH"})"), Contains("code"));
  CHECK_THAT(failure("approval_decided", R"({"choice":"perhaps"})"), Contains("choice"));
  CHECK_THAT(failure("grant_given", R"({"scope":"world"})"), Contains("scope"));
  CHECK_THAT(failure("approval_requested", R"({"deciders":-1})"), Contains("deciders"));
  CHECK_THAT(failure("tool_completed", R"({"child_tokens":5})"), Contains("child_tokens"));
  CHECK_THAT(failure("message_added", "[]"), Contains("message_added"));
  CHECK_FALSE(event_from_json({{"kind", "session_closed"}, {"seq", 4}, {"first", 5}}).has_value());
  CHECK(payload_from_text("message_added", R"({"new_field":1,"content":"x"})").has_value());
}

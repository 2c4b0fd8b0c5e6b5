// Conversations that outgrow their model: estimates alone, and what a run does about it.
#include "actors/context.hpp"
#include "actors_world.hpp"

using namespace troupe;
using namespace troupe::test;
using actors::exchange;
using core::errc;

namespace {

core::history_message said(core::role role, std::string text) { return {role, std::move(text), {}, {}, true}; }

constexpr auto human = core::role::user;
constexpr auto assistant = core::role::assistant;

/// A model that takes 400 tokens, of which 100 are for its answer; a message of 200 bytes is 54.
struct small_model {
  core::context_policy policy;
  world w{[this](auto&, auto&, core::agent_config& agent) {
    agent.context_tokens = 400;
    agent.context = policy;
    agent.limits.max_output_tokens = 100;
  }};
  core::session_id id = w.opened(1);

  explicit small_model(core::context_policy p) : policy(p) {
    w.model->answer = [](const providers::model_request& r) {
      return heard_model::says(is_summary(r) ? "They talked." : std::string(200, 'a'));
    };
  }
  static bool is_summary(const providers::model_request& r) {
    return r.instructions.starts_with("You are given the beginning");
  }
  void ask(char c, std::size_t size = 200) { (void)w.must<core::message_accepted>(id, {}, say(std::string(size, c))); }
  /// First letter of each message that the model was given last.
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const auto& m : *w.model->asked.back().history) out += m.content.substr(0, 1);
    return out;
  }
};

}  // namespace

TEST_CASE("context: four bytes are a token, an image is so many, a file that is not given is its name") {
  CHECK(actors::tokens_of("") == 0);
  CHECK(actors::tokens_of("12345") == 2);
  auto message = said(assistant, "12345678");
  message.calls.push_back({{"call"}, "tool", "12345"});
  CHECK(actors::tokens_of(message, {}) == 4 + 2 + 1 + 1 + 2 + 4);
  auto looks = said(human, "");
  core::file_id image{{1, 1}}, text{{1, 2}};
  looks.attachments = {{image, "a.png", "image/png", 4'000'000}};
  providers::model_files files{{image, nullptr}, {text, nullptr}};
  CHECK(actors::tokens_of(looks, {&files, true, false}) == 4 + actors::tokens_of_image);
  CHECK(actors::tokens_of(looks, {&files, false, false}) < 50);
  CHECK(actors::tokens_of(looks, {nullptr, true, false}) < 50);
  looks.attachments = {{text, "a.txt", "text/plain", 4'000}};
  CHECK(actors::tokens_of(looks, {&files, true, false}) == 4 + 1'000);
}

TEST_CASE("context: whole exchanges go, the oldest first, as many as must") {
  auto all = actors::exchanges_of(
      {said(human, "12345678"), said(assistant, ""), said(human, ""), said(human, ""), said(assistant, "")}, {});
  REQUIRE(all.size() == 3);
  CHECK(all[0].tokens == 10);
  CHECK(all[1].begin == 2);
  CHECK(all[2].begin == 3);
  CHECK(all[2].tokens == 8);
  CHECK(actors::too_many(all, 22) == 0);
  CHECK(actors::too_many(all, 21) == 1);
  CHECK(actors::too_many(all, 11) == 2);
  CHECK(actors::too_many(all, 7) == 3);
  CHECK(actors::too_many({}, 0) == 0);
}

TEST_CASE("context: the older half is summed up, or more where that is not enough, but never the current exchange") {
  std::vector<exchange> all{{0, 10}, {2, 10}, {4, 10}, {6, 10}, {8, 10}};
  CHECK(actors::count_to_sum_up(all, 49, false) == 2);
  CHECK(actors::count_to_sum_up(all, 20, false) == 3);
  CHECK(actors::count_to_sum_up(all, 10, false) == 4);
  CHECK(actors::count_to_sum_up(all, 9, false) == 0);
  CHECK(actors::count_to_sum_up({{0, 10}, {1, 10}}, 10, true) == 0);
  CHECK(actors::count_to_sum_up({{0, 30}, {1, 1}, {3, 10}}, 40, true) == 2);
  CHECK(actors::count_to_sum_up({{0, 10}}, 20, false) == 0);
}

TEST_CASE("context: a transcript says who said what, and cuts what is long") {
  std::vector<core::history_message> all{said(human, "look"), said(assistant, ""),
                                         said(core::role::tool, std::string(100, 'x')), said(human, "not this")};
  all[1].calls.push_back({{"c"}, "read", "{}"});
  CHECK(actors::transcript_of(all, 3, 45) == "User: look\nAssistant: calls read {}\nTool result: xxxxxxxxxxxxxxx…\n");
}

TEST_CASE("truncate: the oldest exchanges are not sent, and stay in the log") {
  small_model f(core::context_policy::truncate);
  for (char c : {'1', '2', '3', '4'}) f.ask(c);
  CHECK(f.told() == "2a3a4");
  CHECK(core::defect_of(*f.w.model->asked.back().history).empty());
  CHECK(f.w.all<core::message_completed>(f.id).size() == 4);
  CHECK(f.w.model->asked.size() == 4);
  f.w.restart();
  f.ask('5');
  CHECK(f.told() == "3a4a5");
}

TEST_CASE("compact: the same model sums up the oldest exchanges, at the run's cost, and goes on behind the summary") {
  small_model f(core::context_policy::compact);
  for (char c : {'1', '2', '3', '4'}) f.ask(c);
  REQUIRE(f.w.model->asked.size() == 5);
  const auto& summing = f.w.model->asked[3];
  CHECK(small_model::is_summary(summing));
  CHECK(summing.model == "m");
  CHECK(summing.tools->empty());
  REQUIRE(summing.history->size() == 1);
  CHECK_THAT(summing.history->front().content, Catch::StartsWith("User: 1111"));
  CHECK(f.told() == "S3a4");
  auto compacted = f.w.all<core::history_compacted>(f.id);
  REQUIRE(compacted.size() == 1);
  CHECK(compacted[0].replaced == 4);
  CHECK(compacted[0].summary == "They talked.");
  CHECK(f.w.all<core::usage_recorded>(f.id).size() == 5);
  auto done = f.w.all<core::run_completed>(f.id);
  REQUIRE(done.size() == 4);
  CHECK(done[3].cost == core::micro_usd::from_usd(2));
  CHECK(done[3].steps == 1);
  // Readers still have all of it.
  CHECK(f.w.all<core::message_completed>(f.id).size() == 4);
  CHECK(f.w.record(f.id).message_count == 8);
  for (const auto& m : f.w.all<core::text_delta>(f.id)) CHECK(m.pieces.text.find("They") == std::string::npos);

  f.w.restart();
  f.ask('5', 40);
  CHECK(f.told() == "S3a4a5");
  CHECK(f.w.defects() == "");
}

TEST_CASE("compact: a copy of the session begins with the same summary") {
  small_model f(core::context_policy::compact);
  for (char c : {'1', '2', '3', '4'}) f.ask(c);
  core::session_id copy{{9, 2}};
  (void)f.w.must<core::session_opened>(copy, {}, core::fork_session{f.id, 1'000'000});
  (void)f.w.must<core::message_accepted>(copy, {}, say("5"));
  CHECK(f.told() == "S3a4a5");
  CHECK(f.w.all<core::message_completed>(copy).size() == 5);
  CHECK(f.w.defects() == "");
}

TEST_CASE("compact: a crash before the summary is stored asks for it again, after it no more") {
  small_model f(core::context_policy::compact);
  for (char c : {'1', '2', '3'}) f.ask(c);
  f.w.model->holds = true;
  f.ask('4');
  REQUIRE(f.w.model->asked.size() == 4);
  f.w.restart();
  REQUIRE(f.w.model->asked.size() == 5);
  CHECK(*f.w.model->asked[4].history == *f.w.model->asked[3].history);
  f.w.model->let_go();
  f.w.settle();
  REQUIRE(f.w.model->asked.size() == 6);
  CHECK(f.w.all<core::history_compacted>(f.id).size() == 1);
  f.w.restart();
  REQUIRE(f.w.model->asked.size() == 7);
  CHECK(f.told() == "S3a4");
  f.w.model->let_go();
  f.w.settle();
  CHECK(f.w.all<core::run_completed>(f.id).size() == 4);
  CHECK(f.w.defects() == "");
}

TEST_CASE("compact: a summary that fails, or says nothing, fails the run, one that is cancelled is over at once") {
  small_model f(core::context_policy::compact);
  for (char c : {'1', '2', '3'}) f.ask(c);
  SECTION("fails") {
    f.w.model->answer = [](const auto&) { return heard_model::fails("no", false); };
    f.ask('4');
    CHECK(f.w.all<core::run_failed>(f.id).at(0).text ==
          "Summing up the conversation, which has outgrown the model, failed: no");
  }
  SECTION("empty") {
    f.w.model->answer = [](const auto&) { return heard_model::says(""); };
    f.ask('4');
    CHECK(f.w.all<core::run_failed>(f.id).at(0).code == errc::provider_error);
    CHECK(f.w.all<core::usage_recorded>(f.id).size() == 4);
  }
  SECTION("cancelled") {
    f.w.model->holds = true;
    f.ask('4');
    f.w.must(f.id, {}, core::cancel_run{});
    CHECK(f.w.all<core::run_cancelled>(f.id).size() == 1);
    CHECK_FALSE(f.w.all<core::run_cancelled>(f.id)[0].text_kept);
  }
  CHECK(f.w.all<core::history_compacted>(f.id).empty());
  CHECK(f.w.defects() == "");
}

TEST_CASE("context: a message that alone is too large is refused with the figures") {
  auto policy = GENERATE(core::context_policy::truncate, core::context_policy::compact);
  small_model f(policy);
  f.ask('1');
  f.ask('2', 4'000);
  CHECK(f.w.model->asked.size() == 1);
  auto failed = f.w.all<core::run_failed>(f.id);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].code == errc::validation_error);
  CHECK(failed[0].text ==
        "The conversation does not fit the model: about 0 tokens of instructions and tools, 1004 of this message and what "
        "followed it, and 100 for the answer are more than the 400 that it takes (context.tokens of agent a). Send less, or "
        "lower "
        "limits.max_output_tokens.");
}

TEST_CASE("context: without a policy, or a limit, everything is sent") {
  auto policy = GENERATE(core::context_policy::none, core::context_policy::compact);
  world w([&](auto&, auto&, core::agent_config& agent) {
    agent.context = policy;
    agent.context_tokens = policy == core::context_policy::none ? 10 : 0;
  });
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say(std::string(40'000, 'x')));
  CHECK(w.all<core::run_completed>(id).size() == 1);
}

// What people think of answers, and titles that a model writes.
#include "actors_world.hpp"

#include "actors/title_writer.hpp"

using namespace troupe;
using namespace troupe::test;
using actors::clean_title;
using core::errc;
using core::rating;

namespace {

core::message_id answer_of(world& w, const core::session_id& id, const std::string& text) {
  (void)w.must<core::message_accepted>(id, {}, say(text));
  return w.all<core::message_completed>(id).back().message;
}

bool is_for_title(const providers::model_request& request) { return request.instructions.find("title") != std::string::npos; }

/// Its model answers "Hello." and names what it is asked to name.
world::change titled_by_model() {
  return [](auto&, auto&, core::agent_config& agent) { agent.titles = core::title_source::model; };
}
std::function<providers::model_output(const providers::model_request&)> names(const std::string& title) {
  return [title](const providers::model_request& r) { return heard_model::says(is_for_title(r) ? title : "Hello."); };
}

core::open_session named(std::string title) {
  core::open_session c{{"p"}, {"a"}, "watched", {}, {}};
  c.title = std::move(title);
  return c;
}

}  // namespace

TEST_CASE("feedback: the last word of each person holds, and saying it twice is one fact") {
  world w;
  auto id = w.opened(1);
  auto answer = answer_of(w, id, "hi");
  auto anna = user("anna", core::scope::all);
  auto ben = user("ben", core::scope::all);
  w.must(id, anna, core::rate_message{answer, rating::up, "fine"});
  w.must(id, anna, core::rate_message{answer, rating::up, "fine"});
  w.must(id, ben, core::rate_message{answer, rating::down, "first line\nsecond"});
  CHECK(w.all<core::message_feedback>(id).size() == 2);
  w.restart();
  w.must(id, anna, core::rate_message{answer, rating::up, "fine"});
  CHECK(w.all<core::message_feedback>(id).size() == 2);
  w.must(id, anna, core::rate_message{answer, rating::down, ""});
  auto shown = w.queries()->message(id, answer)->feedback;
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].by == "ben");
  CHECK(shown[0].note == "first line\nsecond");
  CHECK(shown[1].by == "anna");
  CHECK(shown[1].rating == rating::down);
  CHECK(shown[1].note.empty());

  // Both come before either is on disk: the second undoes the first.
  auto eva = user("eva", core::scope::all);
  (void)w.post(id, eva, core::rate_message{answer, rating::up, ""});
  (void)w.post(id, eva, core::rate_message{answer, rating::none, ""});
  w.settle();
  w.must(id, ben, core::rate_message{answer, rating::none, "ignored"});
  w.must(id, ben, core::rate_message{answer, rating::none, ""});
  CHECK(w.queries()->message(id, answer)->feedback.size() == 1);
  CHECK(w.all<core::message_feedback>(id).size() == 6);
  CHECK(w.defects() == "");
}

TEST_CASE("feedback: only on answers of this session, with a note of reasonable length") {
  world w;
  auto id = w.opened(1);
  auto other = w.opened(2);
  auto answer = answer_of(w, id, "hi");
  auto question = w.all<core::message_added>(id)[0].message;
  CHECK(w.refused(id, {}, core::rate_message{question, rating::up, ""}).code == errc::not_an_answer);
  CHECK(w.refused(other, {}, core::rate_message{answer, rating::up, ""}).code == errc::not_found);
  CHECK(w.refused(id, {}, core::rate_message{answer, rating::up, std::string(2'001, 'x')}).code == errc::validation_error);
  CHECK(w.refused(id, {}, core::rate_message{answer, rating::up, "\xff"}).code == errc::validation_error);
  CHECK(w.refused(id, {}, core::rate_message{answer, rating::up, std::string("a\0b", 3)}).code == errc::validation_error);
  std::string umlauts;
  for (int i = 0; i < 2'000; ++i) umlauts += "ü";
  w.must(id, {}, core::rate_message{answer, rating::up, umlauts});
  w.must(id, {}, core::clear_history{});
  CHECK(w.refused(id, {}, core::rate_message{answer, rating::down, ""}).code == errc::not_found);
  CHECK(w.defects() == "");
}

TEST_CASE("clean title: one line of words, without what models put around them") {
  CHECK(clean_title("\"The weather in Oslo.\"\n") == "The weather in Oslo");
  CHECK(clean_title("\n\n**A plan**\nThis title says it all.") == "A plan");
  CHECK(clean_title("# «Виды на море»") == "Виды на море");
  CHECK(clean_title("a\tb\x01 c") == "a b c");
  CHECK(clean_title(" ... \n\"\"") == "");
  CHECK(clean_title(std::string(70, 'x')) == std::string(60, 'x'));
  CHECK(clean_title("fine \xff broken") == "fine");
  CHECK(clean_title("") == "");
}

TEST_CASE("title: a model's comes after the first answer, and is paid for by the session") {
  world w(titled_by_model());
  w.model->answer = names("\"Greetings.\"");
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("Hello there, how are you?"));
  CHECK(w.record(id).title == "Greetings");
  REQUIRE(w.model->asked.size() == 2);
  const auto& asked = w.model->asked[1];
  CHECK(asked.max_output_tokens == 24);
  CHECK(asked.tools->empty());
  REQUIRE(asked.history->size() == 1);
  CHECK(asked.history->front().content.find("Hello there") != std::string::npos);
  auto changes = w.all<core::session_updated>(id);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].title == "Hello there, how are you?");
  auto usage = w.all<core::usage_recorded>(id);
  REQUIRE(usage.size() == 2);
  CHECK(usage[1].step == core::title_step);
  CHECK(w.record(id).cost == core::micro_usd::from_usd(2));
  auto shares = w.queries()->usage_by({"p"}, core::millis(0), core::usage_key::agent, {}).items;
  REQUIRE(shares.size() == 1);
  CHECK(shares[0].requests == 2);

  (void)w.must<core::message_accepted>(id, {}, say("And now?"));
  w.restart();
  (void)w.must<core::message_accepted>(id, {}, say("Still there?"));
  CHECK(w.model->asked.size() == 4);
  CHECK(w.record(id).title == "Greetings");
  CHECK(w.defects() == "");
}

TEST_CASE("title: without a word from the configuration no model is asked") {
  world w;
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  CHECK(w.model->asked.size() == 1);
  CHECK(w.record(id).title.empty());
}

TEST_CASE("title: what a person chose stays, before the call and during it") {
  world w(titled_by_model());
  w.model->answer = names("A model's");
  auto mine = w.opened(1, named("Mine"));
  (void)w.must<core::message_accepted>(mine, {}, say("hi"));
  CHECK(w.model->asked.size() == 1);
  CHECK(w.record(mine).title == "Mine");

  auto late = w.opened(2);
  w.model->holds = true;
  (void)w.post(late, {}, say("hi"));
  w.settle();
  w.model->let_go();
  w.settle();
  REQUIRE(w.model->asked.size() == 3);
  CHECK(w.record(late).title == "hi");
  core::update_session rename;
  rename.title = "Late";
  w.must(late, {}, rename);
  w.model->let_go();
  w.settle();
  CHECK(w.record(late).title == "Late");
  CHECK(w.all<core::usage_recorded>(late).size() == 2);
  CHECK(w.defects() == "");
}

TEST_CASE("title: the first words stay where the call fails, says nothing, or is never answered") {
  world w(titled_by_model());
  w.model->answer = [](const providers::model_request& r) {
    return is_for_title(r) ? heard_model::fails("no", false) : heard_model::says("Hello.");
  };
  auto failed = w.opened(1);
  (void)w.must<core::message_accepted>(failed, {}, say("one"));
  CHECK(w.record(failed).title == "one");
  w.model->answer = names(" \"\" ");
  auto silent = w.opened(2);
  (void)w.must<core::message_accepted>(silent, {}, say("two"));
  CHECK(w.record(silent).title == "two");
  CHECK(w.all<core::usage_recorded>(silent).size() == 2);

  auto slow = w.opened(3);
  w.model->answer = names("Too late");
  w.model->holds = true;
  (void)w.post(slow, {}, say("three"));
  w.settle();
  w.model->let_go();
  w.settle();
  REQUIRE(w.model->asked.size() == 6);
  w.advance(std::chrono::seconds(31));
  w.model->let_go();
  w.settle();
  CHECK(w.record(slow).title == "three");
  CHECK(w.all<core::usage_recorded>(slow).size() == 1);
  CHECK(w.defects() == "");
}

TEST_CASE("title: a call that is given up is cancelled, and what the provider has counted by then is paid for") {
  const bool is_counted = GENERATE(false, true);
  world w(titled_by_model());
  w.model->answer = names("Too late");
  w.model->holds = true;
  auto id = w.opened(1);
  (void)w.post(id, {}, say("hi"));
  w.settle();
  if (is_counted) w.model->counted = core::token_usage{7, 2, 3};
  w.model->let_go();  // the answer; now the title is asked for
  w.settle();
  REQUIRE(w.model->asked.size() == 2);
  const auto before = w.record(id).cost;
  w.advance(std::chrono::seconds(29));
  CHECK(w.model->cancelled == 0);
  w.advance(std::chrono::seconds(2));
  CHECK(w.model->cancelled == 1);
  CHECK(w.record(id).title == "hi");
  auto usage = w.all<core::usage_recorded>(id);
  REQUIRE(usage.size() == (is_counted ? 2 : 1));
  if (is_counted) {
    CHECK(usage[1].step == core::title_step);
    CHECK(usage[1].tokens == core::token_usage{7, 2, 3});
    CHECK(usage[1].estimated);  // there may be more that nobody has told
    CHECK(usage[1].attempts == 1);
    CHECK((w.record(id).cost - before).value == usage[1].cost.value);
    CHECK(usage[1].cost.value == 10'000);
  }
  w.model->let_go();
  w.settle();
  CHECK(w.all<core::usage_recorded>(id).size() == usage.size());
  CHECK(w.defects() == "");
}

TEST_CASE("title: a process that ends during the call makes it no second time, and holds up nobody") {
  world w(titled_by_model());
  w.model->answer = names("Lost");
  w.model->holds = true;
  auto id = w.opened(1);
  (void)w.post(id, {}, say("hi"));
  w.settle();
  w.model->let_go();
  w.settle();
  REQUIRE(w.model->asked.size() == 2);
  w.restart();
  w.model->holds = false;
  (void)w.must<core::message_accepted>(id, {}, say("again"));
  CHECK(w.model->asked.size() == 3);
  CHECK(w.record(id).title == "hi");
  CHECK(w.defects() == "");
}

TEST_CASE("title: the next run goes on beside the call, and keeps its own sums") {
  world w(titled_by_model());
  w.model->answer = names("Beside");
  w.model->holds = true;
  auto id = w.opened(1);
  (void)w.post(id, {}, say("one"));
  w.settle();
  w.model->let_go();  // the answer; now the title is asked for
  w.settle();
  (void)w.post(id, {}, say("two"));
  w.settle();
  REQUIRE(w.model->asked.size() == 3);
  w.model->let_go();
  w.settle();
  auto done = w.all<core::run_completed>(id);
  REQUIRE(done.size() == 2);
  CHECK(done[1].cost == core::micro_usd::from_usd(1));
  CHECK(w.record(id).cost == core::micro_usd::from_usd(3));
  CHECK(w.record(id).title == "Beside");
  CHECK(w.defects() == "");
}

TEST_CASE("title: a spent budget asks for none") {
  world w([](auto&, auto&, core::agent_config& agent) {
    agent.titles = core::title_source::model;
    agent.limits.budget = core::micro_usd::from_usd(1);
  });
  w.model->answer = names("Dear");
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  CHECK(w.model->asked.size() == 1);
  CHECK(w.record(id).title == "hi");
  // The alert of the session is one of the list, too.
  auto alerts = w.queries()->alerts({{"p"}, {}}, {});
  REQUIRE(alerts.items.size() == 1);
  CHECK(alerts.items[0].scope == "session");
  CHECK(alerts.items[0].id == id.str());
  CHECK(alerts.items[0].percent == 100);
  CHECK(w.defects() == "");
}

// Names, files, reactions, the queue and the clearing of a session.
#include "actors_world.hpp"

#include "actors/first_words.hpp"

using namespace troupe;
using namespace troupe::test;
using actors::first_words;
using core::errc;

namespace {

void by_first_words(core::config&, core::project_config&, core::agent_config& agent) {
  agent.titles = core::title_source::first_words;
}

core::open_session titled(std::string title) {
  core::open_session c{{"p"}, {"a"}, "test", {}, {}};
  c.title = std::move(title);
  return c;
}

std::string content_of(const core::history_message& m) { return m.content; }

}  // namespace

TEST_CASE("title: it is given with the opening and stays") {
  world w;
  auto id = w.opened(1, titled("Plans"));
  CHECK(w.record(id).title == "Plans");
  auto log = w.log(id);
  REQUIRE(log.size() == 2);
  CHECK(log[1].as<core::session_updated>());
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  CHECK(w.record(id).title == "Plans");
}

TEST_CASE("title: what a person chose stays, before the first answer and after it, no title is made where none is wanted") {
  world w(by_first_words);
  auto named = [](const char* title) { return core::update_session{title, std::nullopt, std::nullopt}; };
  auto early = w.opened(1, titled(""));
  w.must(early, {}, named("Mine"));
  (void)w.must<core::message_accepted>(early, {}, say("hi"));
  CHECK(w.record(early).title == "Mine");
  auto late = w.opened(2, titled(""));
  (void)w.must<core::message_accepted>(late, {}, say("hi"));
  CHECK(w.record(late).title == "hi");
  w.must(late, {}, named("Mine too"));
  (void)w.must<core::message_accepted>(late, {}, say("again"));
  CHECK(w.record(late).title == "Mine too");
  world quiet;
  auto id = quiet.opened(1, titled(""));
  (void)quiet.must<core::message_accepted>(id, {}, say("hi"));
  CHECK(quiet.record(id).title.empty());
}

TEST_CASE("title: a session that nobody named has its first message as title once an answer is complete") {
  auto unnamed = GENERATE(as<std::string>{}, "", "New Conversation");
  world w(by_first_words);
  auto id = w.opened(1, titled(unnamed));
  w.model->answer = [](const auto&) {
    providers::model_output failed;
    failed.end = providers::model_end{};
    failed.end->error = {errc::provider_error, "no"};
    return failed;
  };
  (void)w.must<core::message_accepted>(id, {}, say("What is\n the weather in Oslo?"));
  CHECK(w.record(id).title == unnamed);
  w.model->answer = [](const auto&) { return heard_model::says("Rain."); };
  (void)w.must<core::message_accepted>(id, {}, say("And now?"));
  CHECK(w.record(id).title == "What is the weather in Oslo?");
  auto log = w.log(id);
  REQUIRE(log.size() > 2);
  CHECK(log[log.size() - 2].as<core::run_completed>());
  CHECK(log.back().as<core::session_updated>());
  (void)w.must<core::message_accepted>(id, {}, say("Thanks"));
  CHECK(w.all<core::session_updated>(id).size() == (unnamed.empty() ? 1 : 2));
  CHECK(w.defects() == "");
}

TEST_CASE("first words: whole words on one line, cut between characters only where a word is too long") {
  CHECK(first_words("  one\ttwo\r\nthree ", 60) == "one two three");
  CHECK(first_words("one two three", 9) == "one two");
  CHECK(first_words("one two", 7) == "one two");
  CHECK(first_words("aaaaaaaaaa b", 4) == "aaaa");
  CHECK(first_words("ääää bb", 4) == "ääää");
  CHECK(first_words("äääää", 4) == "ääää");
  CHECK(first_words("a ää", 4) == "a ää");
  CHECK(first_words(" \n ", 60).empty());
  CHECK(first_words("", 60).empty());
}

TEST_CASE("update: title, participants and metadata change one by one, what is the same is no event") {
  world w;
  auto id = w.opened(1, titled("One"));
  w.must(id, {}, core::update_session{std::nullopt, std::nullopt, R"({"a":1})"});
  w.must(id, {}, core::update_session{"Two", std::vector<std::string>{"b", "a"}, std::nullopt});
  auto record = w.record(id);
  CHECK(record.title == "Two");
  CHECK(record.metadata == R"({"a":1})");
  CHECK(record.participants == std::vector<std::string>{"a", "b"});
  CHECK(record.status == core::session_status::active);
  auto events = w.log(id).size();
  w.must(id, {}, core::update_session{"Two", std::vector<std::string>{"a", "b"}, R"({"a":1})"});
  CHECK(w.log(id).size() == events);
  w.must(id, {}, core::update_session{std::nullopt, std::vector<std::string>{}, std::nullopt});
  CHECK(w.record(id).participants.empty());
  CHECK(w.defects() == "");
}

TEST_CASE("update: what is too long, too much or empty is refused") {
  world w([](core::config& c, auto&, auto&) { c.sessions.max_participants = 2; });
  auto id = w.opened(1);
  auto code = [&](core::update_session c) { return w.refused(id, {}, std::move(c)).code; };
  CHECK(code({std::string(501, 'x'), std::nullopt, std::nullopt}) == errc::validation_error);
  CHECK(code({"", std::nullopt, std::nullopt}) == errc::validation_error);
  CHECK(code({std::nullopt, std::nullopt, std::string((64 << 10) + 1, ' ')}) == errc::validation_error);
  CHECK(code({std::nullopt, std::vector<std::string>{"a", "b", "c"}, std::nullopt}) == errc::validation_error);
  CHECK(code({std::nullopt, std::vector<std::string>{""}, std::nullopt}) == errc::validation_error);
  CHECK(code({std::nullopt, std::vector<std::string>{std::string(201, 'x')}, std::nullopt}) == errc::validation_error);
}

TEST_CASE("files: a file is stored with its bytes and is there after a restart") {
  world w;
  auto id = w.opened(1);
  auto stored = w.must<core::file_stored>(id, user("", core::scope::all), file("a.txt", "text/plain", "hello")).file;
  CHECK(stored.name == "a.txt");
  CHECK(stored.size == 5);
  CHECK_FALSE(stored.file.is_nil());
  w.restart();
  auto known = w.queries()->file(id, stored.file);
  REQUIRE(known.has_value());
  CHECK(known->file == stored);
  REQUIRE(known->data);
  CHECK(*known->data == "hello");
  CHECK(w.defects() == "");
}

TEST_CASE("files: the limits of one file, of their number and of their sum hold, also after a restart") {
  world w([](core::config& c, auto&, auto&) {
    c.sessions.max_file_bytes = 10;
    c.sessions.max_files = 3;
    c.sessions.max_session_bytes = 15;
  });
  auto id = w.opened(1);
  auto big = w.refused(id, {}, file("a", "text/plain", std::string(11, 'x')));
  CHECK(big.code == errc::payload_too_large);
  CHECK(big.text.find("11") != std::string::npos);
  CHECK(big.text.find("10") != std::string::npos);
  (void)w.must<core::file_stored>(id, {}, file("a", "text/plain", std::string(10, 'x')));
  w.restart();
  CHECK(w.refused(id, {}, file("a", "text/plain", std::string(6, 'x'))).code == errc::payload_too_large);
  (void)w.must<core::file_stored>(id, {}, file("a", "text/plain", std::string(5, 'x')));
  (void)w.must<core::file_stored>(id, {}, file("a", "text/plain", ""));
  CHECK(w.refused(id, {}, file("a", "text/plain", "")).text.find("max_files") != std::string::npos);
  CHECK(w.refused(id, {}, file("", "text/plain", "")).code == errc::validation_error);
  CHECK(w.refused(id, {}, file(std::string(256, 'n'), "text/plain", "")).code == errc::validation_error);
  CHECK(w.refused(id, {}, file("a", "text/plain\n", "")).code == errc::validation_error);
  CHECK(w.refused(id, {}, core::add_file{"a", "text/plain", nullptr}).code == errc::validation_error);
  CHECK(w.all<core::file_added>(id).size() == 3);
}

TEST_CASE("files: two uploads that come together to a sleeping session are counted together") {
  world w([](core::config& c, auto&, auto&) { c.sessions.max_files = 1; });
  auto id = w.opened(1);
  w.restart();
  auto first = w.post(id, {}, file("a", "text/plain", "1"));
  auto second = w.post(id, {}, file("b", "text/plain", "2"));
  w.settle();
  CHECK(first->value().has_value());
  CHECK(second->value().has_error());
  CHECK(w.all<core::file_added>(id).size() == 1);
}

TEST_CASE("files: those who look on get no bytes") {
  world w;
  auto id = w.opened(1);
  auto sink = w.attached(id);
  (void)w.must<core::file_stored>(id, {}, file("a", "text/plain", "hello"));
  auto shown = sink->all<core::file_added>();
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].file.size == 5);
  CHECK_FALSE(shown[0].data);
}

TEST_CASE("reactions: one that is there is not added twice, one that is not there is not removed") {
  world w;
  auto id = w.opened(1);
  auto message = w.must<core::message_accepted>(id, {}, say("hi")).message;
  auto anna = user("anna", core::scope::all);
  auto ben = user("ben", core::scope::all);
  w.must(id, anna, core::react{message, "👍", true});
  w.must(id, anna, core::react{message, "👍", true});
  w.must(id, ben, core::react{message, "👍", true});
  w.must(id, ben, core::react{message, "🎉", false});
  CHECK(w.all<core::reaction_changed>(id).size() == 2);
  w.restart();
  w.must(id, anna, core::react{message, "👍", true});
  auto twice = w.post(id, anna, core::react{message, "👍", false});
  (void)w.post(id, anna, core::react{message, "👍", false});
  w.settle();
  CHECK(twice->value().has_value());
  auto changes = w.all<core::reaction_changed>(id);
  REQUIRE(changes.size() == 3);
  CHECK_FALSE(changes[2].added);
  CHECK(changes[2].by == "anna");
  CHECK(changes[2].by_name == "anna");
  auto shown = w.queries()->message(id, message);
  REQUIRE(shown.has_value());
  REQUIRE(shown->reactions.size() == 1);
  CHECK(shown->reactions[0].by == "ben");
  CHECK(w.defects() == "");
}

TEST_CASE("reactions: only text of a reasonable length, and only to messages of this session") {
  world w;
  auto id = w.opened(1);
  auto other = w.opened(2);
  auto message = w.must<core::message_accepted>(id, {}, say("hi")).message;
  CHECK(w.refused(id, {}, core::react{message, "", true}).code == errc::validation_error);
  CHECK(w.refused(id, {}, core::react{message, std::string(65, 'x'), true}).code == errc::validation_error);
  CHECK(w.refused(id, {}, core::react{message, "\xff", true}).code == errc::validation_error);
  CHECK(w.refused(id, {}, core::react{{{1, 2}}, "x", true}).code == errc::not_found);
  CHECK(w.refused(other, {}, core::react{message, "x", true}).code == errc::not_found);
}

TEST_CASE("queue: an edited message is answered as it was edited, also after a restart") {
  for (bool restarts : {false, true}) {
    INFO("restarts: " << restarts);
    world w;
    auto id = w.opened(1);
    w.model->holds = true;
    (void)w.must<core::message_accepted>(id, {}, say("one"));
    auto two = w.must<core::message_accepted>(id, {}, say("two"));
    w.must(id, {}, core::edit_queued{two.message, "zwei", 0});
    if (restarts) w.restart();
    w.model->holds = false;
    w.model->let_go();
    w.settle();
    REQUIRE(w.all<core::run_completed>(id).size() == 2);
    CHECK(content_of(w.model->asked.back().history->at(2)) == "zwei");
    CHECK(w.refused(id, {}, core::edit_queued{two.message, "late", 0}).code == errc::not_found);
    CHECK(w.defects() == "");
  }
}

TEST_CASE("queue: messages run in the order they were put into, also after a restart") {
  for (bool restarts : {false, true}) {
    INFO("restarts: " << restarts);
    world w;
    auto id = w.opened(1);
    w.model->holds = true;
    (void)w.must<core::message_accepted>(id, {}, say("one"));
    auto two = w.must<core::message_accepted>(id, {}, say("two"));
    auto three = w.must<core::message_accepted>(id, {}, say("three"));
    auto four = w.must<core::message_accepted>(id, {}, say("four"));
    w.must(id, {}, core::edit_queued{four.message, std::nullopt, 1});
    w.must(id, {}, core::edit_queued{two.message, "zwei", 99});
    w.must(id, {}, core::edit_queued{two.message, "zwei", 3});  // where it is
    auto orders = w.all<core::queue_reordered>(id);
    REQUIRE(orders.size() == 2);
    CHECK(orders[1].messages == std::vector{four.message, three.message, two.message});
    if (restarts) w.restart();
    w.model->holds = false;
    w.model->let_go();
    w.settle();
    std::vector<core::message_id> ran;
    for (const auto& run : w.all<core::run_started>(id)) ran.push_back(run.message);
    REQUIRE(ran.size() == 4);
    CHECK(std::vector(ran.begin() + 1, ran.end()) == orders[1].messages);
    CHECK(w.defects() == "");
  }
}

TEST_CASE("clear: the model and readers begin again, a run that goes on forbids it") {
  world w;
  auto id = w.opened(1);
  w.model->holds = true;
  (void)w.must<core::message_accepted>(id, {}, say("one"));
  CHECK(w.refused(id, {}, core::clear_history{}).code == errc::busy);
  w.model->holds = false;
  w.model->let_go();
  w.settle();
  w.must(id, user("root", core::scope::all), core::clear_history{});
  CHECK(w.queries()->messages(id, {}).items.empty());
  for (bool restarts : {false, true}) {
    if (restarts) w.restart();
    (void)w.must<core::message_accepted>(id, {}, say("two"));
    CHECK(content_of(w.model->asked.back().history->front()) == "two");
  }
  CHECK(w.model->asked.back().history->size() == 3);
  auto cleared = w.all<core::history_cleared>(id);
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].by == "root");
  CHECK(w.defects() == "");
}

TEST_CASE("options: a message's temperature and limit hold for its run, within the agent's, also after a restart") {
  for (bool restarts : {false, true}) {
    INFO("restarts: " << restarts);
    world w([](auto&, auto&, core::agent_config& agent) {
      agent.temperature = 0.7;
      agent.limits.max_output_tokens = 100;
    });
    auto id = w.opened(1);
    w.model->holds = true;
    auto first = say("one");
    first.options = {0.0, 50};
    auto second = say("two");
    second.options = {std::nullopt, 500};
    (void)w.must<core::message_accepted>(id, {}, first);
    (void)w.must<core::message_accepted>(id, {}, second);
    (void)w.must<core::message_accepted>(id, {}, say("three"));
    if (restarts) {
      w.model->asked.clear();
      w.restart();
    }
    REQUIRE(w.model->asked.size() == 1);
    w.model->holds = false;
    w.model->let_go();
    w.settle();
    auto& asked = w.model->asked;
    REQUIRE(asked.size() == 3);
    CHECK(asked[0].temperature == 0.0);
    CHECK(asked[0].max_output_tokens == 50);
    CHECK(asked[1].temperature == 0.7);
    CHECK(asked[1].max_output_tokens == 100);
    CHECK(asked[2].temperature == 0.7);
    CHECK(asked[2].max_output_tokens == 100);
  }
  world w;
  auto id = w.opened(1);
  auto hot = say("x");
  hot.options.temperature = 2.5;
  CHECK(w.refused(id, {}, hot).code == errc::validation_error);
  hot.options = {std::nullopt, 0};
  CHECK(w.refused(id, {}, hot).code == errc::validation_error);
}

TEST_CASE("watchers: they get what sinks get of sessions of their dialect, and the run in flight of one that wakes") {
  world w;
  auto watched = w.opened(1);
  auto other = w.opened(2, {{"p"}, {"a"}, "other", {}, {}});
  (void)w.must<core::message_accepted>(other, {}, say("unheard"));
  auto sink = w.attached(watched);
  w.watcher->events.clear();
  w.model->holds = true;
  (void)w.must<core::message_accepted>(watched, {}, say("heard"));
  REQUIRE(w.watcher->all<core::message_added>().size() == 1);
  CHECK(w.watcher->all<core::message_added>()[0].content == "heard");
  CHECK(w.watcher->events.size() == sink->events.size());
  CHECK(w.watcher->recalled.empty());
  w.restart();
  REQUIRE_FALSE(w.watcher->recalled.empty());
  CHECK(w.watcher->recalled.front().as<core::run_started>());
  auto last_before = w.watcher->recalled.back().seq;
  w.watcher->events.clear();
  w.model->holds = false;
  w.model->let_go();
  w.settle();
  CHECK(w.watcher->all<core::run_completed>().size() == 1);
  REQUIRE_FALSE(w.watcher->events.empty());
  CHECK(w.watcher->events.front().first > last_before);
}

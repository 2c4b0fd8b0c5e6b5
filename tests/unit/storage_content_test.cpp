// What a session holds besides its runs: names and files of messages, reactions, participants, the waiting queue, clearing.
#include "core/history.hpp"
#include "storage/connection.hpp"
#include "tests/unit/storage_test_support.hpp"

#include <algorithm>

using namespace storage_test;
using Catch::Contains;

namespace {

struct content_fixture {
  std::unique_ptr<storage::store> store = storage::store::open_in_memory().value();
  std::unique_ptr<storage::queries> q = store->open_queries().value();

  run_id queue(session_log& log, const std::string& text, message_id& m) const {
    m = log.user(text);
    auto r = make<run_id>();
    log.add(run_queued{r, m, 1});
    return r;
  }
  [[nodiscard]] std::string told_queue(session_id id) const {
    std::string out;
    const auto state = q->session_state(id);
    for (const auto& waiting : state->queue) out += waiting.content + "|";
    return out;
  }
  [[nodiscard]] std::string told_messages(session_id id) const {
    std::string out;
    for (const auto& m : q->messages(id, {100, 0}).items) out += m.content + "|";
    return out;
  }
};

std::shared_ptr<const std::string> bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

/// Every statement of the content tests again, cut into one commit per event, with the store opened anew each time.
void check_one_by_one(const session_log& log) {
  temporary_folder folder;
  for (const auto& e : log.all) {
    auto s = open_store(folder.path());
    storage::append a{std::make_shared<event_batch>(event_batch{log.id, {e}}), {}};
    REQUIRE(s->writer().commit({&a, 1}).has_value());
  }
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("content: a message keeps its author's name, its files and its options", "[storage]") {
  content_fixture f;
  session_log log;
  attachment file{make<file_id>(), "a \"b\".png", "image/png", 3};
  auto first = make<message_id>();
  auto second = make<message_id>();
  log.add(message_added{first, role::user, "", "ann", "", "Ann", {file}, R"({"max_output_tokens":5})"});
  auto live = log.start(first);
  log.add(message_added{second, role::user, "two", "bob", "", "Bob", {file, file}, R"({"max_output_tokens":7})"});
  log.add(run_queued{make<run_id>(), second, 1});
  commit(*f.store, log);

  auto messages = f.q->messages(log.id, {}).items;
  REQUIRE(messages.size() == 2);  // a message may be its files alone
  CHECK(messages[0].author_name == "Ann");
  CHECK(messages[0].attachments == std::vector{file});
  CHECK(messages[0].run == live);
  auto state = f.q->session_state(log.id);
  CHECK(state->live_options == R"({"max_output_tokens":5})");
  REQUIRE(state->queue.size() == 1);
  CHECK(state->queue[0].author_name == "Bob");
  CHECK(state->queue[0].attachments.size() == 2);
  CHECK(state->queue[0].options == R"({"max_output_tokens":7})");
  CHECK(f.q->session(log.id)->message_count == 1);  // with text
  check_one_by_one(log);
}

TEST_CASE("content: a file comes back byte for byte, lists leave the bytes out", "[storage]") {
  content_fixture f;
  session_log log;
  session_log other;
  std::string data("\0\xff\n'x", 5);
  attachment a{make<file_id>(), "a.bin", "application/octet-stream", 5};
  attachment empty{make<file_id>(), "empty", "text/plain", 0};
  log.add(file_added{a, "ann", bytes(data)});
  log.add(file_added{empty, "bob", bytes("")});
  commit(*f.store, log);
  commit(*f.store, other);

  auto got = f.q->file(log.id, a.file);
  REQUIRE(got);
  CHECK(got->file == a);
  REQUIRE(got->data);
  CHECK(*got->data == data);
  CHECK(got->by == "ann");
  CHECK(got->session == log.id);
  CHECK(got->created_at == log.all[1].at);
  CHECK(f.q->file(log.id, empty.file)->data->empty());
  CHECK_FALSE(f.q->file(other.id, a.file));  // another session's
  CHECK_FALSE(f.q->file(log.id, make<file_id>()));

  auto list = f.q->files(log.id);
  REQUIRE(list.size() == 2);
  CHECK(list[0].file == a);
  CHECK(list[0].data == nullptr);
  CHECK(list[1].file == empty);
  CHECK(f.q->files(other.id).empty());
  for (const auto& e : f.q->events(log.id, 0, log.seq, 100))
    if (const auto* added = e.as<file_added>()) CHECK(added->data == nullptr);
}

TEST_CASE("content: a reaction is there once per person and sign, until it is taken back", "[storage]") {
  content_fixture f;
  session_log log;
  auto m = log.user("hi");
  auto other = log.user("other");
  auto react = [&](const std::string& emoji, const std::string& by, bool added = true) {
    log.add(reaction_changed{m, emoji, added, by, by + "'s name"});
  };
  react("+1", "bob");
  react("+1", "ann");
  react("+1", "bob");
  react("-1", "bob");
  react("x", "eve");
  react("x", "eve", false);
  commit(*f.store, log);
  react("-1", "bob", false);
  react("-1", "nobody", false);
  commit(*f.store, log);

  auto check = [&](const message_record& record) {
    REQUIRE(record.reactions.size() == 2);
    CHECK(record.reactions[0].by == "bob");
    CHECK(record.reactions[0].by_name == "bob's name");
    CHECK(record.reactions[0].emoji == "+1");
    CHECK(record.reactions[1].by == "ann");
  };
  check(f.q->messages(log.id, {}).items[0]);
  check(f.q->message(log.id, m).value());
  CHECK(f.q->message(log.id, other)->reactions.empty());
  CHECK_FALSE(f.q->message(log.id, make<message_id>()));
  check_one_by_one(log);
}

TEST_CASE("content: a session's settings change one by one", "[storage]") {
  content_fixture f;
  session_log log;
  log.add(session_updated{session_status::active, "Title", std::vector<std::string>{"eve", "bob", "eve"}, ""});
  commit(*f.store, log);
  auto s = f.q->session(log.id);
  CHECK(s->title == "Title");
  CHECK(s->participants == std::vector<std::string>{"bob", "eve"});
  CHECK(s->metadata == R"({"k":1})");
  log.add(session_updated{session_status::active, "", {}, R"({"k": 2.50})"});
  commit(*f.store, log);
  s = f.q->session(log.id);
  CHECK(s->title == "Title");
  CHECK(s->participants.size() == 2);
  CHECK(s->metadata == R"({"k": 2.50})");
  CHECK(f.q->sessions({}, {}).items[0].participants.size() == 2);
  log.add(session_updated{session_status::active, "", std::vector<std::string>{}, ""});
  commit(*f.store, log);
  CHECK(f.q->session(log.id)->participants.empty());
  check_one_by_one(log);
}

TEST_CASE("content: a waiting message may be edited, also after a restart, a running one may not", "[storage]") {
  content_fixture f;
  session_log log;
  auto running = log.user("running");
  log.start(running);
  message_id m;
  f.queue(log, "typo", m);
  commit(*f.store, log);
  log.add(message_edited{m, "text"});
  log.add(message_edited{running, "changed"});
  log.add(message_edited{make<message_id>(), "of nobody"});
  commit(*f.store, log);
  CHECK(f.told_queue(log.id) == "text|");
  CHECK(f.told_messages(log.id) == "running|text|");
  check_one_by_one(log);
}

TEST_CASE("content: the queue is in the order it was given, and who comes later is last", "[storage]") {
  content_fixture f;
  session_log log;
  log.start(log.user("running"));
  std::vector<message_id> m(5);
  std::vector<run_id> r;
  for (std::size_t i = 0; i < 3; ++i) r.push_back(f.queue(log, std::to_string(i), m[i]));
  commit(*f.store, log);
  CHECK(f.told_queue(log.id) == "0|1|2|");
  log.add(queue_reordered{{m[2], m[0], m[1]}});
  commit(*f.store, log);
  CHECK(f.told_queue(log.id) == "2|0|1|");
  f.queue(log, "3", m[3]);
  log.add(queue_reordered{{m[3], make<message_id>()}});  // the others keep their order behind it
  f.queue(log, "4", m[4]);
  commit(*f.store, log);
  CHECK(f.told_queue(log.id) == "3|2|0|1|4|");
  log.add(run_dequeued{r[2], m[2]});
  log.add(run_started{r[0], m[0], {}, {}, {"writer"}, 0, millis(0)});
  commit(*f.store, log);
  CHECK(f.told_queue(log.id) == "3|1|4|");
  check_one_by_one(log);
}

TEST_CASE("content: clearing leaves what waits, and nothing of what was said", "[storage]") {
  content_fixture f;
  session_log log;
  log.whole_turn("one");
  auto said = f.q->messages(log.id, {});
  message_id m;
  auto waiting = f.queue(log, "waits", m);
  SECTION("in commits of their own") { commit(*f.store, log); }
  SECTION("in the same commit") {}
  log.add(history_cleared{"ann"});
  commit(*f.store, log);
  CHECK(f.told_messages(log.id) == "waits|");
  CHECK(f.told_queue(log.id) == "waits|");
  CHECK(f.q->session(log.id)->message_count == 1);
  CHECK(f.q->tool_calls(log.id).empty());
  CHECK_FALSE(f.q->message(log.id, std::get<message_added>(log.all[1].payload).message));
  history h;
  for (const auto& e : f.q->history_events(log.id, log.seq)) h.apply(e);
  CHECK(h.messages().empty());

  log.add(run_started{waiting, m, {}, {}, {"writer"}, 0, millis(0)});
  log.add(run_completed{waiting, {}, {}, {}, {}, 0});
  log.whole_turn("two");
  commit(*f.store, log);
  CHECK(f.told_messages(log.id) == "waits|two||It is noon.|");
  CHECK(f.q->session(log.id)->message_count == 3);
  CHECK(f.q->tool_calls(log.id).size() == 1);
  check_one_by_one(log);
}

TEST_CASE("content: a message without text that is taken out of the queue was never counted", "[storage]") {
  content_fixture f;
  session_log log;
  message_id m;
  auto r = f.queue(log, "", m);
  log.add(run_dequeued{r, m});
  commit(*f.store, log);
  CHECK(f.q->session(log.id)->message_count == 0);
  check_one_by_one(log);
}

TEST_CASE("content: a run's question is read with it, in its last wording", "[storage]") {
  content_fixture f;
  session_log log;
  log.whole_turn("first");
  message_id m;
  auto r = f.queue(log, "typo", m);
  log.add(message_edited{m, "second"});
  log.add(run_started{r, m, {}, {}, {"writer"}, 0, millis(0)});
  commit(*f.store, log);
  std::vector<std::string> asked;
  for (const auto& e : f.q->events(log.id, 0, log.seq, 100))
    if (const auto* started = e.as<run_started>()) asked.push_back(started->question);
  CHECK(asked == std::vector<std::string>{"first", "second"});
}

TEST_CASE("content: check finds what was changed behind the program's back", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  session_log log;
  auto m = log.user("hi");
  log.add(file_added{{make<file_id>(), "a", "text/plain", 3}, "ann", bytes("abc")});
  log.add(reaction_changed{m, "+1", true, "bob", "Bob"});
  log.add(session_updated{session_status::active, "", std::vector<std::string>{"bob"}, ""});
  log.add(run_queued{make<run_id>(), m, 1});
  commit(*s, log);
  CHECK(findings_of(folder.path()).empty());
  auto found = [&](const std::string& sql) {
    {
      SQLite::Database db(folder.database(), SQLite::OPEN_READWRITE);
      db.exec("BEGIN; " + sql + "; COMMIT");
    }
    std::string out;
    for (const auto& text : findings_of(folder.path())) out += text + "\n";
    return out;
  };
  CHECK_THAT(found("UPDATE files SET data = x'61'"), Contains("has 1 bytes instead of 3"));
  CHECK_THAT(found("UPDATE files SET name = 'b'"), Contains("name differs"));
  CHECK_THAT(found("DELETE FROM files"), Contains("file") && Contains("the row is missing"));
  CHECK_THAT(found("UPDATE reactions SET author = 'eve'"), Contains("reactions differs"));
  CHECK_THAT(found("INSERT INTO participants VALUES ('" + log.id.str() + "', 'eve')"), Contains("participants differs"));
  CHECK_THAT(found("UPDATE runs SET queue_position = 99"), Contains("queue_position differs"));
  CHECK_THAT(found("UPDATE messages SET options = '{}', attachments = '[{}]', author_name = 'x'"),
             Contains("options differs") && Contains("attachments differs") && Contains("author_name differs"));
  CHECK_THAT(found("UPDATE sessions SET metadata = '{}', cleared_seq = 1"),
             Contains("metadata differs") && Contains("cleared_seq differs"));
}

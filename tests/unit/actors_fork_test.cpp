// Copies of sessions: what they take over, what they leave, what they do not share.
#include "actors_world.hpp"

#include "core/history.hpp"

#include <set>

using namespace troupe;
using namespace troupe::test;
using core::errc;

namespace {

/// A session with a file, a tool call that was approved, an edited message and a failed run.
struct long_session {
  world w{[](auto&, auto&, core::agent_config& agent) {
    agent.tools = {"write_file"};
    agent.approval["write_file"].policy = core::approval_policy::always;
  }};
  core::session_id id;
  core::file_id file_id;

  long_session() {
    w.model->answer = [](const providers::model_request& r) {
      const auto& last = r.history->back();
      if (last.role == core::role::user && last.content == "fail") {
        providers::model_output failed;
        failed.end = providers::model_end{};
        failed.end->error = {errc::provider_error, "no"};
        return failed;
      }
      if (last.role == core::role::user && last.content == "write")
        return heard_model::says("", {{{"c"}, "write_file", R"({"path": "a", "content": "b"})"}});
      return heard_model::says("Answer to " + last.content);
    };
    core::open_session opening{{"p"}, {"a"}, "watched", "his-name", R"({"k":1})"};
    opening.title = "Source";
    id = w.opened(1, opening, user("anna"));
    auto anna = user("anna");
    file_id = w.must<core::file_stored>(id, anna, file("a.txt", "text/plain", "bytes")).file.file;
    core::send_message first{"see", "client-1", std::nullopt, {file_id}};
    (void)w.must<core::message_accepted>(id, anna, first);
    (void)w.must<core::message_accepted>(id, anna, say("write"));
    w.must<core::approval_settled>(id, anna, core::decide_approval{{}, {"c"}, true, {}, {}});
    (void)w.must<core::message_accepted>(id, anna, say("fail"));
    w.model->holds = true;
    (void)w.must<core::message_accepted>(id, anna, say("slow"));
    auto queued = w.must<core::message_accepted>(id, anna, say("draft"));
    w.must(id, anna, core::edit_queued{queued.message, "edited", 0});
    w.model->holds = false;
    w.model->let_go();
    w.settle();
    REQUIRE(w.all<core::run_completed>(id).size() == 4);
  }

  /// What a model reads of a session.
  std::vector<core::history_message> told(const core::session_id& of) {
    core::history h;
    for (const auto& e : w.log(of)) h.apply(e);
    CHECK(core::defect_of(h.messages()).empty());
    return h.messages();
  }
  core::seq_t end_of_run(std::size_t n) {
    for (const auto& e : w.log(id))
      if ((e.as<core::run_completed>() || e.as<core::run_failed>()) && n-- == 0) return e.seq;
    FAIL("no such run");
    return 0;
  }
};

}  // namespace

TEST_CASE("fork: a copy says the same under ids of its own, costs nothing and goes on by itself") {
  long_session s;
  auto anna = user("anna");
  core::session_id copy{{9, 2}};
  CHECK(s.w.must<core::session_opened>(copy, anna, core::fork_session{s.id, 1'000'000}).created);
  CHECK_FALSE(s.w.must<core::session_opened>(copy, anna, core::fork_session{s.id, 1'000'000}).created);

  auto source = s.told(s.id);
  auto copied = s.told(copy);
  REQUIRE(copied.size() == source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    CHECK(copied[i].role == source[i].role);
    CHECK(copied[i].content == source[i].content);
    CHECK(copied[i].calls == source[i].calls);
  }
  auto record = s.w.record(copy);
  CHECK(record.title == "Source");
  CHECK(record.metadata == R"({"k":1})");
  CHECK(record.dialect == "watched");
  CHECK(record.alias.empty());
  CHECK(record.owner == "anna");
  CHECK(record.cost.value == 0);
  CHECK(record.tokens.total() == 0);
  CHECK(s.w.record(s.id).cost.value > 0);
  auto created = s.w.all<core::session_created>(copy);
  REQUIRE(created.size() == 1);
  CHECK(created[0].forked_from == s.id);
  CHECK(created[0].forked_at == s.end_of_run(4));
  CHECK(s.w.all<core::usage_recorded>(copy).empty());

  std::set<std::string> ids;
  for (const auto& of : {s.id, copy})
    for (const auto& m : s.w.queries()->messages(of, {100, 0}).items) CHECK(ids.insert(m.id.str()).second);
  CHECK(s.w.queries()->approvals({std::nullopt, std::nullopt, copy}, {}).total == 1);
  CHECK(s.w.queries()->tool_calls(copy).size() == 1);
  CHECK(s.w.defects() == "");

  s.w.restart();
  (void)s.w.must<core::message_accepted>(copy, anna, say("more"));
  CHECK(s.w.model->asked.back().history->size() == copied.size() + 1);
  CHECK(s.told(s.id).size() == source.size());
  CHECK(s.w.defects() == "");
}

TEST_CASE("fork: only exchanges that had ended are taken over") {
  long_session s;
  auto anna = user("anna");
  auto first_end = s.end_of_run(0);
  core::session_id at_end{{9, 2}}, before{{9, 3}}, within{{9, 4}}, nothing{{9, 5}};
  (void)s.w.must<core::session_opened>(at_end, anna, core::fork_session{s.id, first_end});
  CHECK(s.told(at_end).size() == 2);
  (void)s.w.must<core::session_opened>(before, anna, core::fork_session{s.id, first_end - 1});
  CHECK(s.told(before).empty());
  (void)s.w.must<core::session_opened>(within, anna, core::fork_session{s.id, s.end_of_run(1) - 1});
  CHECK(s.told(within).size() == 2);
  CHECK(s.w.all<core::session_created>(within)[0].forked_at == first_end);
  (void)s.w.must<core::session_opened>(nothing, anna, core::fork_session{s.id, 0});
  CHECK(s.told(nothing).empty());
  CHECK(s.w.all<core::session_created>(nothing)[0].forked_at == 0);
  CHECK(s.w.defects() == "");
}

TEST_CASE("fork: files come along, and belong to the copy") {
  long_session s;
  core::session_id copy{{9, 2}};
  (void)s.w.must<core::session_opened>(copy, user("anna"), core::fork_session{s.id, 1'000'000});
  auto files = s.w.queries()->files(copy);
  REQUIRE(files.size() == 1);
  CHECK_FALSE(files[0].file.file == s.file_id);
  CHECK(files[0].session == copy);
  auto known = s.w.queries()->file(copy, files[0].file.file);
  REQUIRE(known.has_value());
  REQUIRE(known->data);
  CHECK(*known->data == "bytes");
  auto said = s.w.all<core::message_added>(copy);
  REQUIRE_FALSE(said.empty());
  CHECK(said[0].attachments == std::vector{files[0].file});
  CHECK(said[0].client_message_id.empty());
  // The same message may be sent again.
  core::send_message again{"see", "client-1", std::nullopt, {files[0].file.file}};
  CHECK_FALSE(s.w.must<core::message_accepted>(copy, user("anna"), again).repeated);
}

TEST_CASE("fork: a cleared history stays cleared") {
  long_session s;
  auto anna = user("anna");
  s.w.must(s.id, anna, core::clear_history{});
  (void)s.w.must<core::message_accepted>(s.id, anna, say("fresh"));
  core::session_id copy{{9, 2}};
  (void)s.w.must<core::session_opened>(copy, anna, core::fork_session{s.id, 1'000'000});
  auto told = s.told(copy);
  REQUIRE(told.size() == 2);
  CHECK(told[0].content == "fresh");
  CHECK(s.w.queries()->files(copy).empty());
  CHECK(s.w.defects() == "");
}

TEST_CASE("fork: the source must exist and be visible, and two who copy to one place make one copy") {
  long_session s;
  CHECK(s.w.refused({{9, 2}}, user("anna"), core::fork_session{{{9, 77}}, 5}).code == errc::not_found);
  auto e = s.w.refused({{9, 2}}, user("eve"), core::fork_session{s.id, 5});
  CHECK(e.code == errc::not_found);
  CHECK(e.text == "Session not found: " + s.id.str());
  CHECK_FALSE(s.w.queries()->session({{9, 2}}).has_value());
  auto a = s.w.post({{9, 2}}, user("anna"), core::fork_session{s.id, 1'000});
  auto b = s.w.post({{9, 2}}, user("anna"), core::fork_session{s.id, 1'000});
  s.w.settle();
  CHECK(std::get<core::session_opened>(a->value().value()).created);
  CHECK_FALSE(std::get<core::session_opened>(b->value().value()).created);
  CHECK(s.w.all<core::session_created>({{9, 2}}).size() == 1);
}

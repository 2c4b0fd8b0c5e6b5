// What people think of answers, alerts of budgets, and what each model has cost.
#include "storage/connection.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;
using Catch::Contains;

namespace {

struct feedback_fixture {
  temporary_folder folder;
  std::unique_ptr<storage::store> store = open_store(folder.path());
  std::unique_ptr<storage::queries> q = store->open_queries().value();

  /// In a log of its own project, unless it is said otherwise.
  void alert(session_log& log, const std::string& scope, std::int32_t percent) const {
    log.add(cost_alert{scope, {percent * 10}, {1'000}, percent});
  }
};

message_id last_answer(const session_log& log) {
  message_id out;
  for (const auto& e : log.all)
    if (const auto* m = e.as<message_completed>()) out = m->message;
  return out;
}

}  // namespace

TEST_CASE("feedback: one of each person is kept, in a commit each or all in one", "[storage]") {
  for (bool one_by_one : {false, true}) {
    INFO("one by one: " << one_by_one);
    feedback_fixture f;
    session_log log;
    log.whole_turn();
    auto answer = last_answer(log);
    auto rate = [&](rating r, const std::string& by, const std::string& note = {}) {
      log.add(message_feedback{answer, r, note, by});
      if (one_by_one) commit(*f.store, log);
    };
    rate(rating::up, "ann", "good");
    rate(rating::down, "bob");
    rate(rating::up, "eve");
    rate(rating::none, "eve");
    rate(rating::none, "nobody");
    rate(rating::down, "ann", "on second thoughts");
    auto at = log.now;
    if (!one_by_one) commit(*f.store, log);
    auto shown = f.q->message(log.id, answer)->feedback;
    REQUIRE(shown.size() == 2);
    CHECK(shown[0].by == "bob");
    CHECK(shown[1].by == "ann");
    CHECK(shown[1].rating == rating::down);
    CHECK(shown[1].note == "on second thoughts");
    CHECK(shown[1].at == at);
    auto all = f.q->messages(log.id, {}).items;
    CHECK(all.back().feedback.size() == 2);
    CHECK(all.front().feedback.empty());
    CHECK(findings_of(f.folder.path()) == std::vector<std::string>{});
  }
}

TEST_CASE("feedback: what differs from the log is named", "[storage]") {
  for (const auto* damage :
       {"UPDATE feedback SET note = 'x'", "DELETE FROM feedback", "UPDATE alerts SET percent = 1", "DELETE FROM alerts"}) {
    feedback_fixture f;
    session_log log;
    log.whole_turn();
    log.add(message_feedback{last_answer(log), rating::up, "", "ann"});
    f.alert(log, "session", 50);
    commit(*f.store, log);
    storage::connection(f.folder.database(), storage::connection::mode::read_write).database().exec(damage);
    auto found = findings_of(f.folder.path());
    REQUIRE(found.size() == 1);
    CHECK_THAT(found[0], Contains("from what the log says"));
  }
}

TEST_CASE("alerts: newest first, of a project, with whose budget it was", "[storage]") {
  feedback_fixture f;
  session_log one;
  one.whole_turn();
  f.alert(one, "session", 50);
  f.alert(one, "agent", 80);
  commit(*f.store, one);
  session_log other("elsewhere");
  other.whole_turn();
  f.alert(other, "project", 100);
  commit(*f.store, other);
  session_log bobs("demo", "nexus", "bob");
  bobs.whole_turn();
  f.alert(bobs, "project", 51);
  commit(*f.store, bobs);

  auto all = f.q->alerts({one.project, {}}, {20, 0});
  REQUIRE(all.items.size() == 3);
  CHECK(all.total == 3);
  CHECK(all.items[0].scope == "project");
  CHECK(all.items[0].id == "demo");
  CHECK(all.items[0].session == bobs.id);
  CHECK(all.items[1].id == "writer");
  CHECK(all.items[1].percent == 80);
  CHECK(all.items[1].spend == micro_usd{800});
  CHECK(all.items[1].budget == micro_usd{1'000});
  CHECK(all.items[2].id == one.id.str());
  auto page = f.q->alerts({one.project, {}}, {1, 1});
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].scope == "agent");
  CHECK(page.total == 3);
  auto his = f.q->alerts({one.project, "bob"}, {20, 0});
  REQUIRE(his.items.size() == 1);
  CHECK(his.items[0].percent == 51);
  CHECK(findings_of(f.folder.path()) == std::vector<std::string>{});
}

TEST_CASE("usage: by model, as much as by day", "[storage]") {
  feedback_fixture f;
  session_log log;
  log.whole_turn();
  auto r = log.start(log.user("more"));
  log.add(usage_recorded{r, 1, "cloud", "a/b", {10, 0, 5}, {70}, false, log.now, log.now, 1});
  commit(*f.store, log);
  auto models = f.q->usage_by(log.project, new_year, usage_key::model, {20, 0});
  REQUIRE(models.total == 2);
  CHECK(models.items[0].key == "local/qwen3");
  CHECK(models.items[0].requests == 2);
  CHECK(models.items[1].key == "cloud/a/b");
  CHECK(models.items[1].provider == "cloud");
  CHECK(models.items[1].model == "a/b");
  CHECK(models.items[1].tokens == 15);
  auto days = f.q->usage_by_day(log.project, new_year);
  CHECK(models.items[0].cost + models.items[1].cost == days.at(0).cost);
  CHECK(f.q->usage_by(log.project, new_year, usage_key::user, {}).items.at(0).provider.empty());
}

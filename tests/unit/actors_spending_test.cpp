// Budgets over many sessions: the ledger alone, and what sessions make of it.
#include "actors_world.hpp"

#include "actors/spend_ledger.hpp"

using namespace troupe;
using namespace troupe::test;
using actors::spend_ledger;
using core::errc;
using core::micro_usd;

namespace {

const core::project_id spender{"p"};
const core::agent_id a{"a"};
const core::agent_id b{"b"};
constexpr core::millis day{86'400'000};
const core::millis noon = core::millis{19'675} * day.count() + day / 2;  // 2023-11-14, a Tuesday

micro_usd usd(double amount) { return micro_usd::from_usd(amount); }

core::config_ptr budgets(std::optional<double> daily, std::optional<double> monthly, std::optional<double> agent_daily = {}) {
  auto to_money = [](std::optional<double> v) { return v ? std::optional(usd(*v)) : std::nullopt; };
  auto config = std::make_shared<core::config>();
  core::project_config project;
  project.id = spender;
  project.spending.daily = to_money(daily);
  project.spending.monthly = to_money(monthly);
  for (const auto& id : {a, b}) {
    auto agent = std::make_shared<core::agent_config>();
    agent->id = id;
    agent->project = spender;
    if (id == a) agent->spending.daily = to_money(agent_daily);
    project.agents.emplace(id, std::move(agent));
  }
  config->projects.emplace(spender, std::move(project));
  return config;
}

}  // namespace

TEST_CASE("ledger: each threshold alerts once, a jump alerts for the highest") {
  spend_ledger ledger(budgets(10, {}));
  CHECK(ledger.add(spender, a, noon, usd(4.9)).empty());
  auto half = ledger.add(spender, b, noon, usd(0.1));
  REQUIRE(half.size() == 1);
  CHECK(half[0].scope == "project");
  CHECK(half[0].percent == 50);
  CHECK(half[0].spend == usd(5));
  CHECK(half[0].budget == usd(10));
  CHECK(ledger.add(spender, a, noon, usd(0.1)).empty());
  auto all = ledger.add(spender, a, noon, usd(7));
  REQUIRE(all.size() == 1);
  CHECK(all[0].percent == 121);
  CHECK(ledger.add(spender, a, noon, usd(7)).empty());
}

TEST_CASE("ledger: day and month, project and agent are counted apart") {
  spend_ledger ledger(budgets(10, 20, 2));
  auto alerts = ledger.add(spender, a, noon, usd(10));
  REQUIRE(alerts.size() == 3);
  CHECK(alerts[0].budget == usd(10));
  CHECK(alerts[1].budget == usd(20));
  CHECK(alerts[2].scope == "agent");
  auto tomorrow = noon + day;
  CHECK_FALSE(ledger.reached(spender, a, tomorrow).has_value());
  CHECK(ledger.reached(spender, b, noon).has_value());
  (void)ledger.add(spender, b, tomorrow, usd(9));
  CHECK_FALSE(ledger.reached(spender, b, tomorrow).has_value());
  (void)ledger.add(spender, b, tomorrow + day, usd(1));
  auto why = ledger.reached(spender, b, tomorrow + day);
  REQUIRE(why.has_value());
  CHECK(*why == "The project p has spent its budget for 2023-11 (UTC): 20.00 of 20.00 USD (projects.p.budget.monthly_usd).");
  CHECK_FALSE(ledger.reached(spender, b, noon + 20 * day).has_value());  // December
}

TEST_CASE("ledger: a limit is reached at the amount itself, and the text says which") {
  spend_ledger ledger(budgets({}, {}, 1));
  (void)ledger.add(spender, a, noon, micro_usd{999'999});
  CHECK_FALSE(ledger.reached(spender, a, noon).has_value());
  (void)ledger.add(spender, a, noon, micro_usd{1});
  auto why = ledger.reached(spender, a, noon);
  REQUIRE(why.has_value());
  CHECK(*why ==
        "The agent a has spent its budget for 2023-11-14 (UTC): 1.00 of 1.00 USD (projects.p.agents.a.budget.daily_usd).");
  CHECK_FALSE(ledger.reached(spender, b, noon).has_value());
  CHECK_FALSE(ledger.reached({"gone"}, a, noon).has_value());
}

TEST_CASE("ledger: what was spent before counts and does not alert, days may come in any order") {
  spend_ledger ledger(budgets(10, 20));
  ledger.load(spender, a, noon, usd(6));
  ledger.load(spender, a, noon - day, usd(8));
  ledger.load(spender, b, noon, usd(3));
  auto alerts = ledger.add(spender, a, noon, usd(1));
  REQUIRE(alerts.size() == 1);  // 9 to 10 of 10; 17 to 18 of 20 crosses nothing
  CHECK(alerts[0].spend == usd(10));
  CHECK(spend_ledger::horizon(noon) == noon - day / 2 - 13 * day);
}

TEST_CASE("spending: a project's budget stops all its sessions, is told once and outlives a restart") {
  world w([](auto&, core::project_config& project, auto&) { project.spending.daily = usd(2); });
  auto one = w.opened(1);
  auto two = w.opened(2);
  (void)w.must<core::message_accepted>(one, {}, say("a dollar"));
  (void)w.must<core::message_accepted>(two, {}, say("another"));
  auto first = w.all<core::cost_alert>(one);
  REQUIRE(first.size() == 1);
  CHECK(first[0].scope == "project");
  CHECK(first[0].percent == 50);
  auto second = w.all<core::cost_alert>(two);
  REQUIRE(second.size() == 1);
  CHECK(second[0].percent == 100);
  auto log = w.log(two);
  std::size_t usage = 0, alert = 0, end = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log[i].as<core::usage_recorded>()) usage = i;
    if (log[i].as<core::cost_alert>()) alert = i;
    if (log[i].as<core::run_completed>()) end = i;
  }
  CHECK(usage < alert);
  CHECK(alert < end);
  for (bool restarts : {false, true}) {
    if (restarts) w.restart();
    (void)w.must<core::message_accepted>(one, {}, say("too much"));
    auto failed = w.all<core::run_failed>(one);
    REQUIRE(failed.size() == (restarts ? 2 : 1));
    CHECK(failed.back().code == errc::budget_exceeded);
    CHECK(failed.back().text.find("projects.p.budget.daily_usd") != std::string::npos);
  }
  CHECK(w.model->asked.size() == 2);
  w.advance(std::chrono::hours(24));
  (void)w.must<core::message_accepted>(one, {}, say("a new day"));
  CHECK(w.all<core::run_completed>(one).size() == 2);
  CHECK(w.defects() == "");
}

TEST_CASE("spending: a session that is read again from its log is not counted again") {
  world w([](auto&, core::project_config& project, auto&) { project.spending.daily = usd(3); });
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("one"));
  w.restart();
  w.restart();
  (void)w.must<core::message_accepted>(id, {}, say("two"));
  auto alerts = w.all<core::cost_alert>(id);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].spend == usd(2));
}

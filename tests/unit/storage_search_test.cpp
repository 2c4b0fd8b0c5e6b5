// Finding sessions by what a client calls them, by what was said and by who may see them; and who spent what.
#include "storage/connection.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;

namespace {

struct search_fixture {
  std::unique_ptr<storage::store> store = storage::store::open_in_memory().value();
  std::unique_ptr<storage::queries> q = store->open_queries().value();

  [[nodiscard]] std::vector<session_id> ids(const storage::session_filter& filter, window w = {}) const {
    std::vector<session_id> out;
    for (const auto& s : q->sessions(filter, w).items) out.push_back(s.id);
    return out;
  }
  [[nodiscard]] std::vector<session_id> saying(const std::string& text) const {
    storage::session_filter filter;
    filter.text = text;
    return ids(filter);
  }
  [[nodiscard]] std::vector<session_id> seen_by(const std::string& user) const {
    storage::session_filter filter;
    filter.visible_to = user;
    return ids(filter);
  }
};

std::string short_id(session_id id) { return id.value.hex().substr(0, 24); }

}  // namespace

TEST_CASE("resolve: a session is found by its UUID, by 24 digits of it and by its name in conversation", "[storage]") {
  search_fixture f;
  project_id demo{"demo"};
  auto put = [&](session_id id, const std::string& project) {
    session_log log(project);
    log.id = id;
    commit(*f.store, log);
    return id;
  };
  auto plain = put(session_id{{0x0190aabbccdd7eefULL, 0x8123456789abcdefULL}}, "demo");
  put(session_id{{0x0190aabbccdd7eefULL, 0x8123456889abcdefULL}}, "demo");
  auto named = put(session_id{uuid_of_name("demo/conversation/my chat")}, "demo");
  auto hex_named = put(session_id{uuid_of_name("demo/conversation/0123456789abcdef01234567")}, "demo");

  CHECK(f.q->resolve(demo, plain.str()) == plain);
  CHECK(f.q->resolve(demo, "0190AABB-CCDD-7EEF-8123-456789ABCDEF") == plain);
  CHECK(f.q->resolve(demo, short_id(plain)) == plain);
  CHECK(f.q->resolve(demo, "0190AABBCCDD7EEF81234567") == plain);
  CHECK(f.q->resolve(demo, "my chat") == named);
  CHECK(f.q->resolve(demo, short_id(named)) == named);
  CHECK(f.q->resolve(demo, "0123456789abcdef01234567") == hex_named);
  CHECK_FALSE(f.q->resolve(project_id{"other"}, "my chat"));
  CHECK_FALSE(f.q->resolve(demo, make<session_id>().str()));
  for (auto text : {"", "nothing", "0190aabbccdd7eef8123456", "0190aabbccdd7eef81234569", "0190aabbccdd7eef8123456%",
                    "0190aabb-ccdd-7eef-8123-"})
    CHECK_FALSE(f.q->resolve(demo, text));
}

TEST_CASE("resolve: a deleted session is found too", "[storage]") {
  search_fixture f;
  session_log log;
  log.add(session_updated{session_status::deleted, ""});
  commit(*f.store, log);
  CHECK(f.q->resolve(log.project, short_id(log.id)) == log.id);
}

TEST_CASE("search: titles and messages are searched, signs are taken as they are", "[storage]") {
  search_fixture f;
  session_log a;
  session_log b;
  a.add(session_updated{session_status::active, "Holiday plans"});
  a.user("Where to? 100%_sure it is C:\\temp");
  b.whole_turn("nothing about days off");
  commit(*f.store, a);
  commit(*f.store, b);
  CHECK(f.saying("holiday") == std::vector{a.id});
  CHECK(f.saying("WHERE TO") == std::vector{a.id});
  CHECK(f.saying("0%_S") == std::vector{a.id});
  CHECK(f.saying("c:\\TEMP") == std::vector{a.id});
  CHECK(f.saying("0_%s").empty());
  CHECK(f.saying("it is").size() == 2);  // the model's answers too
  CHECK(f.saying("noon") == std::vector{b.id});
  CHECK(f.saying(std::string(storage::max_search_bytes + 1, 'x')).empty());
  CHECK(f.saying(std::string(storage::max_search_bytes, '%')).empty());

  storage::session_filter elsewhere;
  elsewhere.text = "holiday";
  elsewhere.project = project_id{"other"};
  CHECK(f.ids(elsewhere).empty());
  a.add(history_cleared{"ann"});
  commit(*f.store, a);
  CHECK(f.saying("where to").empty());
  CHECK(f.saying("holiday") == std::vector{a.id});
}

TEST_CASE("search: only messages of the sessions used last are read", "[storage]") {
  search_fixture f;
  session_log old;
  old.add(session_updated{session_status::active, "old title"});
  old.user("old words");
  commit(*f.store, old);
  CHECK(f.saying("old words") == std::vector{old.id});
  std::vector<storage::append> many;
  for (int i = 0; i < storage::max_searched; ++i) {
    session_log log;
    log.now += millis(1'000'000);
    log.user("new words");
    many.push_back(log.take());
  }
  REQUIRE(f.store->writer().commit(many).has_value());
  CHECK(f.saying("old words").empty());
  CHECK(f.saying("old title") == std::vector{old.id});
  storage::session_filter by_title_and_more;
  by_title_and_more.text = "words";
  CHECK(f.q->sessions(by_title_and_more, {}).total == storage::max_searched);
}

TEST_CASE("visibility: owners and participants see sessions, their approvals and their traces, others do not", "[storage]") {
  search_fixture f;
  session_log mine("demo", "nexus", "ann");
  session_log shared("demo", "nexus", "bob");
  session_log theirs("demo", "nexus", "bob");
  shared.add(session_updated{session_status::active, "", std::vector<std::string>{"ann", "eve"}, ""});
  for (auto* log : {&mine, &shared, &theirs}) {
    log->now += millis(10);
    auto r = log->start(log->user("x"));
    log->add(approval_requested{r, make<approval_id>(), {"c"}, "t", "{}", approval_kind::tool, "", millis(0)});
    commit(*f.store, *log);
  }
  auto count = [&](const std::string& user) {
    storage::approval_filter approvals;
    approvals.visible_to = user;
    storage::trace_filter traces;
    traces.visible_to = user;
    auto sessions = f.seen_by(user).size();
    CHECK(f.q->approvals(approvals, {}).total == static_cast<std::int64_t>(sessions));
    CHECK(f.q->traces(traces, {}).total == static_cast<std::int64_t>(sessions));
    return sessions;
  };
  CHECK(count("ann") == 2);
  CHECK(count("bob") == 2);
  CHECK(count("eve") == 1);
  CHECK(count("nobody") == 0);
  CHECK(f.ids({{}, {}, "bob", ""}).size() == 2);
  storage::session_filter searched;
  searched.visible_to = "eve";
  searched.text = "X";
  CHECK(f.ids(searched) == std::vector{shared.id});
}

TEST_CASE("sessions: those not used since are left out where asked", "[storage]") {
  search_fixture f;
  session_log old;
  session_log recent;
  recent.now += millis(100'000);
  recent.user("hi");
  commit(*f.store, old);
  commit(*f.store, recent);
  storage::session_filter filter;
  filter.updated_since = recent.now;
  CHECK(f.ids(filter) == std::vector{recent.id});
  filter.updated_since = recent.now + millis(1);
  CHECK(f.ids(filter).empty());
}

TEST_CASE("usage: what agents, sessions and users spent adds up, the dearest first", "[storage]") {
  search_fixture f;
  constexpr millis day{86'400'000};
  session_log a("demo", "nexus", "ann");
  session_log b("demo", "nexus", "bob");
  session_log c("demo", "nexus", "bob");
  session_log other("other");
  auto spend = [&](session_log& log, std::int64_t cost, const std::string& agent = "writer") {
    auto m = log.user("x");
    auto r = make<run_id>();
    log.add(run_started{r, m, {}, {next_uuid()}, {agent}, 0, millis(0)});
    log.usage(r, 1, cost);
    log.add(run_completed{r, {}, {}, {120, 20, 30}, {cost}, 1});
    return r;
  };
  spend(a, 1000);  // on the day before
  a.now = new_year + day;
  spend(a, 10);
  b.now = c.now = new_year + day;
  spend(b, 30, "editor");
  spend(b, 5);
  spend(c, 20);
  // A run that was begun before and goes on.
  session_log live("demo", "nexus", "");
  auto r = live.start(live.user("x"));
  live.now = new_year + day + millis(5000);
  live.usage(r, 1, 7);
  spend(other, 99);
  for (auto* log : {&a, &b, &c, &live, &other}) commit(*f.store, *log);

  auto shares = [&](usage_key key, millis since, window w = {}) {
    std::vector<std::pair<std::string, std::int64_t>> out;
    for (const auto& s : f.q->usage_by(project_id{"demo"}, since, key, w).items) out.emplace_back(s.key, s.cost.value);
    return out;
  };
  using expected = std::vector<std::pair<std::string, std::int64_t>>;
  auto since = new_year + day + millis(77);  // the whole day counts
  CHECK(shares(usage_key::agent, since) == expected{{"writer", 42}, {"editor", 30}});
  CHECK(shares(usage_key::session, since) ==
        expected{{b.id.str(), 35}, {c.id.str(), 20}, {a.id.str(), 10}, {live.id.str(), 7}});
  CHECK(shares(usage_key::user, since) == expected{{"bob", 55}, {"ann", 10}, {"", 7}});
  CHECK(shares(usage_key::user, millis(0)) == expected{{"ann", 1010}, {"bob", 55}, {"", 7}});
  CHECK(shares(usage_key::session, since, {1, 1}) == expected{{c.id.str(), 20}});
  CHECK(f.q->usage_by(project_id{"demo"}, since, usage_key::session, {1, 9}).total == 4);
  auto one = f.q->usage_by(project_id{"demo"}, since, usage_key::user, {}).items[0];
  CHECK(one.requests == 3);
  CHECK(one.tokens == 450);
  for (auto key : {usage_key::agent, usage_key::session, usage_key::user}) {
    std::int64_t sum = 0;
    for (const auto& s : shares(key, since)) sum += s.second;
    CHECK(sum == f.q->usage_by_day(project_id{"demo"}, since).at(0).cost.value);
  }
  CHECK(shares(usage_key::agent, new_year + 3 * day).empty());
  CHECK(shares(usage_key::session, new_year + 3 * day).empty());
}

TEST_CASE("usage: a bill is of the day on which it came, whenever its run began or ended", "[storage]") {
  search_fixture f;
  constexpr millis hour{3'600'000};
  const millis midnight = new_year + 24 * hour;
  // One that goes on over midnight, one that was cancelled hours before and is billed late, one that parks for days.
  session_log over("demo", "nexus", "ann");
  over.now = midnight - millis(100);
  auto r = over.start(over.user("x"));
  over.usage(r, 1, 1);
  over.now = midnight + millis(100);
  over.usage(r, 2, 20);
  over.add(run_completed{r, {}, {}, {}, {21}, 2});
  session_log late("demo", "nexus", "bob");
  late.now = midnight - 5 * hour;
  r = late.start(late.user("x"));
  late.add(run_cancelled{r, "bob"});
  late.now = midnight + hour;
  late.usage(r, 1, 300);
  session_log parked("demo", "nexus", "bob");
  r = parked.start(parked.user("x"));
  parked.usage(r, 1, 4'000);
  parked.now = midnight + 2 * hour;
  parked.usage(r, 2, 50'000);
  // Of the last moment before and the first one after.
  session_log edge("demo", "nexus", "eve");
  r = edge.start(edge.user("x"));
  edge.now = midnight - millis(11);
  edge.usage(r, 1, 600'000);
  edge.now = midnight - millis(10);
  edge.usage(r, 2, 7'000'000);
  for (auto* log : {&over, &late, &parked, &edge}) commit(*f.store, *log);

  for (auto key : {usage_key::agent, usage_key::session, usage_key::user, usage_key::model})
    for (auto since : {midnight + hour, new_year, new_year - 48 * hour}) {
      std::int64_t of_days = 0, of_shares = 0, requests = 0, of_requests = 0;
      for (const auto& day : f.q->usage_by_day(project_id{"demo"}, since)) {
        of_days += day.cost.value;
        requests += day.requests;
      }
      for (const auto& share : f.q->usage_by(project_id{"demo"}, since, key, {}).items) {
        of_shares += share.cost.value;
        of_requests += share.requests;
      }
      INFO("key " << static_cast<int>(key) << ", since " << since.count());
      CHECK(of_shares == of_days);
      CHECK(of_requests == requests);
      CHECK(of_days == (since > midnight ? 7'050'320 : 7'654'321));
    }
  auto users = f.q->usage_by(project_id{"demo"}, midnight, usage_key::user, {}).items;
  REQUIRE(users.size() == 3);
  CHECK(users[1].key == "bob");
  CHECK(users[1].cost.value == 50'300);
}

TEST_CASE("usage: a ledger begins with what each agent spent on each day", "[storage]") {
  search_fixture f;
  session_log a("demo");
  session_log b("other");
  a.now = new_year - millis(1000);
  auto r = a.start(a.user("x"));
  a.usage(r, 1, 100);
  a.now = new_year + millis(50);
  a.usage(r, 2, 30);
  a.usage(r, 3, 4);
  b.usage(b.start(b.user("x")), 1, 9);
  commit(*f.store, a);
  commit(*f.store, b);
  auto rows = f.q->usage_since(new_year + millis(1234));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].project == project_id{"demo"});
  CHECK(rows[0].agent == agent_id{"writer"});
  CHECK(rows[0].day == new_year);
  CHECK(rows[0].cost == micro_usd{34});
  CHECK(rows[1].cost == micro_usd{9});
  CHECK(f.q->usage_since(new_year - millis(1)).size() == 3);
}

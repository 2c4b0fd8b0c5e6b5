// Versions of agents made over REST: only ever added, found again when the server starts.
#include "storage/connection.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;

namespace {

agent_version_record version(const std::string& agent, std::uint32_t n, std::uint64_t hash = 7) {
  agent_version_record v;
  v.project = {"demo"};
  v.agent = {agent};
  v.version = n;
  v.definition = R"({"provider":"local"})";
  v.hash = hash;
  v.note = "note " + std::to_string(n);
  v.created_by = "ann";
  v.created_at = new_year + millis(n);
  return v;
}

agent_version_record deletion(const std::string& agent, std::uint32_t n) {
  auto v = version(agent, n, 0);
  v.deleted = true;
  v.definition.clear();
  return v;
}

void store(storage::store& s, const agent_version_record& v) { REQUIRE(s.writer().store_agent(v).has_value()); }

std::vector<std::string> newest(storage::queries& q) {
  std::vector<std::string> out;
  for (const auto& v : q.newest_agent_versions())
    out.push_back(v.agent.str() + " " + std::to_string(v.version) + (v.deleted ? " deleted" : ""));
  return out;
}

}  // namespace

TEST_CASE("agent versions: what was stored comes back, newest first and without definitions in the list", "[storage]") {
  temporary_folder folder;
  {
    auto s = open_store(folder.path());
    store(*s, version("ann", 1));
    store(*s, version("ann", 2, 0xfedcba9876543210ULL));
    store(*s, version("bob", 1));
  }
  auto s = open_store(folder.path());
  auto q = s->open_queries().value();
  auto page = q->agent_versions({"demo"}, {"ann"}, {1, 0});
  CHECK(page.total == 2);
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].version == 2);
  CHECK(page.items[0].definition.empty());
  CHECK(page.items[0].note == "note 2");
  auto second = q->agent_version({"demo"}, {"ann"}, 2);
  REQUIRE(second);
  CHECK(second->definition == R"({"provider":"local"})");
  CHECK(second->hash == 0xfedcba9876543210ULL);
  CHECK(second->created_by == "ann");
  CHECK(second->created_at == new_year + millis(2));
  CHECK_FALSE(q->agent_version({"demo"}, {"ann"}, 3));
  CHECK_FALSE(q->agent_version({"other"}, {"ann"}, 1));
  CHECK(findings_of(folder.path()).empty());
}

TEST_CASE("agent versions: of two with the same number one wins, and the other changes nothing", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  store(*s, version("ann", 1));
  auto late = version("ann", 1);
  late.created_by = "bob";
  auto refused = s->writer().store_agent(late);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::version_conflict);
  CHECK(s->open_queries().value()->agent_version({"demo"}, {"ann"}, 1)->created_by == "ann");
}

TEST_CASE("agent versions: a start finds the newest of each, deleted ones too", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  store(*s, version("writer", 1, 7));
  store(*s, version("writer", 2, 8));
  store(*s, version("gone", 1, 9));
  store(*s, deletion("gone", 2));
  auto q = s->open_queries().value();
  CHECK(newest(*q) == std::vector<std::string>{"gone 2 deleted", "writer 2"});
}

TEST_CASE("agent versions: a former one is found by the hash that runs know, the newest of those with it", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  store(*s, version("ann", 1, 0xfedcba9876543210ULL));
  store(*s, version("ann", 2, 8));
  store(*s, version("ann", 3, 0xfedcba9876543210ULL));
  store(*s, deletion("ann", 4));
  store(*s, version("bob", 1, 8));
  auto q = s->open_queries().value();
  REQUIRE(q->agent_version_of({"demo"}, {"ann"}, 8));
  CHECK(q->agent_version_of({"demo"}, {"ann"}, 8)->version == 2);
  CHECK(q->agent_version_of({"demo"}, {"ann"}, 0xfedcba9876543210ULL)->version == 3);
  CHECK(q->agent_version_of({"demo"}, {"bob"}, 8)->agent.str() == "bob");
  CHECK_FALSE(q->agent_version_of({"demo"}, {"ann"}, 0));  // the deletion's
  CHECK_FALSE(q->agent_version_of({"demo"}, {"ann"}, 9));
  CHECK_FALSE(q->agent_version_of({"other"}, {"ann"}, 8));
}

TEST_CASE("agent versions: the check finds gaps, definitions that are none, and deletions of what is not there", "[storage]") {
  temporary_folder folder;
  {
    auto s = open_store(folder.path());
    store(*s, version("ann", 1));
    store(*s, deletion("ann", 2));
    store(*s, version("ann", 3));
    CHECK(findings_of(folder.path()).empty());
    store(*s, version("gap", 2));
    auto text = version("text", 1);
    text.definition = "no JSON";
    store(*s, text);
    store(*s, deletion("never", 1));
  }
  CHECK(findings_of(folder.path()) == std::vector<std::string>{"agent demo/gap: version 2 stands where version 1 should",
                                                               "agent demo/never: version 1 deletes what is not there",
                                                               "agent demo/text: version 1 has no JSON object as definition"});
}

TEST_CASE("agent versions: a file of version 3 gets the table and keeps what it has", "[storage]") {
  temporary_folder folder;
  {
    storage::connection old(folder.database(), storage::connection::mode::read_write);
    storage::migrate(old, 3);
    REQUIRE_FALSE(old.database().tableExists("agent_versions"));
    old.database().exec("INSERT INTO agents VALUES ('demo', 'writer', 'local', 'qwen3', '0000000000000007', 1, 2)");
  }
  auto s = open_store(folder.path());
  store(*s, version("ann", 1));
  CHECK(s->open_queries().value()->agent_versions({"demo"}, {"ann"}, {}).total == 1);
  storage::connection now(folder.database(), storage::connection::mode::read_only);
  CHECK(storage::version_of(now) == storage::schema_version);
  CHECK(now.database().execAndGet("SELECT model FROM agents WHERE id = 'writer'").getString() == "qwen3");
}

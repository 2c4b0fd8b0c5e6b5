// Definitions of agents made over REST: read as the configuration file is, with the place of what is wrong; and what a start
// makes of those that are stored.
#include "app/stored_agents.hpp"

#include "tests/support/configuration_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

using namespace troupe;
using namespace troupe::testing;

namespace {

constexpr std::string_view settings = R"({
  "providers": { "local": { "kind": "openai", "base_url": "http://127.0.0.1:1/v1" },
                 "socket": { "kind": "websocket", "base_url": "ws://127.0.0.1:1/" } },
  "prices": { "local/priced": { "input": 1, "output": 2 } },
  "tools": { "files": { "kind": "mcp", "command": ["x"] } },
  "projects": { "demo": { "agents": { "writer": { "provider": "local", "model": "m", "instructions": "Write.",
                                                  "limits": { "max_steps": 4 }, "approval": { "*": "always" } } } },
                "strict": { "budget": { "daily_usd": 1 }, "agents": { "a": { "provider": "local", "model": "priced" } } } },
  "default_project": "demo" })";

struct bench {
  core::config_ptr config;
  std::shared_ptr<const transport::agent_parser> parser;

  explicit bench(std::string_view text = settings) {
    auto parsed = parse(text);
    INFO((parsed ? std::string() : parsed.error().text));
    REQUIRE(parsed.has_value());
    config = std::make_shared<const core::config>(std::move(*parsed));
    parser = app::make_agent_parser(config);
  }
  [[nodiscard]] transport::agent_parser::outcome read(std::string_view definition, const std::string& id = "new",
                                                      const std::string& project = "demo") const {
    return parser->parse({project}, {id}, boost::json::parse(definition).as_object());
  }
  [[nodiscard]] std::vector<std::string> problems(std::string_view definition, const std::string& id = "new",
                                                  const std::string& project = "demo") const {
    std::vector<std::string> out;
    for (const auto& p : read(definition, id, project).problems) out.push_back(p.path + " " + p.message);
    return out;
  }
};

bool is_one(const std::vector<std::string>& problems, std::string_view part) {
  return problems.size() == 1 && has(problems.front(), part);
}

core::agent_version_record stored(const std::string& id, std::uint32_t version, const std::string& definition,
                                  std::uint64_t hash = 1) {
  core::agent_version_record v;
  v.project = {"demo"};
  v.agent = {id};
  v.version = version;
  v.definition = definition;
  v.deleted = definition.empty();
  v.hash = hash;
  v.created_by = "ann";
  return v;
}

/// The store as an earlier process left it.
struct left_behind {
  std::unique_ptr<storage::store> store = std::move(*storage::store::open_in_memory());

  void add(const core::agent_version_record& v) const { REQUIRE(store->writer().store_agent(v).has_value()); }
  std::vector<std::string> load(const bench& b, core::status_board& board) const {
    auto queries = store->open_queries();
    REQUIRE(queries.has_value());
    auto said = app::load_stored_agents(*b.config, **queries, *b.parser, board);
    REQUIRE(said.has_value());
    return *said;
  }
};

}  // namespace

TEST_CASE("stored agents: a definition is read as the file's, with its price and its hash", "[app]") {
  bench b;
  auto read = b.read(R"({"provider": "local", "model": "priced", "tools": ["clock", "files.read"], "delegates": ["writer"]})");
  REQUIRE(read.agent);
  CHECK(read.agent->id.str() == "new");
  CHECK(read.agent->name == "new");
  CHECK(read.agent->project.str() == "demo");
  CHECK(read.agent->price == core::token_price{1'000, 1'000, 2'000});
  CHECK(read.agent->hash == app::hash_of(*read.agent));
  CHECK(read.agent->hash != b.read(R"({"provider": "local", "model": "priced"})").agent->hash);
}

TEST_CASE("stored agents: each problem has its place in the definition, and all fields are told at once", "[app]") {
  bench b;
  const auto several = b.problems(R"({"provider": "local", "model": "m", "limits": {"max_steps": 0}, "temprature": 1,
                                      "approval": {"*": "maybe"}})");
  REQUIRE(several.size() == 3);
  CHECK(has(several[0], "/limits/max_steps "));
  CHECK(has(several[1], "/temprature unknown key; the nearest known one is \"temperature\""));
  CHECK(has(several[2], "/approval/* "));
  CHECK(is_one(b.problems(R"({"model": "m"})"), "/provider is missing"));
  CHECK(is_one(b.problems(R"({"provider": "nobody", "model": "m"})"), "/provider there is no provider \"nobody\""));
  CHECK(is_one(b.problems(R"({"provider": "local"})"), "/model is missing"));
  CHECK(is_one(b.problems(R"({"provider": "local", "model": "m", "tools": ["clok"]})"), "/tools/0 there is no tool \"clok\""));
  CHECK(
      is_one(b.problems(R"({"provider": "local", "model": "m", "delegates": ["nobody"]})"), "/delegates/0 there is no agent"));
  CHECK(is_one(b.problems(R"({"provider": "local", "model": "m", "handoffs": ["new"]})"), "/handoffs/0 is the agent itself"));
  CHECK(is_one(b.problems(R"({"provider": "socket", "model": "m", "tools": ["clock"]})"),
               "/provider a model behind a WebSocket"));
  CHECK(is_one(b.problems(R"({"provider": "local", "model": "m", "budget": {"daily_usd": 1}})"), "/budget needs a price"));
  CHECK(is_one(b.problems(R"({"provider": "local", "model": "m", "on_busy": "merge"})"), "/on_busy merge is not supported"));
  CHECK(is_one(b.problems(R"({"provider": "local", "model": "m"})", "no good/id"), "/id a name here has"));
  CHECK(is_one(b.problems(R"({"provider": "local", "model": "m"})", "new", "strict"), "/model the project has a budget"));
}

TEST_CASE("stored agents: they may name each other, also one that cannot be used now", "[app]") {
  bench b;
  const auto definition = R"({"provider": "local", "model": "m", "delegates": ["other"]})";
  CHECK(b.problems(definition).size() == 1);
  core::stored_agent other;
  other.version = 1;
  other.problem = "broken";
  b.config->stored->publish({"demo"}, {"other"}, other);
  CHECK(b.problems(definition).empty());
  other.version = 2;
  other.deleted = true;
  b.config->stored->publish({"demo"}, {"other"}, other);
  CHECK(b.problems(definition).size() == 1);
}

TEST_CASE("stored agents: the definition of the file's agent is what the file says, and reads as the same agent", "[app]") {
  bench b;
  auto writer = b.config->find_agent({"demo"}, {"writer"});
  REQUIRE(writer);
  const auto definition = b.parser->definition_of(*writer);
  CHECK(definition == boost::json::parse(R"({"provider": "local", "model": "m", "instructions": "Write.",
                                             "approval": {"*": "always"}, "limits": {"max_steps": 4}})"));
  CHECK(b.read(boost::json::serialize(definition), "writer").agent->hash == writer->hash);
}

TEST_CASE("stored agents: a start shows the newest of each, also where they name each other", "[app]") {
  bench b;
  left_behind left;
  left.add(stored("ann", 1, R"({"provider": "local", "model": "first"})", 11));
  left.add(stored("ann", 2, R"({"provider": "local", "model": "second", "delegates": ["zoe"]})", 12));
  left.add(stored("gone", 1, R"({"provider": "local", "model": "m"})"));
  left.add(stored("gone", 2, ""));
  left.add(stored("zoe", 1, R"({"provider": "local", "model": "m", "delegates": ["ann"]})"));
  core::status_board board;
  CHECK(left.load(b, board).empty());
  CHECK(board.components().empty());
  CHECK(b.config->find_agent({}, {"ann"})->model == "second");
  CHECK(b.config->find_agent({}, {"ann"}, 12)->model == "second");
  CHECK(b.config->find_agent({}, {"ann"}, 11)->model == "second");
  CHECK(b.config->find_agent({}, {"zoe"}) != nullptr);
  CHECK(b.config->find_agent({}, {"gone"}) == nullptr);
  CHECK(b.config->stored->find({"demo"}, {"gone"})->version == 2);
}

TEST_CASE("stored agents: what cannot be used any more is said, and stops nothing", "[app]") {
  bench b;
  left_behind left;
  left.add(stored("lost", 3, R"({"name": "Lost", "provider": "sold", "model": "m"})"));
  left.add(stored("text", 1, "[]"));
  left.add(stored("writer", 1, R"({"provider": "local", "model": "hidden"})"));
  left.add(stored("fine", 1, R"({"provider": "local", "model": "m"})"));
  core::status_board board;
  const auto said = left.load(b, board);
  REQUIRE(said.size() == 3);
  CHECK(has(said[0], "stored agent demo/lost version 3 cannot be used: /provider: there is no provider \"sold\""));
  CHECK(has(said[1], "stored agent demo/text version 1 cannot be used"));
  CHECK(has(said[2], "stored agent demo/writer is not shown: the configuration file has an agent of this id"));
  REQUIRE(board.components().size() == 2);
  CHECK(board.components()[0].kind == "agents");
  CHECK(board.components()[0].name == "demo/lost");
  CHECK_FALSE(board.components()[0].is_ok);
  CHECK(b.config->find_agent({}, {"lost"}) == nullptr);
  CHECK(has(b.config->why_no_agent({}, {"lost"}), "cannot be used: /provider"));
  CHECK(b.config->stored->find({"demo"}, {"lost"})->shown->name == "Lost");
  CHECK(b.config->find_agent({}, {"writer"})->model == "m");
  CHECK(b.config->find_agent({}, {"fine"}) != nullptr);
}

TEST_CASE("stored agents: a former version is read from the store when it is asked for, as long as there is one", "[app]") {
  bench b;
  left_behind left;
  left.add(stored("ann", 1, R"({"provider": "local", "model": "first"})", 11));
  left.add(stored("ann", 2, R"({"provider": "sold", "model": "second"})", 12));
  left.add(stored("ann", 3, R"({"provider": "local", "model": "third"})", 13));
  core::status_board board;
  CHECK(left.load(b, board).empty());
  {
    auto queries = left.store->open_queries();
    REQUIRE(queries.has_value());
    const app::former_agents former(b.config, std::move(*queries));
    CHECK(b.config->find_agent({}, {"ann"}, 11)->model == "first");
    CHECK(b.config->find_agent({}, {"ann"}, 12)->model == "third");  // that one cannot be used any more
    CHECK(b.config->find_agent({}, {"ann"}, 99)->model == "third");
    CHECK(b.config->find_agent({}, {"writer"}, 11)->model == "m");
  }
  CHECK(b.config->find_agent({}, {"ann"}, 11)->model == "third");
}

TEST_CASE("stored agents: a start with a thousand that name each other reads each against one list of them", "[app]") {
  bench b;
  left_behind left;
  constexpr int count = 1'000;
  for (int n = 0; n < count; ++n)
    left.add(stored("a" + std::to_string(n), 1,
                    R"({"provider": "local", "model": "m", "delegates": ["a)" + std::to_string((n + 1) % count) + "\"]}"));
  core::status_board board;
  CHECK(left.load(b, board).empty());
  CHECK(b.config->agents_of({"demo"}).size() == count + 1);
  CHECK(b.config->find_agent({}, {"a999"})->delegates.front().str() == "a0");
}

// Agents made over REST beside those of the file: which one is meant, and which version a run goes on with.
#include "core/config.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace troupe::core;

namespace {

agent_ptr agent(const std::string& id, std::uint64_t hash, const std::string& model = "m") {
  agent_config a;
  a.id = {id};
  a.project = {"p"};
  a.hash = hash;
  a.model = model;
  return std::make_shared<const agent_config>(std::move(a));
}

stored_agent version(std::uint32_t n, agent_ptr a) {
  stored_agent out;
  out.version = n;
  out.deleted = !a;
  out.agent = std::move(a);
  return out;
}

config with_file_agent() {
  config c;
  c.default_project = {"p"};
  auto& p = c.projects[{"p"}];
  p.id = {"p"};
  p.default_agent = {"file"};
  p.agents[{"file"}] = agent("file", 1);
  return c;
}

std::vector<std::string> ids(const config& c) {
  std::vector<std::string> out;
  for (const auto& a : c.agents_of({"p"})) out.push_back(a->id.str());
  return out;
}

}  // namespace

TEST_CASE("agents: stored ones stand beside those of the file, by id, and the file's goes before one of its id") {
  auto c = with_file_agent();
  auto copy = c;  // what was handed out before sees it too
  c.stored->publish({"p"}, {"ann"}, version(1, agent("ann", 2)));
  c.stored->publish({"p"}, {"zoe"}, version(1, agent("zoe", 3)));
  c.stored->publish({"p"}, {"file"}, version(1, agent("file", 4)));
  CHECK(ids(copy) == std::vector<std::string>{"ann", "file", "zoe"});
  CHECK(copy.find_agent({}, {"ann"})->hash == 2);
  CHECK(copy.find_agent({"p"}, {"file"})->hash == 1);
  CHECK(copy.find_agent({}, {})->id.str() == "file");
  CHECK(copy.find_agent({"p"}, {"nobody"}) == nullptr);
  c.stored->publish({"q"}, {"ann"}, version(1, agent("ann", 5)));
  CHECK(copy.find_agent({"q"}, {"ann"}) == nullptr);  // the file has no such project
}

TEST_CASE("agents: a version takes the place of the one before, and what began with that finds it by its hash") {
  auto c = with_file_agent();
  c.stored->publish({"p"}, {"ann"}, version(1, agent("ann", 10, "first")));
  const auto run = c.find_agent({"p"}, {"ann"});
  c.stored->publish({"p"}, {"ann"}, version(2, agent("ann", 20, "second")));
  CHECK(c.find_agent({"p"}, {"ann"})->model == "second");
  CHECK(c.find_agent({"p"}, {"ann"}, 10)->model == "first");
  CHECK(c.find_agent({"p"}, {"ann"}, 20)->model == "second");
  CHECK(c.find_agent({"p"}, {"ann"}, 0)->model == "second");
  CHECK(c.find_agent({"p"}, {"ann"}, 99)->model == "second");
  CHECK(c.find_agent({"p"}, {"other"}, 10) == nullptr);
  c.stored->publish({"p"}, {"ann"}, version(1, agent("ann", 30, "late")));  // of a slower thread
  CHECK(c.find_agent({"p"}, {"ann"})->model == "second");
}

TEST_CASE("agents: a deleted one is not found and not listed, but runs that began with it go on") {
  auto c = with_file_agent();
  c.stored->publish({"p"}, {"ann"}, version(1, agent("ann", 10)));
  const auto run = c.find_agent({"p"}, {"ann"});
  c.stored->publish({"p"}, {"ann"}, version(2, nullptr));
  CHECK(c.find_agent({"p"}, {"ann"}) == nullptr);
  CHECK(ids(c) == std::vector<std::string>{"file"});
  CHECK(c.find_agent({"p"}, {"ann"}, 10) != nullptr);
  CHECK(c.stored->find({"p"}, {"ann"})->version == 2);
  CHECK(c.why_no_agent({"p"}, {"ann"}) == "Agent not found: ann");
}

TEST_CASE("agents: one that cannot be used says why") {
  auto c = with_file_agent();
  stored_agent broken;
  broken.version = 3;
  broken.problem = "/provider: there is no provider \"x\"";
  c.stored->publish({"p"}, {"ann"}, broken);
  CHECK(c.find_agent({"p"}, {"ann"}) == nullptr);
  CHECK(c.why_no_agent({}, {"ann"}) == "Agent ann is stored but cannot be used: /provider: there is no provider \"x\"");
}

TEST_CASE("agents: a former version stays in memory while something holds it, and no longer") {
  auto c = with_file_agent();
  std::weak_ptr<const agent_config> first;
  auto second = agent("ann", 2);
  {
    auto made = agent("ann", 1);
    first = made;
    c.stored->publish({"p"}, {"ann"}, version(1, std::move(made)));
  }
  c.stored->publish({"p"}, {"ann"}, version(2, second));
  CHECK(first.expired());
  for (std::uint32_t n = 3; n <= 2'000; ++n) c.stored->publish({"p"}, {"ann"}, version(n, agent("ann", n)));
  CHECK(c.stored->find_version({"p"}, {"ann"}, 1) == nullptr);
  CHECK(c.stored->find_version({"p"}, {"ann"}, 2) == second);
  CHECK(c.stored->find_version({"p"}, {"ann"}, 1'999) == nullptr);
}

TEST_CASE("agents: a former version that nobody holds is read from the source, once for all who hold it then") {
  auto c = with_file_agent();
  int asked = 0;
  c.stored->read_versions_from([&](const project_id& project, const agent_id& id, std::uint64_t hash) -> agent_ptr {
    ++asked;
    return project.str() == "p" && id.str() == "ann" && hash == 10 ? agent("ann", 11, "as the file prices it now") : nullptr;
  });
  c.stored->publish({"p"}, {"ann"}, version(2, agent("ann", 20)));
  CHECK(c.find_agent({"p"}, {"ann"}, 20)->hash == 20);
  CHECK(c.find_agent({"p"}, {"ann"})->hash == 20);
  CHECK(asked == 0);
  {
    auto one = c.find_agent({"p"}, {"ann"}, 10);
    CHECK(one->model == "as the file prices it now");
    CHECK(c.find_agent({"p"}, {"ann"}, 10) == one);
    CHECK(asked == 1);
  }
  CHECK(c.find_agent({"p"}, {"ann"}, 10) != nullptr);
  CHECK(asked == 2);
  CHECK(c.find_agent({"p"}, {"ann"}, 30)->hash == 20);  // never stored: the newest
  c.stored->read_versions_from({});
  CHECK(c.find_agent({"p"}, {"ann"}, 10)->hash == 20);
}

TEST_CASE("agents: many are published together: all appear, none takes the place of a later version") {
  auto c = with_file_agent();
  c.stored->publish({"p"}, {"zoe"}, version(5, agent("zoe", 50)));
  const auto before = c.stored->all();
  agent_catalogue::contents many;
  for (std::uint64_t n = 0; n < 3'000; ++n) {
    const auto id = "a" + std::to_string(n);
    many[{n % 2 == 0 ? "p" : "q"}][{id}] = version(1, agent(id, n + 100));
  }
  many[{"p"}][{"zoe"}] = version(4, agent("zoe", 40));
  c.stored->publish(std::move(many));
  CHECK(c.stored->of({"p"})->size() == 1'501);
  CHECK(c.stored->of({"q"})->size() == 1'500);
  CHECK(c.find_agent({"p"}, {"a2998"})->hash == 3'098);
  CHECK(c.find_agent({"p"}, {"zoe"})->hash == 50);
  CHECK(before->at({"p"}).size() == 1);  // what was handed out stays as it was
}

TEST_CASE("agents: what reads while it is written sees one version or the other, whole") {
  auto c = with_file_agent();
  c.stored->publish({"p"}, {"ann"}, version(1, agent("ann", 1, "1")));
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!is_over) {
      auto now = c.find_agent({"p"}, {"ann"});
      if (!now || now->model != std::to_string(now->hash) || now->hash < last) ++wrong;
      if (now) last = now->hash;
    }
  });
  for (std::uint32_t n = 2; n < 500; ++n) c.stored->publish({"p"}, {"ann"}, version(n, agent("ann", n, std::to_string(n))));
  is_over = true;
  reader.join();
  CHECK(wrong == 0);
}

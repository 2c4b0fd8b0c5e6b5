// What agents name in other parts of the file: tools, approvals of tools, other agents.
#include "app/configuration_fields.hpp"
#include "tools/tool.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace troupe::app {

using namespace core;

namespace {

/// Carried out by the agent loop; they come by themselves and are not listed.
constexpr std::array<std::string_view, 3> loop_tools{"read_output", "delegate", "handoff"};

const std::set<std::string, std::less<>>& builtin_names() {
  static const auto names = [] {
    std::set<std::string, std::less<>> out;
    if (auto box = tools::builtin_tools())
      for (const auto& t : box->all()) out.insert(t->spec().name);
    return out;
  }();
  return names;
}

/// `server` of `server.tool`.
std::string_view server_of(std::string_view name) { return name.substr(0, name.find('.')); }

bool is_server(const document& file, std::string_view name) {
  auto found = file.config.tools.find(std::string(name));
  return found != file.config.tools.end() && found->second.kind == "mcp";
}

void check_tool(const std::string& name, const std::string& at, const document& file) {
  if (is_builtin_tool(name) || name == "http_request" || file.config.tools.contains(name)) return;
  if (name == "read_output") throw fault{at, "every agent has \"read_output\"; leave it out"};
  if (name == "delegate" || name == "handoff")
    throw fault{at, "\"" + name + "\" comes with \"" + name + "s\", the list of agents; leave it out here"};
  auto dot = name.find('.');
  if (dot != std::string::npos && dot + 1 < name.size()) {
    if (is_server(file, server_of(name))) return;  // which tools it has is known when it runs
    throw fault{at, "there is no MCP server \"" + name.substr(0, std::min<std::size_t>(dot, 64)) + "\" in \"tools\""};
  }
  std::vector<std::string_view> names(builtin_names().begin(), builtin_names().end());
  names.emplace_back("http_request");
  for (const auto& t : file.config.tools) names.emplace_back(t.first);
  throw fault{at, "there is no tool \"" + name.substr(0, 64) + "\"; the nearest is \"" + std::string(nearest(name, names)) +
                      "\"; it is neither built in nor in \"tools\""};
}

/// Does the entry speak of something that the agent has?
bool speaks_of(const std::string& entry, const agent_config& agent, const document& file) {
  if (entry == "*") return true;
  if (entry == "delegate") return !agent.delegates.empty();
  if (entry == "handoff") return !agent.handoffs.empty();
  return std::any_of(agent.tools.begin(), agent.tools.end(), [&](const std::string& tool) {
    if (entry == tool) return true;
    bool one_is_the_server = entry == server_of(tool) || tool == server_of(entry);
    return one_is_the_server && is_server(file, server_of(entry));
  });
}

void check_agents(const std::vector<agent_id>& list, const agent_config& agent, const std::string& at, const document& file) {
  const auto& agents = file.agents.at(agent.project);
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto place = at + "/" + std::to_string(i);
    if (list[i] == agent.id) throw fault{place, "is the agent itself; name another one"};
    if (!agents.contains(list[i])) {
      std::string there;
      for (const auto& a : agents)
        if (a.first != agent.id) there += (there.empty() ? "" : ", ") + a.first.str();
      throw fault{place, "there is no agent \"" + list[i].str().substr(0, 64) +
                             "\" in this project (others there: " + (there.empty() ? "none" : there) + ")"};
    }
    if (std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), list[i]) !=
        list.begin() + static_cast<std::ptrdiff_t>(i))
      throw fault{place, "\"" + list[i].str() + "\" is listed twice"};
  }
}

}  // namespace

bool is_builtin_tool(std::string_view name) { return builtin_names().contains(name); }

bool is_loop_tool(std::string_view name) { return std::find(loop_tools.begin(), loop_tools.end(), name) != loop_tools.end(); }

void check_references(const agent_config& agent, const std::string& at, const document& file) {
  for (std::size_t i = 0; i < agent.tools.size(); ++i) {
    auto place = at + "/tools/" + std::to_string(i);
    check_tool(agent.tools[i], place, file);
    auto end = agent.tools.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(agent.tools.begin(), end, agent.tools[i]) != end)
      throw fault{place, "\"" + agent.tools[i] + "\" is listed twice"};
  }
  for (const auto& entry : agent.approval)
    if (!speaks_of(entry.first, agent, file))
      throw fault{at + "/approval/" + entry.first.substr(0, 100),
                  "the agent has no tool \"" + entry.first.substr(0, 64) + "\" in \"tools\""};
  auto provider = file.config.providers.find(agent.provider);
  const bool calls_tools = provider == file.config.providers.end() || provider->second.kind != "websocket";
  if (!calls_tools && !(agent.tools.empty() && agent.delegates.empty() && agent.handoffs.empty()))
    throw fault{at + "/provider",
                "a model behind a WebSocket calls no tools; leave out \"tools\", \"delegates\" and "
                "\"handoffs\", or name another provider"};
  check_agents(agent.delegates, agent, at + "/delegates", file);
  check_agents(agent.handoffs, agent, at + "/handoffs", file);
}

}  // namespace troupe::app

// Tables of `projects` and their agents.
#include "app/configuration_fields.hpp"
#include "tools/schema.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace troupe::app {

namespace json = boost::json;
using namespace core;

namespace {

void read_budget(const node& at, agent_limits& to, std::int64_t, std::int64_t) {
  to.budget = micro_usd::from_usd(at.number(0, 1'000'000));
}

json::value write_budget(const agent_limits& from) { return from.budget ? json::value(from.budget->usd()) : json::value(); }

constexpr std::array limit_fields{
    number<agent_limits, &agent_limits::max_steps>("max_steps", 1, 1'000),
    number<agent_limits, &agent_limits::max_output_tokens>("max_output_tokens", 1, 10'000'000),
    number<agent_limits, &agent_limits::max_queue>("max_queue", 0, 10'000),
    field<agent_limits>{"budget_usd", read_budget, write_budget},
    number<agent_limits, &agent_limits::approval_timeout>("approval_timeout_ms", 1, 52 * week_ms),
    number<agent_limits, &agent_limits::tool_timeout>("tool_timeout_ms", 1, 24 * hour_ms),
    number<agent_limits, &agent_limits::max_output_chars>("max_output_chars", 256, 4 << 20),
    number<agent_limits, &agent_limits::max_depth>("max_depth", 0, 10),
};

void read_tools(const node& at, agent_config& to, std::int64_t, std::int64_t) { to.tools = at.texts(max_entries); }

/// Ids of other agents.
template <auto Member>
constexpr field<agent_config> agents_list(std::string_view key) {
  return {key,
          [](const node& at, agent_config& to, std::int64_t, std::int64_t) {
            (to.*Member).clear();
            for (auto& id : at.texts(max_entries)) (to.*Member).push_back({std::move(id)});
          },
          [](const agent_config& from) -> json::value {
            json::array out;
            for (const auto& id : from.*Member) out.emplace_back(id.str());
            return out;
          }};
}

void read_on_busy(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 5> policies{"queue", "reject", "interrupt", "steer", "merge"};
  to.on_busy = *busy_policy_from(at.one_of(policies));
}

/// `T` has `alerts`.
template <class T>
constexpr field<T> alerts_field() {
  return {"alerts", [](const node& at, T& to, std::int64_t, std::int64_t) { to.alerts = percentages(at); },
          [](const T& from) -> json::value { return json::array(from.alerts.begin(), from.alerts.end()); }};
}

template <auto Member>
constexpr field<budget_config> budget_dollars(std::string_view key) {
  return {key,
          [](const node& at, budget_config& to, std::int64_t, std::int64_t) {
            to.*Member = micro_usd::from_usd(at.number(0, 1'000'000'000));
          },
          [](const budget_config& from) -> json::value {
            return from.*Member ? json::value((from.*Member)->usd()) : json::value();
          }};
}

constexpr std::array budget_fields{
    budget_dollars<&budget_config::daily>("daily_usd"),
    budget_dollars<&budget_config::monthly>("monthly_usd"),
    alerts_field<budget_config>(),
};

void read_inputs(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 3> kinds{"text", "image", "file"};
  bool has_text = false;
  to.takes_images = to.takes_files = false;
  std::size_t i = 0;
  for (const auto& item : at.array(kinds.size())) {
    auto kind = at.child(std::to_string(i++), item).one_of(kinds);
    has_text = has_text || kind == "text";
    to.takes_images = to.takes_images || kind == "image";
    to.takes_files = to.takes_files || kind == "file";
  }
  if (!has_text) at.fail("needs \"text\": every model takes it");
}

json::value write_inputs(const agent_config& from) {
  json::array out{"text"};
  if (from.takes_images) out.emplace_back("image");
  if (from.takes_files) out.emplace_back("file");
  return out;
}

constexpr std::size_t most_starters = 8;
constexpr std::size_t longest_starter = 300;

void refuse_blank(const node& at, const std::vector<std::string>& texts, const std::string& why) {
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (texts[i].find_first_not_of(" \t\r\n") == std::string::npos)
      at.child(std::to_string(i), at.value).fail("is blank; " + why);
}

void read_starters(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  to.starters.clear();
  for (const auto& item : at.array(most_starters))
    to.starters.push_back(at.child(std::to_string(to.starters.size()), item).text(longest_starter));
  refuse_blank(at, to.starters, "a starter is a message to send");
}

void read_stop(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  to.stop = at.texts(16);
  refuse_blank(at, to.stop, "no provider takes that as a stop sequence");
}

void read_effort(const node& at, agent_config& to, std::int64_t, std::int64_t) { to.reasoning_effort = at.text(32); }

void read_response_schema(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  to.response_schema = json::serialize(at.object());
  if (auto compiled = tools::schema::compile(to.response_schema); !compiled) at.fail(compiled.error().text);
}

json::value write_response_schema(const agent_config& from) {
  return from.response_schema.empty() ? json::value() : json::parse(from.response_schema);
}

constexpr std::array model_choice_fields{
    text<model_choice, &model_choice::provider>("provider"),
    text<model_choice, &model_choice::model>("model"),
};

void read_fallback(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  std::size_t i = 0;
  to.fallback.clear();
  for (const auto& item : at.array(8))
    read_fields<model_choice>(at.child(std::to_string(i++), item), to.fallback.emplace_back(), model_choice_fields);
}

json::value write_fallback(const agent_config& from) {
  json::array out;
  for (const auto& choice : from.fallback) out.push_back(write_fields<model_choice>(choice, model_choice_fields));
  return out;
}

/// One of `Words`, which stand in the order of the enum.
template <auto Member, const auto& Words>
constexpr field<agent_config> word(std::string_view key) {
  return {
      key,
      [](const node& at, agent_config& to, std::int64_t, std::int64_t) {
        auto found = std::find(Words.begin(), Words.end(), at.one_of(Words));
        to.*Member = static_cast<std::remove_cvref_t<decltype(to.*Member)>>(found - Words.begin());
      },
      [](const agent_config& from) -> json::value { return json::value(Words.at(static_cast<std::size_t>(from.*Member))); }};
}

constexpr std::array<std::string_view, 3> context_policies{"none", "truncate", "compact"};
constexpr std::array<std::string_view, 3> title_sources{"first_words", "model", "none"};

constexpr std::array context_fields{
    number<agent_config, &agent_config::context_tokens>("tokens", 0, 1'000'000'000),
    word<&agent_config::context, context_policies>("policy"),
};

constexpr auto whole_agent = [](auto& a) -> auto& { return a; };

// Not constexpr: one of the fields is made elsewhere.
const std::array agent_table{
    text<agent_config, &agent_config::name>("name"),
    text<agent_config, &agent_config::description>("description"),
    field<agent_config>{"starters", read_starters,
                        [](const agent_config& a) -> json::value { return json::array(a.starters.begin(), a.starters.end()); }},
    text<agent_config, &agent_config::provider>("provider"),
    text<agent_config, &agent_config::model>("model"),
    text<agent_config, &agent_config::instructions>("instructions"),
    field<agent_config>{"tools", read_tools,
                        [](const agent_config& a) -> json::value { return json::array(a.tools.begin(), a.tools.end()); }},
    approval_field(),
    agents_list<&agent_config::delegates>("delegates"),
    agents_list<&agent_config::handoffs>("handoffs"),
    field<agent_config>{"on_busy", read_on_busy,
                        [](const agent_config& a) -> json::value { return json::value(to_string(a.on_busy)); }},
    object<agent_config, &agent_config::limits, limit_fields>("limits"),
    alerts_field<agent_config>(),
    field<agent_config>{"inputs", read_inputs, write_inputs},
    object<agent_config, &agent_config::spending, budget_fields>("budget"),
    field<agent_config>{
        "temperature", [](const node& at, agent_config& to, std::int64_t, std::int64_t) { to.temperature = at.number(0, 2); },
        [](const agent_config& a) -> json::value { return a.temperature ? json::value(*a.temperature) : json::value(); }},
    field<agent_config>{"stop", read_stop,
                        [](const agent_config& a) -> json::value { return json::array(a.stop.begin(), a.stop.end()); }},
    field<agent_config>{"reasoning_effort", read_effort,
                        [](const agent_config& a) -> json::value { return json::value(a.reasoning_effort); }},
    field<agent_config>{"response_schema", read_response_schema, write_response_schema},
    field<agent_config>{"fallback", read_fallback, write_fallback},
    object<agent_config, whole_agent, context_fields>("context"),
    word<&agent_config::titles, title_sources>("titles"),
};

struct project_draft {
  project_config config;
  std::map<agent_id, agent_config> agents;
};

void read_agents(const node& at, project_draft& to, std::int64_t, std::int64_t) {
  each_entry(at, [&](std::string name, const node& entry) {
    agent_config agent;
    agent.id.value = agent.name = name;
    agent.project = to.config.id;
    read_fields<agent_config>(entry, agent, agent_table);
    to.agents[agent.id] = std::move(agent);
  });
}

json::value write_agents(const project_draft& from) {
  json::object out;
  for (const auto& [id, agent] : from.config.agents) {
    auto fields = write_fields<agent_config>(*agent, agent_table);
    fields["price"] = agent->price ? json::value(price_to_json(*agent->price)) : json::value();
    out[id.str()] = std::move(fields);
  }
  return out;
}

constexpr auto project_name = [](auto& p) -> auto& { return p.config.name; };
constexpr auto default_agent = [](auto& p) -> auto& { return p.config.default_agent; };
constexpr auto spending = [](auto& p) -> auto& { return p.config.spending; };

constexpr std::array project_fields{
    text<project_draft, project_name>("name"),
    text<project_draft, default_agent>("default_agent"),
    object<project_draft, spending, budget_fields>("budget"),
    field<project_draft>{
        "agents", read_agents, write_agents,
        [](const std::string& at, std::vector<std::string>& out) { list_fields<agent_config>(at + "/*", agent_table, out); }},
};

void read_projects(const node& at, document& to, std::int64_t, std::int64_t) {
  each_entry(at, [&](std::string name, const node& entry) {
    project_draft draft;
    draft.config.id.value = draft.config.name = name;
    read_fields<project_draft>(entry, draft, project_fields);
    to.agents[draft.config.id] = std::move(draft.agents);
    to.config.projects[draft.config.id] = std::move(draft.config);
  });
}

json::value write_projects(const document& from) {
  json::object out;
  for (const auto& [id, project] : from.config.projects)
    out[id.str()] = write_fields<project_draft>({project, {}}, project_fields);
  return out;
}

}  // namespace

field<document> projects_field() {
  return {"projects", read_projects, write_projects, [](const std::string& at, std::vector<std::string>& out) {
            list_fields<project_draft>(at + "/*", project_fields, out);
          }};
}

std::span<const field<agent_config>> agent_fields() { return agent_table; }

std::vector<std::int32_t> percentages(const node& at) {
  std::vector<std::int32_t> out;
  std::size_t i = 0;
  for (const auto& item : at.array(20)) {
    auto entry = at.child(std::to_string(i++), item);
    auto percent = static_cast<std::int32_t>(entry.whole(1, 1'000));
    if (!out.empty() && percent <= out.back()) entry.fail("percentages must grow from one to the next");
    out.push_back(percent);
  }
  return out;
}

json::object price_to_json(const token_price& price) {
  return {{"input_nano", price.input_nano}, {"cached_input_nano", price.cached_input_nano}, {"output_nano", price.output_nano}};
}

}  // namespace troupe::app

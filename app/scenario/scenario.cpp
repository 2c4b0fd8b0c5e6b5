#include "app/scenario/scenario.hpp"

#include "app/configuration.hpp"
#include "providers/script.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_steps = 200'000;

/// The agent has the tools of the recording.
void use_recorded(const recorded_calls& calls, core::config& config) {
  auto& agents = config.projects.at({std::string(scenario_project)}).agents;
  auto agent = *agents.at({std::string(scenario_agent)});
  for (const auto& tool : calls.tools) agent.tools.push_back(tool.name);
  for (const auto& [tool, approval] : calls.approval) agent.approval.insert_or_assign(tool, approval);
  agent.hash = hash_of(agent);
  agents.at({std::string(scenario_agent)}) = std::make_shared<const core::agent_config>(std::move(agent));
}

/// The provider of a recording tries as often as the recorded one did, and never rests.
json::object provider_of(const node& root, json::object script) {
  json::object out{{"kind", "scripted"}, {"script", std::move(script)}};
  std::size_t most = 0;
  if (const auto* model = root.object().at("model").if_object())
    if (const auto* exchanges = model->if_contains("exchanges"); exchanges && exchanges->is_array())
      for (const auto& exchange : exchanges->get_array())
        if (const auto* e = exchange.if_object())
          if (const auto* failed = e->if_contains("failed"); failed && failed->is_array())
            most = std::max(most, failed->get_array().size());
  if (most == 0) return out;
  out["max_retries"] = std::min(most, providers::max_failed_attempts);
  out["breaker"] = json::object{{"failures", 0}};
  return out;
}

/// The configuration file that says the same: its reader checks the agent.
core::config_ptr make_config(const node& root, const recorded_calls* calls, const std::string& file) {
  auto part = [&](std::string_view key) {
    const auto* value = root.object().if_contains(key);
    if (value && !value->is_object()) root.child(key, *value).expected("an object");
    return value ? value->get_object() : json::object{};
  };
  if (!root.object().contains("model")) root.fail("needs \"model\", the script of the model (docs/scripted.md)");
  auto script = part("model");
  if (script.contains("exchanges")) {
    // Played by providers/recorded.hpp; its reader checks them.
    if (script.size() != 1) root.child("model", root.object().at("model")).fail("has \"exchanges\" and a script; keep one");
    script = {{"otherwise", json::array{}}};
  }
  if (auto checked = providers::parse_script(json::serialize(script)); !checked)
    throw fault{"/model" + checked.error().text.substr(0, checked.error().text.find(':')),
                checked.error().text.substr(std::min(checked.error().text.size(), checked.error().text.find(':') + 2))};
  auto agent = part("agent");
  for (auto fixed : {"provider", "model"})
    if (const auto* value = agent.if_contains(fixed))
      root.child("agent", *value).child(fixed, *value).fail("is given: every scenario has one scripted model");
  // Tools of a recording are in no list of ours.
  if (root.object().contains("tools")) agent.erase("tools");
  // A title is no part of what is shown, unless the scenario says so.
  if (!agent.contains("titles")) agent["titles"] = "none";
  agent["provider"] = scenario_provider;
  agent["model"] = "scripted";
  json::object document{{"default_project", scenario_project},
                        {"providers", {{scenario_provider, provider_of(root, std::move(script))}}},
                        {"projects", {{scenario_project, {{"agents", {{scenario_agent, std::move(agent)}}}}}}}};
  if (root.object().contains("price"))
    document["prices"] = json::object{{std::string(scenario_provider) + "/scripted", part("price")}};
  auto config = parse_configuration(json::serialize(document), file, [](const std::string&) { return std::nullopt; });
  if (config && calls) use_recorded(*calls, *config);
  if (config) return std::make_shared<const core::config>(std::move(*config));
  auto text = config.error().text.substr(file.size() + 2);
  for (auto [long_path, path] : {std::pair<std::string, std::string>{"/projects/scenario/agents/agent", "/agent"},
                                 {"/prices/model~1scripted", "/price"}})
    if (text.starts_with(long_path)) text = path + text.substr(long_path.size());
  auto colon = std::min(text.size(), text.find(": "));
  throw fault{text.substr(0, colon), text.substr(std::min(text.size(), colon + 2))};
}

json::value read_json(std::string_view text) {
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  json::parser parser({}, options);
  boost::system::error_code failure;
  auto good = std::min(parser.write_some(text.data(), text.size(), failure), text.size());
  if (!failure && good < text.size()) failure = make_error_code(json::error::extra_data);
  if (failure) {
    auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(good), '\n');
    throw fault{"line " + std::to_string(line), "is not JSON: " + failure.message()};
  }
  return parser.release();
}

scenario read_scenario(const json::value& value, std::string_view text, const std::vector<int>& lines,
                       const std::string& file) {
  node root{value, {}};
  allow_only(root, {"scenario", "tags", "recorded", "agent", "model", "price", "tools", "results", "ignore", "skip", "steps"});
  auto child = [&](std::string_view key) -> std::optional<node> {
    const auto* v = root.object().if_contains(key);
    if (!v) return std::nullopt;
    return root.child(key, *v);
  };
  scenario out;
  out.file = file;
  auto title = child("scenario");
  if (!title) root.fail("needs \"scenario\", a sentence that says what is shown");
  out.title = title->text(500);
  if (auto tags = child("tags")) out.tags = tags->texts(20);
  if (auto ignore = child("ignore")) {
    out.ignore = ignore->texts(event_kinds().size());
    std::size_t i = 0;
    for (const auto& kind : ignore->value.get_array()) (void)ignore->child(std::to_string(i++), kind).one_of(event_kinds());
  }
  if (auto skip = child("skip")) {
    allow_only(*skip, {"restart", "crash", "url"});
    for (const auto& member : skip->object()) out.skip[member.key()] = skip->child(member.key(), member.value()).text(500);
  }
  if (auto recorded = child("recorded")) (void)recorded->object();
  auto tools = child("tools");
  auto results = child("results");
  if (tools.has_value() != results.has_value()) root.fail("\"tools\" and \"results\" of a recording belong together");
  if (tools) {
    std::vector<int> result_lines;
    for (const auto& place : providers::item_places(text, {"results"})) result_lines.push_back(place.line);
    auto calls = std::make_shared<recorded_calls>();
    calls->file = file;
    read_tools(*tools, *calls);
    calls->results = read_results(*results, result_lines);
    if (auto box = recorded_toolbox(calls); !box) tools->fail(box.error().text);
    out.calls = std::move(calls);
  }
  out.config = make_config(root, out.calls.get(), file);
  auto steps = child("steps");
  if (!steps) root.fail("needs \"steps\"");
  std::size_t i = 0;
  for (const auto& item : steps->array(max_steps)) {
    out.steps.push_back(read_step(steps->child(std::to_string(i), item)));
    out.steps.back().line = i < lines.size() ? lines[i] : 0;
    ++i;
  }
  auto expects = [](const scenario_step& s) {
    return s.verb == step_verb::expect || s.verb == step_verb::reply || is_assertion(s.verb);
  };
  if (std::none_of(out.steps.begin(), out.steps.end(), expects)) steps->fail("no step expects anything");
  return out;
}

/// `/steps/7/…` stands on the line of step 7.
int line_of(const std::string& pointer, const std::vector<int>& lines) {
  constexpr std::string_view prefix = "/steps/";
  if (!pointer.starts_with(prefix)) return 0;
  std::size_t i = 0;
  std::from_chars(pointer.data() + prefix.size(), pointer.data() + pointer.size(), i);
  return i < lines.size() ? lines[i] : 0;
}

}  // namespace

std::vector<int> step_lines(std::string_view text) {
  std::vector<int> out;
  for (const auto& place : providers::item_places(text, {"steps"})) out.push_back(place.line);
  return out;
}

core::result<scenario> parse_scenario(std::string_view text, std::string file) {
  std::vector<int> lines;
  try {
    auto value = read_json(text);
    lines = step_lines(text);
    auto out = read_scenario(value, text, lines, file);
    if (const auto& model = value.get_object().at("model").get_object(); model.contains("exchanges")) {
      auto recording = providers::parse_recording(text, file);
      if (!recording) return recording.error();
      out.recording = std::move(*recording);
    }
    return out;
  } catch (const fault& f) {
    auto line = line_of(f.pointer, lines);
    return error{errc::configuration_error, file + (line > 0 ? ":" + std::to_string(line) : "") + ": " +
                                                (f.pointer.empty() ? "at the top" : f.pointer) + ": " + f.text};
  }
}

core::result<std::string> read_scenario_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::string block(64 << 10, '\0');
  while (in && text.size() <= max_scenario_bytes) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    text.append(block, 0, static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  }
  if (text.empty()) return error{errc::configuration_error, file + ": cannot be read, or is empty"};
  if (text.size() > max_scenario_bytes)
    return error{errc::configuration_error, file + ": is larger than " + std::to_string(max_scenario_bytes) + " bytes"};
  return text;
}

core::result<scenario> load_scenario(const std::string& file) {
  auto text = read_scenario_file(file);
  if (!text) return text.error();
  return parse_scenario(*text, file);
}

}  // namespace troupe::app

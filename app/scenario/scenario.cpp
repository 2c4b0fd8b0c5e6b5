#include "app/scenario/scenario.hpp"

#include "app/configuration.hpp"
#include "app/json_fields.hpp"
#include "app/scenario/match.hpp"
#include "providers/script.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_scenario_bytes = 1 << 20;
constexpr std::size_t max_steps = 10'000;
constexpr std::int64_t longest_advance_ms = 366LL * 24 * 3'600'000;

constexpr std::array<std::string_view, 6> verb_names{"send", "reply", "expect", "advance_ms", "restart", "crash"};

using words = std::vector<std::string_view>;

template <std::size_t... I>
words kinds_of(std::index_sequence<I...>) {
  return {core::kind_of(core::event_payload(std::in_place_index<I>))...};
}
const words& kinds() {
  static const words all = kinds_of(std::make_index_sequence<std::variant_size_v<core::event_payload>>());
  return all;
}

void only(const node& at, const words& allowed) {
  for (const auto& member : at.object())
    if (std::find(allowed.begin(), allowed.end(), member.key()) == allowed.end()) unknown_key(at, member.key(), allowed);
}

std::string list_of(const words& all) {
  std::string out;
  for (auto word : all) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

/// A text, or a variable's name.
void must_be_text(const node& at) { (void)at.text(max_scenario_bytes); }

void must_be_true(const node& at) {
  if (!at.boolean()) at.fail("expected true");
}

void check_send(const node& at) {
  struct command {
    std::string_view verb;
    words allowed;
    bool may_be_true = false;
  };
  static const std::array<command, 6> commands{{{"message", {"message", "id", "on_busy"}},
                                                {"approve", {"approve", "note", "edited_input"}, true},
                                                {"deny", {"deny", "note"}, true},
                                                {"cancel", {"cancel"}, true},
                                                {"dequeue", {"dequeue"}},
                                                {"status", {"status"}}}};
  words known;
  for (const auto& c : commands) {
    known.push_back(c.verb);
    const auto* value = at.object().if_contains(c.verb);
    if (!value) continue;
    only(at, c.allowed);
    for (const auto& member : at.object()) {
      auto child = at.child(member.key(), member.value());
      if (member.key() == "edited_input") continue;
      if (member.key() == c.verb && c.may_be_true && member.value().is_bool())
        must_be_true(child);
      else
        must_be_text(child);
    }
    if (c.verb == "status" && !core::session_status_from(value->get_string()))
      at.child("status", *value).fail("expected one of active, paused, closed, deleted");
    if (const auto* busy = at.object().if_contains("on_busy"); busy && !core::busy_policy_from(busy->get_string()))
      at.child("on_busy", *busy).fail("expected one of queue, reject, interrupt, steer, merge");
    return;
  }
  at.fail("a command needs one of: " + list_of(known));
}

void check_expectation(const node& at) {
  if (auto wrong = defect_in(at.value)) at.child(wrong->path, at.value).fail(wrong->text);
}

void check_body(step_verb verb, const node& at) {
  switch (verb) {
    case step_verb::send:
      return check_send(at);
    case step_verb::advance:
      return void(at.whole(0, longest_advance_ms));
    case step_verb::restart:
      return must_be_true(at);
    case step_verb::reply:
      only(at, {"done", "created", "run", "message", "position", "approval", "decision", "by", "note", "won", "error", "text"});
      return check_expectation(at);
    case step_verb::expect: {
      const auto* kind = at.object().if_contains("kind");
      if (!kind) at.fail("needs \"kind\", one of: " + list_of(kinds()));
      (void)at.child("kind", *kind).one_of(kinds());
      return check_expectation(at);
    }
    case step_verb::crash:
      if (at.value.is_bool()) return must_be_true(at);
      only(at, {"before"});
      if (const auto* kind = at.object().if_contains("before")) return void(at.child("before", *kind).one_of(kinds()));
      at.fail("expected true, or {\"before\": kind of an event}");
  }
}

scenario_step read_step(const node& at) {
  static const words verbs(verb_names.begin(), verb_names.end());
  scenario_step out;
  std::size_t found = 0;
  for (const auto& member : at.object()) {
    if (member.key() == "as") continue;
    auto verb = std::find(verbs.begin(), verbs.end(), member.key());
    if (verb == verbs.end()) unknown_key(at, member.key(), verbs);
    ++found;
    out.verb = static_cast<step_verb>(verb - verbs.begin());
    out.body = member.value();
    check_body(out.verb, at.child(member.key(), member.value()));
  }
  if (found != 1) at.fail("a step has one of: " + list_of(verbs));
  if (const auto* as = at.object().if_contains("as")) {
    if (out.verb != step_verb::send) at.child("as", *as).fail("only a \"send\" has a sender");
    out.as = at.child("as", *as).text(256);
  }
  return out;
}

/// The configuration file that says the same: its reader checks the agent.
core::config_ptr make_config(const node& root, const std::string& file) {
  auto part = [&](std::string_view key) {
    const auto* value = root.object().if_contains(key);
    if (value && !value->is_object()) root.child(key, *value).expected("an object");
    return value ? value->get_object() : json::object{};
  };
  if (!root.object().contains("model")) root.fail("needs \"model\", the script of the model (docs/scripted.md)");
  auto script = part("model");
  if (auto checked = providers::parse_script(json::serialize(script)); !checked)
    throw fault{"/model" + checked.error().text.substr(0, checked.error().text.find(':')),
                checked.error().text.substr(std::min(checked.error().text.size(), checked.error().text.find(':') + 2))};
  auto agent = part("agent");
  for (auto fixed : {"provider", "model"})
    if (const auto* value = agent.if_contains(fixed))
      root.child("agent", *value).child(fixed, *value).fail("is given: every scenario has one scripted model");
  agent["provider"] = scenario_provider;
  agent["model"] = "scripted";
  json::object document{{"default_project", scenario_project},
                        {"providers", {{scenario_provider, {{"kind", "scripted"}, {"script", std::move(script)}}}}},
                        {"projects", {{scenario_project, {{"agents", {{scenario_agent, std::move(agent)}}}}}}}};
  if (root.object().contains("price"))
    document["prices"] = json::object{{std::string(scenario_provider) + "/scripted", part("price")}};
  auto config = parse_configuration(json::serialize(document), file, [](const std::string&) { return std::nullopt; });
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

scenario read_scenario(const json::value& value, const std::vector<int>& lines, const std::string& file) {
  node root{value, {}};
  only(root, {"scenario", "tags", "agent", "model", "price", "ignore", "skip", "steps"});
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
    out.ignore = ignore->texts(kinds().size());
    std::size_t i = 0;
    for (const auto& kind : ignore->value.get_array()) (void)ignore->child(std::to_string(i++), kind).one_of(kinds());
  }
  if (auto skip = child("skip")) {
    only(*skip, {"restart"});
    for (const auto& member : skip->object()) out.skip[member.key()] = skip->child(member.key(), member.value()).text(500);
  }
  out.config = make_config(root, file);
  auto steps = child("steps");
  if (!steps) root.fail("needs \"steps\"");
  std::size_t i = 0;
  for (const auto& item : steps->array(max_steps)) {
    out.steps.push_back(read_step(steps->child(std::to_string(i), item)));
    out.steps.back().line = i < lines.size() ? lines[i] : 0;
    ++i;
  }
  auto expects = [](const scenario_step& s) { return s.verb == step_verb::expect || s.verb == step_verb::reply; };
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

std::string_view to_string(step_verb v) noexcept { return verb_names[static_cast<std::size_t>(v) % verb_names.size()]; }

core::result<scenario> parse_scenario(std::string_view text, std::string file) {
  std::vector<int> lines;
  try {
    auto value = read_json(text);
    lines = step_lines(text);
    return read_scenario(value, lines, file);
  } catch (const fault& f) {
    auto line = line_of(f.pointer, lines);
    return error{errc::configuration_error, file + (line > 0 ? ":" + std::to_string(line) : "") + ": " +
                                                (f.pointer.empty() ? "at the top" : f.pointer) + ": " + f.text};
  }
}

core::result<scenario> load_scenario(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(max_scenario_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  if (text.empty()) return error{errc::configuration_error, file + ": cannot be read, or is empty"};
  if (text.size() > max_scenario_bytes)
    return error{errc::configuration_error, file + ": is larger than " + std::to_string(max_scenario_bytes) + " bytes"};
  return parse_scenario(text, file);
}

}  // namespace troupe::app

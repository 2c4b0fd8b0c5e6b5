// Tables of `tools`: commands, programs, HTTP endpoints and MCP servers that agents may use.
#include "app/configuration_fields.hpp"
#include "tools/schema.hpp"
#include "tools/tool.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace troupe::app {

namespace json = boost::json;
using namespace core;

namespace {

constexpr std::size_t max_values = 100;  ///< variables or headers of one tool
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::string_view masked = "***";

struct tool_draft {
  tool_config config;
  std::vector<tool_variable> variables;
};

// ---- kinds and their keys ----

enum kind_bit : unsigned { command = 1, program = 2, http = 4, http_request = 8, mcp = 16, every = 31 };
constexpr std::array<std::string_view, 5> kind_names{"command", "program", "http", "http_request",
                                                     "mcp"};  // in the order of the bits

struct key_rule {
  std::string_view key;
  unsigned kinds;
};
constexpr std::array key_rules{key_rule{"kind", every},
                               key_rule{"description", every & ~mcp},
                               key_rule{"parameters", program | http},
                               key_rule{"effect", every},
                               key_rule{"time_limit_ms", every},
                               key_rule{"approval", every},
                               key_rule{"risk", every},
                               key_rule{"programs", command},
                               key_rule{"command", program | mcp},
                               key_rule{"environment", command | program | mcp},
                               key_rule{"sandbox", command | program},
                               key_rule{"network", command | program},
                               key_rule{"cpu_limit_ms", command | program},
                               key_rule{"memory_bytes", command | program},
                               key_rule{"processes", command | program},
                               key_rule{"output_bytes", every & ~mcp},
                               key_rule{"url", http | mcp},
                               key_rule{"method", http},
                               key_rule{"methods", http_request},
                               key_rule{"headers", http | mcp},
                               key_rule{"body", http},
                               key_rule{"hosts", http_request},
                               key_rule{"allow_private", http | http_request},
                               key_rule{"ca_file", http | http_request | mcp},
                               key_rule{"start_timeout_ms", mcp}};

unsigned bit_of(std::string_view kind) {
  auto found = std::find(kind_names.begin(), kind_names.end(), kind);
  return found == kind_names.end() ? 0U : 1U << static_cast<unsigned>(found - kind_names.begin());
}

bool has_key(unsigned kind, std::string_view key) {
  return std::any_of(key_rules.begin(), key_rules.end(), [&](const auto& r) { return r.key == key && (r.kinds & kind) != 0; });
}

/// A key that the table knows must be one of the kind; others are left to the table.
void check_keys(const node& entry, const std::string& kind) {
  auto bit = bit_of(kind);
  for (const auto& member : entry.object()) {
    bool is_known = has_key(every, member.key());
    if (!is_known || has_key(bit, member.key()) || member.value().is_null()) continue;
    std::string keys;
    for (const auto& rule : key_rules)
      if ((rule.kinds & bit) != 0) keys += (keys.empty() ? "" : ", ") + std::string(rule.key);
    entry.child(member.key(), member.value()).fail("a tool of kind \"" + kind + "\" has no such key; its keys are " + keys);
  }
}

// ---- values ----

void read_kind(const node& at, tool_draft& to, std::int64_t, std::int64_t) { to.config.kind = at.one_of(kind_names); }

void read_parameters(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  to.config.parameters = json::serialize(at.object());
  if (auto compiled = tools::schema::compile(to.config.parameters); !compiled) at.fail(compiled.error().text);
}

json::value write_parameters(const tool_draft& from) {
  return from.config.parameters.empty() ? json::value() : json::parse(from.config.parameters);
}

void read_effect(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 3> effects{"read_only", "idempotent", "once"};
  to.config.effect = effect_from(at.one_of(effects));
}

/// What starts without a shell. A relative path would be one in the workspace, where models write.
void check_program(const node& at, const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos) at.fail("expected the name of a program");
  if (name.find('/') != std::string::npos && !name.starts_with('/'))
    at.fail("expected a plain name such as git, or an absolute path");
}

void read_programs(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  to.config.programs = at.texts(max_entries);
  for (std::size_t i = 0; i < to.config.programs.size(); ++i)
    check_program(at.child(std::to_string(i), at.value), to.config.programs[i]);
}

void read_command(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  to.config.command = at.texts(max_values);
  if (to.config.command.empty()) at.fail("expected a list: a program and its arguments");
  check_program(at.child("0", at.value), to.config.command.front());
}

bool is_one_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

/// Names and values; a value is text, or { "env": "NAME" } for one that our own environment holds.
template <auto Member, bool IsHeader>
void read_values(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  if (at.object().size() > max_values) at.fail("has more than " + std::to_string(max_values) + " entries");
  for (const auto& member : at.object()) {
    auto entry = at.child(member.key(), member.value());
    std::string name(member.key());
    constexpr std::string_view marks = IsHeader ? "!#$%&'*+-.^_`|~" : "_";  // RFC 9110 §5.6.2
    bool is_good = !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             marks.find(c) != std::string_view::npos;
    });
    if (!is_good) entry.fail(IsHeader ? "is not the name of a header" : "is not the name of an environment variable");
    if (entry.value.is_object()) {
      const auto* variable = entry.object().if_contains("env");
      if (!variable || entry.object().size() != 1)
        entry.fail("expected a text, or { \"env\": \"NAME\" } with the variable that holds it");
      to.variables.push_back({entry.pointer, {}, IsHeader, name, variable_name(entry.child("env", *variable))});
    } else {
      auto value = entry.text();
      // Not repeated: it may be a secret.
      if (IsHeader ? !is_one_line(value) : value.find('\0') != std::string::npos)
        entry.fail("holds characters that it may not");
      (to.config.*Member)[name] = std::move(value);
    }
  }
}

template <auto Member>
json::value write_values(const tool_draft& from) {
  json::object out;
  for (const auto& value : from.config.*Member) out[value.first] = masked;
  return out;
}

void read_url(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  auto url = at.text(2048);
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    at.fail("expected a URL that begins with http:// or https://");
  auto host = std::string_view(url).substr(url.find("://") + 3);
  if (host.substr(0, host.find_first_of("/?#")).find('@') != std::string_view::npos)
    at.fail("must not hold a name and password; use \"headers\" with { \"env\": \"NAME\" }");
  if (!is_one_line(url)) at.fail("must be one line");
  to.config.url = std::move(url);
}

constexpr std::array<std::string_view, 7> methods{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"};

void read_methods(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  to.config.methods.clear();
  std::size_t i = 0;
  for (const auto& item : at.array(methods.size()))
    to.config.methods.push_back(at.child(std::to_string(i++), item).one_of(methods));
}

void read_hosts(const node& at, tool_draft& to, std::int64_t, std::int64_t) {
  to.config.hosts = at.texts(max_entries);
  for (std::size_t i = 0; i < to.config.hosts.size(); ++i) {
    std::string_view host = to.config.hosts[i];
    if (host.starts_with("*.")) host.remove_prefix(2);
    if (host.empty() || host.find_first_of("/*@? \t\r\n") != std::string_view::npos)
      at.child(std::to_string(i), at.value).fail("expected the name of a host such as api.example.org or *.example.org");
  }
}

json::value list_of(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

// ---- the table ----

template <auto Member>
constexpr auto of = [](auto& draft) -> auto& {
  return draft.config.*Member;
};

template <auto Member>
constexpr field<tool_draft> whole_number(std::string_view key, std::int64_t least, std::int64_t most) {
  return number<tool_draft, of<Member>>(key, least, most);
}

template <auto Member>
constexpr field<tool_draft> limited_text(std::string_view key) {
  return {key, [](const node& at, tool_draft& to, std::int64_t, std::int64_t) { to.config.*Member = at.text(16 << 10); },
          [](const tool_draft& from) -> json::value { return json::value(from.config.*Member); }};
}

constexpr std::array tool_table{
    field<tool_draft>{"kind", read_kind, [](const tool_draft& t) -> json::value { return json::value(t.config.kind); }},
    limited_text<&tool_config::description>("description"),
    field<tool_draft>{"parameters", read_parameters, write_parameters},
    field<tool_draft>{"effect", read_effect,
                      [](const tool_draft& t) -> json::value {
                        return t.config.effect ? json::value(to_string(*t.config.effect)) : json::value();
                      }},
    field<tool_draft>{"time_limit_ms",
                      [](const node& at, tool_draft& to, std::int64_t least, std::int64_t most) {
                        to.config.time_limit = milliseconds(at.whole(least, most));
                      },
                      [](const tool_draft& t) -> json::value {
                        return t.config.time_limit ? json::value(t.config.time_limit->count()) : json::value();
                      },
                      nullptr, 1, day_ms},
    field<tool_draft>{"approval",
                      [](const node& at, tool_draft& to, std::int64_t, std::int64_t) { to.config.approval = read_policy(at); },
                      [](const tool_draft& t) -> json::value {
                        return t.config.approval ? json::value(policy_name(*t.config.approval)) : json::value();
                      }},
    field<tool_draft>{
        "risk", [](const node& at, tool_draft& to, std::int64_t, std::int64_t) { to.config.risk = read_risk(at); },
        [](const tool_draft& t) -> json::value { return t.config.risk.empty() ? json::value() : json::value(t.config.risk); }},
    field<tool_draft>{"programs", read_programs, [](const tool_draft& t) -> json::value { return list_of(t.config.programs); }},
    field<tool_draft>{"command", read_command, [](const tool_draft& t) -> json::value { return list_of(t.config.command); }},
    field<tool_draft>{"environment", read_values<&tool_config::environment, false>, write_values<&tool_config::environment>},
    flag<tool_draft, of<&tool_config::sandbox>>("sandbox"),
    flag<tool_draft, of<&tool_config::network>>("network"),
    whole_number<&tool_config::cpu_limit>("cpu_limit_ms", 0, day_ms),
    whole_number<&tool_config::memory_bytes>("memory_bytes", 0, std::int64_t{1} << 40),
    whole_number<&tool_config::processes>("processes", 0, 100'000),
    whole_number<&tool_config::output_bytes>("output_bytes", 1, tools::max_output_bytes),
    field<tool_draft>{"url", read_url, [](const tool_draft& t) -> json::value { return json::value(t.config.url); }},
    field<tool_draft>{"method",
                      [](const node& at, tool_draft& to, std::int64_t, std::int64_t) { to.config.method = at.one_of(methods); },
                      [](const tool_draft& t) -> json::value { return json::value(t.config.method); }},
    field<tool_draft>{"methods", read_methods, [](const tool_draft& t) -> json::value { return list_of(t.config.methods); }},
    field<tool_draft>{"headers", read_values<&tool_config::headers, true>, write_values<&tool_config::headers>},
    field<tool_draft>{
        "body", [](const node& at, tool_draft& to, std::int64_t, std::int64_t) { to.config.body = json::serialize(at.value); },
        [](const tool_draft& t) -> json::value { return t.config.body.empty() ? json::value() : json::parse(t.config.body); }},
    field<tool_draft>{"hosts", read_hosts, [](const tool_draft& t) -> json::value { return list_of(t.config.hosts); }},
    flag<tool_draft, of<&tool_config::allow_private>>("allow_private"),
    limited_text<&tool_config::ca_file>("ca_file"),
    whole_number<&tool_config::start_timeout>("start_timeout_ms", 1, hour_ms),
};

/// Providers take letters, digits, `_` and `-`; a dot stands between an MCP server and its tool.
void check_name(const node& at, const node& entry, std::string_view name) {
  if (name.find('.') != std::string_view::npos || name_of(at, name).empty())
    entry.fail("the name of a tool has 1 to 64 letters, digits, `_` or `-`, and no dots");
  if (is_builtin_tool(name) || is_loop_tool(name)) entry.fail("is the name of a built-in tool; choose another");
}

void finish_tool(const node& entry, const std::string& name, tool_config& t) {
  if (t.kind.empty()) entry.fail("needs a \"kind\": command, program, http, http_request or mcp");
  auto needs = [&](bool is_there, const char* text) {
    if (!is_there) entry.fail(text);
  };
  if ((t.kind == "http_request") != (name == "http_request"))
    entry.fail(
        "the kind http_request configures the built-in tool \"http_request\" and goes with that name only; an endpoint of your "
        "own is of kind http");
  if (t.kind == "command") needs(!t.programs.empty(), "needs \"programs\", the list of those that may be run");
  if (t.kind == "program") needs(!t.command.empty(), "needs a \"command\": a program and its arguments");
  if (t.kind == "http") needs(!t.url.empty(), "needs a \"url\"");
  if (t.kind == "program" || t.kind == "http")
    needs(!t.description.empty(), "needs a \"description\", which tells models what it does");
  if (t.kind == "http" && t.method.empty()) t.method = "GET";
  if (t.kind == "mcp") {
    needs(t.command.empty() != t.url.empty(),
          "needs a \"command\" (a server that we start) or a \"url\" (one that runs), not both");
    const auto& given = entry.object();
    for (const char* key : {"headers", "ca_file"})
      if (!t.command.empty() && given.contains(key) && !given.at(key).is_null())
        entry.child(key, entry.value).fail("goes with \"url\"; a server with a \"command\" has none");
    if (!t.url.empty() && given.contains("environment") && !given.at("environment").is_null())
      entry.child("environment", entry.value).fail("goes with \"command\"; a server with a \"url\" has none");
  }
}

void read_tools(const node& at, document& to, std::int64_t, std::int64_t) {
  if (at.object().size() > max_entries) at.fail("has more than " + std::to_string(max_entries) + " entries");
  for (const auto& member : at.object()) {
    auto entry = at.child(member.key(), member.value());
    std::string name(member.key());
    check_name(at, entry, name);
    tool_draft draft;
    draft.config.name = name;
    if (const auto* kind = entry.object().if_contains("kind"); kind && !kind->is_null())
      check_keys(entry, entry.child("kind", *kind).one_of(kind_names));
    read_fields<tool_draft>(entry, draft, tool_table);
    finish_tool(entry, name, draft.config);
    for (auto& variable : draft.variables) {
      variable.tool = name;
      to.variables.push_back(std::move(variable));
    }
    to.config.tools[name] = std::move(draft.config);
  }
}

json::value write_tools(const document& from) {
  json::object out;
  for (const auto& [name, t] : from.config.tools) {
    auto fields = write_fields<tool_draft>({t, {}}, tool_table);
    auto bit = bit_of(t.kind);
    for (const auto& rule : key_rules)
      if ((rule.kinds & bit) == 0) fields.erase(rule.key);
    out[name] = std::move(fields);
  }
  return out;
}

}  // namespace

field<document> tools_field() {
  return {"tools", read_tools, write_tools,
          [](const std::string& at, std::vector<std::string>& out) { list_fields<tool_draft>(at + "/*", tool_table, out); }};
}

void resolve_tools(document& file, const std::filesystem::path& folder, const environment_lookup& environment) {
  for (const auto& v : file.variables) {
    auto value = environment(v.variable);
    if (!value) throw fault{v.pointer + "/env", "the environment variable " + v.variable + " is not set"};
    if (v.is_header && !is_one_line(*value))
      throw fault{v.pointer + "/env", "the environment variable " + v.variable + " holds line ends, which no header may"};
    auto& t = file.config.tools.at(v.tool);
    (v.is_header ? t.headers : t.environment)[v.name] = std::move(*value);
  }
  for (auto& [name, t] : file.config.tools)
    if (!t.ca_file.empty()) t.ca_file = (folder / t.ca_file).string();
}

}  // namespace troupe::app

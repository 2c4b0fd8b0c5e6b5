// Tables of approvals: what an agent says of its tools, and `approvals`, which says who is told.
#include "app/configuration_fields.hpp"
#include "tools/argument_tests.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace troupe::app {

namespace json = boost::json;
using namespace core;

namespace {

constexpr std::size_t max_rules = 100;
constexpr std::size_t max_tests = 20;
constexpr std::array<std::string_view, 3> policies{"never", "always", "by_effect"};  // in the order of the enum
constexpr std::array<std::string_view, 3> risks{"low", "medium", "high"};

/// A risk level that may be left out.
template <class T>
constexpr field<T> risk_field() {
  return {"risk", [](const node& at, T& to, std::int64_t, std::int64_t) { to.risk = read_risk(at); },
          [](const T& from) -> json::value { return from.risk.empty() ? json::value() : json::value(from.risk); }};
}

/// A pointer that cannot be right would make a test that never holds, and with it a rule that never asks.
void check_pointer(const node& at, std::string_view pointer) {
  for (auto tilde = pointer.find('~'); tilde != std::string_view::npos; tilde = pointer.find('~', tilde + 1))
    if (tilde + 1 == pointer.size() || (pointer[tilde + 1] != '0' && pointer[tilde + 1] != '1'))
      at.fail("is not a JSON pointer: `~` is written `~0`, and `/` in a name `~1`");
}

void read_when(const node& at, approval_rule& to, std::int64_t, std::int64_t) {
  if (at.array(max_tests).empty()) at.fail("needs at least one test; for all calls write \"policy\" beside \"rules\"");
  std::size_t i = 0;
  for (const auto& item : at.array(max_tests)) {
    auto entry = at.child(std::to_string(i++), item);
    const auto* argument = entry.object().if_contains("argument");
    if (!argument) entry.fail("needs an \"argument\", a JSON pointer such as /path, or \"\" for all arguments");
    auto place = entry.child("argument", *argument);
    check_pointer(place, place.text());
  }
  auto tests = tools::argument_tests_from(json::serialize(at.value));
  if (!tests) {
    // Its text begins with the place: `/0: …`.
    const auto& text = tests.error().text;
    auto end = text.starts_with('/') ? text.find(": ") : std::string::npos;
    if (end == std::string::npos) at.fail(text);
    throw fault{at.pointer + text.substr(0, end), text.substr(end + 2)};
  }
  to.when = std::move(*tests);
}

constexpr std::array rule_fields{
    field<approval_rule>{"when", read_when,
                         [](const approval_rule& r) -> json::value { return json::parse(tools::to_text(r.when)); }},
    field<approval_rule>{"policy",
                         [](const node& at, approval_rule& to, std::int64_t, std::int64_t) { to.policy = read_policy(at); },
                         [](const approval_rule& r) -> json::value { return json::value(policy_name(r.policy)); }},
    risk_field<approval_rule>(),
};

void read_rules(const node& at, tool_approval& to, std::int64_t, std::int64_t) {
  std::size_t i = 0;
  for (const auto& item : at.array(max_rules)) {
    auto entry = at.child(std::to_string(i++), item);
    approval_rule rule;
    read_fields<approval_rule>(entry, rule, rule_fields);
    if (rule.when.empty())
      entry.fail("needs \"when\", a list of tests such as { \"argument\": \"/path\", \"matches\": \"^tmp/\" }");
    to.rules.push_back(std::move(rule));
  }
}

json::value write_rules(const tool_approval& from) {
  json::array out;
  for (const auto& rule : from.rules) out.push_back(write_fields<approval_rule>(rule, rule_fields));
  return out;
}

constexpr std::array approval_fields{
    field<tool_approval>{
        "policy", [](const node& at, tool_approval& to, std::int64_t, std::int64_t) { to.policy = read_policy(at); },
        [](const tool_approval& a) -> json::value { return a.policy ? json::value(policy_name(*a.policy)) : json::value(); }},
    field<tool_approval>{"rules", read_rules, write_rules},
    risk_field<tool_approval>(),
    number<tool_approval, &tool_approval::deciders>("deciders", 1, 2),
    flag<tool_approval, &tool_approval::not_requester>("not_requester"),
};

void read_approval(const node& at, agent_config& to, std::int64_t, std::int64_t) {
  if (at.object().size() > max_entries) at.fail("has more than " + std::to_string(max_entries) + " entries");
  for (const auto& member : at.object()) {
    auto entry = at.child(member.key(), member.value());
    tool_approval approval;
    if (entry.value.is_string())
      approval.policy = read_policy(entry);
    else if (entry.value.is_object())
      read_fields<tool_approval>(entry, approval, approval_fields);
    else
      entry.expected("one of never, always, by_effect, or an object");
    to.approval[std::string(member.key())] = std::move(approval);  // configuration_references.cpp looks at the names
  }
}

json::value write_approval(const agent_config& from) {
  json::object out;
  for (const auto& [tool, a] : from.approval) {
    bool is_plain = a.policy && a.rules.empty() && a.risk.empty() && a.deciders == 1 && !a.not_requester;
    out[tool] = is_plain ? json::value(policy_name(*a.policy)) : json::value(write_fields<tool_approval>(a, approval_fields));
  }
  return out;
}

// ---- approvals ----

void read_webhook_url(const node& at, document& to, std::int64_t, std::int64_t) {
  auto url = at.text(2048);
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://"))
    at.fail("expected a URL that begins with http:// or https://");
  if (url.find_first_of(std::string_view("@ \r\n\0", 5)) != std::string::npos)
    at.fail("must be one word without name and password; the signature says who sends");
  to.config.webhook.url = std::move(url);
}

constexpr auto webhook_ca = [](auto& d) -> auto& { return d.config.webhook.ca_file; };

constexpr std::array webhook_fields{
    field<document>{"url", read_webhook_url,
                    [](const document& d) -> json::value { return json::value(d.config.webhook.url); }},
    field<document>{"secret_env",
                    [](const node& at, document& to, std::int64_t, std::int64_t) { to.webhook_variable = variable_name(at); }},
    text<document, webhook_ca>("ca_file"),
};

constexpr auto whole = [](auto& d) -> auto& { return d; };

constexpr std::array approvals_fields{object<document, whole, webhook_fields>("webhook")};

}  // namespace

approval_policy read_policy(const node& at) {
  auto word = at.one_of(policies);
  return static_cast<approval_policy>(std::find(policies.begin(), policies.end(), word) - policies.begin());
}

std::string_view policy_name(approval_policy policy) { return policies.at(static_cast<std::size_t>(policy)); }

std::string read_risk(const node& at) { return at.one_of(risks); }

field<agent_config> approval_field() {
  return {"approval", read_approval, write_approval, [](const std::string& at, std::vector<std::string>& out) {
            list_fields<tool_approval>(at + "/*", approval_fields, out);
          }};
}

field<document> approvals_field() { return object<document, whole, approvals_fields>("approvals"); }

void resolve_webhook(document& file, const std::filesystem::path& folder, const environment_lookup& environment) {
  auto& webhook = file.config.webhook;
  if (!webhook.ca_file.empty()) webhook.ca_file = (folder / webhook.ca_file).string();
  if (webhook.url.empty()) return;
  if (file.webhook_variable.empty())
    throw fault{"/approvals/webhook/secret_env",
                "is missing; name the environment variable that holds the secret of the signatures"};
  webhook.secret = environment(file.webhook_variable).value_or("");
  if (webhook.secret.empty())
    throw fault{"/approvals/webhook/secret_env",
                "the environment variable " + file.webhook_variable + " is not set; it holds the secret of the signatures"};
}

}  // namespace troupe::app

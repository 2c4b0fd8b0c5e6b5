// `approvals`: what waits for a person, deciding it, and what is remembered.
#include "app/cli/commands.hpp"
#include "app/cli/format.hpp"
#include "app/cli/lifetime.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"
#include "app/scenario/rest_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace troupe::app {

namespace json = boost::json;

namespace {

std::string asked(const json::object& a) {
  auto message = text_of(a, "message");
  return message.empty() ? text_of(a, "action") : message;
}

/// Who has decided, or who else must.
std::string decided(const json::object& a) {
  auto status = text_of(a, "status");
  auto by = text_of(a, "decidedBy");
  if (status != "pending") return by.empty() ? status : status + " by " + by;
  auto needed = integer_of(a, "requiredApprovals");
  auto given = static_cast<std::int64_t>(array_of(a, "endorsedBy").size());
  return needed > 1 ? "pending, " + std::to_string(given) + " of " + std::to_string(needed) : status;
}

std::string decision_line(const json::object& a) {
  return safe_line(text_of(a, "toolId") + ": " + decided(a) + "  " + text_of(a, "id")) + "\n";
}

json::object decision_body(const approvals_decide_options& options) {
  json::object body;
  if (!options.choice.empty()) {
    body["choice"] = options.choice;
  } else {
    body["approved"] = !options.deny;
    if (!options.answer.empty()) body["answer"] = json::parse(options.answer);
  }
  if (!options.arguments.empty()) body["editedInput"] = json::parse(options.arguments);
  if (!options.note.empty()) body["note"] = options.note;
  if (options.remember.empty()) return body;
  json::object remember{{"scope", options.remember}};
  if (auto lifetime = lifetime_from(options.lifetime)) remember["expiresInMs"] = lifetime->count();
  body["remember"] = std::move(remember);
  return body;
}

/// Each has a result of its own; one that could not be decided makes the whole a failure.
int decide_many(remote_api& server, const approvals_decide_options& options) {
  auto body = decision_body(options);
  body["ids"] = json::array(options.ids.begin(), options.ids.end());
  auto all = server.post("/approvals/decide", body);
  if (!all) return failed(all.error(), options.json);
  int status = 0;
  std::string out;
  for (const auto& v : array_of(*all, "items")) {
    const auto& item = v.as_object();
    const auto& error = object_of(item, "error");
    if (!error.empty()) {
      status = 1;
      if (!options.json)
        complain(safe_line(text_of(item, "id") + ": " + text_of(error, "message") + " (" + text_of(error, "code") + ")"));
    } else {
      out += decision_line(object_of(item, "approval"));
    }
  }
  if (!options.json) return put(out) ? status : 1;
  auto printed = print_list({array_of(*all, "items"), integer_of(*all, "total")});
  return printed == 0 ? status : printed;
}

}  // namespace

std::optional<std::chrono::milliseconds> lifetime_from(std::string_view text) {
  using namespace std::chrono;
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::int64_t most = 1'000'000;
  if (error != std::errc{} || n < 1 || n > most) return std::nullopt;
  if (unit == "s") return seconds(n);
  if (unit == "m") return minutes(n);
  if (unit == "h") return hours(n);
  if (unit == "d") return hours(24 * n);
  return std::nullopt;
}

int list_approvals(const approvals_list_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  std::string path = "/approvals";
  add_query(path, "status", options.status == "all" ? "" : options.status.empty() ? "pending" : options.status);
  add_query(path, "sessionId", options.session);
  add_query(path, "projectId", options.project);
  add_query(path, "kind", options.kind);
  auto all = server->list(path, options.limit);
  if (!all) return failed(all.error(), options.json);
  if (options.json) return print_list(std::move(*all));
  if (all->items.empty()) return put(options.status.empty() ? "nothing waits for a decision\n" : "none\n") ? 0 : 1;
  auto to = terminal::of_process();
  table rows({"approval", "kind", "tool", "risk", "state", "expires (UTC)", "asked"});
  for (const auto& v : all->items) {
    const auto& a = v.get_object();
    rows.add({text_of(a, "id"), text_of(a, "kind"), text_of(a, "toolId"), text_of(a, "riskLevel"), decided(a),
              short_time(text_of(a, "expiresAt")), asked(a)});
  }
  return put(rows.str(to)) ? 0 : 1;
}

int decide_approvals(const approvals_decide_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  if (options.ids.size() > 1) return decide_many(*server, options);
  auto decided = server->post("/approvals/" + percent_encoded(options.ids.front()) + "/decide", decision_body(options));
  if (!decided) return failed(decided.error(), options.json);
  if (options.json) return print_json(*decided);
  return put(decision_line(*decided)) ? 0 : 1;
}

int list_remembered(const approvals_remembered_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  std::string path = "/approvals/remembered";
  add_query(path, "projectId", options.project);
  if (options.all) add_query(path, "all", "true");
  auto all = server->list(path, options.limit);
  if (!all) return failed(all.error(), options.json);
  if (options.json) return print_list(std::move(*all));
  if (all->items.empty()) return put("nothing is remembered\n") ? 0 : 1;
  auto to = terminal::of_process();
  table rows({"remembered", "state", "scope", "tool", "by", "expires (UTC)", "when"});
  for (const auto& v : all->items) {
    const auto& g = v.get_object();
    auto expires = text_of(g, "expiresAt");
    rows.add({text_of(g, "id"), text_of(g, "status"), text_of(g, "scope"), text_of(g, "toolId"), text_of(g, "grantedBy"),
              expires.empty() ? "never" : short_time(expires), array_of(g, "when").empty() ? "always" : text_of(g, "when")});
  }
  return put(rows.str(to)) ? 0 : 1;
}

int revoke_remembered(const approvals_revoke_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  auto gone = server->remove("/approvals/remembered/" + percent_encoded(options.id));
  if (!gone) return failed(gone.error(), options.json);
  if (options.json) return print_json({{"id", options.id}, {"status", "revoked"}});
  return put("revoked: from now on such calls ask again\n") ? 0 : 1;
}

}  // namespace troupe::app

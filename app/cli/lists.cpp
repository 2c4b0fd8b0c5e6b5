// `sessions`, `history` and `spend`: what is stored, as a table or as JSON.
#include "app/cli/commands.hpp"
#include "app/cli/format.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"
#include "app/scenario/rest_client.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;

namespace {

/// When there is more than was asked for.
std::string more_line(const listing& all, const terminal& to) {
  auto shown = static_cast<std::int64_t>(all.items.size());
  if (shown >= all.total) return {};
  return to.styled(style::dim, amount(shown) + " of " + amount(all.total) + "; --limit shows more") + "\n";
}

/// Its arguments as `name=value`, short.
std::string arguments_line(const json::object& call, std::size_t most) {
  std::string out;
  for (const auto& [name, value] : object_of(call, "input"))
    out += (out.empty() ? "" : " ") + std::string(name) + "=" +
           (value.is_string() ? std::string(value.get_string()) : json::serialize(value));
  if (out.empty()) out = text_of(call, "input");
  return safe_line(out, most);
}

void print_message(const json::object& m, const terminal& to) {
  auto role = text_of(m, "role");
  auto author = text_of(m, "authorName").empty() ? text_of(m, "author") : text_of(m, "authorName");
  auto who = role == "user" && !author.empty() ? author : role;
  auto head = to.styled(role == "user" ? style::green : style::cyan, safe_line(who)) + " " +
              to.styled(style::dim, short_time(text_of(m, "createdAt")) + (text_of(m, "cut") == "true" ? " (cut)" : ""));
  put(head + "\n");
  if (auto text = text_of(m, "content"); !text.empty()) put(safe_text(text) + "\n");
  for (const auto& file : array_of(m, "attachments"))
    put(to.styled(style::dim, "  file: " + safe_line(text_of(file.as_object(), "name"))) + "\n");
  for (const auto& v : array_of(m, "toolCalls")) {
    const auto& call = v.as_object();
    auto success = text_of(call, "success");
    auto state = success == "true" ? "ok" : success == "false" ? "failed" : "open";
    put("  " + to.styled(success == "false" ? style::red : style::dim, safe_line(text_of(call, "tool")) + " " + state) + " " +
        arguments_line(call, 200) + "\n");
    if (auto output = text_of(call, "output"); !output.empty())
      put("    " + to.styled(style::dim, safe_line(output, 200)) + "\n");
  }
  put("\n");
}

std::vector<std::string> session_row(const json::object& s) {
  const auto& usage = object_of(s, "usage");
  return {text_of(s, "id"),
          text_of(s, "agentId"),
          text_of(s, "status"),
          amount(integer_of(s, "messageCount")),
          money(number_of(usage, "cost")),
          short_time(text_of(s, "updatedAt")),
          text_of(s, "title")};
}

}  // namespace

int show_sessions(const sessions_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  std::string path = "/sessions";
  add_query(path, "q", options.search);
  add_query(path, "projectId", options.project);
  add_query(path, "status", options.status);
  auto all = server->list(path, options.limit);
  if (!all) return failed(all.error(), options.json);
  if (options.json) return print_list(std::move(*all));
  auto to = terminal::of_process();
  if (all->items.empty()) return put("no sessions\n") ? 0 : 1;
  table rows({"session", "agent", "status", ">messages", ">cost", "last used (UTC)", "title"});
  for (const auto& s : all->items) rows.add(session_row(s.get_object()));
  return put(rows.str(to) + more_line(*all, to)) ? 0 : 1;
}

int show_history(const history_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  auto all = server->list("/sessions/" + percent_encoded(options.session) + "/messages", options.limit);
  if (!all) return failed(all.error(), options.json);
  if (options.json) return print_list(std::move(*all));
  auto to = terminal::of_process();
  if (all->items.empty()) return put("no messages\n") ? 0 : 1;
  for (const auto& m : all->items) print_message(m.get_object(), to);
  return put(more_line(*all, to)) ? 0 : 1;
}

int show_spend(const spend_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  auto project = server->project_or_first(options.project);
  if (!project) return failed(project.error(), options.json);
  auto path = "/projects/" + percent_encoded(*project) + "/usage" + (options.by == "day" ? "" : "/by-" + options.by);
  add_query(path, "period", options.period);
  // The days come whole, with their sums; shares come in pages, dearest first.
  core::result<json::object> whole = server->get(path);
  if (!whole) return failed(whole.error(), options.json);
  listing all{array_of(*whole, "items"), integer_of(*whole, "total")};
  if (options.by != "day") {
    auto pages = server->list(path, 100'000);
    if (!pages) return failed(pages.error(), options.json);
    all = std::move(*pages);
  }
  double cost = 0;
  std::int64_t tokens = 0;
  std::int64_t requests = 0;
  auto key = options.by == "day" ? "date" : "key";
  table rows({options.by, ">cost", ">tokens", ">requests"});
  auto add = [&](const std::string& name, double c, std::int64_t t, std::int64_t r) {
    rows.add({name, money(c), amount(t), amount(r)});
  };
  for (const auto& v : all.items) {
    const auto& o = v.get_object();
    cost += number_of(o, "totalCost");
    tokens += integer_of(o, "totalTokens");
    requests += integer_of(o, "totalRequests");
    auto name = text_of(o, key);
    add(name.empty() ? "(nobody)" : name, number_of(o, "totalCost"), integer_of(o, "totalTokens"),
        integer_of(o, "totalRequests"));
  }
  if (options.json) {
    json::object out{{"project", *project}, {"period", options.period}, {"by", options.by}};
    out["items"] = std::move(all.items);
    out["total"] = all.total;
    out["totalCost"] = cost;
    out["totalTokens"] = tokens;
    out["totalRequests"] = requests;
    return print_json(out);
  }
  add("total", cost, tokens, requests);
  auto to = terminal::of_process();
  auto days = options.period == "day" ? "today" : options.period == "week" ? "the last 7 days" : "the last 30 days";
  return put(to.styled(style::dim, "project " + safe_line(*project) + ", " + days + ", UTC") + "\n" + rows.str(to)) ? 0 : 1;
}

}  // namespace troupe::app

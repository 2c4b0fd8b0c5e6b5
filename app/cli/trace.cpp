// `trace`: runs, and one run as a waterfall of its model calls, tool calls and waits.
#include "app/cli/commands.hpp"
#include "app/cli/format.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"
#include "app/scenario/rest_client.hpp"
#include "transport/json_text.hpp"

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t widest_bar = 32;
constexpr std::size_t narrowest_bar = 8;

struct time_range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::int64_t millis_at(const json::object& o, std::string_view key) {
  auto at = transport::time_from(text_of(o, key));
  return at ? at->count() : 0;
}

/// Of all spans; one that has not ended goes on to where the last one that has did.
time_range range_of(const json::array& spans) {
  time_range all;
  for (const auto& v : spans) {
    const auto& span = v.as_object();
    auto begin = millis_at(span, "startedAt");
    if (begin == 0) continue;
    all.begin = all.begin == 0 ? begin : std::min(all.begin, begin);
    all.end = std::max({all.end, begin, millis_at(span, "endedAt")});
  }
  return all;
}

std::string bar(const json::object& span, const time_range& all, std::size_t bar_width) {
  auto length = std::max<std::int64_t>(1, all.end - all.begin);
  auto column = [&](std::int64_t at) {
    auto part = std::clamp<std::int64_t>(at - all.begin, 0, length) * static_cast<std::int64_t>(bar_width) / length;
    return static_cast<std::size_t>(part);
  };
  bool is_open = text_of(span, "endedAt").empty();
  auto from = std::min(column(millis_at(span, "startedAt")), bar_width - 1);
  auto until = is_open ? bar_width : std::max(from + 1, column(millis_at(span, "endedAt")));
  return std::string(from, '.') + std::string(until - from, is_open ? '~' : '#') + std::string(bar_width - until, '.');
}

style style_of(const std::string& status) {
  if (status == "failed" || status == "error") return style::red;
  return status == "open" || status == "pending" || status == "parked" || status == "running" ? style::yellow : style::plain;
}

/// Nothing is drawn in bars of width 0.
table span_table(const json::array& spans, std::size_t bar_width) {
  auto all = range_of(spans);
  table rows({"", "what", "", "state", ">time", ">tokens", ">cost"});
  for (const auto& v : spans) {
    const auto& span = v.as_object();
    const auto& used = object_of(span, "usage");
    auto tokens = integer_of(used, "totalTokens");
    auto is_open = text_of(span, "endedAt").empty();
    rows.add({bar_width == 0 ? "" : bar(span, all, bar_width), text_of(span, "kind"), text_of(span, "name"),
              text_of(span, "status"), is_open ? "" : duration(integer_of(span, "durationMs")),
              tokens == 0 ? "" : amount(tokens), tokens == 0 ? "" : money(number_of(used, "cost"))});
  }
  return rows;
}

int print_trace(const json::object& trace) {
  auto to = terminal::of_process();
  const auto& spans = array_of(trace, "spans");
  const auto& usage = object_of(trace, "usage");
  auto status = text_of(trace, "status");
  put(to.styled(style::bold, "run of " + safe_line(text_of(trace, "agentId"))) + "  " +
      to.styled(style_of(status), safe_line(status)) + "  " + short_time(text_of(trace, "startedAt")) + " UTC\n" +
      to.styled(style::dim, "session " + safe_line(text_of(trace, "sessionId"))) + "\n\n");
  // As wide as the others leave room for it.
  auto rest = span_table(spans, 0).width();
  auto room = to.is_output ? to.width - std::min(to.width, rest) : widest_bar;
  auto rows = span_table(spans, std::clamp(room, narrowest_bar, widest_bar));
  auto sum = amount(integer_of(usage, "promptTokens")) + " + " + amount(integer_of(usage, "completionTokens")) + " tokens, " +
             money(number_of(usage, "cost"));
  if (!text_of(trace, "endedAt").empty()) sum += ", " + duration(integer_of(trace, "durationMs"));
  return put(rows.str(to) + "\n" + sum + "\n") ? 0 : 1;
}

int print_traces(const listing& all) {
  auto to = terminal::of_process();
  if (all.items.empty()) return put("no runs\n") ? 0 : 1;
  table rows({"trace", "agent", "status", "started (UTC)", ">time", ">tokens", ">cost"});
  for (const auto& v : all.items) {
    const auto& t = v.get_object();
    rows.add({text_of(t, "id"), text_of(t, "agentId"), text_of(t, "status"), short_time(text_of(t, "startedAt")),
              text_of(t, "endedAt").empty() ? "" : duration(integer_of(t, "durationMs")), amount(integer_of(t, "totalTokens")),
              money(number_of(t, "totalCost"))});
  }
  return put(rows.str(to)) ? 0 : 1;
}

}  // namespace

int show_trace(const trace_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  if (!options.trace.empty()) {
    auto trace = server->get("/traces/" + percent_encoded(options.trace));
    if (!trace) return failed(trace.error(), options.json);
    return options.json ? print_json(*trace) : print_trace(*trace);
  }
  std::string path = "/sessions/" + percent_encoded(options.session) + "/traces";
  if (options.session.empty()) {
    auto project = server->project_or_first(options.project);
    if (!project) return failed(project.error(), options.json);
    path = "/projects/" + percent_encoded(*project) + "/traces";
  }
  auto all = server->list(path, options.limit);
  if (!all) return failed(all.error(), options.json);
  return options.json ? print_list(std::move(*all)) : print_traces(*all);
}

}  // namespace troupe::app

// Who has spent what, over REST (PROTOCOLS §1.6).
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <chrono>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

json::object share_json(const core::usage_share& share, std::string_view key) {
  json::object out{{"key", share.key},
                   {"totalCost", share.cost.usd()},
                   {"totalCostUsd", share.cost.usd()},
                   {"totalTokens", share.tokens},
                   {"totalRequests", share.requests}};
  if (key == "model") {
    out["provider"] = share.provider;
    out["model"] = share.model;
  } else {
    out[key] = share.key;
  }
  return out;
}

/// From the beginning of the first day of the period, UTC; as GET …/usage counts.
void answer_shares(const rest_call_ptr& call, core::usage_key by, std::string_view key) {
  auto w = call->window();
  if (!w) return;
  core::project_id project{call->parameter("p")};
  if (call->config().projects.count(project) == 0) return call->fail({errc::not_found, "Project not found: " + project.str()});
  auto period = call->request.query_value("period");
  if (period.empty()) period = "month";
  if (period != "day" && period != "week" && period != "month") return call->fail_field("period", "must be day, week or month");
  auto days = std::chrono::days{period == "day" ? 0 : period == "week" ? 6 : 29};
  auto today = std::chrono::floor<std::chrono::days>(call->way().environment().now());
  core::get_usage_by question{std::move(project), today - days, by, *w};
  call->ask<core::page<core::usage_share>>(std::move(question),
                                           [call, w = *w, key, period](const core::page<core::usage_share>& page) {
                                             json::array items;
                                             for (const auto& share : page.items) items.push_back(share_json(share, key));
                                             auto out = list_of(std::move(items), page.total, w);
                                             out["period"] = period;
                                             call->answer(200, std::move(out));
                                           });
}

}  // namespace

/// GET /projects/{p}/usage/by-agent?period=
void get_usage_by_agent(const rest_call_ptr& call) { answer_shares(call, core::usage_key::agent, "agentId"); }
/// GET /projects/{p}/usage/by-session?period=
void get_usage_by_session(const rest_call_ptr& call) { answer_shares(call, core::usage_key::session, "sessionId"); }
/// GET /projects/{p}/usage/by-user?period=
void get_usage_by_user(const rest_call_ptr& call) { answer_shares(call, core::usage_key::user, "userId"); }
/// GET /projects/{p}/usage/by-model?period=
void get_usage_by_model(const rest_call_ptr& call) { answer_shares(call, core::usage_key::model, "model"); }

}  // namespace troupe::transport

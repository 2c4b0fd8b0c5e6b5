// Traces, usage and totals over REST (PROTOCOLS §1.6). Days are UTC.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <chrono>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using usage_days = std::vector<core::usage_day>;

namespace {

bool is_project(const rest_call_ptr& call, const core::project_id& project) {
  if (call->config().projects.count(project) != 0) return true;
  call->fail({errc::not_found, "Project not found: " + project.str()});
  return false;
}

void answer_traces(const rest_call_ptr& call, core::list_traces query, core::project_id project) {
  auto w = query.window;
  call->ask<core::page<core::span_record>>(std::move(query),
                                           [call, w, project = std::move(project)](const core::page<core::span_record>& page) {
                                             json::array items;
                                             for (const auto& root : page.items) items.push_back(trace_json(root, project));
                                             call->answer(200, list_of(std::move(items), page.total, w));
                                           });
}

/// Sums over all projects, one question after the other. Of a caller who is no admin: over what he sees and has spent.
class stats : public std::enable_shared_from_this<stats> {
 public:
  explicit stats(rest_call_ptr call)
      : call_(std::move(call)), own_(call_->visible_to()), now_(call_->way().environment().now()) {
    for (const auto& [id, project] : call_->config().projects) {
      projects_.push_back(id);
      agents_ += call_->config().agents_of(id).size();
    }
  }

  void start() {
    core::list_sessions active;
    active.status = core::session_status::active;
    active.window.limit = 1;
    active.visible_to = own_;
    call_->ask<core::page<core::session_record>>(
        std::move(active), [me = shared_from_this()](const core::page<core::session_record>& page) {
          me->sessions_ = page.total;
          core::list_approvals pending;
          pending.status = "pending";
          pending.window.limit = 1;
          pending.visible_to = me->own_;
          me->call_->ask<core::page<core::approval_record>>(std::move(pending),
                                                            [me](const core::page<core::approval_record>& approvals) {
                                                              me->approvals_ = approvals.total;
                                                              me->next_project();
                                                            });
        });
  }

 private:
  void next_project() {
    if (asked_ == projects_.size()) return answer();
    if (own_) return add_own();
    auto today = iso_time(now_).substr(0, 10);
    core::get_usage question{projects_[asked_++], now_ - std::chrono::days{31}};
    call_->ask<usage_days>(std::move(question), [me = shared_from_this(), today](const usage_days& days) {
      for (const auto& d : days) {
        if (d.date == today) me->today_ += d.cost;
        if (d.date.starts_with(today.substr(0, 7))) me->month_ += d.cost;
      }
      me->next_project();
    });
  }

  /// Of the next project, today's share and then the month's.
  void add_own() {
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::sys_time<core::millis>(now_));
    const std::chrono::year_month_day date(today);
    const auto month = std::chrono::sys_days(date.year() / date.month() / 1);
    find_share(today.time_since_epoch(), 0, [me = shared_from_this(), month](core::micro_usd cost) {
      me->today_ += cost;
      me->find_share(month.time_since_epoch(), 0, [me](core::micro_usd more) {
        me->month_ += more;
        ++me->asked_;
        me->next_project();
      });
    });
  }

  void find_share(core::millis since, std::int64_t offset, std::function<void(core::micro_usd)> then) {
    core::get_usage_by question{projects_[asked_], since, core::usage_key::user, {500, offset}};
    using shares = core::page<core::usage_share>;
    call_->ask<shares>(std::move(question),
                       [me = shared_from_this(), since, offset, then = std::move(then)](const shares& page) {
                         for (const auto& share : page.items)
                           if (share.key == *me->own_) return then(share.cost);
                         const auto read = offset + static_cast<std::int64_t>(page.items.size());
                         if (page.items.empty() || read >= page.total) return then({});
                         me->find_share(since, read, then);
                       });
  }

  void answer() {
    call_->answer(200, json::object{{"totalProjects", projects_.size()},
                                    {"totalAgents", agents_},
                                    {"activeSessions", sessions_},
                                    {"costToday", today_.usd()},
                                    {"costMonth", month_.usd()},
                                    {"pendingApprovals", approvals_}});
  }

  rest_call_ptr call_;
  std::optional<std::string> own_;  ///< the caller, where not everything is his to see
  core::millis now_;
  std::vector<core::project_id> projects_;
  std::size_t agents_ = 0;
  std::size_t asked_ = 0;
  std::int64_t sessions_ = 0;
  std::int64_t approvals_ = 0;
  core::micro_usd today_;
  core::micro_usd month_;
};

}  // namespace

/// GET /projects/{p}/traces
void get_project_traces(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  core::project_id project{call->parameter("p")};
  if (!is_project(call, project)) return;
  answer_traces(call, {project, std::nullopt, *w, call->visible_to()}, project);
}

/// GET /sessions/{id}/traces
void get_session_traces(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  call->find_session([call, w = *w](const core::session_record& s) {
    answer_traces(call, {std::nullopt, s.id, w, {}}, s.project);
  });
}

/// GET /traces/{id}
void get_trace(const rest_call_ptr& call) {
  auto text = call->parameter("id").substr(0, 64);
  auto id = parse_trace_id(text);
  if (!id) return call->fail({errc::not_found, "Trace not found: " + text});
  using spans = std::vector<core::span_record>;
  call->find<spans>(core::get_trace{*id}, "Trace", text, [call](const spans& all) {
    call->see_session(all.front().session, {errc::not_found, "Trace not found: " + call->parameter("id").substr(0, 64)},
                      [call, all](const core::session_record& s) {
                        auto out = trace_json(all.front(), s.project);
                        json::array items;
                        for (const auto& span : all) items.push_back(span_json(span));
                        out["spans"] = std::move(items);
                        call->answer(200, std::move(out));
                      });
  });
}

/// GET /projects/{p}/usage?period=day/week/month: today, the last 7 or the last 30 days, a row for each day with requests.
void get_usage(const rest_call_ptr& call) {
  core::project_id project{call->parameter("p")};
  if (!is_project(call, project)) return;
  auto period = call->request.query_value("period");
  if (period.empty()) period = "month";
  if (period != "day" && period != "week" && period != "month") return call->fail_field("period", "must be day, week or month");
  auto days = std::chrono::days{period == "day" ? 1 : period == "week" ? 7 : 30};
  core::get_usage question{std::move(project), call->way().environment().now() - (days - std::chrono::days{1})};
  call->ask<usage_days>(std::move(question), [call, period](const usage_days& rows) {
    json::array items;
    core::micro_usd cost;
    std::int64_t tokens = 0;
    std::int64_t requests = 0;
    for (const auto& d : rows) {
      items.push_back(usage_day_json(d));
      cost += d.cost;
      tokens += d.tokens;
      requests += d.requests;
    }
    auto out = list_of(std::move(items), static_cast<std::int64_t>(rows.size()), {100, 0});
    out["period"] = period;
    out["totalCost"] = cost.usd();
    out["totalCostUsd"] = cost.usd();
    out["totalTokens"] = tokens;
    out["totalRequests"] = requests;
    call->answer(200, std::move(out));
  });
}

/// GET /stats
void get_stats(const rest_call_ptr& call) { std::make_shared<stats>(call)->start(); }

}  // namespace troupe::transport

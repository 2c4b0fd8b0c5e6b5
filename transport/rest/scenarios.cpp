// Scenarios over REST: playing the server's folder of them, and a session as one (docs/scenarios.md, "From the console").
#include "transport/rest/rest_handlers.hpp"
#include "transport/rest/scenario_service.hpp"

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t most_files = 5'000;
constexpr std::size_t most_tags = 20;
constexpr std::size_t longest_text = 1'024;
constexpr std::int64_t most_boundaries = 100'000;

/// Null, and the call is answered, where there is no folder to play.
scenario_service* service_of(const rest_call_ptr& call) {
  auto* service = call->hub().scenarios();
  if (service && service->is_configured()) return service;
  call->fail({errc::scenarios_not_configured,
              "This server plays no scenarios; start it with --scenarios DIR, or set scenarios in its configuration."});
  return nullptr;
}

/// What a service tells on a thread of its own goes on here, on the io thread.
template <class T>
scenario_service::then<T> here(const rest_call_ptr& call, std::function<void(T)> then) {
  return [call, then = std::move(then)](core::result<T> r) {
    call->way().post([call, then, r = std::move(r)]() mutable {
      if (!r) return call->fail(r.error());
      then(std::move(*r));
    });
  };
}

json::value or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::object entry_json(const scenario_entry& e) {
  json::object out{{"file", e.file}, {"description", e.description}, {"tags", json::array(e.tags.begin(), e.tags.end())}};
  json::object skip;
  for (const auto& [mode, reason] : e.skip) skip[mode] = reason;
  if (!skip.empty()) out["skip"] = std::move(skip);
  if (!e.problem.empty()) out["problem"] = e.problem;
  return out;
}

json::value crash_json(const std::string& at) {
  if (at.empty()) return nullptr;
  return at == "every" ? json::value(at) : json::value(std::stoll(at));
}

json::object summary_json(const scenario_run& run) {
  static constexpr std::array<std::string_view, 4> words{"running", "completed", "cancelled", "failed"};
  const auto& asked = run.request;
  return {{"id", run.id},
          {"status", words[static_cast<std::size_t>(run.status)]},
          {"startedAt", iso_time(run.started_at)},
          {"endedAt", run.ended_at ? json::value(iso_time(*run.ended_at)) : json::value(nullptr)},
          {"total", run.total},
          {"done", run.done()},
          {"passed", run.passed},
          {"failed", run.failed},
          {"skipped", run.skipped},
          {"current", or_null(run.current)},
          {"files", asked.files ? json::value(json::array(asked.files->begin(), asked.files->end())) : json::value(nullptr)},
          {"tags", json::array(asked.tags.begin(), asked.tags.end())},
          {"restartEveryStep", asked.restart_every_step},
          {"crashAt", crash_json(asked.crash_at)},
          {"problem", or_null(run.problem)}};
}

json::object result_json(const scenario_result& r) {
  json::object out{
      {"file", r.file}, {"verdict", r.verdict}, {"seconds", r.seconds}, {"events", r.events}, {"boundaries", r.boundaries}};
  if (!r.hash.empty()) out["hash"] = r.hash;
  if (!r.text.empty()) out["text"] = r.text;
  if (!r.divergence.empty()) out["divergence"] = r.divergence;
  return out;
}

json::object run_json(const scenario_run& run) {
  auto out = summary_json(run);
  json::array results;
  for (const auto& r : run.results) results.push_back(result_json(*r));
  out["results"] = std::move(results);
  return out;
}

/// A list of texts; nothing, and the call is answered, where it is none.
std::optional<std::vector<std::string>> texts(const rest_call_ptr& call, const json::value& v, std::string_view name,
                                              std::size_t most) {
  auto wrong = [&]() -> std::optional<std::vector<std::string>> {
    call->fail_field(name, "must be a list of at most " + std::to_string(most) + " texts");
    return std::nullopt;
  };
  const auto* list = v.if_array();
  if (!list || list->size() > most) return wrong();
  std::vector<std::string> out;
  for (const auto& item : *list) {
    if (!item.is_string() || item.get_string().empty() || item.get_string().size() > longest_text) return wrong();
    out.emplace_back(item.get_string());
  }
  return out;
}

/// What the body asks for; nothing, and the call is answered, where it cannot be told.
std::optional<scenario_request> request_of(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return std::nullopt;
  auto member = [&](std::string_view name) -> const json::value* {
    const auto* v = body->if_contains(name);
    return v && !v->is_null() ? v : nullptr;
  };
  auto wrong = [&](std::string_view name, std::string_view text) -> std::optional<scenario_request> {
    call->fail_field(name, text);
    return std::nullopt;
  };
  scenario_request out;
  if (const auto* v = member("files")) {
    auto files = texts(call, *v, "files", most_files);
    if (!files) return std::nullopt;
    if (files->empty()) return wrong("files", "needs at least one; leave it out to play all");
    out.files = std::move(*files);
  }
  if (const auto* v = member("tags")) {
    auto tags = texts(call, *v, "tags", most_tags);
    if (!tags) return std::nullopt;
    out.tags = std::move(*tags);
  }
  if (const auto* v = member("restartEveryStep")) {
    if (!v->is_bool()) return wrong("restartEveryStep", "must be true or false");
    out.restart_every_step = v->get_bool();
  }
  if (const auto* v = member("crashAt")) {
    if (v->is_string() && v->get_string() == "every") {
      out.crash_at = "every";
    } else {
      if (!v->is_int64() || v->get_int64() < 1 || v->get_int64() > most_boundaries)
        return wrong("crashAt", "must be a number from 1, or every");
      out.crash_at = std::to_string(v->get_int64());
    }
    if (out.restart_every_step) return wrong("crashAt", "goes without restartEveryStep");
  }
  return out;
}

core::error no_run(const rest_call_ptr& call) {
  return {errc::not_found, "Run of scenarios not found: " + call->parameter("id").substr(0, 64)};
}

}  // namespace

/// GET /scenarios
void get_scenarios(const rest_call_ptr& call) {
  auto* service = service_of(call);
  if (!service) return;
  service->list(
      here<std::vector<scenario_entry>>(call, [call, folder = service->folder()](const std::vector<scenario_entry>& entries) {
        json::array items;
        for (const auto& e : entries) items.push_back(entry_json(e));
        call->answer(200, json::object{{"folder", folder}, {"items", std::move(items)}});
      }));
}

/// GET /scenarios/runs: those that are remembered, newest first, without results.
void get_scenario_runs(const rest_call_ptr& call) {
  auto* service = service_of(call);
  if (!service) return;
  json::array items;
  for (const auto& run : service->runs()) items.push_back(summary_json(run));
  answer_list(call, std::move(items));
}

/// POST /scenarios/runs: begins one; its progress is asked for.
void post_scenario_run(const rest_call_ptr& call) {
  auto* service = service_of(call);
  if (!service) return;
  auto request = request_of(call);
  if (!request) return;
  service->start(std::move(*request), [call, service](core::result<scenario_run> r) {
    call->way().post([call, service, r = std::move(r)] {
      if (r) return call->answer(202, run_json(*r));
      json::object details;
      if (auto other = service->active(); other && r.error().code == errc::scenario_run_active) details["id"] = *other;
      call->fail_with(r.error(), std::move(details));
    });
  });
}

/// GET /scenarios/runs/{id}
void get_scenario_run(const rest_call_ptr& call) {
  auto* service = service_of(call);
  if (!service) return;
  auto run = service->find(call->parameter("id"));
  if (!run) return call->fail(no_run(call));
  call->answer(200, run_json(*run));
}

/// DELETE /scenarios/runs/{id}: stops it; one that has ended stays as it is.
void delete_scenario_run(const rest_call_ptr& call) {
  auto* service = service_of(call);
  if (!service) return;
  if (!service->find(call->parameter("id"))) return call->fail(no_run(call));
  service->stop(call->parameter("id"));
  answer_nothing(call);
}

/// GET /sessions/{id}/scenario: the session as `troupe record` makes one of it.
void get_session_scenario(const rest_call_ptr& call) {
  call->find_session([call](const core::session_record& session) {
    auto* service = call->hub().scenarios();
    if (!service) return call->fail({errc::scenarios_not_configured, "This server makes no scenarios."});
    service->record(session.id, here<std::string>(call, [call, id = session.id](std::string text) {
                      http_response r;
                      r.body = std::move(text);
                      r.headers = {{"Content-Disposition", "attachment; filename=\"scenario-" + id.str() + ".json\""},
                                   {"X-Content-Type-Options", "nosniff"},
                                   {"Cache-Control", "no-store"}};
                      call->exchange->respond(std::move(r));
                    }));
  });
}

}  // namespace troupe::transport

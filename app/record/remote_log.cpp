#include "app/record/remote_log.hpp"

#include "app/record/json_view.hpp"
#include "app/record/recording.hpp"
#include "app/scenario/rest_client.hpp"
#include "tools/tool.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

/// Of all files of a session together.
constexpr std::int64_t max_files_bytes = 8 << 20;

core::result<rest_answer> get(rest_client& from, const std::string& path) {
  auto got = from.call("GET", path);
  if (!got || got->status == 200) return got;
  const auto* inner = got->body.if_contains("error");
  auto told = inner && inner->is_object() ? json_view{inner->get_object()}.text("message") : json::serialize(got->body);
  return error{got->status == 404 ? errc::not_found : errc::provider_error,
               from.url() + "/api/v1" + path + ": " + std::to_string(got->status) + " " + told};
}

std::shared_ptr<const core::agent_config> agent_of(const json::object& told) {
  json_view limits{json_view{told}.object("limits")};
  auto out = std::make_shared<core::agent_config>();
  auto set = [&](auto& to, std::string_view key) {
    if (auto n = limits.whole(key); n > 0) to = std::remove_reference_t<decltype(to)>(n);
  };
  set(out->limits.max_steps, "maxSteps");
  set(out->limits.max_output_tokens, "maxOutputTokens");
  set(out->limits.max_queue, "maxQueue");
  set(out->limits.approval_timeout, "approvalTimeoutMs");
  set(out->limits.tool_timeout, "toolTimeoutMs");
  return out;
}

}  // namespace

core::result<remote_log> read_remote_log(rest_client& from, const std::string& session) {
  auto whole = get(from, "/sessions/" + percent_encoded(session) + "/export");
  if (!whole) return whole.error();
  json_view document{whole->body};
  std::map<std::string, json::object> traces;
  for (const auto& t : document.list("traces")) {
    auto trace = get(from, "/traces/" + percent_encoded(t.text("id")));
    if (!trace) return trace.error();
    traces.emplace(t.text("id"), std::move(trace->body));
  }
  auto tools = tools::builtin_tools();
  if (!tools) return tools.error();
  // Of a tool that we do not know, the worst.
  auto effect_of = [&](const std::string& name) {
    auto known = tools->find(name);
    return known ? known->spec().effect : core::effect::once;
  };
  remote_log out;
  out.events = events_of_export(document.of, traces, effect_of);
  std::int64_t left = max_files_bytes;
  for (const auto& f : document.list("files")) {
    auto file = attachment_of(f.of);
    if (file.size > static_cast<std::int64_t>(max_recorded_file_bytes) || file.size > left) continue;
    auto bytes = from.bytes("/sessions/" + percent_encoded(session) + "/files/" + file.file.str());
    if (!bytes) return bytes.error();
    left -= file.size;
    out.files[file.file] = std::make_shared<const std::string>(std::move(*bytes));
  }
  json_view told{document.object("session")};
  auto agent = from.call(
      "GET", "/projects/" + percent_encoded(told.text("projectId")) + "/agents/" + percent_encoded(told.text("agentId")));
  if (!agent) return agent.error();
  if (agent->status == 200) out.agent = agent_of(agent->body);
  return out;
}

}  // namespace troupe::app

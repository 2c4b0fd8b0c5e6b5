// Every REST handler, by file; routes.cpp gives each its method and path.
#pragma once

#include "transport/rest/rest.hpp"

namespace troupe::transport {

// chat.cpp
void post_agent_chat(const rest_call_ptr& call);
void post_chat(const rest_call_ptr& call);
void post_message(const rest_call_ptr& call);

// sessions.cpp
void post_session(const rest_call_ptr& call);
void get_project_sessions(const rest_call_ptr& call);
void get_sessions(const rest_call_ptr& call);
void get_session(const rest_call_ptr& call);
void delete_session(const rest_call_ptr& call);
void patch_session_status(const rest_call_ptr& call);
void get_messages(const rest_call_ptr& call);
void get_events(const rest_call_ptr& call);
void post_cancel(const rest_call_ptr& call);
void get_queue(const rest_call_ptr& call);
void delete_queued(const rest_call_ptr& call);

// edits.cpp
void patch_session(const rest_call_ptr& call);
void get_participants(const rest_call_ptr& call);
void put_participants(const rest_call_ptr& call);
void post_reaction(const rest_call_ptr& call);
void patch_queued(const rest_call_ptr& call);

// feedback.cpp
void put_feedback(const rest_call_ptr& call);
void delete_feedback(const rest_call_ptr& call);
void delete_messages(const rest_call_ptr& call);

// files.cpp
void post_files(const rest_call_ptr& call);
void get_files(const rest_call_ptr& call);
void get_file(const rest_call_ptr& call);

// fork.cpp
void post_fork(const rest_call_ptr& call);

// export.cpp
void get_export(const rest_call_ptr& call);

// usage.cpp
void get_usage_by_agent(const rest_call_ptr& call);
void get_usage_by_session(const rest_call_ptr& call);
void get_usage_by_user(const rest_call_ptr& call);
void get_usage_by_model(const rest_call_ptr& call);

// limits.cpp
void get_limits(const rest_call_ptr& call);
void get_alerts(const rest_call_ptr& call);

// approvals.cpp
void get_approvals(const rest_call_ptr& call);
void get_approval(const rest_call_ptr& call);
void post_approve(const rest_call_ptr& call);
void post_deny(const rest_call_ptr& call);
void post_decide(const rest_call_ptr& call);

// approvals_bulk.cpp
void post_decide_many(const rest_call_ptr& call);

// grants.cpp
void get_remembered(const rest_call_ptr& call);
void delete_remembered(const rest_call_ptr& call);

// tool_calls.cpp
void get_tool_calls(const rest_call_ptr& call);
void get_tool_output(const rest_call_ptr& call);
void get_children(const rest_call_ptr& call);
/// The sub-agents' sessions of `parent`, which the caller may see.
void answer_children(const rest_call_ptr& call, core::session_id parent, core::window w);

// traces.cpp
void get_project_traces(const rest_call_ptr& call);
void get_session_traces(const rest_call_ptr& call);
void get_trace(const rest_call_ptr& call);
void get_usage(const rest_call_ptr& call);
void get_stats(const rest_call_ptr& call);

// auth.cpp
void post_login(const rest_call_ptr& call);
void get_profile(const rest_call_ptr& call);
void post_code_login(const rest_call_ptr& call);
void get_code_profile(const rest_call_ptr& call);

// agents.cpp
/// Null: this server keeps none, and the call is answered.
[[nodiscard]] agent_desk* desk_of(const rest_call_ptr& call);
void get_agents(const rest_call_ptr& call);
void get_agent(const rest_call_ptr& call);
void get_agent_definition(const rest_call_ptr& call);
void get_agent_versions(const rest_call_ptr& call);
void get_agent_version(const rest_call_ptr& call);

// agents_edit.cpp
void post_agent(const rest_call_ptr& call);
void post_agent_check(const rest_call_ptr& call);
void put_agent(const rest_call_ptr& call);
void delete_agent(const rest_call_ptr& call);

// server.cpp
void get_projects(const rest_call_ptr& call);
void get_project(const rest_call_ptr& call);
void get_tools(const rest_call_ptr& call);
void get_healthz(const rest_call_ptr& call);
void get_readyz(const rest_call_ptr& call);
void get_metrics(const rest_call_ptr& call);
void get_home(const rest_call_ptr& call);

// scenarios.cpp
void get_scenarios(const rest_call_ptr& call);
void get_scenario_runs(const rest_call_ptr& call);
void post_scenario_run(const rest_call_ptr& call);
void get_scenario_run(const rest_call_ptr& call);
void delete_scenario_run(const rest_call_ptr& call);
void get_session_scenario(const rest_call_ptr& call);

// console.cpp
void get_asset(const rest_call_ptr& call);

}  // namespace troupe::transport

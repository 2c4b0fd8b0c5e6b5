// The routes table: every REST path of every dialect, in one place, with what the OpenAPI document says of it.
#include "transport/rest/routes.hpp"

#include "transport/dialects/agent_stream_rest.hpp"
#include "transport/dialects/chat_events_rest.hpp"
#include "transport/dialects/chat_room_rest.hpp"
#include "transport/dialects/conversation_rest.hpp"
#include "transport/rest/openapi.hpp"
#include "transport/rest/rest_handlers.hpp"

namespace troupe::transport {

namespace {

using op = operation;

constexpr auto nexus = error_shape::nexus;
constexpr auto detail = error_shape::detail;
constexpr auto statuscode = error_shape::statuscode;

constexpr std::string_view chat_example = R"({"message": "what time is it?"})";

/// What was spent, by something.
constexpr route shares(std::string_view pattern, rest_handler handler, std::string_view id, std::string_view summary) {
  return {"GET", pattern,      handler, op(id, "Traces and spend", summary).asks("period").paged().gives(200, "UsageShares"),
          nexus, access::admin};
}

constexpr route routes[] = {
    // nexus
    {"GET", "/api/v1/projects", get_projects,
     op("listProjects", "Projects", "Lists the configured projects").lists("Project*")},
    {"GET", "/api/v1/projects/{p}", get_project, op("getProject", "Projects", "Tells about a project").gives(200, "Project")},
    {"GET", "/api/v1/projects/{p}/agents", get_agents,
     op("listAgents", "Projects", "Lists the agents of a project").asks("deletedAgents").lists("Agent*")},
    {"GET", "/api/v1/projects/{p}/agents/{a}", get_agent,
     op("getAgent", "Projects", "Tells about an agent").gives(200, "Agent")},
    {"POST", "/api/v1/projects/{p}/agents", post_agent,
     op("createAgent", "Projects", "Makes an agent, beside those of the configuration file")
         .takes(
             "NewAgent",
             R"({"id": "poet", "definition": {"provider": "demo", "model": "scripted", "instructions": "Rhyme."}, "note": "first"})")
         .gives(201, "Agent")
         .fails("409 422"),
     nexus, access::admin},
    {"POST", "/api/v1/projects/{p}/agents/check", post_agent_check,
     op("checkAgent", "Projects", "Tells what is wrong with the definition of an agent; stores nothing")
         .takes("AgentToCheck",
                R"({"id": "poet", "definition": {"provider": "demo", "model": "scripted", "tools": ["clock"]}})",
                R"({"definition": {"provider": "nobody", "limits": {"max_steps": 0}}})")
         .gives(200, "AgentCheck"),
     nexus, access::admin},
    {"PUT", "/api/v1/projects/{p}/agents/{a}", put_agent,
     op("updateAgent", "Projects", "Stores a new version of an agent")
         .notes("Runs that are going on keep the version they began with. `version` is the one that was edited: where another "
                "is current, nothing is stored.")
         .takes("AgentChange",
                R"({"definition": {"provider": "demo", "model": "scripted", "instructions": "Rhyme more."}, "note": "better"})")
         .gives(200, "Agent")
         .fails("409 422"),
     nexus, access::admin},
    {"DELETE", "/api/v1/projects/{p}/agents/{a}", delete_agent,
     op("deleteAgent", "Projects", "Deletes an agent; its versions stay")
         .asks("deletedWith")
         .gives_bytes(204, {}, {})
         .fails("409"),
     nexus, access::admin},
    {"GET", "/api/v1/projects/{p}/agents/{a}/definition", get_agent_definition,
     op("getAgentDefinition", "Projects", "Gives an agent as the configuration file has it, to edit or copy it")
         .gives(200, "AgentDefinition"),
     nexus, access::admin},
    {"GET", "/api/v1/projects/{p}/agents/{a}/versions", get_agent_versions,
     op("listAgentVersions", "Projects", "Lists the versions of a stored agent, newest first").lists("AgentVersion*"), nexus,
     access::admin},
    {"GET", "/api/v1/projects/{p}/agents/{a}/versions/{n}", get_agent_version,
     op("getAgentVersion", "Projects", "Gives a version of a stored agent").gives(200, "AgentVersionDetail"), nexus,
     access::admin},
    {"POST", "/api/v1/projects/{p}/agents/{a}/chat", post_agent_chat,
     op("chatWithAgent", "Chat", "Sends a message to an agent and waits for the answer")
         .takes("ChatRequest", chat_example)
         .gives(200, "ChatReply")
         .gives(202, "ChatReply")
         .streams()
         .sends()},
    {"GET", "/api/v1/projects/{p}/sessions", get_project_sessions,
     op("listProjectSessions", "Sessions", "Lists the sessions of a project")
         .asks("sessionStatus includeChildren")
         .lists("Session*")},
    {"POST", "/api/v1/projects/{p}/sessions", post_session,
     op("createSession", "Sessions", "Makes a session")
         .takes("NewSession", R"({"agentId": "guide", "metadata": {"colour": "blue"}})")
         .gives(201, "Session")},
    {"GET", "/api/v1/projects/{p}/traces", get_project_traces,
     op("listProjectTraces", "Traces and spend", "Lists the runs of a project, newest first").lists("Trace*")},
    {"GET", "/api/v1/projects/{p}/usage", get_usage,
     op("getUsage", "Traces and spend", "Tells what a project has spent, by day").asks("period").gives(200, "UsageReport"),
     nexus, access::admin},
    shares("/api/v1/projects/{p}/usage/by-agent", get_usage_by_agent, "getUsageByAgent",
           "Tells which agents have spent how much"),
    shares("/api/v1/projects/{p}/usage/by-session", get_usage_by_session, "getUsageBySession",
           "Tells which sessions have spent how much"),
    shares("/api/v1/projects/{p}/usage/by-user", get_usage_by_user, "getUsageByUser", "Tells which users have spent how much"),
    shares("/api/v1/projects/{p}/usage/by-model", get_usage_by_model, "getUsageByModel",
           "Tells which models have cost how much"),
    {"GET", "/api/v1/projects/{p}/alerts", get_alerts,
     op("listAlerts", "Traces and spend", "Lists alerts of budgets, newest first: of sessions that the caller may see")
         .lists("Alert*")},
    {"GET", "/api/v1/limits", get_limits,
     op("getLimits", "Server", "Tells which limits and budgets are in force").gives(200, "Limits"), nexus, access::known},
    {"POST", "/api/v1/chat", post_chat,
     op("chat", "Chat", "Sends a message to a project's agent and waits for the answer")
         .notes("The path is agent-stream's too: a body with `agent_id` is one of its clients', which read a StreamChatReply "
                "and `{detail}` as error.")
         .takes("ProjectChatRequest|StreamChatRequest", R"({"projectId": "demo", "message": "what time is it?"})",
                R"({"agent_id": "guide", "message": "what time is it?"})")
         .gives(200, "ChatReply|StreamChatReply")
         .gives(202, "ChatReply|StreamChatReply")
         .streams()
         .sends()},
    {"GET", "/api/v1/sessions", get_sessions,
     op("listSessions", "Sessions", "Lists sessions, last used first; searches in them")
         .asks("q projectId parentId includeChildren sessionStatus")
         .lists("Session*")},
    {"GET", "/api/v1/sessions/{id}", get_session, op("getSession", "Sessions", "Tells about a session").gives(200, "Session")},
    {"PATCH", "/api/v1/sessions/{id}", patch_session,
     op("updateSession", "Sessions", "Changes the title or the metadata")
         .takes("SessionChange", R"({"title": "Notes", "metadata": {"colour": "green"}})")
         .gives(200, "Session")},
    {"DELETE", "/api/v1/sessions/{id}", delete_session,
     op("closeSession", "Sessions", "Closes a session; it can still be read").gives(200, "Session").fails("409")},
    {"PATCH", "/api/v1/sessions/{id}/status", patch_session_status,
     op("setSessionStatus", "Sessions", "Pauses, closes or opens a session again")
         .takes("SessionStatusChange", R"({"status": "paused"})")
         .gives(200, "Session")
         .fails("409")},
    {"GET", "/api/v1/sessions/{id}/messages", get_messages,
     op("listMessages", "Sessions", "Lists the messages, oldest first").lists("Message*")},
    {"POST", "/api/v1/sessions/{id}/messages", post_message,
     op("sendMessage", "Chat", "Sends a message; waits for the answer only where it is asked to")
         .asks("wait")
         .takes("NewMessage", R"({"content": "what time is it?", "onBusy": "queue", "clientMessageId": "m-1"})")
         .gives(202, "MessageAccepted|ChatReply")
         .gives(200, "ChatReply")
         .streams()
         .sends()},
    {"DELETE", "/api/v1/sessions/{id}/messages", delete_messages,
     op("clearMessages", "Sessions", "Begins the conversation anew: no message so far is shown or told to the model again")
         .notes("For the owner and admins. The log keeps what was said.")
         .gives_bytes(204, {}, {})
         .fails("409")},
    {"PUT", "/api/v1/sessions/{id}/messages/{messageId}/feedback", put_feedback,
     op("giveFeedback", "Sessions", "Rates an answer, with a note; one for each person, replaced by the next")
         .takes("FeedbackChange", R"({"rating": "up", "note": "just what I needed"})")
         .gives(200, "Feedback")
         .fails("422")},
    {"DELETE", "/api/v1/sessions/{id}/messages/{messageId}/feedback", delete_feedback,
     op("takeFeedbackBack", "Sessions", "Takes the caller's feedback back; also where there is none")
         .gives_bytes(204, {}, {})
         .fails("422")},
    {"POST", "/api/v1/sessions/{id}/messages/{messageId}/reactions", post_reaction,
     op("react", "Sessions", "Reacts to a message, or takes that back")
         .takes("ReactionChange", R"({"emoji": "👍"})")
         .gives(200, "Reaction")},
    {"GET", "/api/v1/sessions/{id}/files", get_files, op("listFiles", "Files", "Lists the files of a session").lists("File*")},
    {"POST", "/api/v1/sessions/{id}/files", post_files,
     op("uploadFiles", "Files", "Stores files for the messages of a session")
         .asks("name")
         .uploads()
         .gives(201, "UploadedFile")},
    {"GET", "/api/v1/sessions/{id}/files/{fileId}", get_file,
     op("downloadFile", "Files", "Gives the bytes of a file")
         .notes("Images, audio, PDF, JSON and plain text keep their type, everything else is application/octet-stream.")
         .gives_bytes(200, {}, "*/*")},
    {"GET", "/api/v1/sessions/{id}/participants", get_participants,
     op("getParticipants", "Sessions", "Tells who may take part").gives(200, "Participants")},
    {"PUT", "/api/v1/sessions/{id}/participants", put_participants,
     op("setParticipants", "Sessions", "Says who may take part; only the owner may")
         .takes("ParticipantsChange", R"({"users": ["ana", "luis"]})")
         .gives(200, "Participants")},
    {"POST", "/api/v1/sessions/{id}/fork", post_fork,
     op("forkSession", "Sessions", "Copies a session up to an event: edit and resend, regenerate")
         .takes("Fork", R"({"content": "what time is it?"})")
         .gives(201, "ForkedSession")
         .sends()},
    {"GET", "/api/v1/sessions/{id}/export", get_export,
     op("exportSession", "Sessions", "Gives a session as one document").gives(200, "SessionExport").fails("413")},
    {"GET", "/api/v1/sessions/{id}/scenario", get_session_scenario,
     op("getSessionScenario", "Scenarios", "Gives a session as a scenario, for `troupe replay`")
         .notes("Secrets are hidden as in recordings; what people wrote is in it.")
         .gives(200, "object")
         .fails("409 429")},
    {"GET", "/api/v1/sessions/{id}/events", get_events,
     op("listEvents", "Sessions", "Gives the events of a session: a stream, or a list where only JSON is accepted")
         .notes("Without an Accept header that names application/json it is a stream, which goes on with what happens later.")
         .asks("after lastEventId")
         .lists("Event*")
         .streams()},
    {"POST", "/api/v1/sessions/{id}/cancel", post_cancel,
     op("cancelRun", "Chat", "Stops the run; the event run.cancelled tells when")
         .takes("CancelRequest", "{}")
         .gives(202, "Cancelling")},
    {"GET", "/api/v1/sessions/{id}/queue", get_queue,
     op("listQueue", "Chat", "Lists the messages that wait for their run").lists("QueuedMessage*")},
    {"PATCH", "/api/v1/sessions/{id}/queue/{messageId}", patch_queued,
     op("updateQueued", "Chat", "Changes a message that waits, or its place")
         .takes("QueueChange", R"({"content": "calculate 2+2", "position": 1})")
         .gives(200, "QueuedMessage")},
    {"DELETE", "/api/v1/sessions/{id}/queue/{messageId}", delete_queued,
     op("dequeueMessage", "Chat", "Takes a message out of the queue").gives(200, "Dequeued")},
    {"GET", "/api/v1/sessions/{id}/traces", get_session_traces,
     op("listSessionTraces", "Traces and spend", "Lists the runs of a session, newest first").lists("Trace*")},
    {"GET", "/api/v1/sessions/{id}/children", get_children,
     op("listChildren", "Sessions", "Lists the sessions of its sub-agents").lists("Session*")},
    {"GET", "/api/v1/sessions/{id}/tool-calls", get_tool_calls,
     op("listToolCalls", "Tools", "Lists the tool calls of a session").lists("ToolCall*")},
    {"GET", "/api/v1/sessions/{id}/tool-calls/{callId}/output", get_tool_output,
     op("getToolOutput", "Tools", "Gives a part of a long output").asks("outputOffset outputLimit").gives(200, "ToolOutput")},
    {"GET", "/api/v1/approvals", get_approvals,
     op("listApprovals", "Approvals", "Lists the approvals of all sessions, newest first")
         .asks("approvalStatus projectId sessionId agentId tool kind riskLevel decidedBy since")
         .lists("Approval*")},
    {"POST", "/api/v1/approvals/decide", post_decide_many,
     op("decideMany", "Approvals", "Decides up to a hundred approvals, each with a result of its own")
         .takes("BulkDecision", R"({"ids": ["01a1fe4f-b1eb-701f-9e9c-75d2adcadacf"], "approved": true, "note": "all fine"})")
         .gives(200, "BulkResult*"),
     nexus, access::approve},
    {"GET", "/api/v1/approvals/remembered", get_remembered,
     op("listRemembered", "Approvals", "Lists what needs no question any more")
         .asks("projectId all")
         .lists("RememberedApproval*")},
    {"DELETE", "/api/v1/approvals/remembered/{id}", delete_remembered,
     op("forgetRemembered", "Approvals", "Takes a remembered approval back; also where that was done before")
         .gives_bytes(204, {}, {}),
     nexus, access::approve},
    {"GET", "/api/v1/approvals/{id}", get_approval,
     op("getApproval", "Approvals", "Tells about an approval").gives(200, "Approval")},
    {"POST", "/api/v1/approvals/{id}/approve", post_approve,
     op("approve", "Approvals", "Approves")
         .takes("DecisionNote", R"({"note": "go ahead"})")
         .gives(200, "Approval")
         .fails("409"),
     nexus, access::approve},
    {"POST", "/api/v1/approvals/{id}/deny", post_deny,
     op("deny", "Approvals", "Denies").takes("DecisionNote", R"({"note": "keep it"})").gives(200, "Approval").fails("409"),
     nexus, access::approve},
    {"POST", "/api/v1/approvals/{id}/decide", post_decide,
     op("decide", "Approvals", "Decides, with other arguments or for later calls too")
         .takes("Decision",
                R"({"approved": true, "note": "go ahead", "remember": {"scope": "session", "expiresInMs": 3600000}})",
                R"({"approved": false})")
         .gives(200, "Approval")
         .fails("409"),
     nexus, access::approve},
    {"GET", "/api/v1/traces/{id}", get_trace,
     op("getTrace", "Traces and spend", "Tells about a run with its model calls, tool calls and waits")
         .gives(200, "TraceDetail")},
    {"GET", "/api/v1/stats", get_stats,
     op("getStats", "Traces and spend", "Totals: of all projects for admins, of one's own for others").gives(200, "Stats")},
    {"GET", "/api/v1/tools", get_tools, op("listTools", "Tools", "Lists the tools of this server").lists("Tool*")},
    {"GET", "/api/v1/scenarios", get_scenarios,
     op("listScenarios", "Scenarios", "Lists the scenarios that this server can play").gives(200, "Scenarios").fails("404"),
     nexus, access::admin},
    {"GET", "/api/v1/scenarios/runs", get_scenario_runs,
     op("listScenarioRuns", "Scenarios", "Lists the last runs of scenarios, newest first")
         .lists("ScenarioRunSummary*")
         .fails("404"),
     nexus, access::admin},
    {"POST", "/api/v1/scenarios/runs", post_scenario_run,
     op("runScenarios", "Scenarios", "Plays scenarios in a process of their own, one run at a time")
         .takes("ScenarioRequest", R"({"files": ["conversation/plain_answer.json"]})",
                R"({"tags": ["recorded"], "restartEveryStep": true})")
         .gives(202, "ScenarioRun")
         .fails("404 409"),
     nexus, access::admin},
    {"GET", "/api/v1/scenarios/runs/{id}", get_scenario_run,
     op("getScenarioRun", "Scenarios", "Tells how far a run of scenarios is, and what came of it").gives(200, "ScenarioRun"),
     nexus, access::admin},
    {"DELETE", "/api/v1/scenarios/runs/{id}", delete_scenario_run,
     op("stopScenarioRun", "Scenarios", "Stops a run of scenarios; one that has ended stays as it is").gives_bytes(204, {}, {}),
     nexus, access::admin},
    // agent-stream; POST /api/v1/chat/ is post_chat's
    {"GET", "/api/v1/agents", get_stream_agents,
     op("listStreamAgents", "agent-stream", "Lists the agents").gives(200, "StreamAgent[]"), detail},
    {"GET", "/api/v1/health", get_stream_health,
     op("getStreamHealth", "agent-stream", "Tells whether the store answers")
         .gives(200, "StreamHealth")
         .gives(503, "StreamHealth"),
     detail, access::open},
    // conversation
    {"GET", "/health", get_conversation_health,
     op("getConversationHealth", "conversation", "Tells that the server runs").gives(200, "ConversationHealth"), detail,
     access::open},
    {"POST", "/api/chat", post_conversation_chat,
     op("converse", "conversation", "Sends a message and waits for the answer")
         .asks("agent")
         .takes("ConversationRequest", R"({"message": "what time is it?", "conversation_id": "conv_1"})")
         .gives(200, "ConversationReply")
         .sends(),
     detail},
    {"GET", "/api/chat/{id}/history", get_conversation_history,
     op("getConversationHistory", "conversation", "Gives all messages; none of a conversation that is unknown")
         .gives(200, "ConversationHistory"),
     detail},
    {"GET", "/api/conversations", get_conversations,
     op("listConversations", "conversation", "Lists conversations, last used first").paged().gives(200, "Conversations"),
     detail},
    {"GET", "/api/conversations/{id}", get_conversation,
     op("getConversation", "conversation", "Tells about a conversation").gives(200, "Conversation"), detail},
    {"DELETE", "/api/conversations/{id}", delete_conversation,
     op("deleteConversation", "conversation", "Deletes; what is not there is deleted too").gives(200, "ConversationDeleted"),
     detail},
    {"GET", "/api/tools", get_conversation_tools,
     op("listConversationTools", "conversation", "Lists the tools of this server").gives(200, "ConversationTools"), detail},
    {"GET", "/api/tools/{name}", get_conversation_tool,
     op("getConversationTool", "conversation", "Tells about a tool").gives(200, "ConversationTool"), detail},
    {"GET", "/api/config", get_conversation_config,
     op("getConversationConfig", "conversation", "Tells about the agent that answers here").gives(200, "ConversationConfig"),
     detail},
    {"PUT", "/api/config", put_conversation_config,
     op("setConversationConfig", "conversation", "Always refused: the configuration is the file's")
         .takes("ConversationConfigChange", R"({"temperature": 0.5})")
         .fails("403"),
     detail, access::admin},
    {"GET", "/api/config/ollama-models", get_ollama_models,
     op("listOllamaModels", "conversation", "An empty list, for clients that ask").gives(200, "OllamaModels"), detail},
    // chat-events
    {"POST", "/api/v1/chats", post_chat_events_chat,
     op("createEventsChat", "chat-events", "Makes a chat of a user")
         .takes("NewEventsChat", R"({"userId": "ana"})")
         .gives(201, "EventsChat"),
     statuscode},
    {"GET", "/api/v1/chats", get_chat_events_chats,
     op("listEventsChats", "chat-events", "Lists chats with their newest exchanges").paged().gives(200, "EventsChat[]"),
     statuscode},
    {"GET", "/api/v1/chats/user/{userId}", get_chat_events_chats_of_user,
     op("listEventsChatsOfUser", "chat-events", "Lists the chats of a user").paged().gives(200, "EventsChat[]"), statuscode},
    {"GET", "/api/v1/chats/user/codigo/{codigo}", get_chat_events_chats_of_code,
     op("listEventsChatsOfCode", "chat-events", "Lists the chats of the user who logs in with a code")
         .paged()
         .gives(200, "EventsChat[]"),
     statuscode},
    {"GET", "/api/v1/chats/{id}", get_chat_events_chat,
     op("getEventsChat", "chat-events", "Gives a chat with its exchanges").gives(200, "EventsChat"), statuscode},
    {"DELETE", "/api/v1/chats/{id}", delete_chat_events_chat,
     op("deleteEventsChat", "chat-events", "Deletes a chat").gives(200, "EventsChatDeleted"), statuscode},
    {"POST", "/api/v1/chats/{id}/messages", post_chat_events_message,
     op("sendEventsMessage", "chat-events", "Asks and waits for the answer")
         .takes("NewEventsMessage", R"({"content": "what time is it?", "temperature": 0.5})")
         .gives(201, "Exchange")
         .gives(202, "PendingApproval")
         .fails("409 429 502"),
     statuscode},
    {"GET", "/api/v1/chats/{id}/messages", get_chat_events_messages,
     op("listEventsMessages", "chat-events", "Gives the exchanges of a chat").gives(200, "Exchange[]"), statuscode},
    {"DELETE", "/api/v1/chats/{id}/messages", delete_chat_events_messages,
     op("clearEventsChat", "chat-events", "Forgets the exchanges of a chat").gives(200, "EventsChat").fails("409"), statuscode},
    // log-ins of chat-events and chat-room
    {"POST", "/api/v1/auth/login", post_code_login,
     op("logInWithCode", "Log-ins", "Logs in with a code")
         .takes("CodeLogin", R"({"codigo": "ana"})")
         .gives(200, "CodeLoggedIn")
         .fails("401"),
     statuscode, access::open},
    {"GET", "/api/v1/auth/profile", get_code_profile,
     op("getCodeProfile", "Log-ins", "Tells who one is").gives(200, "CodeUser"), statuscode, access::known},
    {"POST", "/auth/login", post_login,
     op("logIn", "Log-ins", "Logs in with a password")
         .takes("Login", R"({"username": "ana", "password": "any"})")
         .gives(201, "LoggedIn")
         .fails("401 429"),
     statuscode, access::open},
    {"GET", "/auth/profile", get_profile, op("getProfile", "Log-ins", "Tells who one is").gives(200, "RoomUser"), statuscode,
     access::known},
    {"GET", "/auth/me", get_profile, op("getMe", "Log-ins", "Tells who one is").gives(200, "RoomUser"), statuscode,
     access::known},
    // chat-room
    {"GET", "/chat/models/all", get_room_models,
     op("listRoomModels", "chat-room", "Lists the agents").gives(200, "RoomModel[]"), statuscode},
    {"GET", "/chat/models/default", get_room_default_model,
     op("getDefaultRoomModel", "chat-room", "Tells about the default agent").gives(200, "RoomModel").fails("404"), statuscode},
    {"GET", "/chat/mcp/servers", get_room_mcp_servers,
     op("listRoomMcpServers", "chat-room", "An empty list, for clients that ask").gives(200, "any[]"), statuscode},
    {"GET", "/chat/conversations", get_room_conversations,
     op("listRoomConversations", "chat-room", "Lists conversations without their messages")
         .paged()
         .gives(200, "RoomConversation[]"),
     statuscode},
    {"POST", "/chat/conversations", post_room_conversation,
     op("createRoomConversation", "chat-room", "Makes a conversation")
         .takes("NewRoomConversation", R"({"title": "Planning", "model": "guide"})")
         .gives(201, "RoomConversation"),
     statuscode},
    {"GET", "/chat/conversations/{id}", get_room_conversation,
     op("getRoomConversation", "chat-room", "Gives a conversation with its newest messages").gives(200, "RoomConversation"),
     statuscode},
    {"PUT", "/chat/conversations/{id}", put_room_conversation,
     op("updateRoomConversation", "chat-room", "Changes a conversation")
         .takes("RoomConversationChange", R"({"title": "Plans"})")
         .gives(200, "RoomConversation"),
     statuscode},
    {"DELETE", "/chat/conversations/{id}", delete_room_conversation,
     op("deleteRoomConversation", "chat-room", "Deletes a conversation").gives(200, "RoomConversationDeleted"), statuscode},
    {"POST", "/chat/messages", post_room_message,
     op("sendRoomMessage", "chat-room", "Sends a message and waits for the answer")
         .takes("NewRoomMessage", R"({"content": "what time is it?"})")
         .gives(201, "RoomTurn")
         .gives(202, "PendingApproval")
         .sends(),
     statuscode},
    // the server
    {"GET", "/api/v1/openapi.json", get_openapi,
     op("getOpenapi", "Server", "Gives this document").gives(200, "object").gives_bytes(304, {}, {}), nexus, access::open},
    {"GET", "/healthz", get_healthz, op("getHealth", "Server", "Tells that the server answers").gives(200, "Health"), nexus,
     access::open},
    {"GET", "/readyz", get_readyz, op("getReadiness", "Server", "Tells whether the server can work").gives(200, "Readiness"),
     nexus, access::open},
    {"GET", "/metrics", get_metrics,
     op("getMetrics", "Server", "Gives metrics in the Prometheus text format").gives_bytes(200, "string", "text/plain"), nexus,
     access::operations},
    {"GET", "/", get_home,
     op("getHome", "Server", "A page for browsers, a summary for programs")
         .gives(200, "Summary")
         .gives_bytes(200, "string", "text/html"),
     nexus, access::open},
    {"GET", "/assets/{file}", get_asset,
     op("getAsset", "Server", "Gives a file of the console").gives_bytes(200, {}, "*/*").gives_bytes(304, {}, {}), nexus,
     access::open},
};

constexpr bool have_names_of_their_own() {
  for (const auto& one : routes)
    for (const auto& other : routes)
      if (&one != &other && one.is.id == other.is.id) return false;
  return true;
}
static_assert(have_names_of_their_own(), "two operations of the OpenAPI document have the same id");

}  // namespace

std::span<const route> all_routes() noexcept { return routes; }

}  // namespace troupe::transport

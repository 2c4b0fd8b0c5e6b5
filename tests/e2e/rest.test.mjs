// REST of the native protocol and of `conversation` (PROTOCOLS §1.6, §2): chats, sessions, messages, lists, usage.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get, post, request, styleB } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { inOneDay } from "./support/waiting.mjs";

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function assertList(answer, total, limit = 20, offset = 0) {
  assert.equal(answer.status, 200, answer.text);
  const { items, data, ...rest } = answer.body;
  assert.deepEqual(items, data);
  assert.deepEqual(rest, { ...rest, total, limit, offset });
  return items;
}

test("chat: both paths answer with the whole run", () =>
  withServer(standard(), async (server) => {
    const first = await post(server, "/api/v1/projects/demo/agents/writer/chat", { message: "clock" });
    assert.equal(first.status, 200, first.text);
    const { sessionId, response, toolCalls, usage } = first.body;
    assert.deepEqual([toolCalls.length, toolCalls[0].tool, toolCalls[0].success], [1, "clock", true]);
    assert.equal(response, `Let me look. It is ${toolCalls[0].output}.`);
    assert.deepEqual([usage.totalTokens, usage.inputTokens, usage.outputTokens], [59, 50, 9]);
    for (const key of ["messageId", "traceId"]) assert.equal(typeof first.body[key], "string");
    for (const path of ["/api/v1/chat", "/api/v1/chat/"]) {
      const next = await post(server, path, { projectId: "demo", message: "hello", sessionId });
      assert.deepEqual([next.status, next.body.sessionId, next.body.response], [200, sessionId, "Hello, world"]);
    }
    const fresh = await post(server, "/api/v1/chat", { projectId: "demo", agentId: "other", message: "hello", metadata: { a: 1 } });
    assert.notEqual(fresh.body.sessionId, sessionId);
    const session = (await get(server, `/api/v1/sessions/${fresh.body.sessionId}`)).body;
    assert.deepEqual([session.agentId, session.metadata, session.status], ["other", { a: 1 }, "active"]);
    const failed = await post(server, "/api/v1/chat", { projectId: "demo", message: "fail" });
    assert.deepEqual([failed.status, failed.body.error.code], [502, "PROVIDER_ERROR"]);
    assert.equal("success" in first.body, false);
  }));

test("chat: a run that needs an approval answers 202 with its id", () =>
  withServer(standard(), async (server) => {
    const { status, body } = await post(server, "/api/v1/chat", { projectId: "demo", message: "delete note" });
    assert.deepEqual([status, body.status, body.response], [202, "pending", "May I? "]);
    const approval = (await get(server, `/api/v1/approvals/${body.approvalId}`)).body;
    const expected = ["action", "agentId", "createdAt", "decidedAt", "decidedBy", "expiresAt", "id", "note", "projectId",
      "resolvedAt", "resolvedBy", "riskLevel", "runId", "sessionId", "status", "toolCallId", "toolId", "toolInput"];
    for (const key of expected) assert.ok(key in approval, key);
    assert.deepEqual([approval.status, approval.sessionId, approval.toolId], ["pending", body.sessionId, "delete_file"]);
    assert.match(approval.createdAt, instant);
    const stats = (await get(server, "/api/v1/stats")).body;
    assert.deepEqual([stats.pendingApprovals, stats.totalProjects, stats.totalAgents, stats.activeSessions], [1, 2, 3, 1]);
    assert.deepEqual([typeof stats.costToday, typeof stats.costMonth], ["number", "number"]);
  }));

test("chat: an Idempotency-Key in flight is awaited; seen before, it returns the first result and starts nothing", () =>
  withServer(standard(), async (server) => {
    const { sessionId } = (await post(server, "/api/v1/chat", { projectId: "demo", message: "hello" })).body;
    const send = () => post(server, "/api/v1/chat", { projectId: "demo", message: "clock", sessionId }, { "idempotency-key": "k1" });
    const [one, two] = await Promise.all([send(), send()]);
    assert.deepEqual([one.status, two.status, two.body], [200, 200, one.body]);
    assert.deepEqual((await send()).body, one.body);
    const messages = assertList(await get(server, `/api/v1/sessions/${sessionId}/messages`), 5);
    assert.equal(messages.filter((m) => m.role === "user").length, 2);
  }));

test("chat: an Idempotency-Key holds for a chat that made its session too", () =>
  withServer(standard(), async (server) => {
    const send = () => post(server, "/api/v1/chat", { projectId: "demo", message: "hello" }, { "idempotency-key": "k1" });
    const first = await send();
    assert.deepEqual((await send()).body, first.body);
    assertList(await get(server, "/api/v1/sessions"), 1);
  }));

test("sessions: made, read, listed, searched, paused, closed", () =>
  withServer(standard(), async (server) => {
    const made = await post(server, "/api/v1/projects/demo/sessions", { metadata: { k: "v" } });
    assert.equal(made.status, 201);
    const { id } = made.body;
    assert.deepEqual((await get(server, `/api/v1/sessions/${id}`)).body, made.body);
    assert.match(made.body.createdAt, instant);
    await post(server, "/api/v1/projects/demo/sessions", { agentId: "other" });
    await post(server, "/api/v1/projects/empty/sessions");
    assertList(await get(server, "/api/v1/sessions"), 3);
    assertList(await get(server, "/api/v1/projects/demo/sessions"), 2);
    assert.equal(assertList(await get(server, "/api/v1/sessions?limit=2&offset=2"), 3, 2, 2).length, 1);
    const status = (value) => request(server, "PATCH", `/api/v1/sessions/${id}/status`, { status: value });
    assert.equal((await status("paused")).body.status, "paused");
    const refused = await post(server, `/api/v1/sessions/${id}/messages`, { content: "hello" });
    assert.deepEqual([refused.status, refused.body.error.code], [409, "SESSION_CLOSED"]);
    assert.equal((await status("active")).body.status, "active");
    assert.equal((await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "hello" })).body.response, "Hello, world");
    assert.equal((await request(server, "DELETE", `/api/v1/sessions/${id}`)).body.status, "closed");
    assert.equal((await post(server, `/api/v1/sessions/${id}/messages`, { content: "hello" })).status, 409);
    assertList(await get(server, "/api/v1/sessions?status=closed"), 1);
  }));

test("messages: 202 with ids, then the history, oldest first", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const accepted = await post(server, `/api/v1/sessions/${client.sessionId}/messages`, { content: "clock", clientMessageId: "c-9" });
    assert.equal(accepted.status, 202);
    assert.equal((await client.next("message.created")).messageId, accepted.body.messageId);
    assert.equal((await client.next("run.started")).runId, accepted.body.runId);
    await client.next("message.complete");
    const again = await post(server, `/api/v1/sessions/${client.sessionId}/messages`, { content: "clock", clientMessageId: "c-9" });
    assert.deepEqual([again.status, again.body.messageId], [202, accepted.body.messageId]);
    const messages = assertList(await get(server, `/api/v1/sessions/${client.sessionId}/messages`), 3);
    assert.deepEqual(messages.map((m) => m.role), ["user", "assistant", "assistant"]);
    assert.deepEqual([messages[0].content, messages[0].clientMessageId], ["clock", "c-9"]);
    assert.equal(messages[1].toolCalls[0].tool, "clock");
    assert.equal(messages[2].content, `It is ${messages[1].toolCalls[0].output}.`);
    assert.ok(messages.every((m) => instant.test(m.createdAt)));
  }));

test("the queue: listed with positions, an entry removed, the run cancelled", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const path = `/api/v1/sessions/${client.sessionId}`;
    await post(server, `${path}/messages`, { content: "hold" });
    await client.next("message.content_delta");
    const queued = [];
    for (const content of ["one", "two"]) queued.push((await post(server, `${path}/messages`, { content })).body);
    assert.deepEqual(queued.map((q) => q.position), [1, 2]);
    assert.equal((await post(server, `${path}/messages`, { content: "x", onBusy: "reject" })).body.error.code, "BUSY");
    assert.equal((await request(server, "DELETE", `${path}/queue/${queued[0].messageId}`)).status, 200);
    assert.equal((await request(server, "DELETE", `${path}/queue/${queued[0].messageId}`)).status, 404);
    assert.deepEqual(assertList(await get(server, `${path}/queue`), 1).map((q) => [q.content, q.position]), [["two", 1]]);
    assert.ok([200, 202].includes((await post(server, `${path}/cancel`)).status));
    await client.next("run.cancelled");
    await client.next("message.complete");
    assert.equal(client.all("message.content_delta").at(-1).text, "You said: two");
    assert.equal((await post(server, `${path}/cancel`)).status, 404);
  }));

test("projects, agents, tools, traces and usage", () =>
  inOneDay(() => withServer(standard(), async (server) => {
    assert.deepEqual(assertList(await get(server, "/api/v1/projects"), 2).map((p) => p.id), ["demo", "empty"]);
    assert.equal((await get(server, "/api/v1/projects/demo")).body.defaultAgentId, "writer");
    assert.deepEqual(assertList(await get(server, "/api/v1/projects/demo/agents"), 2).map((a) => a.id), ["other", "writer"]);
    assert.equal((await get(server, "/api/v1/projects/demo/agents/writer")).body.model, "tiny");
    const tools = assertList(await get(server, "/api/v1/tools"), 10);
    for (const key of ["name", "description", "parameters", "effect", "approval", "source"]) assert.ok(key in tools[0], key);

    const chat = (await post(server, "/api/v1/chat", { projectId: "demo", message: "clock" })).body;
    const [trace] = assertList(await get(server, "/api/v1/projects/demo/traces"), 1);
    assert.deepEqual([trace.id, trace.totalTokens], [chat.traceId, chat.usage.totalTokens]);
    assertList(await get(server, `/api/v1/sessions/${chat.sessionId}/traces`), 1);
    const { spans } = (await get(server, `/api/v1/traces/${chat.traceId}`)).body;
    assert.ok(spans.length >= 3, JSON.stringify(spans)); // the run, its model calls and its tool
    for (const period of ["day", "week", "month"]) {
      const usage = await get(server, `/api/v1/projects/demo/usage?period=${period}`);
      const [day] = assertList(usage, 1, usage.body.limit);
      assert.deepEqual([day.totalTokens, day.totalRequests], [59, 2]);
      assert.equal(usage.body.totalCostUsd, chat.usage.costUsd);
    }
  })));

test("conversation: chat, history, list, one, delete, tools, config; with and without a trailing slash", () =>
  withServer(standard(), async (server) => {
    const fresh = (await post(server, "/api/chat", { message: "hello" })).body;
    assert.match(fresh.conversation_id, /^conv_[0-9a-f]{8}$/);
    assert.deepEqual([fresh.message, fresh.tool_calls, fresh.iterations], ["Hello, world", [], 1]);
    const named = (await post(server, "/api/chat/", { message: "clock", conversation_id: "mine", stream: false })).body;
    assert.deepEqual([named.conversation_id, named.iterations, named.tool_calls[0].tool], ["mine", 2, "clock"]);
    for (const slash of ["", "/"]) {
      const history = (await get(server, `/api/chat/mine/history${slash}`)).body;
      assert.equal(history.total, history.messages.length);
      assert.deepEqual(history.messages.map((m) => m.role).filter((role) => role !== "tool"), ["user", "assistant", "assistant"]);
      const call = history.messages.find((m) => m.tool_calls !== null);
      assert.equal(JSON.parse(call.tool_calls)[0].tool, "clock");
      assert.ok(history.messages.every((m) => Number.isInteger(m.id) && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(m.created_at)));
      const list = (await get(server, `/api/conversations${slash}`)).body;
      assert.deepEqual([list.total, list.conversations.map((c) => c.id).sort()], [2, [fresh.conversation_id, "mine"].sort()]);
      assert.equal((await get(server, `/api/conversations/mine${slash}`)).body.id, "mine");
      assert.equal((await get(server, `/health${slash}`)).body.status, "healthy");
      assert.equal((await get(server, `/api/tools${slash}`)).body.total, 10);
      assert.equal((await get(server, `/api/tools/clock${slash}`)).body.name, "clock");
      const config = (await get(server, `/api/config${slash}`)).body;
      assert.deepEqual([config.llm_provider, config.model, config.tools_count], ["scripted", "tiny", 6]);
    }
    assert.deepEqual((await get(server, "/api/chat/unknown/history")).body, { conversation_id: "unknown", messages: [], total: 0 });
    const keys = await request(server, "PUT", "/api/config", { api_keys: { a: "b" } });
    assert.deepEqual([keys.status, typeof keys.body.detail], [403, "string"]);
    for (let i = 0; i < 2; ++i) {
      const deleted = await request(server, "DELETE", "/api/conversations/mine");
      assert.deepEqual([deleted.status, deleted.body.status, deleted.body.conversation_id], [200, "success", "mine"]);
    }
    assert.equal((await get(server, "/api/conversations/mine")).status, 404);
    assert.equal((await get(server, "/api/chat/mine/history")).body.total, 0);
    assert.equal((await get(server, "/api/conversations")).body.total, 1);
  }));

test("the server: health, readiness, metrics, and what / says to programs and to browsers", () =>
  withServer(standard(), async (server) => {
    for (const path of ["/healthz", "/readyz", "/metrics"]) assert.equal((await get(server, path)).status, 200, path);
    const home = await get(server, "/", { accept: "application/json" });
    for (const key of ["name", "version", "status", "endpoints"]) assert.ok(key in home.body, key);
    const page = await get(server, "/", { accept: "text/html" });
    assert.match(page.headers["content-type"], /^text\/html/);
  }));

// Rows of PROTOCOLS §1 that no other file has: money, several completions in a run, expiry, codes, one numbering everywhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, get, post, request, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { SocketIoClient } from "./support/socketio.mjs";
import { inOneDay } from "./support/waiting.mjs";

/** An answer costs 20 micro-dollars: "hello" of the standard script. */
const helloUsd = 0.00002;

function budgeted(change) {
  const configuration = standard();
  change(configuration.projects.demo, configuration.projects.demo.agents.writer);
  return configuration;
}

const budgets = {
  session: (_, agent) => Object.assign(agent, { alerts: [50, 100], limits: { budget_usd: helloUsd * 2 } }),
  agent: (_, agent) => (agent.budget = { daily_usd: helloUsd * 2, alerts: [50, 100] }),
  project: (project) => (project.budget = { monthly_usd: helloUsd * 2, alerts: [50, 100] }),
};

for (const [scope, change] of Object.entries(budgets))
  test(`§1.3 session.cost_alert and §1.4 BUDGET_EXCEEDED: the budget of the ${scope}`, () =>
    inOneDay(() => withServer(budgeted(change), async (server) => {
      const client = await styleA(server);
      for (const percent of [50, 100]) {
        client.send({ type: "message.send", content: "hello" });
        const { seq, type, ...alert } = await client.next("session.cost_alert");
        const currentSpend = (helloUsd * 2 * percent) / 100;
        assert.deepEqual(alert, { currentSpend, budget: helloUsd * 2, percent, scope });
        assert.ok(Number.isInteger(seq), "an alert is a stored event");
        await client.next("message.complete");
      }
      client.send({ type: "message.send", content: "hello" });
      assert.equal((await client.next("error")).code, "BUDGET_EXCEEDED");
      assert.equal(client.all("message.complete").length, 2);
      const { sessionId } = client.all("session.created")[0];
      const refused = await post(server, "/api/v1/chat", { projectId: "demo", message: "hello", sessionId });
      assert.deepEqual([refused.status, refused.body.error.code], [429, "BUDGET_EXCEEDED"]);
      assert.ok(Number(refused.headers["retry-after"]) >= 1, "§1.6: 429 comes with Retry-After");
      assert.equal(client.all("session.cost_alert").length, 2, "each threshold once");
      const other = await post(server, "/api/v1/chat", { projectId: "demo", message: "hello" });
      assert.equal(other.status, scope === "session" ? 200 : 429, "a budget of the agent or the project holds for its other sessions");
    })));

test("§1.4 several message.complete in one run: each its own messageId, and the usage since the last one", () => {
  const asksTwice = standard();
  asksTwice.providers.scripted.script.rules = [
    { when: { user: "twice", after: "user" }, say: [{ text: "One? " }, { usage: { prompt: 10, completion: 1 } }, { tool: "delete_file", arguments: { path: "a" } }] },
    { when: { tool: "delete_file", call: 2 }, say: [{ text: "Two? " }, { usage: { prompt: 20, completion: 2 } }, { tool: "delete_file", arguments: { path: "b" } }] },
    { when: { tool: "delete_file" }, say: [{ text: "Done." }, { usage: { prompt: 40, completion: 4 } }] },
  ];
  return withServer(asksTwice, async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "twice" });
    for (let i = 0; i < 2; ++i) {
      const { approvalId } = await client.next("message.approval_required");
      await client.next("message.complete");
      client.send({ type: "approval.decide", approvalId, approved: true });
    }
    await client.next("message.complete");
    const completions = client.all("message.complete");
    assert.equal(client.all("run.started").length, 1, "one run");
    assert.equal(new Set(completions.map((c) => c.messageId)).size, 3, "each its own messageId");
    assert.equal(new Set(completions.map((c) => c.traceId)).size, 1);
    assert.deepEqual(completions.map((c) => [c.usage.promptTokens, c.usage.completionTokens]), [[10, 1], [20, 2], [40, 4]]);
    const total = (await get(server, `/api/v1/sessions/${client.sessionId}`)).body.usage;
    assert.equal(completions.reduce((sum, c) => sum + c.usage.totalTokens, 0), total.totalTokens);
    assert.ok(Math.abs(completions.reduce((sum, c) => sum + c.usage.cost, 0) - total.cost) < 1e-12);
  });
});

test("§1.3 approval.decided: a card that nobody decides expires, and the model goes on", () => {
  const impatient = standard();
  impatient.projects.demo.agents.writer.limits.approval_timeout_ms = 200;
  return withServer(impatient, async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "delete note" });
    const { approvalId } = await client.next("message.approval_required");
    const decided = await client.next("approval.decided");
    assert.deepEqual([decided.approvalId, decided.decision], [approvalId, "expired"]);
    assert.equal((await client.next("message.tool_complete")).success, false);
    await client.next("message.complete");
    assert.equal((await get(server, `/api/v1/approvals/${approvalId}`)).body.status, "expired");
    assert.equal((await post(server, `/api/v1/approvals/${approvalId}/approve`)).status, 409);
  });
});

test("§1.4 codes over the socket: BUSY, QUEUE_FULL, PROVIDER_ERROR, ITERATION_LIMIT, SESSION_CLOSED, and it stays open", () => {
  const narrow = standard();
  narrow.projects.demo.agents.writer.limits.max_queue = 1;
  return withServer(narrow, async (server) => {
    const client = await styleB(server);
    const code = async (frame) => (client.send({ type: "message.send", ...frame }), (await client.next("error")).code);
    client.send({ type: "message.send", content: "hold" });
    await client.next("message.content_delta");
    assert.equal(await code({ content: "hello", onBusy: "reject" }), "BUSY");
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.queued");
    assert.equal(await code({ content: "hello" }), "QUEUE_FULL");
    client.send({ type: "run.cancel" });
    await client.next("message.complete");
    assert.equal(await code({ content: "fail" }), "PROVIDER_ERROR");
    assert.equal(await code({ content: "loop" }), "ITERATION_LIMIT");
    await request(server, "DELETE", `/api/v1/sessions/${client.sessionId}`);
    assert.equal(await code({ content: "hello" }), "SESSION_CLOSED");
    await client.send({ type: "ping" }).next("pong");
  });
});

test("§1.5 one numbering: nexus seq, SSE id and Socket.IO offset of one event are the same", () =>
  withServer(standard(), async (server) => {
    const nexus = await styleB(server);
    const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${nexus.sessionId}/events?after=0`);
    const room = await SocketIoClient.open(server, "/chat");
    const offsets = new Map();
    room.socket.onAny((type, payload, offset) => {
      if (type === "chat:streaming" && !payload.isComplete) offsets.set(payload.chunk, offset);
    });
    room.emit("chat:join", { conversationId: nexus.sessionId });
    await room.next("chat:joined");
    nexus.send({ type: "message.send", content: "long" });
    await nexus.next("message.complete");
    await stream.next("message.complete");
    await room.next("chat:complete");
    const deltas = nexus.all("message.content_delta");
    assert.deepEqual(stream.all("message.content_delta").map((frame) => [frame.text, Number(frame.sse.id)]), deltas.map((d) => [d.text, d.seq]));
    for (const delta of deltas.filter((d) => offsets.has(d.text)))
      assert.match(offsets.get(delta.text), new RegExp(`:${delta.seq}$`), delta.text);
    assert.ok(offsets.size > 0);
  }));

test("§1.5 gaps: events without a frame leave gaps, and a seq is never given twice, also after a crash", () =>
  withServer(standard(), async (server) => {
    const before = await styleB(server);
    before.send({ type: "message.send", content: "clock" });
    await before.next("message.complete");
    const seqs = (frames) => [...new Set(frames.map((frame) => frame.seq).filter((seq) => seq !== undefined))];
    const first = seqs(before.frames);
    assert.ok(first.at(-1) - first[0] + 1 > first.length, `gaps in ${first}`);
    await server.kill();
    await server.start();
    const client = await styleA(server, { sessionId: before.sessionId });
    await client.next("session.resumed");
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    assert.ok(Math.min(...seqs(client.frames)) > first.at(-1), `${seqs(client.frames)} after ${first.at(-1)}`);
  }));

test("§1.2 approval.decide: a card about a tool call takes approved; choice and answer belong to other cards, and are told so", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "delete note" });
    const { approvalId, kind } = await client.next("message.approval_required");
    assert.equal(kind, "tool");
    for (const [field, value] of [["choice", "done"], ["answer", { a: 1 }], ["remember", { scope: "world" }]]) {
      client.send({ type: "approval.decide", approvalId, ...(field === "remember" && { approved: true }), [field]: value });
      const refused = await client.next("error");
      assert.deepEqual([refused.code, refused.message.includes(`"${field}`)], ["VALIDATION_ERROR", true]);
    }
    client.send({ type: "approval.decide", approvalId, approved: true });
    await client.next("approval.decided");
  }));

test("§1.6 bare objects: no answer of any kind has a key named success, and lists have their array under both names", () =>
  withServer(standard(), async (server) => {
    const { sessionId } = (await post(server, "/api/v1/chat", { projectId: "demo", message: "hello" })).body;
    const lists = ["projects", "projects/demo/agents", "projects/demo/sessions", "projects/demo/traces", "projects/demo/usage", "sessions",
      `sessions/${sessionId}/messages`, `sessions/${sessionId}/queue`, `sessions/${sessionId}/traces`, `sessions/${sessionId}/files`, "approvals", "tools"];
    for (const path of lists) {
      const { body } = await get(server, `/api/v1/${path}`);
      assert.deepEqual(body.items, body.data, path);
      for (const key of ["total", "limit", "offset"]) assert.ok(Number.isInteger(body[key]), `${path} ${key}`);
      assert.equal("success" in body, false, path);
    }
    for (const path of ["projects/demo", "projects/demo/agents/writer", `sessions/${sessionId}`, "stats"])
      assert.equal("success" in (await get(server, `/api/v1/${path}`)).body, false, path);
  }));

test("§1.6 the queue: visible, editable and durable", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const path = `/api/v1/sessions/${client.sessionId}`;
    client.send({ type: "message.send", content: "hold" });
    await client.next("message.content_delta");
    const ids = [];
    for (const content of ["one", "two", "three"]) ids.push((await post(server, `${path}/messages`, { content })).body.messageId);
    await request(server, "PATCH", `${path}/queue/${ids[0]}`, { content: "first", position: 3 });
    await request(server, "DELETE", `${path}/queue/${ids[1]}`);
    await server.kill();
    await server.start();
    const queue = (await get(server, `${path}/queue`)).body.items;
    assert.deepEqual(queue.map((q) => [q.messageId, q.content, q.position]), [[ids[2], "three", 1], [ids[0], "first", 2]]);
    const again = await styleA(server, { sessionId: client.sessionId });
    await again.next("session.resumed");
    again.send({ type: "run.cancel" });
    for (let i = 0; i < 2; ++i) await again.next("message.complete");
    const said = again.all("message.content_delta").map((frame) => frame.text);
    assert.deepEqual(said.slice(-2), ["You said: three", "You said: first"]);
  }));

test("§1.3 message.created: the stored user message goes to every client, with its author and clientMessageId", () =>
  withServer(standard(), async (server) => {
    const sender = await styleB(server);
    const watcher = await SocketClient.open(server, "/ws");
    watcher.send({ type: "auth", sessionId: sender.sessionId });
    await watcher.next("session.resumed");
    sender.send({ type: "message.send", content: "hello", clientMessageId: "mine" });
    const created = await sender.next("message.created");
    assert.deepEqual([created.role, created.content, created.clientMessageId], ["user", "hello", "mine"]);
    assert.ok(typeof created.author === "string" && /^[0-9a-f-]{36}$/.test(created.messageId));
    assert.deepEqual(await watcher.next("message.created"), created);
  }));

// The inbox: filters, remembered approvals, two people, two browsers, several at once, tool outputs and sub-agents (issue 5).
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { get, post, request, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { withServer } from "./support/server.mjs";
import { standard } from "./support/configuration.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { until } from "./support/waiting.mjs";

const del = (server, path, headers) => request(server, "DELETE", path, undefined, headers);
const approvals = "/api/v1/approvals";

async function turn(client, content) {
  client.send({ type: "message.send", content });
  await client.next("message.complete");
}

/** Writes the file and asks to delete it: the card, or null where nobody was asked. */
async function deleting(client, name = "note") {
  await turn(client, `write ${name}`);
  client.send({ type: "message.send", content: `delete ${name}` });
  const frame = await client.next((f) => f.type === "message.approval_required" || (f.type === "message.tool_complete" && f.tool === "delete_file"));
  if (frame.type === "message.approval_required") return frame;
  await client.next("message.complete");
  return null;
}

async function decided(client, card, decision) {
  client.send({ type: "approval.decide", approvalId: card.approvalId, ...decision });
  await client.next("approval.decided");
  await client.next("message.tool_complete");
  await client.next("message.complete");
}

test("filters: by status, session, agent, tool, kind, risk, decider and time", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    const card = await deleting(client);
    const { sessionId } = client.all("session.created")[0];
    const one = (await get(server, `${approvals}/${card.approvalId}`)).body;
    assert.match(one.argumentsHash, /^[0-9a-f]{64}$/);
    assert.equal(card.argumentsHash, one.argumentsHash);
    const total = async (query) => {
      const answer = await get(server, `${approvals}?${query}`);
      assert.equal(answer.status, 200, answer.text);
      return answer.body.total;
    };
    for (const query of ["status=pending", `sessionId=${sessionId}`, "projectId=demo", "agentId=writer", "tool=delete_file",
      "kind=tool", `riskLevel=${one.riskLevel}`, "since=2020-01-01", `since=${one.createdAt}`])
      assert.equal(await total(query), 1, query);
    for (const query of ["status=denied", "projectId=empty", "agentId=other", "tool=clock", "kind=input", "decidedBy=eva",
      "since=2999-01-01T00:00:00Z", `riskLevel=${one.riskLevel === "low" ? "high" : "low"}`])
      assert.equal(await total(query), 0, query);
    for (const query of ["kind=card", "riskLevel=huge", "since=yesterday", "status=open"])
      assert.equal((await get(server, `${approvals}?${query}`)).status, 400, query);
    const stale = await post(server, `${approvals}/${card.approvalId}/decide`, { approved: true, argumentsHash: "0".repeat(64) });
    assert.ok(stale.status === 400 || stale.status === 409, "other arguments than were looked at are not approved");
    assert.equal(await total("status=pending"), 1);
    await decided(client, card, { approved: true, argumentsHash: card.argumentsHash });
  }));

test("remember: exactly these arguments in this session, until it is revoked", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    await decided(client, await deleting(client), { approved: true, remember: true });
    assert.equal(await deleting(client), null, "the same call needs no question");
    const { items } = (await get(server, `${approvals}/remembered`)).body;
    assert.equal(items.length, 1);
    assert.deepEqual([items[0].status, items[0].scope, items[0].toolId, items[0].when],
      ["active", "session", "delete_file", [{ argument: "", equals: { path: "note.txt" } }]]);
    await decided(client, await deleting(client, "other"), { approved: false });
    const elsewhere = await styleA(server);
    const card = await deleting(elsewhere);
    assert.notEqual(card, null, "another session asks");
    await decided(elsewhere, card, { approved: false });
    for (let i = 0; i < 2; ++i) assert.equal((await del(server, `${approvals}/remembered/${items[0].id}`)).status, 204);
    assert.equal((await get(server, `${approvals}/remembered`)).body.total, 0);
    assert.equal((await get(server, `${approvals}/remembered?all=true`)).body.items[0].status, "revoked");
    await decided(client, await deleting(client), { approved: true });
  }));

test("remember: for the agent, by tests on the arguments, over a restart, for a while", () =>
  withServer(standard(), async (server) => {
    const first = await styleA(server);
    const remember = { scope: "agent", when: [{ argument: "/path", matches: "^tmp" }] };
    await decided(first, await deleting(first, "tmp1"), { approved: true, remember });
    await server.stop();
    await server.start();
    const client = await styleA(server);
    assert.equal(await deleting(client, "tmp2"), null);
    const card = await deleting(client, "keep");
    assert.notEqual(card, null);
    await decided(client, card, { approved: true, remember: { when: [], expiresInMs: 1 } });
    const grants = async () => (await get(server, `${approvals}/remembered?all=true&projectId=demo`)).body.items;
    await until(async () => (await grants())[0].status === "expired", "the end of the millisecond");
    await decided(client, await deleting(client, "keep2"), { approved: true });
    const all = await grants();
    assert.deepEqual(all.map((g) => [g.scope, g.status]), [["session", "expired"], ["agent", "active"]]);
    assert.deepEqual(all[0].when, []);
    assert.equal((await del(server, `${approvals}/remembered/00000000-0000-4000-8000-000000000000`)).status, 404);
  }));

test("remembered approvals of others are not there, and only admins remember for more than a session", () =>
  withGuarded(async (server) => {
    const as = (name, claims) => bearer(tokenOf(name, claims));
    const client = await SocketClient.open(server, "/ws", { headers: as("ana") });
    client.send({ type: "auth", projectId: "demo", agentId: "writer" });
    const card = await deleting(client);
    const path = `${approvals}/${card.approvalId}/decide`;
    const wide = await post(server, path, { approved: true, remember: { scope: "project" } }, as("ana"));
    assert.deepEqual([wide.status, wide.body.error.code], [403, "FORBIDDEN"]);
    assert.equal((await post(server, path, { approved: true }, as("eva"))).status, 404);
    assert.equal((await post(server, path, { approved: true, remember: true }, as("ana"))).status, 200);
    await client.next("approval.decided");
    const [grant] = (await get(server, `${approvals}/remembered`, as("ana"))).body.items;
    assert.equal(grant.grantedBy, "ana");
    assert.equal((await get(server, `${approvals}/remembered`, as("eva"))).body.total, 0);
    assert.equal((await del(server, `${approvals}/remembered/${grant.id}`, as("eva"))).status, 404);
    assert.equal((await del(server, `${approvals}/remembered/${grant.id}`, as("ana"))).status, 204);
  }));

test("two browsers: both decide at once, both show the same winner, the effect happens once", () =>
  withServer(standard(), async (server) => {
    const one = await styleB(server);
    const card = await deleting(one);
    const two = await styleB(server);
    two.send({ type: "session.resume", sessionId: one.sessionId });
    await two.next("message.approval_required");
    one.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, note: "one" });
    two.send({ type: "approval.decide", approvalId: card.approvalId, approved: false, note: "two" });
    for (const client of [one, two]) {
      await client.next("message.tool_complete");
      await client.next("message.complete");
    }
    await until(() => one.all("approval.decided").length + two.all("approval.decided").length === 3, "the loser to be told");
    const seen = [...one.all("approval.decided"), ...two.all("approval.decided")].map((f) => [f.decision, f.note].join());
    assert.equal(new Set(seen).size, 1, seen.join(" · "));
    assert.deepEqual([...one.all("error"), ...two.all("error")], []);
    const file = join(server.data, "workspaces", one.sessionId, "note.txt");
    assert.equal(existsSync(file), seen[0] === "denied,two");
  }));

test("two people: the first is 200 and pending, not the one who asked, and not the same one twice", () => {
  const careful = standard();
  careful.projects.demo.agents.writer.approval = { delete_file: { policy: "always", deciders: 2, not_requester: true } };
  return withGuarded(async (server) => {
    const as = (name) => bearer(tokenOf(name));
    const client = await SocketClient.open(server, "/ws", { headers: as("ana") });
    client.send({ type: "auth", projectId: "demo", agentId: "writer" });
    const card = await deleting(client);
    assert.equal(card.requiredApprovals, 2);
    const { sessionId } = client.all("session.created")[0];
    const joined = await request(server, "PUT", `/api/v1/sessions/${sessionId}/participants`, { users: ["ben", "cleo"] }, as("ana"));
    assert.equal(joined.status, 200);
    const approve = (name) => post(server, `${approvals}/${card.approvalId}/approve`, {}, as(name));
    const own = await approve("ana");
    assert.deepEqual([own.status, own.body.error.code], [403, "FORBIDDEN"]);
    const first = await approve("ben");
    assert.deepEqual([first.status, first.body.status, first.body.endorsedBy, first.body.requiredApprovals], [200, "pending", ["ben"], 2]);
    const endorsed = await client.next("approval.endorsed");
    assert.deepEqual([endorsed.approvalId, endorsed.endorsedBy, endorsed.requiredApprovals], [card.approvalId, ["ben"], 2]);
    const again = await approve("ben");
    assert.ok(again.status >= 400 || again.body.status === "pending", again.text);
    const second = await approve("cleo");
    assert.deepEqual([second.status, second.body.status], [200, "approved"]);
    await client.next("message.tool_complete");
    await client.next("message.complete");
  }, careful);
});

test("several at once: each id has its own result, a winner is told, and remember works there too", () =>
  withServer(standard(), async (server) => {
    const clients = [await styleA(server), await styleA(server)];
    const cards = [];
    for (const client of clients) cards.push(await deleting(client));
    await decided(clients[0], cards[0], { approved: false, note: "mine" });
    const ids = [...cards.map((card) => card.approvalId), "none"];
    const { status, body } = await post(server, `${approvals}/decide`, { ids, approved: true, remember: true });
    assert.equal(status, 200);
    assert.deepEqual(body.items.map((item) => item.error?.code ?? item.status), ["APPROVAL_NOT_PENDING", "approved", "NOT_FOUND"]);
    assert.deepEqual([body.items[0].error.details.decision, body.items[0].error.details.note], ["denied", "mine"]);
    await clients[1].next("message.tool_complete");
    await clients[1].next("message.complete");
    assert.equal(await deleting(clients[1]), null);
    const choice = await post(server, `${approvals}/decide`, { ids, choice: "done" });
    assert.deepEqual(choice.body.items.map((item) => item.error.code), ["VALIDATION_ERROR", "VALIDATION_ERROR", "NOT_FOUND"]);
  }));

test("expired: a decision that comes too late loses to the clock, and says so", () => {
  const impatient = standard();
  impatient.projects.demo.agents.writer.limits.approval_timeout_ms = 150;
  return withServer(impatient, async (server) => {
    const client = await styleA(server);
    const card = await deleting(client);
    await client.next("approval.decided");
    const late = await post(server, `${approvals}/${card.approvalId}/decide`, { approved: true });
    assert.deepEqual([late.status, late.body.error.details.decision], [409, "expired"]);
    assert.match(late.body.error.details.resolvedAt, /Z$/);
    await client.next("message.complete");
  });
});

test("a long output: the frame has its beginning and its size, the rest comes in parts", () => {
  const configuration = standard();
  configuration.tools = {
    flood: {
      kind: "program", description: "Says much.", effect: "read_only", approval: "never", sandbox: false,
      command: ["/bin/sh", "-c", "i=0; printf '\"'; while [ $i -lt 2000 ]; do printf 'line %05d ñ.' $i; i=$((i+1)); done; printf '\"'"],
      parameters: { type: "object" },
    },
  };
  configuration.providers.scripted.script.rules.unshift(
    { when: { tool: "flood" }, say: [{ text: "Much." }] }, { when: { user: "flood" }, say: [{ tool: "flood" }] });
  const { writer } = configuration.projects.demo.agents;
  writer.tools.push("flood");
  writer.limits.max_output_chars = 1000;
  return withServer(configuration, async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "flood" });
    const done = await client.next("message.tool_complete");
    assert.equal(done.success, true, JSON.stringify(done));
    assert.ok(done.outputBytes > 20_000);
    await client.next("message.complete");
    const { sessionId } = client.all("session.created")[0];
    const path = `/api/v1/sessions/${sessionId}/tool-calls`;
    const [call] = (await get(server, path)).body.items;
    assert.deepEqual([call.tool, call.isCut, call.outputBytes], ["flood", true, done.outputBytes]);
    let text = "";
    for (let offset = 0; offset !== null; ) {
      const part = (await get(server, `${path}/${call.toolCallId}/output?offset=${offset}&limit=5001`)).body;
      assert.deepEqual([part.offset, part.total], [offset, done.outputBytes]);
      assert.ok(!part.text.includes("\ufffd"), "whole characters");
      text += part.text;
      offset = part.nextOffset;
    }
    assert.equal(Buffer.byteLength(text), done.outputBytes);
    assert.ok(text.includes("line 01999 ñ."));
    assert.equal((await get(server, `${path}/none/output`)).status, 404);
    assert.equal((await get(server, `${path}/${call.toolCallId}/output?limit=0`)).status, 400);
  });
});

test("a sub-agent: its session is a child, its question is shown and decided where the person is", () => {
  const configuration = standard();
  configuration.projects.demo.agents.writer.delegates = ["helper"];
  configuration.projects.demo.agents.helper = { provider: "scripted", model: "tiny", tools: ["write_file", "delete_file"] };
  configuration.providers.scripted.script.rules.unshift(
    { when: { tool: "delegate" }, say: [{ text: "It says: ${result}" }] },
    { when: { user: "ask the helper" }, say: [{ tool: "delegate", arguments: { agent: "helper", task: "delete report" } }] });
  return withServer(configuration, async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "ask the helper" });
    const start = await client.next("message.tool_start");
    const { sessionId } = client.all("session.created")[0];
    const card = await client.next("message.approval_required");
    assert.deepEqual([card.tool, card.toolCallId, card.originSessionId], ["delete_file", start.toolCallId, start.childSessionId]);
    const children = (await get(server, `/api/v1/sessions/${sessionId}/children`)).body.items;
    assert.deepEqual(children.map((s) => [s.id, s.agentId, s.parentSessionId, s.depth]), [[start.childSessionId, "helper", sessionId, 1]]);
    assert.deepEqual((await get(server, `/api/v1/sessions?parentId=${sessionId}`)).body.items.map((s) => s.id), [start.childSessionId]);
    assert.deepEqual((await get(server, "/api/v1/sessions")).body.items.map((s) => s.id), [sessionId]);
    assert.equal((await get(server, "/api/v1/sessions?includeChildren=true")).body.total, 2);
    assert.equal((await get(server, `${approvals}?status=pending`)).body.total, 1, "the question is in the inbox once");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: false, note: "leave it" });
    assert.equal((await client.next("approval.decided")).decision, "denied");
    await client.next("message.tool_complete");
    await client.next("message.complete");
  });
});

test("tools and health: every tool says where it is from and how that does; metrics count what they did", () =>
  withServer(standard(), async (server) => {
    const tools = (await get(server, "/api/v1/tools?limit=100")).body.items;
    for (const tool of tools) assert.deepEqual([typeof tool.source, tool.status, /^(low|medium|high)$/.test(tool.riskLevel)], ["string", "ready", true]);
    const client = await styleA(server);
    await turn(client, "clock");
    await deleting(client);
    assert.deepEqual((await get(server, "/readyz")).body, { status: "ready" });
    const metrics = (await get(server, "/metrics")).text;
    assert.match(metrics, /^troupe_approvals_pending 1$/m);
    assert.match(metrics, /^troupe_provider_breaker_open\{provider="scripted"\} 0$/m);
    assert.match(metrics, /^troupe_tool_calls_total\{tool="clock",outcome="succeeded"\} 1$/m);
  }));

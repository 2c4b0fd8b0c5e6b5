// Sub-agents through the server (issue 5, Tools 5): the demo's scout, cost, cancel, a crash, and passing the conversation on.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { get, post, styleA, styleB } from "./support/clients.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { descendants, gone, toolConfiguration, until } from "./support/tool_bench.mjs";

const children = async (server, sessionId) => (await get(server, `/api/v1/sessions/${sessionId}/children`)).body.items;
const sessionOf = async (server, id) => (await get(server, `/api/v1/sessions/${id}`)).body;

test("the demo has a tool card, an approval and a sub-agent to show", () =>
  withServer(null, async (server) => {
    const client = await styleA(server, {});
    const say = (content) => client.send({ type: "message.send", content });
    say("what time is it?");
    assert.deepEqual([(await client.next("message.tool_start")).tool, (await client.next("message.tool_complete")).success], ["clock", true]);
    await client.next("message.complete");
    say("write a file");
    await client.next("message.complete");
    say("delete the file");
    const card = await client.next("message.approval_required");
    assert.equal(card.tool, "delete_file");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true });
    await client.next("approval.decided");
    await client.next("message.complete");
    say("ask the scout");
    const start = await client.next("message.tool_start");
    assert.deepEqual([start.tool, typeof start.childSessionId], ["delegate", "string"]);
    const done = await client.next("message.tool_complete");
    assert.match(done.output, /I looked at the clock: it is \d{4}-/);
    await client.next("message.complete");
    const [child] = await children(server, client.all("session.created")[0].sessionId);
    assert.deepEqual([child.id, child.agentId], [start.childSessionId, "scout"]);
    say("pregunta al explorador");
    assert.match((await client.next("message.tool_complete")).output, /He mirado el reloj/);
    await client.next("message.complete");
  }));

/** The writer may give work to `helper`, who runs commands and deletes files, and pass the conversation on to `expert`. */
function family() {
  const rules = [
    { when: { tool: "delegate" }, say: [{ text: "It says: ${result}" }, { usage: { prompt: 10, completion: 1 } }] },
    { when: { tool: "handoff" }, say: [{ text: "I am the expert." }] },
    { when: { user: "^give (.*)$", after: "user" }, say: [{ tool: "delegate", arguments: { agent: "helper", task: "${1}" } }, { usage: { prompt: 100, completion: 10 } }] },
    { when: { user: "^give2", after: "user" }, say: [{ tool: "delegate", arguments: { agent: "helper", task: "hello" } }, { tool: "delegate", arguments: { agent: "nobody", task: "x" } }, { tool: "delegate", arguments: {} }] },
    { when: { user: "^pass on", after: "user" }, say: [{ tool: "handoff", arguments: { agent: "expert", note: "be kind" } }] },
    { when: { user: "^work", after: "user" }, say: [{ tool: "run", arguments: { program: "sh", arguments: ["-c", "echo working; sleep 600"] } }] },
  ];
  const tools = { run: { kind: "command", programs: ["sh"], approval: "never", time_limit_ms: 600_000, effect: "idempotent" } };
  const configuration = toolConfiguration({ tools, list: ["clock"], rules, agent: { delegates: ["helper"], handoffs: ["expert"] } });
  Object.assign(configuration.projects.demo.agents, {
    helper: { provider: "scripted", model: "tiny", tools: ["run", "write_file", "delete_file"] },
    expert: { provider: "scripted", model: "tiny", tools: ["clock"], instructions: "Be an expert." },
  });
  return configuration;
}

test("delegate: text and cost are the parent's too; unknown agents and missing arguments are failed results", () =>
  withServer(family(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "give hello" });
    const done = await client.next("message.tool_complete");
    assert.equal(done.output, "Hello, world");
    assert.equal(client.all("message.tool_progress").map((f) => f.text).join(""), "Hello, world");
    await client.next("message.complete");
    const [child] = await children(server, client.sessionId);
    const cost = (session) => session.usage.costUsd;
    const [parent, own] = [await sessionOf(server, client.sessionId), await sessionOf(server, child.id)];
    assert.ok(cost(own) > 0 && cost(parent) > cost(own), JSON.stringify([parent, own]));
    client.send({ type: "message.send", content: "give2" });
    const results = [await client.next("message.tool_complete"), await client.next("message.tool_complete"), await client.next("message.tool_complete")];
    assert.deepEqual(results.map((r) => r.success).sort(), [false, false, true]);
    await client.next("message.complete");
  }));

test("delegate: stopping the parent stops the sub-agent and the program that it runs", () =>
  withServer(family(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "give work" });
    const tree = await until(() => {
      const found = descendants(server.pid);
      return found.some((one) => one.name === "sleep") && found;
    }, "the sub-agent's program");
    client.send({ type: "run.cancel" });
    assert.equal((await client.next("message.tool_complete")).success, false);
    await gone(tree);
    const [child] = await children(server, client.sessionId);
    await until(async () => (await get(server, `/api/v1/sessions/${child.id}/tool-calls`)).body.items.every((call) => call.status !== "running"), "its end");
    client.send({ type: "message.send", content: "hello" });
    await client.next((f) => f.type === "message.complete");
  }));

test("delegate: kill -9 while the sub-agent waits for a person: one child, one card, one effect", () =>
  withServer(family(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "give write note" });
    await client.next("message.tool_complete");
    await client.next("message.complete");
    client.send({ type: "message.send", content: "give delete note" });
    const card = await client.next("message.approval_required");
    await server.kill();
    await server.start();
    const again = await styleB(server);
    again.send({ type: "session.resume", sessionId: client.sessionId });
    const shown = await again.next("message.approval_required");
    assert.equal((await get(server, "/api/v1/approvals?status=pending")).body.total, 1);
    assert.equal(shown.originSessionId, card.originSessionId);
    again.send({ type: "approval.decide", approvalId: shown.approvalId, approved: true });
    assert.equal((await again.next("approval.decided")).decision, "approved");
    assert.equal((await again.next("message.tool_complete")).tool, "delegate");
    await again.next("message.complete");
    assert.equal((await children(server, client.sessionId)).length, 2);
    assert.ok(!existsSync(join(server.data, "workspaces", card.originSessionId, "note.txt")));
    assert.equal((await get(server, "/api/v1/approvals?status=pending")).body.total, 0);
  }));

test("handoff: the other agent answers from here on, also after a restart", () =>
  withServer(family(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "pass on" });
    assert.equal((await client.next("message.tool_complete")).success, true);
    await client.next("message.complete");
    assert.match(textOf(client.frames), /I am the expert/);
    assert.equal((await sessionOf(server, client.sessionId)).agentId, "expert");
    await server.stop();
    await server.start();
    const said = await post(server, `/api/v1/sessions/${client.sessionId}/messages?wait=true`, { content: "hello" });
    assert.ok(said.status < 300, said.text);
    assert.equal((await sessionOf(server, client.sessionId)).agentId, "expert");
  }));

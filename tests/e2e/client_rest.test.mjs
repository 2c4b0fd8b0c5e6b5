// Every REST method of the TypeScript client against the server, each answer checked against the JSON Schema of its type:
// a field that only the server or only the client knows fails. And how failures are told.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { until as eventually } from "./support/waiting.mjs";
import { schemaChecker, TroupeClient, TroupeError, until } from "../../clients/typescript/test/package.mjs";

const { check } = await schemaChecker();
const of = (type, promise) => promise.then((value) => check(type, value));
const pageOf = (type, promise) =>
  promise.then((page) => {
    assert.deepEqual(Object.keys(page).sort(), ["items", "limit", "offset", "total"]);
    page.items.forEach((item) => check(type, item));
    return page;
  });
const refused = (promise, code, status) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof TroupeError, String(error));
    assert.deepEqual([error.code, error.status], [code, status], error.message);
    return true;
  });

/** So small a budget that the first answer is over its half. */
function budgeted() {
  const configuration = standard();
  configuration.projects.demo.agents.writer.limits.budget_usd = 0.0001;
  configuration.projects.demo.agents.writer.alerts = [1];
  return configuration;
}

test("what is configured, and what the server says of itself", () =>
  withServer(standard(), async (server) => {
    const client = new TroupeClient({ url: server.url });
    const projects = await pageOf("Project", client.projects.list());
    assert.deepEqual(projects.items.map((p) => p.id), ["demo", "empty"]);
    await of("Project", client.projects.get("demo"));
    assert.equal((await pageOf("Agent", client.agents.list("demo", { limit: 1 }))).total, 2);
    assert.equal((await of("Agent", client.agents.get("demo", "writer"))).model, "tiny");
    assert.ok((await pageOf("Tool", client.server.tools({ limit: 100 }))).items.some((t) => t.name === "clock"));
    await of("Stats", client.server.stats());
    assert.equal((await of("Health", client.server.health())).status, "ok");
    assert.equal((await of("Readiness", client.server.ready())).status, "ready");
    assert.match(await client.server.metrics(), /^troupe_uptime_seconds /m);
  }));

test("a session: messages, events, files, queue, reactions, participants, fork, export, status", () =>
  withServer(standard(), async (server) => {
    const client = new TroupeClient({ url: server.url + "/" });
    const { sessions } = client;
    const made = await of("SessionRecord", sessions.create("demo", { agentId: "writer", metadata: { from: "test" } }));
    const { id } = made;
    assert.deepEqual(made.metadata, { from: "test" });

    const file = await of("StoredFile", sessions.upload(id, new Blob(["ünï"], { type: "text/plain" }), "ü.txt"));
    assert.deepEqual([file.name, file.contentType, file.size], ["ü.txt", "text/plain", 5]);
    await of("StoredFile", sessions.upload(id, new Uint8Array([1, 2, 3])));
    assert.equal((await pageOf("FileRecord", sessions.files(id))).total, 2);
    assert.equal(await (await sessions.download(id, file.fileId)).text(), "ünï");

    const reply = await of("ChatReply", sessions.sendAndWait(id, "clock", { attachments: [file.fileId] }));
    assert.match(reply.response, /^Let me look\. It is /);
    const messages = await pageOf("MessageRecord", sessions.messages(id));
    assert.deepEqual(messages.items.map((m) => m.role), ["user", "assistant", "assistant"]);
    await of("Reaction", sessions.react(id, reply.messageId, "👍").then(({ messageId, added, ...r }) => r));
    assert.equal((await sessions.messages(id)).items.at(-1).reactions[0].emoji, "👍");
    const events = await pageOf("LogEvent", sessions.events(id, { limit: 100 }));
    assert.ok(events.items.some((e) => e.type === "message.complete"));
    assert.ok((await sessions.events(id, { after: events.items[3].seq, limit: 1 })).items[0].seq > events.items[3].seq);

    await of("AcceptedMessage", sessions.send(id, "hold"));
    const stream = sessions.stream(id, 0);
    for await (const { id: seq, event } of stream) {
      check("LogEvent", event);
      assert.equal(Number(seq), event.seq);
      if (event.text === "Holding. ") break;
    }
    const waiting = await of("AcceptedMessage", sessions.send(id, "hello", { clientMessageId: "mine" }));
    assert.equal(waiting.position, 1);
    assert.equal((await pageOf("QueuedMessage", sessions.queue(id))).items[0].clientMessageId, "mine");
    assert.equal((await of("QueuedMessage", sessions.editQueued(id, waiting.messageId, { content: "clock" }))).content, "clock");
    assert.equal((await sessions.deleteQueued(id, waiting.messageId)).status, "dequeued");
    await refused(sessions.send(id, "hello", { onBusy: "reject" }), "BUSY", 409);
    assert.equal((await sessions.cancel(id)).status, "cancelling");

    assert.equal((await of("SessionRecord", sessions.update(id, { title: "Needle" }))).title, "Needle");
    assert.deepEqual((await pageOf("SessionRecord", sessions.list({ q: "needle", projectId: "demo" }))).items.map((s) => s.id), [id]);
    await of("Participants", sessions.setParticipants(id, ["ana"]));
    assert.deepEqual((await of("Participants", sessions.participants(id))).users, ["ana"]);
    await pageOf("SessionRecord", sessions.children(id));
    await pageOf("ToolCallRecord", sessions.toolCalls(id));
    const output = await of("ToolOutputPart", sessions.toolOutput(id, reply.toolCalls[0].toolCallId, { limit: 4 }));
    assert.equal(output.nextOffset, 4);
    const key = { idempotencyKey: "the-same" };
    const fork = await of("ForkedSession", sessions.fork(id, { atSeq: 0, content: "hello" }, key));
    assert.equal((await sessions.fork(id, { atSeq: 0, content: "hello" }, key)).id, fork.id);
    await of("SessionExport", sessions.export(id));
    assert.equal((await of("SessionRecord", sessions.setStatus(id, "paused"))).status, "paused");
    await refused(sessions.send(id, "hello"), "SESSION_CLOSED", 409);
    assert.equal((await of("SessionRecord", sessions.delete(id))).status, "closed");
  }));

test("chat, approvals, remembered ones, traces and spend", () =>
  withServer(standard(), async (server) => {
    const client = new TroupeClient({ url: server.url });
    const first = await of("ChatReply", client.chat.send("demo", "writer", { message: "write note" }));
    const { sessionId } = first;
    const ask = () => of("ChatReply", client.chat.send("demo", "writer", { message: "delete note", sessionId }));
    const pending = await ask();
    assert.equal(pending.status, "pending");
    const inbox = await pageOf("Approval", client.approvals.list({ status: "pending", sessionId, kind: "tool" }));
    assert.deepEqual(inbox.items.map((a) => a.id), [pending.approvalId]);
    await of("Approval", client.approvals.get(pending.approvalId));
    assert.equal((await of("Approval", client.approvals.deny(pending.approvalId, "no"))).status, "denied");
    await assert.rejects(client.approvals.approve(pending.approvalId), (e) => e.code === "APPROVAL_NOT_PENDING" && e.details.decision === "denied" && e.details.note === "no");
    const again = await ask();
    const [known, unknown] = await client.approvals.decideMany([again.approvalId, sessionId], { approved: true });
    check("BulkResult", known);
    check("BulkResult", unknown);
    assert.deepEqual([known.status, unknown.error.code], ["approved", "NOT_FOUND"]);
    await client.chat.send("demo", "writer", { message: "write note", sessionId });
    const third = await ask();
    await of("Approval", client.approvals.decide(third.approvalId, { approved: true, remember: true, note: "always" }));
    const remembered = await pageOf("RememberedApproval", client.approvals.remembered());
    assert.equal(remembered.items[0].approvalId, third.approvalId);
    assert.equal(await client.approvals.revoke(remembered.items[0].id), undefined);
    assert.equal((await client.approvals.remembered()).total, 0);
    assert.equal((await pageOf("RememberedApproval", client.approvals.remembered({ all: true }))).items[0].status, "revoked");

    const types = [];
    for await (const { event } of client.chat.stream("demo", "writer", { message: "hello" })) types.push(check("LogEvent", event).type);
    assert.equal(types.at(-1), "message.complete");

    const traces = await pageOf("Trace", client.traces.ofSession(sessionId));
    await pageOf("Trace", client.traces.ofProject("demo", { limit: 2 }));
    assert.ok((await of("TraceWithSpans", client.traces.get(traces.items[0].id))).spans.length > 1);
    const report = await of("UsageReport", client.usage.byDay("demo", "week"));
    for (const shares of [client.usage.byAgent("demo"), client.usage.bySession("demo", "week"), client.usage.byUser("demo", "month", { limit: 1 })])
      assert.equal((await of("UsageShares", shares)).items[0].totalTokens > 0, true);
    assert.ok(Math.abs((await client.usage.byAgent("demo", "week")).items.reduce((sum, s) => sum + s.totalCost, 0) - report.totalCost) < 1e-9);
  }));

test("agents: copied, stored, versions, what is wrong with one, deleted", () =>
  withServer(standard(), async (server) => {
    const { agents } = new TroupeClient({ url: server.url });
    const { definition } = await of("AgentDefinitionRecord", agents.definition("demo", "writer"));
    assert.equal(definition.instructions, "Be brief.");
    const made = await of("Agent", agents.create("demo", { id: "copy", definition, note: "of the writer" }));
    assert.deepEqual([made.source, made.version], ["stored", 1]);
    await refused(agents.create("demo", { id: "copy", definition }), "AGENT_EXISTS", 409);
    await refused(agents.update("demo", "writer", { definition }), "AGENT_IN_CONFIGURATION", 409);
    const changed = await of("Agent", agents.update("demo", "copy", { definition: { ...definition, name: "Copy" }, version: 1 }));
    assert.deepEqual([changed.name, changed.version], ["Copy", 2]);
    await refused(agents.update("demo", "copy", { definition, version: 1 }), "VERSION_CONFLICT", 409);
    const wrong = { ...definition, limits: { max_steps: -1 } };
    const checked = await of("AgentCheck", agents.check("demo", { id: "copy", definition: wrong }));
    assert.deepEqual([checked.valid, checked.problems[0].path], [false, "/limits/max_steps"]);
    assert.equal((await of("AgentCheck", agents.check("demo", { definition }))).valid, true);
    await assert.rejects(agents.update("demo", "copy", { definition: wrong }), (e) => {
      assert.deepEqual([e.code, e.status, e.details.issues], ["INVALID_AGENT", 422, checked.problems]);
      return true;
    });
    assert.equal(await agents.delete("demo", "copy"), undefined);
    await refused(agents.get("demo", "copy"), "NOT_FOUND", 404);
    const versions = await pageOf("AgentVersion", agents.versions("demo", "copy"));
    assert.deepEqual(versions.items.map((v) => [v.version, v.deleted]), [[3, true], [2, false], [1, false]]);
    assert.equal((await of("AgentVersionDetail", agents.version("demo", "copy", 2))).definition.name, "Copy");
    assert.equal((await of("AgentVersionDetail", agents.version("demo", "copy", 3))).definition, null);
  }));

test("feedback, clearing, spend by model, limits and alerts", () =>
  withServer(budgeted(), async (server) => {
    const client = new TroupeClient({ url: server.url });
    const { sessions } = client;
    const { sessionId: id, messageId } = await client.chat.send("demo", "writer", { message: "hello" });
    const given = await of("Feedback", sessions.feedback(id, messageId, { rating: "down", note: "too short" }));
    assert.deepEqual([given.messageId, given.rating, given.note], [messageId, "down", "too short"]);
    assert.deepEqual((await pageOf("MessageRecord", sessions.messages(id))).items.at(-1).feedback, [given]);
    assert.equal(await sessions.deleteFeedback(id, messageId), undefined);
    const [question] = (await sessions.messages(id)).items;
    await refused(sessions.feedback(id, question.id, { rating: "up" }), "NOT_AN_ANSWER", 422);
    const live = client.session(id);
    await live.open();
    await until(live, (s) => s.messages.length === 2);
    await live.feedback(messageId, { rating: "up" });
    const rated = await until(live, (s) => s.messages[1].feedback);
    assert.deepEqual(rated.messages[1].feedback.map((f) => f.rating), ["up"]);
    await live.feedback(messageId, null);
    await until(live, (s) => s.messages[1].feedback === undefined);
    const alerts = await pageOf("BudgetAlert", client.projects.alerts("demo"));
    assert.deepEqual([alerts.items[0].sessionId, alerts.items[0].limit], [id, 0.0001]);
    const [share] = (await of("UsageShares", client.usage.byModel("demo"))).items;
    assert.deepEqual([share.key, share.provider, share.model, share.totalTokens], ["scripted/tiny", "scripted", "tiny", 13]);
    const limits = await of("Limits", client.server.limits());
    assert.equal(limits.projects.find((p) => p.id === "demo").agents.find((a) => a.id === "writer").limits.budgetUsd, 0.0001);
    await live.clear();
    await until(live, (s) => s.messages.length === 0);
    assert.equal((await sessions.messages(id)).total, 0);
    live.close();
  }));

test("scenarios: a session as one, the folder of them, played, stopped", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-e2e-"));
  try {
    await withServer(standard(), async (server) => {
      const client = new TroupeClient({ url: server.url });
      const { sessionId } = await client.chat.send("demo", "writer", { message: "hello" });
      const file = await client.sessions.scenario(sessionId);
      assert.match(file.name, /\.json$/);
      assert.match(file.text, /Hello, world|hello/);
      await refused(client.scenarios.list(), "SCENARIOS_NOT_CONFIGURED", 404);
      writeFileSync(join(folder, file.name), file.text);
      writeFileSync(join(folder, "broken.json"), "{");
    });
    await withServer(standard(), async (server) => {
      const { scenarios } = new TroupeClient({ url: server.url });
      const known = await of("ScenarioList", scenarios.list());
      const [broken, good] = known.items;
      assert.deepEqual([broken.file, typeof broken.problem, good.problem], ["broken.json", "string", undefined]);
      const { id } = await of("ScenarioRun", scenarios.run({ files: [good.file] }));
      const run = await eventually(async () => {
        const now = await of("ScenarioRun", scenarios.get(id));
        return now.status !== "running" && now;
      }, "the end of the run");
      assert.deepEqual([run.status, run.results.map((r) => r.verdict)], ["completed", ["passed"]], JSON.stringify(run));
      assert.deepEqual((await pageOf("ScenarioRunSummary", scenarios.runs())).items.map((r) => r.id), [run.id]);
      await refused(scenarios.get("nobody"), "NOT_FOUND", 404);
      await refused(scenarios.cancel("nobody"), "NOT_FOUND", 404);
    }, { args: ["--scenarios", folder] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("failures: codes, details, what is not there, what is not a Troupe server, and giving up", () =>
  withServer(standard({ limits: { messages_per_second: 1000, max_body_bytes: 1024 } }), async (server) => {
    const client = new TroupeClient({ url: server.url });
    await refused(client.sessions.get("nobody"), "NOT_FOUND", 404);
    await refused(client.projects.get("a/b?c"), "NOT_FOUND", 404);
    await assert.rejects(client.sessions.list({ limit: 1000 }), (e) => e.code === "VALIDATION_ERROR" && e.details.issues[0].path === "limit");
    const { id } = await client.sessions.create("demo");
    await refused(client.sessions.send(id, "x".repeat(2000)), "PAYLOAD_TOO_LARGE", 413);
    await refused(client.sessions.sendAndWait(id, "fail"), "PROVIDER_ERROR", 502);
    const left = new AbortController();
    const held = client.sessions.sendAndWait(id, "hold", {}, { signal: left.signal });
    left.abort(new Error("enough"));
    await assert.rejects(held, /enough/);
    const stopped = new AbortController();
    const stream = client.sessions.stream(id, undefined, { signal: stopped.signal });
    const next = stream.next();
    stopped.abort();
    await assert.rejects(next, { name: "AbortError" });
    await client.sessions.cancel(id).catch((e) => assert.equal(e.code, "NOT_FOUND"));

    const stranger = createServer((request, response) => {
      if (request.url.includes("stats")) response.writeHead(503, { "retry-after": "7" }).end("<html>down</html>");
      else response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    });
    await new Promise((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const elsewhere = new TroupeClient({ url: `http://127.0.0.1:${stranger.address().port}` });
    await refused(elsewhere.projects.list(), "BAD_RESPONSE", 200);
    await assert.rejects(elsewhere.server.stats(), (e) => e.status === 503 && e.retryAfter === 7000 && e.isRetryable);
    stranger.closeAllConnections();
    await new Promise((resolve) => stranger.close(resolve));
    await refused(elsewhere.projects.list(), "CONNECTION_FAILED", 0);
    assert.throws(() => new TroupeClient({ url: "localhost:8080" }), /http:\/\//);
  }));

// The native WebSocket (PROTOCOLS §1): both connect styles, order of frames, queue, cancel, several clients.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { shape, textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { standard } from "./support/configuration.mjs";

const usageKeys = ["completionTokens", "cost", "costUsd", "inputTokens", "outputTokens", "promptTokens", "totalTokens"];
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function assertUsage(usage, prompt, completion, cost) {
  assert.deepEqual(Object.keys(usage).sort(), usageKeys);
  assert.deepEqual([usage.promptTokens, usage.inputTokens], [prompt, prompt]);
  assert.deepEqual([usage.completionTokens, usage.outputTokens], [completion, completion]);
  assert.equal(usage.totalTokens, prompt + completion);
  assert.deepEqual([usage.cost, usage.costUsd], [cost, cost]);
}

/** Stored frames carry a seq that never falls; `session.resumed` and the like carry none. */
function assertSeqsRise(frames) {
  const seqs = frames.map((frame) => frame.seq).filter((seq) => seq !== undefined);
  assert.ok(seqs.length > 0 && seqs.every((seq, i) => i === 0 || seq >= seqs[i - 1]), `seqs: ${seqs}`);
  const deltas = frames.filter((frame) => frame.type === "message.content_delta").map((frame) => frame.seq);
  assert.equal(new Set(deltas).size, deltas.length, `two deltas share a seq: ${deltas}`);
}

test("style A: auth and a message at once make a session and stream the run", () =>
  withServer(standard(), async (server) => {
    const client = await SocketClient.open(server, "/ws");
    client.send({ type: "auth", projectId: "demo", agentId: "writer" });
    client.send({ type: "message.send", content: "hello", clientMessageId: "c-1" });
    const complete = await client.next("message.complete");
    assert.deepEqual(shape(client.frames), [
      "auth.success", "session.created", "message.created", "run.started", "message.content_delta", "message.complete",
    ]);
    assert.equal(textOf(client.frames), "Hello, world");
    assert.ok(client.all("message.content_delta").every((frame) => frame.role === "assistant"));
    const [created] = client.all("message.created");
    assert.deepEqual([created.role, created.content, created.clientMessageId], ["user", "hello", "c-1"]);
    const [started] = client.all("run.started");
    assert.match(started.runId, uuid);
    assert.deepEqual([complete.messageId, complete.traceId], [started.messageId, started.traceId]);
    // (6 fresh at 1 + 4 cached at 0.5 + 3 out at 4) US dollars per million tokens.
    assertUsage(complete.usage, 10, 3, 0.00002);
    assertSeqsRise(client.frames);
    assert.match(client.all("session.created")[0].sessionId, uuid);
  }));

test("style A: works on /api/v1/ws, and projects and agents come from the query too", () =>
  withServer(standard(), async (server) => {
    for (const path of ["/ws/", "/api/v1/ws", "/ws?projectId=demo", "/ws?agent=other"]) {
      const client = await SocketClient.open(server, path);
      client.send({ type: "auth" }).send({ type: "message.send", content: "hello" });
      await client.next("message.complete");
      assert.equal(textOf(client.frames), "Hello, world", path);
      if (path.includes("other")) assert.equal(client.all("session.created")[0].agentId, "other");
      await client.close();
    }
  }));

test("style B: apiKey, auth.success, session.create, then a tool call with real results", () =>
  withServer(standard(), async (server) => {
    const client = await SocketClient.open(server, "/api/v1/ws?projectId=demo");
    client.send({ type: "auth", apiKey: "k" });
    assert.deepEqual(await client.next(() => true), { type: "auth.success" });
    client.send({ type: "session.create", agentId: "writer", metadata: { from: "e2e" } });
    const { sessionId } = await client.next("session.created");
    client.send({ type: "message.send", content: "clock" });
    const complete = await client.next("message.complete");
    assert.deepEqual(shape(client.frames), [
      "auth.success", "session.created", "message.created", "run.started", "message.content_delta",
      "message.tool_start", "message.tool_complete", "message.content_delta", "message.complete",
    ]);
    const [start] = client.all("message.tool_start");
    const [end] = client.all("message.tool_complete");
    assert.deepEqual([start.tool, start.input], ["clock", {}]);
    assert.deepEqual([end.toolCallId, end.success], [start.toolCallId, true]);
    assert.ok(Number.isInteger(end.durationMs) && end.durationMs >= 0);
    assert.equal(textOf(client.frames), `Let me look. It is ${end.output}.`);
    assertUsage(complete.usage, 50, 9, 0.000086);
    const session = await get(server, `/api/v1/sessions/${sessionId}`);
    assert.deepEqual(session.body.metadata, { from: "e2e" });
    assert.deepEqual(session.body.usage, complete.usage);
  }));

test("titles: behind the end of the first answer every client is told one, and the next answer changes nothing", () => {
  const titled = standard();
  delete titled.projects.demo.agents.writer.titles;
  return withServer(titled, async (server) => {
    const owner = await styleB(server);
    const other = await styleA(server, { sessionId: owner.sessionId });
    await other.next("session.resumed");
    for (const content of ["hello  there", "clock"]) {
      owner.send({ type: "message.send", content });
      await owner.next("message.complete");
    }
    for (const client of [owner, other]) {
      await client.until(() => client.all("message.complete").length === 2, "both answers");
      const [told, ...more] = client.all("session.updated");
      assert.deepEqual([told.title, more], ["hello there", []]);
      const end = client.all("message.complete")[0];
      assert.ok(told.seq > end.seq && client.frames.indexOf(told) > client.frames.indexOf(end));
    }
    assert.equal((await get(server, `/api/v1/sessions/${owner.sessionId}`)).body.title, "hello there");
  });
});

test("tools: two calls of one step, and one that does not exist", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "both" });
    await client.next("message.complete");
    assert.deepEqual(client.all("message.tool_start").map((frame) => frame.tool), ["clock", "calculator"]);
    const made = client.all("message.tool_complete").find((frame) => frame.tool === "calculator");
    assert.deepEqual([made.success, String(made.output)], [true, "42"]);
    client.send({ type: "message.send", content: "unknown tool" });
    const end = await client.next((frame) => frame.type === "message.tool_complete" && frame.tool === "telescope");
    assert.equal(end.success, false);
    await client.next("message.complete");
    assert.match(client.all("message.content_delta").at(-1).text, /^Tool said: /);
  }));

test("failures: exactly one error, no message.complete, and the queue goes on", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    for (const [content, code] of [["fail", "PROVIDER_ERROR"], ["cut", "PROVIDER_ERROR"], ["loop", "ITERATION_LIMIT"]]) {
      client.send({ type: "message.send", content });
      const { runId } = await client.next("run.started");
      const error = await client.next("error");
      assert.deepEqual([error.code, error.runId], [code, runId], content);
      assert.ok(error.message.length > 0);
    }
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    assert.equal(client.all("error").length, 3);
    assert.equal(client.all("message.complete").length, 1);
  }));

test("busy: messages during a run wait in order, each told its position", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "hold" });
    const first = await client.next("run.started");
    await client.next("message.content_delta");
    for (const content of ["hello 1", "hello 2", "hello 3"]) client.send({ type: "message.send", content });
    for (const position of [1, 2, 3]) assert.equal((await client.next("message.queued")).position, position);
    client.send({ type: "message.send", content: "no room", onBusy: "reject" });
    assert.equal((await client.next("error")).code, "BUSY");
    const queue = await get(server, `/api/v1/sessions/${client.all("session.created")[0].sessionId}/queue`);
    assert.deepEqual(queue.body.items.map((item) => item.content), ["hello 1", "hello 2", "hello 3"]);
    client.send({ type: "run.cancel", runId: first.runId });
    await client.next({ type: "run.cancelled", runId: first.runId });
    const runs = [];
    for (let i = 0; i < 3; ++i) {
      runs.push((await client.next("run.started")).runId);
      await client.next("message.complete");
    }
    assert.deepEqual(runs, client.all("message.queued").map((frame) => frame.runId));
  }));

test("cancel: the run ends at once, its text stays, and the next message is answered", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "hold" });
    await client.next("message.content_delta");
    client.send({ type: "run.cancel" });
    const cancelled = await client.next("run.cancelled");
    assert.equal(cancelled.runId, client.all("run.started")[0].runId);
    const { sessionId } = client.all("session.created")[0];
    const messages = (await get(server, `/api/v1/sessions/${sessionId}/messages`)).body.items;
    assert.deepEqual(messages.map((m) => [m.role, m.content, m.cut]), [["user", "hold", false], ["assistant", "Holding. ", true]]);
    client.send({ type: "run.cancel" });
    assert.equal((await client.next("error")).code, "NOT_FOUND");
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    assert.equal(client.all("message.complete").length, 1);
  }));

test("interrupt: a message with onBusy interrupt takes the place of the run", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "hold" });
    await client.next("message.content_delta");
    client.send({ type: "message.send", content: "hello", onBusy: "interrupt" });
    await client.next("run.cancelled");
    await client.next("message.complete");
    assert.equal(textOf(client.frames), "Holding. Hello, world");
  }));

test("several clients: all of a session's clients get every event, and its text once", () =>
  withServer(standard(), async (server) => {
    const owner = await styleB(server);
    const others = [];
    for (let i = 0; i < 3; ++i) {
      const other = await SocketClient.open(server, i === 0 ? "/api/v1/ws" : "/ws");
      other.send(i === 1 ? { type: "auth", sessionId: owner.sessionId } : { type: "auth" });
      await other.next("auth.success");
      if (i !== 1) other.send({ type: "session.resume", sessionId: owner.sessionId });
      assert.equal((await other.next("session.resumed")).status, "active");
      others.push(other);
    }
    for (const [i, client] of [owner, ...others].entries()) client.send({ type: "message.send", content: `clock ${i}` });
    for (const client of [owner, ...others]) {
      for (let i = 0; i < 4; ++i) await client.next("message.complete");
      assert.equal(client.all("message.created").length, 4);
    }
    const stored = (client) => client.frames.filter((frame) => frame.seq !== undefined && frame.type !== "session.created");
    for (const other of others) assert.deepEqual(stored(other), stored(owner));
    assertSeqsRise(owner.frames);
  }));

test("repeats: a clientMessageId that was seen before starts nothing", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "hello", clientMessageId: "same" });
    await client.next("message.complete");
    client.send({ type: "message.send", content: "hello", clientMessageId: "same" });
    client.send({ type: "message.send", content: "clock", clientMessageId: "another" });
    await client.next("message.complete");
    assert.deepEqual(client.all("message.created").map((frame) => frame.content), ["hello", "clock"]);
  }));

test("typing: goes to the session's other clients only; ping is answered", () =>
  withServer(standard(), async (server) => {
    const owner = await styleB(server);
    const other = await styleA(server);
    other.send({ type: "session.resume", sessionId: owner.sessionId });
    await other.next("session.resumed");
    owner.send({ type: "typing", isTyping: true });
    const typing = await other.next("typing");
    assert.equal(typing.isTyping, true);
    assert.deepEqual([typeof typing.userId, typeof typing.username, typing.seq], ["string", "string", undefined]);
    other.send({ type: "typing", isTyping: false });
    assert.equal((await owner.next("typing")).isTyping, false);
    owner.send({ type: "ping", any: 1 });
    await owner.next("pong");
    other.send({ type: "ping" });
    await other.next("pong");
    assert.deepEqual([owner.all("typing").length, other.all("typing").length], [1, 1]);
    const pong = new Promise((resolve) => owner.ws.once("pong", (data) => resolve(String(data))));
    owner.ws.ping("control");
    assert.equal(await pong, "control");
  }));

test("closing: a run goes on without its client", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "long" });
    await client.next("message.content_delta");
    await client.close();
    const later = await styleA(server);
    later.send({ type: "session.resume", sessionId: client.sessionId, afterSeq: 0 });
    await later.next("message.complete");
    assert.equal(later.all("message.content_delta").length, 120);
  }));

test("drain: style A is closed with 1012, style B is dropped without a Close frame", () =>
  withServer(standard(), async (server) => {
    const a = await styleA(server);
    const b = await styleB(server);
    await a.next("auth.success");
    a.send({ type: "message.send", content: "hold" });
    await a.next("message.content_delta");
    const stopped = server.stop();
    assert.equal((await a.closing()).code, 1012);
    assert.equal((await b.closing()).code, 1006);
    const draining = b.all("session.draining")[0];
    assert.ok(draining.reconnectAfterMs > 0 && Number.isInteger(draining.lastSeq));
    await stopped;
  }));

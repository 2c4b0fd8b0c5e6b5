// Live sessions of the TypeScript client against the server: streaming, tools, approvals, stopping, the queue, two clients.
import assert from "node:assert/strict";
import { test } from "node:test";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { TroupeClient, until } from "../../clients/typescript/test/package.mjs";

/** Sessions that are closed when the test is over. */
async function withClient(body, options = {}) {
  await withServer(standard(), async (server) => {
    const client = new TroupeClient({ url: server.url, projectId: "demo", ...options });
    const opened = [];
    const session = (...args) => opened[opened.push(client.session(...args)) - 1];
    try {
      await body({ server, client, session });
    } finally {
      opened.forEach((s) => s.close());
    }
  });
}
const texts = (state) => state.messages.map((m) => (m.kind === "user" ? m.content : m.parts.map((p) => (p.kind === "text" ? p.text : `[${p.tool} ${p.status}]`)).join("")));

test("a message: its text as it comes, and whole; its tools, its cost", () =>
  withClient(async ({ session, client }) => {
    const live = session();
    const run = live.send("clock");
    const types = [];
    let text = "";
    for await (const event of run) {
      types.push(event.type);
      if (event.type === "message.content_delta") text += event.text;
    }
    assert.deepEqual(types.filter((t, i) => t !== types[i - 1]), [
      "message.created", "run.started", "message.content_delta", "message.tool_start", "message.tool_complete", "message.content_delta", "message.complete",
    ]);
    assert.equal(await run.text(), text);
    const result = await run.result();
    assert.deepEqual([result.status, result.toolCalls.length, result.toolCalls[0].success, result.usage.totalTokens], ["completed", 1, true, 59]);
    assert.equal((await run.accepted).runId, result.runId);
    const stored = (await client.sessions.messages(live.id)).items;
    assert.equal(stored.filter((m) => m.role === "assistant").map((m) => m.content).join(""), text);
    const state = await until(live, (s) => s.usage.totalTokens === 59 && s.record);
    assert.deepEqual([state.turns, state.run, state.outgoing.length, state.connection.status], [1, null, 0, "open"]);
    assert.equal(state.usage.cost, (await client.sessions.get(live.id)).usage.cost);
    assert.deepEqual(texts(state), ["clock", texts(state)[1]]);
    // Who reads it again gets the same.
    const again = [];
    for await (const event of run) again.push(event.type);
    assert.deepEqual(again, types);
  }));

test("a run that fails: iterating and awaiting throw its code, the session goes on", () =>
  withClient(async ({ session }) => {
    const live = session(undefined, { agentId: "writer" });
    const run = live.send("fail");
    await assert.rejects(async () => { for await (const _ of run); }, { code: "PROVIDER_ERROR" });
    await assert.rejects(run.text(), { code: "PROVIDER_ERROR", message: /upstream broke/ });
    assert.equal(await live.send("hello").text(), "Hello, world");
    const [, failed] = live.getState().messages;
    assert.deepEqual([failed.status, failed.error.code, failed.parts[0].text], ["failed", "PROVIDER_ERROR", "So "]);
  }));

test("an approval: parked, decided from here, from elsewhere, and too late", () =>
  withClient(async ({ session, client }) => {
    const live = session();
    await live.send("write note").text();
    for (const decide of [
      (id) => live.decide(id, { approved: true, note: "go" }),
      (id) => client.approvals.deny(id, "no"),
    ]) {
      const run = live.send("delete note");
      const state = await until(live, (s) => s.run?.isParked);
      const [card] = state.approvals;
      const answer = state.messages.at(-1);
      assert.deepEqual([answer.status, answer.parts.at(-1).status, answer.parts.at(-1).approval], ["parked", "waiting", card]);
      const settled = await decide(card.approvalId);
      assert.match(await run.text(), /^May I\? Outcome: /);
      const [, tool] = live.getState().messages.at(-1).parts;
      assert.deepEqual([tool.approval.status, tool.approval.note, tool.status], [settled.status, settled.note, settled.status === "approved" ? "ok" : "failed"]);
      assert.deepEqual(live.getState().approvals, []);
      await assert.rejects(live.decide(card.approvalId, { approved: true }), { code: "APPROVAL_NOT_PENDING", status: 409 });
    }
  }));

test("stopping: the text so far is kept, what waits starts, a waiting one can be taken out", () =>
  withClient(async ({ session, client }) => {
    const live = session();
    const held = live.send("hold");
    await until(live, (s) => s.messages.at(-1)?.parts?.[0]?.text === "Holding. ");
    const [next, dropped, gone] = [live.send("hello"), live.send("clock"), live.send("both")];
    const state = await until(live, (s) => s.queue.length === 3);
    assert.deepEqual(state.queue.map((m) => m.content), ["hello", "clock", "both"]);
    assert.equal((await next.accepted).position, 1);
    await live.editQueued(state.queue[2].id, { content: "hello again", position: 1 });
    await until(live, (s) => s.queue[0].content === "hello again");
    await dropped.cancel();
    assert.equal((await dropped.result()).status, "cancelled");
    // From elsewhere, while the run before it goes on.
    await client.sessions.deleteQueued(live.id, (await gone.accepted).messageId);
    assert.equal((await gone.result()).status, "cancelled");
    assert.deepEqual((await until(live, (s) => s.queue.length === 1)).queue.map((m) => m.content), ["hello"]);
    await held.cancel();
    const stopped = await held.result();
    assert.deepEqual([stopped.status, stopped.text, typeof stopped.usage.totalTokens], ["cancelled", "Holding. ", "number"]);
    assert.equal(await next.text(), "Hello, world");
    const end = await until(live, (s) => s.run === null && s.queue.length === 0);
    assert.deepEqual(texts(end), ["hold", "Holding. ", "hello", "Hello, world"]);
    assert.equal(end.messages[1].status, "cancelled");
  }));

test("busy: rejected where that is asked for, told to whoever sent it and nobody else", () =>
  withClient(async ({ session }) => {
    const live = session();
    const held = live.send("hold");
    await until(live, (s) => s.run);
    const refused = live.send("hello", { onBusy: "reject" });
    await assert.rejects(refused.accepted, { code: "BUSY", status: 409 });
    await assert.rejects(refused.text(), { code: "BUSY" });
    const [kept] = (await until(live, (s) => s.outgoing.length === 1)).outgoing;
    assert.deepEqual([kept.content, kept.error.code], ["hello", "BUSY"]);
    live.discard(kept.clientMessageId);
    assert.deepEqual(live.getState().outgoing, []);
    const urgent = live.send("hello", { onBusy: "interrupt" });
    assert.equal(await urgent.text(), "Hello, world");
    assert.equal((await held.result()).status, "cancelled");
  }));

test("the same clientMessageId starts one run, whenever it is sent again", () =>
  withClient(async ({ session }) => {
    const live = session();
    const [first, second] = [live.send("hello", { clientMessageId: "one" }), live.send("hello", { clientMessageId: "one" })];
    assert.equal(await first.text(), "Hello, world");
    assert.equal(await second.text(), "Hello, world");
    const later = session(live.id);
    await later.open();
    await until(later, (s) => !s.isLoading);
    assert.equal(await later.send("hello", { clientMessageId: "one" }).text(), "Hello, world");
    assert.equal(later.getState().turns, 1);
  }));

test("giving up waiting does not stop the run", () =>
  withClient(async ({ session }) => {
    const live = session();
    const left = new AbortController();
    const run = live.send("hold", { signal: left.signal });
    const { runId } = await run.accepted;
    left.abort(new Error("enough"));
    await assert.rejects(run.text(), /enough/);
    await until(live, (s) => s.run?.runId === runId && s.messages.at(-1).parts[0]?.text === "Holding. ");
    await live.cancel(runId);
    const state = await until(live, (s) => s.run === null && s.messages.length === 2);
    assert.deepEqual([texts(state)[1], state.messages[1].status], ["Holding. ", "cancelled"]);
  }));

test("two clients on one session see the same, each other, and who types", () =>
  withClient(async ({ session }) => {
    const one = session();
    await one.open();
    const other = session(one.id);
    await other.open();
    await until(one, (s) => s.presence.length > 0);
    const heard = [];
    other.on("message.content_delta", (e) => heard.push(e.text));
    one.typing(true);
    assert.equal((await until(other, (s) => s.typing.length === 1)).typing[0].userId, "anonymous");
    const before = other.getState().lastSeq;
    await one.send("clock").text();
    const seq = one.getState().lastSeq;
    const seen = await until(other, (s) => s.lastSeq >= seq && s.messages.length === 2);
    assert.ok(seq > before);
    assert.deepEqual(seen.typing, []);
    assert.deepEqual(texts(seen), texts(one.getState()));
    assert.equal(heard.join(""), seen.messages[1].parts.filter((p) => p.kind === "text").map((p) => p.text).join(""));
    const run = other.send("delete note");
    const [card] = (await until(one, (s) => s.approvals.length === 1)).approvals;
    await one.decide(card.approvalId, { approved: false });
    await run.text();
    other.close();
    await until(one, (s) => s.presence.length === 1);
  }));

test("coming late: history, the run in progress and its open card; older pages on demand", () =>
  withClient(async ({ session }) => {
    const first = session();
    const sent = Array.from({ length: 130 }, (_, i) => `number ${i}`);
    for (const text of sent) await first.send(text).text();
    await first.react(first.getState().messages[3].messageId, "👍");
    const parked = first.send("delete note");
    const queued = first.send("hello");
    await until(first, (s) => s.run?.isParked && s.queue.length === 1);
    const whole = first.getState();

    const late = session(first.id);
    await late.open();
    const shown = await until(late, (s) => !s.isLoading && s.run?.isParked && s.queue.length === 1);
    assert.ok(shown.messages.length > 90 && shown.messages.length < whole.messages.length && shown.hasOlder);
    const meaning = (m) => ({ kind: m.kind, id: m.id, runId: m.runId, status: m.status, reactions: m.reactions, parts: m.parts?.map((p) => [p.kind, p.text, p.toolCallId, p.status, p.input]), content: m.content, usage: m.usage, traceId: m.traceId });
    const n = shown.messages.length;
    assert.deepEqual(shown.messages.map(meaning), whole.messages.slice(-n).map(meaning));
    assert.deepEqual([shown.turns, shown.approvals.length, shown.queue[0].content], [131, 1, "hello"]);
    while (late.getState().hasOlder) await late.loadOlder();
    assert.deepEqual(late.getState().messages.map((m) => [m.kind, m.id, m.runId]), whole.messages.map((m) => [m.kind, m.id, m.runId]));
    assert.deepEqual(texts(late.getState()), texts(whole));

    const all = session(first.id, { history: "all" });
    await all.open();
    const replayed = await until(all, (s) => s.lastSeq >= whole.lastSeq);
    assert.deepEqual(replayed.messages.map(meaning), whole.messages.map(meaning));
    assert.equal(replayed.turns, 131);
    await first.decide(shown.approvals[0].approvalId, { approved: false });
    await parked.text();
    await queued.text();
    for (const s of [first, late, all]) {
      const end = await until(s, (x) => x.run === null && x.queue.length === 0 && x.messages.length === 264);
      assert.deepEqual([end.turns, end.messages.at(-2).content, end.messages.at(-1).status], [132, "hello", "completed"]);
    }
  }));

test("a session that is not there, an agent that is not there: opening fails with the reason, and so does sending", () =>
  withClient(async ({ session }) => {
    for (const live of [session("00000000-0000-4000-8000-000000000000"), session(undefined, { agentId: "nobody" })]) {
      await assert.rejects(live.open(), { code: "NOT_FOUND" });
      assert.deepEqual([live.getState().connection.status, live.getState().connection.error.code], ["closed", "NOT_FOUND"]);
      await assert.rejects(live.send("hello").text(), { code: "NOT_FOUND" });
    }
  }));

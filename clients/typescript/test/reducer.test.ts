import { expect, test } from "vitest";
import type { EventOf, NexusEvent } from "../src/events.js";
import type { SessionRecord } from "../src/records.js";
import { reduceSession, reduceSessionAll } from "../src/reducer.js";
import { type Answer, emptySession, noUsage, type SessionState, textOf } from "../src/state.js";

const usage = { ...noUsage, promptTokens: 3, totalTokens: 3, cost: 0.1, costUsd: 0.1 };
let seq = 0;
type Plain = { [K in NexusEvent["type"]]: Omit<EventOf<K>, "seq"> }[NexusEvent["type"]];
/** Events with the next seqs. */
const log = (...events: Plain[]): NexusEvent[] => events.map((e) => ({ ...e, seq: ++seq }) as NexusEvent);
const user = (id: string, content = id): Omit<EventOf<"message.created">, "seq"> => ({ type: "message.created", messageId: id, role: "user", content, author: "" });
const start = (run: string): Plain => ({ type: "run.started", runId: run, messageId: `a-${run}`, traceId: `t-${run}` });
const delta = (text: string): Plain => ({ type: "message.content_delta", text, role: "assistant" });
const complete = (run: string): Plain => ({ type: "message.complete", messageId: `z-${run}`, traceId: `t-${run}`, usage });
const tool = (id: string): Plain => ({ type: "message.tool_start", toolCallId: id, tool: "clock", input: {} });
const done = (id: string, success = true): Plain => ({ type: "message.tool_complete", toolCallId: id, tool: "clock", success, output: "out", durationMs: 5 });
const card = (id: string, call: string): EventOf<"message.approval_required"> => ({
  type: "message.approval_required", approvalId: id, tool: "clock", action: {}, toolCallId: call, expiresAt: "2030-01-01T00:00:00.000Z", kind: "tool", riskLevel: "high",
});
const decided = (id: string, decision: "approved" | "denied"): Plain => ({ type: "approval.decided", approvalId: id, decision, resolvedBy: "ana" });
const queued = (id: string, run: string, position: number): Plain => ({ type: "message.queued", messageId: id, runId: run, position });
const from = (events: NexusEvent[], state: SessionState = emptySession): SessionState => reduceSessionAll(state, events);
const last = (state: SessionState): Answer => state.messages.at(-1) as Answer;

test("a run: text, a tool with progress, text, its cost", () => {
  const s = from(
    log(user("m1"), start("r1"), delta("Let "), delta("me"), tool("c1"), { type: "message.tool_progress", toolCallId: "c1", text: "half" }, done("c1"), delta("It is"), complete("r1")),
  );
  expect(s.messages.map((m) => [m.kind, m.runId])).toEqual([["user", "r1"], ["answer", "r1"]]);
  expect(last(s).parts).toMatchObject([{ text: "Let me" }, { status: "ok", output: "out", progress: "half", durationMs: 5 }, { text: "It is" }]);
  expect(last(s)).toMatchObject({ status: "completed", id: "a-r1", messageId: "z-r1", traceId: "t-r1", usage });
  expect(s).toMatchObject({ run: null, turns: 1, usage, lastSeq: seq });
});

test("events that were folded before change nothing: the same object", () => {
  const events = log(user("m1"), start("r1"), delta("a"), complete("r1"));
  const s = from(events);
  expect(from(events, s)).toBe(s);
  expect(reduceSession(s, { type: "pong" })).toBe(s);
  for (let cut = 0; cut <= events.length; ++cut) expect(from(events, from(events.slice(0, cut)))).toEqual(s);
});

test("what an event does not change stays the same object", () => {
  const before = from(log(user("m1"), start("r1"), delta("one"), complete("r1"), user("m2"), start("r2"), delta("a"), tool("c"), delta("x")));
  const after = from(log(delta("y")), before);
  expect(after.messages.slice(0, 3).every((m, i) => m === before.messages[i])).toBe(true);
  expect(last(after)).not.toBe(last(before));
  expect(last(after).parts.slice(0, 2).every((p, i) => p === last(before).parts[i])).toBe(true);
  expect(after.queue).toBe(before.queue);
  expect(textOf(last(before))).toBe("ax"); // the old state is as it was
  expect(textOf(last(after))).toBe("axy");
});

test("one by one is the same as all at once", () => {
  const events = log(user("m1"), start("r1"), delta("a"), tool("c"), card("p", "c"), decided("p", "approved"), done("c"), delta("b"), complete("r1"));
  expect(events.reduce<SessionState>(reduceSession, emptySession)).toEqual(from(events));
});

test("after a crash: text from that seq on is void, what was before it stays", () => {
  const s = from(log(user("m1"), start("r1"), delta("kept "), tool("c1"), done("c1")));
  const at = seq + 1;
  const lost = from(log(delta("lo"), delta("st")), s);
  expect(textOf(last(lost))).toBe("kept lost");
  const again = from(log({ type: "message.superseded", messageId: "x", fromSeq: at }), lost);
  expect(textOf(last(again))).toBe("kept ");
  expect(textOf(last(from(log(delta("again"), complete("r1")), again)))).toBe("kept again");
});

test("an approval parks the run; the card is one object; the decision goes on", () => {
  const parked = from(log(user("m1"), start("r1"), tool("c1"), card("p1", "c1")));
  expect(parked).toMatchObject({ run: { isParked: true }, approvals: [{ approvalId: "p1", status: "pending", requiredApprovals: 1, endorsedBy: [] }] });
  expect(last(parked)).toMatchObject({ status: "parked", parts: [{ status: "waiting" }] });
  expect((last(parked).parts[0] as { approval: unknown }).approval).toBe(parked.approvals[0]);
  expect(reduceSession(parked, card("p1", "c1")).approvals).toHaveLength(1);
  const endorsed = from(log({ type: "approval.endorsed", approvalId: "p1", endorsedBy: ["ana"], requiredApprovals: 2 }), parked);
  expect(endorsed.approvals[0]).toMatchObject({ endorsedBy: ["ana"], requiredApprovals: 2, status: "pending" });
  const on = from(log(decided("p1", "approved")), endorsed);
  expect(on).toMatchObject({ run: { isParked: false }, approvals: [] });
  expect(last(on).parts[0]).toMatchObject({ status: "running", approval: { status: "approved", resolvedBy: "ana" } });
  expect(last(from(log(done("c1", false)), on)).parts[0]).toMatchObject({ status: "failed" });
});

test("with another call still running the run is not parked", () => {
  const s = from(log(user("m1"), start("r1"), tool("c1"), tool("c2"), card("p1", "c1")));
  expect(s.run!.isParked).toBe(false);
  expect(from(log(done("c2")), s).run!.isParked).toBe(true);
});

test("a run that ends stops its calls and expires its cards", () => {
  const s = from(log(user("m1"), start("r1"), delta("a"), tool("c1"), card("p1", "c1"), { type: "run.cancelled", runId: "r1", textKept: true }));
  expect(last(s)).toMatchObject({ status: "cancelled", parts: [{ text: "a" }, { status: "stopped", approval: { status: "expired" } }] });
  expect(s).toMatchObject({ run: null, approvals: [] });
  const failed = from(log(user("m2"), start("r2"), { type: "error", code: "PROVIDER_ERROR", message: "broke", runId: "r2", usage }), s);
  expect(last(failed)).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR", message: "broke" }, usage });
  expect([s.usage.cost, failed.usage.cost]).toEqual([0, 0.1]);
  expect(reduceSession(failed, { type: "error", code: "PARSE_ERROR", message: "x" })).toBe(failed);
});

test("feedback: the newest of each person, taken back, by either id of an answer", () => {
  const feedback = (messageId: string, rating: "up" | "down" | null, by: string, note?: string): Plain => ({ type: "message.feedback", messageId, rating, by, ...(note ? { note } : {}) });
  let s = from(log(user("m1"), start("r1"), delta("a"), complete("r1"), feedback("z-r1", "up", "ana"), feedback("a-r1", "down", "ben", "wrong"), feedback("z-r1", "down", "ana")));
  expect((last(s) as Answer).feedback).toEqual([
    { messageId: "a-r1", rating: "down", by: "ben", note: "wrong" }, { messageId: "z-r1", rating: "down", by: "ana" },
  ]);
  s = from(log(feedback("z-r1", null, "ana"), feedback("a-r1", null, "ben"), feedback("m1", "up", "ana")), s);
  expect(last(s)).not.toHaveProperty("feedback");
});

test("the queue: in, edited, reordered, started; what was taken out is noticed when a later one starts", () => {
  let s = from(log(user("m1"), start("r1"), user("m2"), queued("m2", "r2", 1), user("m3"), queued("m3", "r3", 2), user("m4"), queued("m4", "r4", 1)));
  expect(s.messages).toHaveLength(2);
  expect(s.queue.map((m) => m.id)).toEqual(["m4", "m2", "m3"]);
  s = from(log({ type: "message.edited", messageId: "m2", content: "new" }, { type: "queue.reordered", messageIds: ["m2", "m3", "m4"] }, complete("r1"), start("r3")), s);
  expect(s.queue.map((m) => m.id)).toEqual(["m4"]);
  expect(s.messages.map((m) => m.id)).toEqual(["m1", "a-r1", "m3", "a-r3"]);
  s = from(log(complete("r3"), user("m5"), start("r5")), s);
  expect(s.queue).toEqual([]);
  const listed = { messageId: "m7", id: "m7", runId: "r7", content: "c", author: "", authorName: "", attachments: [], position: 1, queuedAt: "" };
  s = from(log(user("m6"), queued("m6", "r6", 1)), s);
  // Not listed is not gone: it may have started, of which the event is on its way.
  s = reduceSession(s, { type: "local.queue", items: [listed], gone: [] });
  expect(s.queue.map((m) => m.id)).toEqual(["m7", "m6"]);
  s = reduceSession(s, { type: "local.queue", items: [listed], gone: ["m6"] });
  expect(s.queue.map((m) => m.id)).toEqual(["m7"]);
  s = from(log({ type: "message.dequeued", messageId: "m7", runId: "r7" }), s);
  expect(s.queue).toEqual([]);
  s = reduceSession(s, { type: "local.queue", items: [listed], gone: ["m7"] });
  expect(s.queue).toEqual([]);
});

test("reactions, by either id of an answer; clearing keeps what runs and waits", () => {
  const reaction = (messageId: string, added: boolean): Plain => ({ type: "message.reaction", messageId, emoji: "👍", added, userId: "u", username: "U" });
  let s = from(log(user("m1"), start("r1"), delta("a"), complete("r1"), reaction("z-r1", true), reaction("m1", true), reaction("m1", false)));
  expect(s.messages.map((m) => m.reactions.length)).toEqual([0, 1]);
  s = from(log(user("m2"), start("r2"), user("m3"), queued("m3", "r3", 1), { type: "session.cleared" }), s);
  expect(s.messages.map((m) => m.id)).toEqual(["m2", "a-r2"]);
  expect(s.queue).toHaveLength(1);
});

test("totals of the record count once, with runs that began before and after it", () => {
  const record = { id: "s", usage, title: "T", status: "active", participants: [] as string[], agentId: "a" } as SessionRecord;
  let s = from(log(user("m1"), start("r1")));
  s = reduceSession(s, { type: "local.record", record: { ...record, lastSeq: seq }, turns: 1 });
  s = from(log(complete("r1")), s); // part of it is in the record already: the next record has it all
  expect([s.usage.cost, s.turns]).toEqual([0.1, 1]);
  s = from(log(user("m2"), start("r2"), complete("r2")), s);
  expect([s.usage.cost, s.turns]).toEqual([0.2, 2]);
});

test("what is sent from here is shown until the server has it", () => {
  const message = { clientMessageId: "mine", content: "hi", attachments: [] };
  let s = reduceSession(emptySession, { type: "local.sending", message });
  expect(s.outgoing).toEqual([message]);
  s = reduceSession(s, { type: "local.refused", clientMessageId: "mine", error: { code: "BUSY", message: "" } });
  expect(s.outgoing[0]!.error!.code).toBe("BUSY");
  s = from(log({ ...user("m1"), clientMessageId: "mine" }), s);
  expect(s.outgoing).toEqual([]);
});

test("10,000 messages: another piece of text costs little, the whole log folds at once", () => {
  const events: NexusEvent[] = [];
  for (let i = 0; i < 5000; ++i) events.push(...log(user(`m${i}`), start(`r${i}`), delta("a"), delta("b"), complete(`r${i}`)));
  // Of the processor, so that a busy machine changes nothing.
  const spentMs = (): number => (({ user, system }) => (user + system) / 1000)(process.cpuUsage());
  const folding = spentMs();
  let s = from(events);
  const folded = spentMs() - folding;
  expect(s.messages).toHaveLength(10_000);
  s = from(log(user("n"), start("n")), s);
  const pieces = log(...Array.from({ length: 1000 }, () => delta("x")));
  const typing = spentMs();
  for (const piece of pieces) s = reduceSession(s, piece);
  const each = (spentMs() - typing) / pieces.length;
  console.log(`10,000 messages folded in ${folded.toFixed(0)} ms; a piece more in ${(each * 1000).toFixed(0)} µs`);
  // Far above what it takes, far below what a copy of everything would.
  expect(folded).toBeLessThan(3000);
  expect(each).toBeLessThan(2);
});

// A session whose events and answers come in every order that a network makes of them, each order by script.
import { expect, test } from "vitest";
import type { Run } from "../src/run.js";
import type { Session } from "../src/session.js";
import { type Call, frames, page, record, refusal, ScriptedServer, settled } from "./scripted.js";

const { created, queued, started, delta, complete, cancelled } = frames;

/** A session in which r1 runs and r2, whose message is m2, waits. */
async function waiting(): Promise<{ server: ScriptedServer; session: Session; first: Run; second: Run }> {
  const server = new ScriptedServer();
  const session = server.client.session();
  const opening = session.open();
  await server.frame("auth");
  server.say({ type: "auth.success", seq: undefined });
  await server.frame("session.create");
  server.say({ type: "session.created", sessionId: "s1", agentId: "a" });
  await opening;
  const first = session.send("m1");
  (await server.call(/^POST \/sessions\/s1\/messages/)).answer({ runId: "r1", messageId: "m1" }, 202);
  server.say(created("m1"), started("r1"), delta("one"));
  const second = session.send("m2");
  (await server.call(/^POST \/sessions\/s1\/messages/)).answer({ runId: "r2", messageId: "m2", position: 1 }, 202);
  server.say(created("m2"), queued("m2", "r2", 1));
  await second.accepted;
  expect(session.getState().queue.map((m) => m.id)).toEqual(["m2"]);
  return { server, session, first, second };
}
const shown = (session: Session): string[] => session.getState().messages.map((m) => m.id);
/** The list of the queue and the session's record, in whatever order they are asked for. */
const answerReading = (server: ScriptedServer, items: unknown[], lastSeq: number): Promise<unknown> =>
  Promise.all([
    server.call(/^GET \/sessions\/s1\/queue/).then((call) => call.answer(page(items))),
    server.call(/^GET \/sessions\/s1$/).then((call) => call.answer(record(lastSeq))),
  ]);
const ended = (run: Run): Promise<unknown> => Promise.race([run.result().then((r) => r.status), settled().then(() => "goes on")]);

test("a list of the queue that is ahead of the events takes nothing for cancelled that has started", async () => {
  const { server, session, first, second } = await waiting();
  server.say(cancelled("r1"));
  expect((await first.result()).status).toBe("cancelled");
  // The server is further: the second has started, and its frame is on the way.
  await answerReading(server, [], server.seq + 1);
  await settled();
  expect(await ended(second)).toBe("goes on");
  server.say(started("r2"), delta("Hello, "), delta("world"), complete("r2"));
  expect(await second.text()).toBe("Hello, world");
  expect(shown(session)).toEqual(["m1", "a-r1", "m2", "a-r2"]);
  expect(session.getState().queue).toEqual([]);
});

test("an older server does not tell what was taken out: it is gone when it is listed no more and nothing else has happened", async () => {
  const { server, session, second } = await waiting();
  server.skip(); // taken out by somebody else
  server.say(complete("r1"));
  await answerReading(server, [], server.seq);
  expect(await second.result()).toMatchObject({ status: "cancelled", text: "" });
  expect(session.getState().queue).toEqual([]);
  expect(shown(session)).toEqual(["m1", "a-r1"]);
});

test("a message that somebody else takes out of the queue: its run is over, at once", async () => {
  const { server, session, first, second } = await waiting();
  server.say({ type: "message.dequeued", messageId: "m2", runId: "r2" });
  expect(await second.result()).toMatchObject({ status: "cancelled", runId: "r2", text: "" });
  expect(session.getState().queue).toEqual([]);
  server.say(delta(" more"), complete("r1"));
  expect(await first.text()).toBe("one more");
  expect(server.unanswered.filter((what) => what.includes("queue"))).toEqual([]);
});

test("taken out while the list that still has it is on the way: it does not come back", async () => {
  const { server, session } = await waiting();
  server.say(cancelled("r1"));
  const listing = await server.call(/^GET \/sessions\/s1\/queue/);
  server.say({ type: "message.dequeued", messageId: "m2", runId: "r2" });
  listing.answer(page([{ id: "m2", messageId: "m2", runId: "r2", content: "m2", author: "", authorName: "", attachments: [], position: 1, queuedAt: "" }]));
  (await server.call(/^GET \/sessions\/s1$/)).answer(record(server.seq));
  await settled();
  expect(session.getState().queue).toEqual([]);
});

for (const [name, cancel] of [
  ["the run's", (_session: Session, run: Run) => run.cancel()],
  ["the session's", (session: Session, run: Run) => session.cancel(run.runId)],
] as const) {
  test(`${name} cancel of a message that waits takes it out`, async () => {
    const { server, session, second } = await waiting();
    const cancelling = cancel(session, second);
    (await server.call(/^DELETE \/sessions\/s1\/queue\/m2/)).answer({ messageId: "m2", status: "dequeued" });
    await cancelling;
    expect(await second.result()).toMatchObject({ status: "cancelled", text: "" });
    expect(session.getState().queue).toEqual([]);
  });

  test(`${name} cancel of one that has started meanwhile stops it, and what it has said is kept`, async () => {
    const { server, session, second } = await waiting();
    const cancelling = cancel(session, second);
    (await server.call(/^DELETE \/sessions\/s1\/queue\/m2/)).answer(refusal("NOT_FOUND"), 404);
    const stop = await server.call(/^POST \/sessions\/s1\/cancel/);
    expect(stop.body).toEqual({ runId: "r2" });
    stop.answer({ sessionId: "s1", status: "cancelling" }, 202);
    await cancelling;
    expect(await ended(second)).toBe("goes on");
    server.say(complete("r1"), started("r2"), delta("Half"), cancelled("r2"));
    expect(await second.result()).toMatchObject({ status: "cancelled", text: "Half" });
    expect(shown(session)).toEqual(["m1", "a-r1", "m2", "a-r2"]);
  });
}

test("an interrupting message has its own text, in whatever order the answer and the events come", async () => {
  for (const answersFirst of [true, false]) {
    const { server, session, second } = await waiting();
    const urgent = session.send("m3", { onBusy: "interrupt" });
    const sent: Call = await server.call(/^POST \/sessions\/s1\/messages/);
    const answer = (): void => sent.answer({ runId: "r3", messageId: "m3", position: 1 }, 202);
    if (answersFirst) answer();
    await settled();
    server.say(created("m3"), queued("m3", "r3", 1), { type: "queue.reordered", messageIds: ["m3", "m2"] }, delta(" late"), cancelled("r1"));
    await answerReading(server, [], server.seq + 9);
    await settled();
    server.say(started("r3"), delta("urgent"), complete("r3"), started("r2"), delta("patient"), complete("r2"));
    if (!answersFirst) answer();
    expect(await urgent.text()).toBe("urgent");
    expect(await second.text()).toBe("patient");
    expect(shown(session)).toEqual(["m1", "a-r1", "m3", "a-r3", "m2", "a-r2"]);
  }
});

test("what a stopped run has cost is told with its end, where the server tells it", async () => {
  const { server, session, first } = await waiting();
  const usage = { promptTokens: 5, completionTokens: 1, totalTokens: 6, cost: 0.5, inputTokens: 5, outputTokens: 1, costUsd: 0.5 };
  server.say({ ...cancelled("r1"), usage });
  expect((await first.result()).usage).toEqual(usage);
  expect(session.getState().usage).toEqual(usage);
});

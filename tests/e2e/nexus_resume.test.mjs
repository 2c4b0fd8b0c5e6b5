// Reconnecting (PROTOCOLS §1.5): every event after n exactly once and in order, then the live tail, also after SIGKILL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, get, listAll, styleA, styleB } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";

const stored = (frames) => frames.filter((frame) => frame.seq !== undefined);

async function resume(server, sessionId, afterSeq) {
  const client = await styleA(server);
  client.send({ type: "session.resume", sessionId, ...(afterSeq === undefined ? {} : { afterSeq }) });
  const resumed = await client.next("session.resumed");
  if (afterSeq !== undefined) assert.equal(resumed.fromSeq, afterSeq);
  return client;
}

const said = (n) => words.slice(0, n).join("");

/** Waits for this word and goes away; what it saw stays in its frames. */
async function leaveAfter(client, word) {
  await client.next((frame) => frame.type === "message.content_delta" && frame.text.includes(word));
  client.ws.terminate();
  await client.closed;
  return client.frames.findLast((frame) => frame.seq !== undefined).seq;
}

test("in the middle of a message: the rest comes, live, and nothing twice", () =>
  withHeldModel(async (server, model) => {
    const whole = await styleB(server);
    const first = await styleA(server, { projectId: "demo", sessionId: whole.sessionId });
    await first.next("session.resumed");
    whole.send({ type: "message.send", content: "long" });
    const call = await model.call(0);
    const clients = [first];
    let told = 0;
    for (const n of [5, 15, 35]) {
      call.say(...words.slice(told, n));
      told = n;
      const seen = await leaveAfter(clients.at(-1), words[n - 1]);
      call.say(words[told++]); // while nobody of them is there
      clients.push(await resume(server, whole.sessionId, seen));
    }
    call.say(...words.slice(told)).end();
    await clients.at(-1).next("message.complete");
    await whole.next("message.complete");
    const pieces = clients.flatMap((client) => stored(client.frames));
    assert.deepEqual(pieces, stored(whole.frames).filter((frame) => frame.type !== "session.created"));
    assert.equal(textOf(pieces), longText);
  }));

test("a finished session: after any seq exactly what follows it, also in the middle of a stored run of deltas", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    for (const content of ["hello", "clock", "fail", "hello"]) client.send({ type: "message.send", content });
    for (let i = 0; i < 3; ++i) await client.next("message.complete");
    // Without the positions: those are told once, and live.
    const all = stored(client.frames);
    const last = all.at(-1).seq;
    for (let after = 0; after <= last; ++after) {
      const again = await resume(server, client.sessionId, after);
      await again.send({ type: "ping" }).next("pong");
      const expected = all.filter((frame) => frame.seq > after);
      await again.until(() => stored(again.frames).length >= expected.length, `what is after ${after}`);
      // Style A again: what style B adds is not a difference here, because no run parked.
      assert.deepEqual(stored(again.frames), expected, `after ${after}`);
      await again.close();
    }
    const beyond = await resume(server, client.sessionId, last + 1000);
    beyond.send({ type: "message.send", content: "hello" });
    await beyond.next("message.complete");
    assert.equal(textOf(beyond.frames), "Hello, world");
  }));

test("without afterSeq: only what happens from now on, and the rest of the run", () =>
  withHeldModel(async (server, model) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "hello" });
    (await model.call(0)).say("Hello").end();
    await client.next("message.complete");
    client.send({ type: "message.send", content: "long" });
    const call = (await model.call(1)).say(words[0]);
    await client.next("message.content_delta");
    const late = await resume(server, client.sessionId);
    call.say(...words.slice(1)).end();
    await late.next("message.complete");
    await client.next("message.complete");
    const from = stored(late.frames)[0].seq;
    assert.deepEqual(stored(late.frames), stored(client.frames).filter((frame) => frame.seq >= from));
    assert.equal(late.all("message.complete").length, 1);
    assert.ok(late.all("message.content_delta").length > 0);
  }));

test("auth with sessionId and afterSeq re-attaches as session.resume does", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "hello" });
    const { seq } = await client.next("message.created");
    await client.next("message.complete");
    const again = await styleA(server, { sessionId: client.sessionId, afterSeq: seq });
    await again.next("message.complete");
    assert.deepEqual(stored(again.frames), stored(client.frames).filter((frame) => frame.seq > seq));
  }));

test("a message right behind the frame that re-attaches is for that session", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const frames = [{ type: "auth" }, { type: "session.resume" }];
    for (const [before, frame] of frames.entries()) {
      const again = await styleA(server);
      again.send({ ...frame, sessionId: client.sessionId, afterSeq: 0 }).send({ type: "message.send", content: "hello" });
      for (let i = 0; i <= before; ++i) await again.next("message.complete");
      await client.next("message.complete");
      assert.deepEqual(stored(again.frames), stored(client.frames));
    }
    assert.equal((await get(server, "/api/v1/sessions")).body.total, 1);
  }));

test("after SIGKILL: text that did not survive is revoked, the step runs again, the text is complete", () =>
  withHeldModel(async (server, model) => {
    for (const [round, n] of [3, 25, 60].entries()) {
      const before = await styleB(server);
      before.send({ type: "message.send", content: "long" });
      (await model.call(2 * round)).say(...words.slice(0, n));
      await before.until(() => textOf(before.frames) === said(n), `${n} words`);
      await server.kill();
      await before.closed;
      const seen = stored(before.frames).at(-1).seq;
      await server.start();
      const client = await resume(server, before.sessionId, seen);
      const superseded = await client.next("message.superseded");
      (await model.call(2 * round + 1)).say(...words).end();
      const complete = await client.next("message.complete");
      const both = [...stored(before.frames), ...stored(client.frames)];
      const firstDelta = both.find((frame) => frame.type === "message.content_delta").seq;
      assert.ok(superseded.fromSeq <= firstDelta, "all of the step's text is void");
      assert.ok(stored(client.frames).every((frame) => frame.seq > seen), "no seq that was seen is given again");
      assert.equal(textOf(both), longText);
      assert.equal(both.filter((frame) => frame.type === "run.started").length, 1);
      assert.equal(complete.messageId, superseded.messageId);
      const messages = await listAll(server, `/api/v1/sessions/${before.sessionId}/messages`);
      assert.deepEqual(messages.map((m) => [m.role, m.content, m.cut]), [["user", "long", false], ["assistant", longText, false]]);
      // Who asks for everything gets the same.
      const whole = await resume(server, before.sessionId, 0);
      await whole.next("message.complete");
      assert.equal(textOf(whole.frames), longText);
    }
  }));

test("after SIGKILL: on another transport than before", () =>
  withHeldModel(async (server, model) => {
    const before = await styleB(server);
    before.send({ type: "message.send", content: "long" });
    (await model.call(0)).say(...words.slice(0, 30));
    await before.until(() => textOf(before.frames) === said(30), "30 words");
    await server.kill();
    await before.closed;
    const seen = stored(before.frames).at(-1).seq;
    await server.start();
    const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${before.sessionId}/events`, undefined, {
      "last-event-id": String(seen),
    });
    (await model.call(1)).say(...words).end();
    await stream.next("message.complete");
    assert.equal(textOf([...stored(before.frames), ...stored(stream.frames)]), longText);
    stream.close();
  }));

test("after SIGKILL: the queue is still there and is worked off in order", () =>
  withServer(standard(), async (server) => {
    const before = await styleB(server);
    before.send({ type: "message.send", content: "hold" });
    await before.next("message.content_delta");
    for (const content of ["hello", "clock"]) before.send({ type: "message.send", content });
    for (let i = 0; i < 2; ++i) await before.next("message.queued");
    await server.kill();
    await server.start();
    const client = await resume(server, before.sessionId);
    client.send({ type: "run.cancel" });
    await client.next("run.cancelled");
    for (let i = 0; i < 2; ++i) await client.next("message.complete");
    const messages = (await get(server, `/api/v1/sessions/${before.sessionId}/messages`)).body.items;
    assert.deepEqual(messages.filter((m) => m.role === "user").map((m) => m.content), ["hold", "hello", "clock"]);
  }));

test("after SIGTERM in the middle of a message: the run goes on at the next start", () =>
  withHeldModel(async (server, model) => {
    const before = await styleB(server);
    before.send({ type: "message.send", content: "long" });
    (await model.call(0)).say(...words.slice(0, 20));
    await before.until(() => textOf(before.frames) === said(20), "20 words");
    await server.stop();
    await before.closed;
    const seen = stored(before.frames).at(-1).seq;
    await server.check();
    await server.start();
    const client = await resume(server, before.sessionId, seen);
    (await model.call(1)).say(...words).end();
    await client.next("message.complete");
    assert.equal(textOf([...stored(before.frames), ...stored(client.frames)]), longText);
    assert.ok(stored(client.frames).every((frame) => frame.seq > seen));
  }));

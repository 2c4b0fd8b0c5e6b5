// The TypeScript client loses nothing and tells nothing twice: cut off at many places, and when the server is killed in the
// middle of an answer and comes back.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listAll } from "./support/clients.mjs";
import { longText, standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { until as eventually } from "./support/waiting.mjs";
import { client as package_, schemaChecker, TroupeClient, until, withProxy } from "../../clients/typescript/test/package.mjs";

const { check } = await schemaChecker();
const { textOf, reduceSessionAll, emptySession } = package_;
const fast = { backoff: { firstMs: 20, longestMs: 200 } };

/** A client behind a proxy, its session, and all events that handlers were told. `direct`: only the socket goes through the proxy. */
const withSession = (body, { configuration = standard(), direct = false } = {}) =>
  withServer(configuration, (server) =>
    withProxy(server, async (proxy) => {
      const past = (url, init) => fetch(url.replace(proxy.url, server.url), init);
      const client = new TroupeClient({ url: proxy.url, projectId: "demo", ...fast, ...(direct ? { fetch: past } : {}) });
      const session = client.session();
      const events = [];
      session.on("*", (event) => events.push(event));
      try {
        await session.open();
        await body({ server, proxy, session, client, events });
        for (const event of events) check("NexusEvent", event);
      } finally {
        session.close();
      }
    }),
  );

const stops = ["w3 ", "w40 ", "w90 "];
/** `long N` stops behind the Nth of `stops`, where the server is to be killed, unless N is below `from`: then it goes on to its end. */
function stopping(from) {
  const configuration = standard();
  const { rules } = configuration.providers.scripted.script;
  for (const [i, word] of stops.entries()) {
    const whole = longText.indexOf(word) + word.length;
    const say = i < from ? [{ text: longText }] : [{ text: longText.slice(0, whole).match(/\w+ /g) }, { delay_ms: 600_000 }, { text: longText.slice(whole) }];
    rules.unshift({ when: { user: `long ${i}` }, say });
  }
  return configuration;
}

const partsOf = (session) => textOf(session.getState().messages.at(-1) ?? { parts: [] });

/** What was told, told once; and folded again it is the same picture. */
function checkOnce(events, session) {
  const seqs = events.filter((e) => e.seq !== undefined).map((e) => e.seq);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b));
  const state = session.getState();
  const again = reduceSessionAll(reduceSessionAll(emptySession, events), events);
  assert.deepEqual(again.messages, state.messages);
}

async function stored(server, session) {
  const messages = await listAll(server, `/api/v1/sessions/${session.id}/messages`);
  return messages.filter((m) => m.role === "assistant").map((m) => m.content);
}

test("cut in the middle of frames, again and again: the run goes on, its text is whole", () =>
  withSession(async ({ server, proxy, session, events }) => {
    let cuts = 0;
    session.on("session.resumed", () => {
      cuts += 1;
      proxy.cutAfter(700 + 137 * cuts);
    });
    proxy.cutAfter(500);
    const run = session.send("long");
    assert.equal(await run.text(), longText);
    assert.ok(cuts >= 3, `${cuts} connections`);
    assert.equal(partsOf(session), longText);
    assert.deepEqual(await stored(server, session), [longText]);
    checkOnce(events, session);
  }, { direct: true }));

test("kill -9 in the middle of an answer: nothing lost, nothing doubled, one run; what was sent meanwhile is answered once", () =>
  withSession(async ({ server, session, events }) => {
    for (const [round, word] of stops.entries()) {
      const run = session.send(`long ${round}`);
      await until(session, () => partsOf(session).includes(word) && session.getState().messages.length === 4 * round + 2, `text with ${word}`);
      await server.kill();
      await until(session, (s) => s.connection.status !== "open");
      const meanwhile = session.send("hello"); // there is no server
      writeFileSync(join(server.folder, "troupe.json"), JSON.stringify(stopping(round + 1)));
      await server.start();
      assert.equal(await run.text(), longText);
      assert.equal(await meanwhile.text(), "Hello, world");
      const state = await until(session, (s) => s.run === null && s.queue.length === 0);
      assert.equal(textOf(state.messages.at(-3)), longText);
      const contents = await stored(server, session);
      assert.deepEqual(contents.slice(-2), [longText, "Hello, world"]);
      assert.equal(contents.length, 2 * round + 2);
      assert.equal(state.messages.length, 4 * round + 4);
      assert.deepEqual(state.outgoing, []);
    }
    assert.equal(events.filter((e) => e.type === "message.superseded").length, 3);
    checkOnce(events, session);
  }, { configuration: stopping(0) }));

test("kill -9 while a person is asked: the card is there again, once, and its decision counts", () =>
  withSession(async ({ server, session }) => {
    await session.send("write note").text();
    const run = session.send("delete note");
    const [card] = (await until(session, (s) => s.run?.isParked)).approvals;
    await server.kill();
    await server.start();
    const back = await until(session, (s) => s.connection.status === "open");
    assert.deepEqual(back.approvals.map((a) => a.approvalId), [card.approvalId]);
    await session.decide(card.approvalId, { approved: true });
    assert.match(await run.text(), /^May I\? Outcome: /);
    assert.equal(session.getState().messages.at(-1).parts[1].status, "ok");
  }));

test("an orderly stop is announced; the client comes back when the server does, and the run goes on", () =>
  withSession(async ({ server, session, events }) => {
    const run = session.send("long");
    await until(session, () => partsOf(session).includes("w9 "));
    await server.stop();
    const draining = await eventually(() => events.find((e) => e.type === "session.draining"), "word of the stop"); // it may be read after the end
    assert.ok(draining.lastSeq > 0 && draining.reconnectAfterMs > 0);
    const state = await until(session, (s) => s.connection.status === "waiting");
    assert.ok(state.connection.retryAt > 0 && state.connection.error.code === "CONNECTION_FAILED");
    await server.start();
    assert.equal(await run.text(), longText);
    assert.equal(session.getState().isDraining, false);
    assert.deepEqual(await stored(server, session), [longText]);
  }));

test("a message whose answer to the request was lost is stored once", () =>
  withSession(async ({ server, proxy, session }) => {
    for (let bytes = 1; bytes < 400; bytes += 57) {
      proxy.cutAfter(bytes); // of what the server says next: the answer, or the events
      assert.equal(await session.send("hello").text(), "Hello, world");
    }
    const asked = (await listAll(server, `/api/v1/sessions/${session.id}/messages`)).filter((m) => m.role === "user");
    assert.equal(asked.length, 7);
    assert.equal((await until(session, (s) => s.turns === 7)).messages.length, 14);
  }));

test("closed and opened again it goes on where it was", () =>
  withSession(async ({ session, client, events }) => {
    await session.send("hello").text();
    const run = session.send("hold");
    await until(session, () => partsOf(session) === "Holding. ");
    session.close();
    await assert.rejects(run.text(), { code: "CLIENT_CLOSED" });
    assert.equal(session.getState().connection.status, "closed");
    await client.sessions.cancel(session.id);
    await session.open();
    await until(session, (s) => s.messages.at(-1)?.status === "cancelled" && s.messages.length === 4);
    assert.equal(partsOf(session), "Holding. ");
    checkOnce(events, session);
  }));

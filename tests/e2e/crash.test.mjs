// kill -9 at random moments, again and again, under clients that chat (DESIGN §5, §6). What a client was told stays true:
// completions are in the history, seqs are never given twice, effects happened, and the data folder is sound.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { listAll, post, SocketClient, styleA } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";

const rounds = 20;
const budgetMs = 25_000; // later rounds are left out on a slow machine
const longestLifeMs = 450;
const seed = Number(process.env.TROUPE_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32 */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A person with one session who survives every crash: reconnects with afterSeq and says the next thing. */
class Person {
  log = []; // stored frames, in the order they came, over all connections
  open = new Set(); // approvals that wait, as far as it knows
  written = new Set();
  isQuiet = false; // says nothing new
  decisions = 0;

  constructor(name, kinds) {
    this.name = name;
    this.kinds = kinds;
    this.said = 0;
  }

  get lastSeq() {
    return this.log.at(-1)?.seq ?? 0;
  }

  async connect(server) {
    const socket = await styleA(server, this.sessionId ? { sessionId: this.sessionId, afterSeq: this.lastSeq } : undefined);
    this.socket = socket;
    const put = socket.put.bind(socket);
    socket.put = (frame) => {
      this.#take(server, frame);
      put(frame);
    };
    // What came before the hook.
    for (const frame of socket.frames.slice()) this.#take(server, frame);
    // Cards from before the crash are not shown again to who says afterSeq; whether the decision arrived nobody knows.
    for (const approvalId of this.open) this.#approve(server, approvalId);
    if (!this.pending?.accepted && !(this.isQuiet && !this.pending)) this.#say();
  }

  #say() {
    if (this.pending && !this.pending.accepted) {
      // Nobody answered before the crash: the same message again, under the same id.
      this.socket.send(this.pending.frame);
      return;
    }
    const n = this.said++;
    const kind = this.kinds[n % this.kinds.length];
    const file = `${this.name}${n}`;
    const content = { write: `write ${file}`, delete: `delete ${this.name}x`, clock: "clock", long: "long" }[kind];
    this.pending = { frame: { type: "message.send", content, clientMessageId: `${this.name}-${n}` }, kind, file, accepted: false };
    this.socket.send(this.pending.frame);
  }

  #take(server, frame) {
    if (frame.seq === undefined) return;
    this.log.push(frame);
    if (frame.type === "session.created") this.sessionId = frame.sessionId;
    if (frame.type === "message.created" && frame.clientMessageId === this.pending?.frame.clientMessageId) this.pending.accepted = true;
    if (frame.type === "message.approval_required") {
      this.open.add(frame.approvalId);
      this.#approve(server, frame.approvalId);
    }
    if (frame.type === "approval.decided") this.open.delete(frame.approvalId);
    if (frame.type === "message.tool_complete" && frame.tool === "write_file" && frame.success) this.written.add(this.pending.file);
    if (frame.type === "message.complete") {
      this.pending = undefined;
      if (!this.isQuiet) this.#say();
    }
  }

  /** In turn over the socket and over REST; the server may die under it. */
  #approve(server, approvalId) {
    if (++this.decisions % 2) this.socket.send({ type: "approval.decide", approvalId, approved: true });
    else post(server, `/api/v1/approvals/${approvalId}/approve`).catch(() => {});
  }
}

/** Over all its connections a client saw each event once, in order, and no seq with two contents. */
function assertSeqs(person) {
  const { log } = person;
  for (let i = 1; i < log.length; ++i) {
    const [before, frame] = [log[i - 1], log[i]];
    assert.ok(frame.seq > before.seq, `${person.name}: ${JSON.stringify(before)} then ${JSON.stringify(frame)}`);
  }
}

function assertOrder(person) {
  let running = null;
  for (const frame of person.log) {
    if (frame.type === "run.started") {
      assert.equal(running, null, `${person.name}: a run began before the one before it ended`);
      running = frame;
    }
    if (["message.complete", "error", "run.cancelled"].includes(frame.type)) running = null;
    assert.notEqual(frame.type, "error", `${person.name}: ${JSON.stringify(frame)}`);
  }
}

async function assertHistory(server, person) {
  const messages = await listAll(server, `/api/v1/sessions/${person.sessionId}/messages`);
  const byId = new Map(messages.map((message) => [message.id, message]));
  const completed = person.log.filter((frame) => frame.type === "message.complete");
  for (const { messageId } of completed) {
    const message = byId.get(messageId);
    assert.ok(message, `${person.name}: the completed message ${messageId} is not in the history`);
    assert.deepEqual([message.role, message.cut], ["assistant", false]);
  }
  const accepted = person.log.filter((frame) => frame.type === "message.created").map((frame) => frame.clientMessageId);
  assert.equal(new Set(accepted).size, accepted.length, `${person.name}: a message was taken twice: ${accepted}`);
  const users = messages.filter((message) => message.role === "user");
  assert.deepEqual(users.map((message) => message.clientMessageId), accepted);
  return completed.length;
}

/** The text that its frames add up to is the text that is stored, run by run. */
async function assertText(server, person) {
  const messages = await listAll(server, `/api/v1/sessions/${person.sessionId}/messages`);
  const runs = [];
  for (const frame of person.log)
    if (frame.type === "run.started") runs.push({ id: frame.runId, frames: [] });
    else runs.at(-1)?.frames.push(frame);
  for (const run of runs) {
    if (!run.frames.some((frame) => frame.type === "message.complete")) continue;
    const said = messages.filter((m) => m.runId === run.id && m.role === "assistant").map((m) => m.content).join("");
    assert.equal(textOf(run.frames), said, `${person.name}: run ${run.id}`);
  }
  return runs.length;
}

test(`crash: ${rounds} times SIGKILL under five clients (TROUPE_SEED=${seed})`, (t) =>
  withServer(standard(), async (server) => {
    t.diagnostic(`seed ${seed}`);
    const random = generator(seed);
    const people = [
      new Person("ann", ["clock", "write"]), new Person("bob", ["write"]), new Person("cas", ["long"]),
      new Person("dot", ["delete", "clock", "write"]), new Person("eve", ["long", "delete", "write"]),
    ];
    const began = Date.now();
    let round = 0;
    for (; round < rounds && Date.now() - began < budgetMs; ++round) {
      await Promise.all(people.map((person) => person.connect(server)));
      await pause(random() * longestLifeMs);
      await server.kill();
      await Promise.all(people.map((person) => person.socket.closed));
      if (round % 5 === 4) await server.check();
      await server.start();
    }
    // What was said last gets its end.
    for (const person of people) person.isQuiet = true;
    await Promise.all(people.map((person) => person.connect(server)));
    for (const person of people) await person.socket.until(() => !person.pending, `an end for ${person.name}`);
    let completed = 0;
    for (const person of people) {
      person.socket.ws.terminate();
      await person.socket.closed;
      assertSeqs(person);
      assertOrder(person);
      completed += await assertHistory(server, person);
      await assertText(server, person);
      for (const file of person.written) {
        const path = join(server.data, "workspaces", person.sessionId, `${file}.txt`);
        assert.ok(existsSync(path), `${person.name} was told that ${file}.txt is written`);
        assert.equal(readFileSync(path, "utf8"), `content of ${file}`);
      }
    }
    assert.ok(completed >= people.length);
    t.diagnostic(`${round} rounds, ${completed} completions, ${people.reduce((n, p) => n + p.log.length, 0)} frames, ${Date.now() - began} ms`);
  }));

test("crash: queued messages are not lost, doubled or put in another order", () =>
  withServer(standard(), async (server) => {
    const client = await SocketClient.open(server, "/ws");
    client.send({ type: "auth" }).send({ type: "message.send", content: "hold", clientMessageId: "m0" });
    await client.next("message.content_delta");
    for (let i = 1; i <= 5; ++i) client.send({ type: "message.send", content: `queued ${i}`, clientMessageId: `m${i}` });
    for (let i = 1; i <= 5; ++i) await client.next("message.queued");
    const { sessionId } = client.all("session.created")[0];
    for (let i = 0; i < 3; ++i) {
      await server.kill();
      await server.start();
    }
    const again = await styleA(server, { sessionId, afterSeq: 0 });
    await again.next("run.started");
    again.send({ type: "run.cancel" });
    for (let i = 1; i <= 5; ++i) await again.next("message.complete");
    assert.deepEqual(again.all("message.created").map((f) => f.clientMessageId), ["m0", "m1", "m2", "m3", "m4", "m5"]);
    assert.equal(textOf(again.frames.slice(again.frames.findIndex((f) => f.type === "run.cancelled"))),
      [1, 2, 3, 4, 5].map((i) => `You said: queued ${i}`).join(""));
  }));

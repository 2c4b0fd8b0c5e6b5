// Clients that read slowly or not at all (DESIGN §9): their neighbours and the runs do not notice, the server bounds what it keeps
// for them, and they end with the same transcript, on every dialect.
import assert from "node:assert/strict";
import { test } from "node:test";
import { request, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { followers } from "./support/followers.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { trickling } from "./support/trickle.mjs";

const direct = { lag: false }; // a forwarder between would read at once
const piece = "0123456789".repeat(7) + " ";
const answering = (times) => ({
  default_project: "demo",
  limits: { slow_client_timeout_ms: 600_000 },
  providers: { s: { kind: "scripted", script: { rules: [], otherwise: [{ repeat: piece, times }] } } },
  projects: { demo: { default_agent: "writer", agents: { writer: { provider: "s", model: "m" } } } },
});

const completions = (client) => client.frames.filter((frame) => frame.type === "message.complete").length;
const rises = (seqs) => seqs.every((seq, i) => i === 0 || seq > seqs[i - 1]);
const deltaSeqs = (frames) => frames.filter((frame) => frame.type === "message.content_delta").map((frame) => frame.seq);

test("a client that stops reading holds nobody up, and catches up from the log", () =>
  withServer(answering(8000), async (server) => {
    const messages = 12;
    const fast = await styleB(server);
    const slow = await SocketClient.open(server, "/ws");
    slow.send({ type: "auth", sessionId: fast.sessionId });
    await slow.next("session.resumed");
    slow.ws._socket.pause();
    for (let i = 0; i < messages; i++) fast.send({ type: "message.send", content: `message ${i}` });
    await fast.until(() => completions(fast) === messages, "every answer");
    assert.equal(completions(slow), 0);
    slow.ws._socket.resume();
    await slow.until(() => completions(slow) === messages, "every answer, later");
    assert.equal(textOf(slow.frames), piece.repeat(8000 * messages));
    assert.equal(textOf(fast.frames), textOf(slow.frames));
    assert.ok(rises(deltaSeqs(slow.frames)), "each seq comes once");
  }, direct));

const all = Object.entries(followers);
const attachAll = (server, sessionId, options = () => ({})) =>
  Promise.all(all.map(([name, how]) => how.attach(server, sessionId, options(name))));
const turns = 2;
const times = 5000;
const whole = piece.repeat(times * turns);

async function untilTurnsEnd(clients, names = all) {
  for (const [i, [name, how]] of names.entries())
    await clients[i].until(() => clients[i].all(how.end).length >= turns, `${turns} turns of ${name}`);
}

test("§1.5, DESIGN §9 one byte a second: the neighbours get everything at once, the slow ones the same once they read again, on every dialect", () =>
  withServer(answering(times), async (server) => {
    const owner = await styleB(server);
    const way = await trickling(server);
    const [fast, slow] = [await attachAll(server, owner.sessionId), await attachAll(way, owner.sessionId)];
    way.slow();
    for (let i = 0; i < turns; ++i) owner.send({ type: "message.send", content: `message ${i}` });
    await untilTurnsEnd(fast);
    for (const [i, [name, how]] of all.entries()) {
      assert.equal(how.text(fast[i].frames), whole, `${name}, reading at once`);
      assert.equal(slow[i].all(how.end).length, 0, `${name} at one byte a second has not seen the end of a turn`);
      assert.ok(how.text(slow[i].frames).length < whole.length / 2, name);
    }
    way.fast();
    await untilTurnsEnd(slow);
    for (const [i, [name, how]] of all.entries()) assert.equal(how.text(slow[i].frames), whole, `${name}, reading again`);
    for (const name of ["nexus", "sse"]) assert.ok(rises(deltaSeqs(slow[all.findIndex(([other]) => other === name)].frames)), name);
  }, direct));

test("§1.5, DESIGN §9 too slow for too long: given up, and after resuming the same transcript, on every dialect", () =>
  withGuarded(async (server) => {
    const owner = await styleA(server, { projectId: "demo", token: tokenOf("ana") });
    owner.send({ type: "message.send", content: "first" });
    const { sessionId } = await owner.next("session.created");
    await owner.next("message.complete");
    const users = all.map(([name]) => `slow-${name}`);
    await request(server, "PUT", `/api/v1/sessions/${sessionId}/participants`, { users }, bearer(tokenOf("ana")));
    const way = await trickling(server);
    const comesBack = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };
    const slow = await attachAll(way, sessionId, (name) => ({ token: tokenOf(`slow-${name}`), ...(name.startsWith("chat-") ? comesBack : {}) }));
    const present = () => owner.all("presence").at(-1).users.map((user) => user.userId).filter((id) => id.startsWith("slow-"));
    await owner.until(() => present().length >= 4, "the slow ones in the room");
    const from = owner.frames.length;
    way.slow();
    for (let i = 0; i < turns; ++i) owner.send({ type: "message.send", content: `message ${i}` });
    for (let i = 0; i < turns; ++i) await owner.next("message.complete");
    assert.equal(textOf(owner.frames.slice(from)), whole);
    await owner.until(() => present().length === 0, "the server to give them up");
    way.fast();
    for (const [i, [name, how]] of all.entries()) {
      const client = slow[i];
      const options = { token: tokenOf(`slow-${name}`) };
      let seen = client.frames;
      if (name.startsWith("chat-")) {
        await client.until(() => client.all(how.end).length >= turns, `${name} to be back with all of it`);
        assert.ok(client.all("(disconnect)").length >= 1, name);
        assert.equal(client.socket.recovered, true, name);
      } else {
        await client.until(() => client.ended !== null, `the end of ${name}`);
        if (client.ws) assert.ok([1006, 1013].includes((await client.closed).code), `${name}: ${client.ended}`);
        seen = client.frames.slice();
        const place = seen.findLast((frame) => frame.seq !== undefined)?.seq;
        // Where frames have no seq their client has no place: it reads the session anew.
        const again = await how.attach(way, sessionId, { ...options, afterSeq: place ?? 0 });
        const ends = turns + (place === undefined ? 1 : 0) - seen.filter((frame) => place !== undefined && frame.type === how.end).length;
        await again.until(() => again.all(how.end).length >= ends, `the rest for ${name}`);
        seen = place === undefined ? again.frames : [...seen, ...again.frames];
      }
      const text = how.text(seen);
      const first = text.length === whole.length ? "" : piece.repeat(times);
      assert.ok(text === first + whole, `${name} has ${text.length} of ${whole.length}`);
    }
  }, { ...answering(times), limits: { slow_client_timeout_ms: 4000 } }, direct));

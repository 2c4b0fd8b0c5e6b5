// What each dialect's clients see when the server is told to stop (PROTOCOLS §1.4, §6): WebSockets close with 1012, style B of
// nexus is dropped without a Close frame, Socket.IO loses its transport and is never sent a DISCONNECT.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, post, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { followers } from "./support/followers.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { textOf } from "./support/inbox.mjs";
import { Polling, Raw } from "./support/conformance.mjs";
import { withServer } from "./support/server.mjs";
import { until } from "./support/waiting.mjs";

test("§1.4 drain: session.draining to both styles of nexus, 1012 to style A, no Close frame to style B", () =>
  withHeldModel(async (server, model) => {
    const a = await styleA(server);
    const b = await styleB(server);
    const idle = await SocketClient.open(server, "/ws");
    b.send({ type: "message.send", content: "hello" });
    (await model.call(0)).say("Hello").end();
    await b.next("message.complete");
    a.send({ type: "message.send", content: "long" });
    (await model.call(1)).say(...words.slice(0, 10));
    await a.until(() => textOf(a.frames) === words.slice(0, 10).join(""), "10 words");
    const stopped = server.stop();
    assert.deepEqual([(await a.closing()).code, (await b.closing()).code], [1012, 1006]);
    for (const client of [a, b]) {
      const [draining, ...more] = client.all("session.draining");
      assert.deepEqual(more, []);
      assert.ok(Number.isInteger(draining.lastSeq) && draining.reconnectAfterMs > 0, JSON.stringify(draining));
      assert.equal(client.frames.at(-1), draining, "nothing comes behind it");
    }
    const seqs = a.frames.map((frame) => frame.seq).filter((seq) => seq !== undefined);
    assert.equal(a.all("session.draining")[0].lastSeq, seqs.at(-1), "lastSeq is the last that this client was sent");
    assert.equal((await idle.closing()).code, 1012);
    await stopped;
    await server.start();
    const again = await styleA(server);
    again.send({ type: "session.resume", sessionId: a.all("session.created")[0].sessionId, afterSeq: seqs.at(-1) });
    (await model.call(2)).say(...words).end();
    await again.next("message.complete");
    assert.equal(textOf([...a.frames, ...again.frames]), longText);
  }));

test("§2 and §3 drain: conversation and agent-stream are closed with 1012, in the middle of a turn and idle", () =>
  withServer(standard(), async (server) => {
    const clients = [];
    for (const path of ["/ws/chat/c1", "/ws/chat/c2", "/api/v1/ws/chat/writer", "/api/v1/ws/chat/writer"])
      clients.push(await SocketClient.open(server, path));
    for (const talking of [clients[0], clients[2]]) talking.send({ message: "hold" });
    await clients[0].next("message_chunk");
    await clients[2].next("token");
    const stopped = server.stop();
    for (const client of clients) assert.equal((await client.closing()).code, 1012);
    await stopped;
  }));

test("§6 drain: Socket.IO loses its transport, gets no DISCONNECT, and comes back by itself", () =>
  withServer(standard(), async (server) => {
    const owner = await styleB(server);
    const again = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };
    const clients = [];
    for (const name of ["chat-room", "chat-events"])
      for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]])
        clients.push(await followers[name].attach(server, owner.sessionId, { transports, ...again }));
    const bare = await Raw.open(`${server.url}/socket.io/?EIO=4&transport=websocket`);
    assert.match(await bare.next(), /^0/);
    for (const packet of ["40", "40/chat,"]) {
      bare.send(packet);
      assert.match(await bare.next(), /^40/);
    }
    bare.answersPings = true;
    const polling = await Polling.open(`${server.url}/socket.io/`);
    await polling.post("40");
    assert.match((await polling.get()).text, /^40/);
    const waiting = polling.get().then(({ text }) => text, () => ""); // cut off where the server ends before it comes
    const stopped = server.stop();
    assert.equal(await bare.end(), 1012);
    assert.deepEqual(bare.unread(), [], "no DISCONNECT, of any namespace");
    assert.ok(!(await waiting).split("\x1e").some((packet) => packet.startsWith("41")), "nor over polling");
    for (const client of clients) {
      const { reason } = await client.next("(disconnect)");
      assert.match(reason, /^transport (close|error)$/);
      assert.equal(client.socket.active, true, "it will come back: a DISCONNECT would have made it stay away");
    }
    await stopped;
    await server.start();
    for (const client of clients) await until(() => client.socket.connected, "a client to be back");
  }, { keepsPort: true }));

test("§1.6 drain: event streams end in order, and a REST call that waits for its run is answered 503", () =>
  withServer(standard(), async (server) => {
    const owner = await styleB(server);
    const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${owner.sessionId}/events`);
    const chat = post(server, `/api/v1/sessions/${owner.sessionId}/messages?wait=true`, { content: "hold" }).catch((error) => ({ error }));
    await owner.next("message.content_delta");
    const stopped = server.stop();
    await stream.until(() => stream.ended !== null, "the end of the stream");
    const answer = await chat;
    assert.equal(answer.status, 503, JSON.stringify(answer));
    assert.equal(answer.body.error.code, "SHUTTING_DOWN");
    await stopped;
  }));

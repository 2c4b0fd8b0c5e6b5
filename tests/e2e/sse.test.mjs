// Server-sent events (PROTOCOLS §1.5, §1.6): what the stream looks like, going on after Last-Event-ID, chat as a stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, get, post, styleB } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { shape, textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { until } from "./support/waiting.mjs";

const events = (id, query = "") => `/api/v1/sessions/${id}/events${query}`;
const bare = (frames) => frames.map(({ sse, ...frame }) => frame);

test("format: id is the seq, event the type, data the frame of the WebSocket", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const stream = await EventStream.open(server, "GET", events(client.sessionId, "?after=0"));
    assert.equal(stream.status, 200);
    assert.match(stream.headers["content-type"], /^text\/event-stream/);
    client.send({ type: "message.send", content: "clock" });
    await client.next("message.complete");
    await stream.next("message.complete");
    for (const { sse, ...frame } of stream.frames) {
      assert.equal(sse.event, frame.type);
      assert.equal(sse.id, String(frame.seq));
      assert.deepEqual(Object.keys(sse).sort(), ["data", "event", "id"]);
    }
    assert.deepEqual(bare(stream.frames), client.frames.filter((frame) => frame.seq !== undefined));
  }));

test("Last-Event-ID: a reader that leaves in the middle and comes back misses nothing and sees nothing twice", () =>
  withHeldModel(async (server, model) => {
    const client = await styleB(server);
    let stream = await EventStream.open(server, "GET", events(client.sessionId, "?after=0"));
    client.send({ type: "message.send", content: "long" });
    const call = await model.call(0);
    const seen = [];
    for (const [from, to] of [[0, 4], [4, 24], [24, 64]]) {
      call.say(...words.slice(from, to));
      await stream.next((frame) => frame.type === "message.content_delta" && frame.text.includes(words[to - 1]));
      stream.close();
      seen.push(...stream.frames);
      stream = await EventStream.open(server, "GET", events(client.sessionId), undefined, { "last-event-id": seen.at(-1).sse.id });
    }
    call.say(...words.slice(64)).end();
    await stream.next("message.complete");
    seen.push(...stream.frames);
    await client.next("message.complete");
    assert.deepEqual(bare(seen), client.frames.filter((frame) => frame.seq !== undefined));
    assert.equal(textOf(seen), longText);
  }));

test("without a place: the live tail only", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    const stream = await EventStream.open(server, "GET", events(client.sessionId));
    // Its head may come before it is attached.
    await until(() => stream.all("typing").length > 0 || (client.send({ type: "typing", isTyping: true }), false), "the tail");
    client.send({ type: "message.send", content: "clock" });
    await stream.next("message.complete");
    assert.deepEqual(stream.all("message.created").map((frame) => frame.content), ["clock"]);
  }));

test("Accept: application/json lists the same frames, in pages", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "clock" });
    await client.next("message.complete");
    const all = client.frames.filter((frame) => frame.seq !== undefined);
    const json = { accept: "application/json" };
    const list = (await get(server, events(client.sessionId, "?limit=100"), json)).body;
    assert.deepEqual([list.items, list.data, list.total], [all, all, all.length]);
    const page = (await get(server, events(client.sessionId, "?limit=2&offset=1"), json)).body;
    assert.deepEqual([page.items, page.total, page.limit, page.offset], [all.slice(1, 3), all.length, 2, 1]);
    const after = all[3].seq;
    const rest = (await get(server, events(client.sessionId, `?after=${after}`), json)).body;
    assert.deepEqual(rest.items, all.filter((frame) => frame.seq > after));
  }));

test("refused before the stream begins: unknown session 404, a place that is no number 400", () =>
  withServer(standard(), async (server) => {
    const accept = { accept: "text/event-stream" };
    assert.equal((await get(server, events("00000000-0000-4000-8000-000000000000"), accept)).status, 404);
    assert.equal((await get(server, events("x"), accept)).status, 404);
    const client = await styleB(server);
    const answer = await get(server, events(client.sessionId, "?after=soon"), accept);
    assert.deepEqual([answer.status, answer.body.error.code], [400, "VALIDATION_ERROR"]);
  }));

test("chat as a stream: a new session's run, and a message to a session that exists", () =>
  withServer(standard(), async (server) => {
    for (const path of ["/api/v1/chat", "/api/v1/projects/demo/agents/writer/chat"]) {
      const stream = await EventStream.open(server, "POST", path, { projectId: "demo", message: "clock" });
      await stream.next("message.complete");
      assert.deepEqual(shape(stream.frames), [
        "session.created", "message.created", "run.started", "message.content_delta", "message.tool_start", "message.tool_complete",
        "message.content_delta", "message.complete",
      ]);
      const { sessionId } = stream.frames[0];
      const next = await EventStream.open(server, "POST", `/api/v1/sessions/${sessionId}/messages`, { content: "hello" });
      await next.next("message.complete");
      assert.deepEqual(shape(next.frames), ["message.created", "run.started", "message.content_delta", "message.complete"]);
      assert.equal(textOf(next.frames), "Hello, world");
      for (const open of [stream, next]) open.close();
      assert.equal((await get(server, `/api/v1/sessions/${sessionId}/messages`)).body.total, 5);
    }
  }));

test("a stream over a drain: it ends, and its reader goes on at the next start", () =>
  withHeldModel(async (server, model) => {
    const client = await styleB(server);
    const first = await EventStream.open(server, "GET", events(client.sessionId, "?after=0"));
    client.send({ type: "message.send", content: "long" });
    (await model.call(0)).say(...words.slice(0, 10));
    await first.until(() => textOf(first.frames) === words.slice(0, 10).join(""), "10 words");
    await server.stop();
    await first.until(() => first.ended !== null, "the end of the stream");
    await server.start();
    const second = await EventStream.open(server, "GET", events(client.sessionId), undefined, {
      "last-event-id": first.frames.at(-1).sse.id,
    });
    (await model.call(1)).say(...words).end();
    await second.next("message.complete");
    assert.equal(textOf([...first.frames, ...second.frames]), longText);
    second.close();
  }));

test("several streams and sockets of one session: all get the same", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const streams = [];
    for (let i = 0; i < 8; ++i) streams.push(await EventStream.open(server, "GET", events(client.sessionId, "?after=0")));
    const answer = await post(server, `/api/v1/sessions/${client.sessionId}/messages?wait=true`, { content: "long" });
    assert.equal(answer.body.response, longText);
    await client.next("message.complete");
    for (const stream of streams) {
      await stream.next("message.complete");
      assert.deepEqual(bare(stream.frames), client.frames.filter((frame) => frame.seq !== undefined));
    }
  }));

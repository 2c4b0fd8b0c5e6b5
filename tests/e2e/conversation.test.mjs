// The `conversation` dialect on the WebSocket (PROTOCOLS §2), row by row of its tables.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get, post, SocketClient } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { shape } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";

async function converse(server, id) {
  const client = await SocketClient.open(server, `/ws/chat/${id}`);
  await client.next("connected");
  return client;
}

/** One turn: its frames up to and with `done`. */
async function turn(client, frame) {
  const from = client.frames.length;
  client.send(typeof frame === "string" ? { message: frame } : frame);
  await client.next("done");
  return client.frames.slice(from);
}

test("connected comes first, with the id of the path", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "sala%20uno");
    assert.deepEqual(client.frames, [{ type: "connected", conversation_id: "sala uno", message: "Conexión establecida" }]);
  }));

test("a turn: thinking, chunks, the whole message, done", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    const frames = await turn(client, "hello");
    assert.deepEqual(shape(frames), ["thinking", "message_chunk", "message", "done"]);
    const [thinking] = frames;
    assert.deepEqual([thinking.iteration, typeof thinking.message, thinking.content], [1, "string", ""]);
    const chunks = frames.filter((frame) => frame.type === "message_chunk").map((frame) => frame.content);
    assert.deepEqual(chunks, ["Hel", "lo, ", "world"]);
    assert.deepEqual(frames.at(-2), { type: "message", content: "Hello, world" });
    assert.deepEqual(frames.at(-1), { type: "done", iterations: 1 });
    const long = await turn(client, "long");
    assert.equal(long.at(-2).content, longText);
  }));

test("tools: each call then its result, then a new iteration", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    const frames = await turn(client, "both");
    assert.deepEqual(frames.slice(0, 6).map((frame) => frame.type), [
      "thinking", "tool_call", "tool_result", "tool_call", "tool_result", "thinking",
    ]);
    const [, clock, clockResult, sum, sumResult, again] = frames;
    assert.deepEqual(Object.keys(clock).sort(), ["arguments", "tool", "tool_call_id", "type"]);
    assert.deepEqual([clock.tool, clock.arguments, sum.tool, sum.arguments], ["clock", {}, "calculator", { expression: "6*7" }]);
    assert.deepEqual(Object.keys(clockResult).sort(), ["arguments", "error", "result", "success", "tool", "tool_call_id", "type"]);
    assert.equal(clockResult.tool_call_id, clock.tool_call_id);
    assert.deepEqual([sumResult.success, String(sumResult.result), sumResult.error], [true, "42", null]);
    assert.deepEqual([sumResult.arguments, again.iteration], [sum.arguments, 2]);
    assert.deepEqual(frames.at(-1), { type: "done", iterations: 2 });
  }));

test("an unknown tool: tool_result with success false and an error, and the turn goes on", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    const frames = await turn(client, "unknown tool");
    const result = frames.find((frame) => frame.type === "tool_result");
    assert.deepEqual([result.success, result.result, typeof result.error], [false, null, "string"]);
    assert.deepEqual(result.arguments, { at: "moon" });
    assert.match(frames.at(-2).content, /^Tool said: /);
  }));

test("failures: a model failure is error then done; the iteration limit is done; the socket stays open", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    for (const content of ["fail", "cut"]) {
      const frames = await turn(client, content);
      assert.deepEqual(shape(frames).slice(-2), ["error", "done"], content);
      const error = frames.at(-2);
      assert.ok(error.error.length > 0 && error.error === error.message);
    }
    const frames = await turn(client, "loop");
    assert.deepEqual(frames.at(-1), { type: "done", iterations: 4 });
    assert.ok(frames.every((frame) => frame.type !== "error"));
    assert.equal((await turn(client, "hello")).at(-2).content, "Hello, world");
  }));

test("approval: call, card once, done; the decision starts the follow-up", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    await turn(client, "write note");
    const frames = await turn(client, "delete note");
    assert.deepEqual(frames.filter((f) => !/chunk|message$/.test(f.type)).map((f) => f.type), [
      "thinking", "tool_call", "approval_required", "done",
    ]);
    const card = frames.find((frame) => frame.type === "approval_required");
    assert.deepEqual([card.tool, card.tool_id, card.arguments], ["delete_file", "delete_file", { path: "note.txt" }]);
    assert.equal(card.tool_call_id, frames.find((frame) => frame.type === "tool_call").tool_call_id);
    assert.ok(card.message.length > 0);
    const after = await turn(client, { type: "approval_response", approved: true, tool_call_id: card.tool_call_id });
    assert.deepEqual(shape(after), ["tool_result", "thinking", "message_chunk", "message", "done"]);
    assert.deepEqual([after[0].success, after[0].tool_call_id, after[0].arguments], [true, card.tool_call_id, card.arguments]);
  }));

test("approval: without an id the oldest open one is decided; denied goes on with a failed result", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    await turn(client, "delete note");
    const after = await turn(client, { type: "approval_response", approved: false });
    assert.deepEqual(shape(after), ["tool_result", "thinking", "message_chunk", "message", "done"]);
    assert.deepEqual([after[0].success, after[0].result], [false, null]);
    assert.match(after[0].error, /denied/);
  }));

test("approval: a message meanwhile gets the card and done again, and waits", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    const [card] = (await turn(client, "delete note")).filter((frame) => frame.type === "approval_required");
    const meanwhile = await turn(client, "hello");
    assert.deepEqual(shape(meanwhile), ["approval_required", "done"]);
    assert.equal(meanwhile[0].tool_call_id, card.tool_call_id);
    await turn(client, { type: "approval_response", approved: true });
    await client.next("done");
    assert.equal(client.all("message").at(-1).content, "Hello, world");
  }));

test("approval: decided over REST, the follow-up comes here", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    await turn(client, "delete note");
    const { items } = (await get(server, "/api/v1/approvals?status=pending")).body;
    assert.equal((await post(server, `/api/v1/approvals/${items[0].id}/deny`, { note: "no" })).status, 200);
    assert.match((await client.next("tool_result")).error, /no/);
    await client.next("done");
  }));

test("refused frames: an error, the socket stays open, and no done", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    await turn(client, "hello");
    const refused = [
      {}, { message: "" }, { message: null }, { message: 7 }, { type: "approval_response" }, { type: "approval_response", approved: "yes" },
      { type: "approval_response", approved: true }, { type: "approval_response", approved: true, tool_call_id: "nothing" },
    ];
    for (const frame of refused) {
      const from = client.frames.length;
      client.send(frame);
      const error = await client.next("error");
      assert.ok(error.error.length > 0 && error.error === error.message, JSON.stringify(frame));
      assert.deepEqual(client.frames.slice(from).map((f) => f.type), ["error"], JSON.stringify(frame));
    }
    assert.deepEqual(shape(await turn(client, "hello")), ["thinking", "message_chunk", "message", "done"]);
  }));

test("undecodable frames: an error, then close 1000", () =>
  withServer(standard(), async (server) => {
    for (const frame of ["{", "", "hello", "[]", '"text"', "null", "3", Buffer.from('{"message":"hello"}')]) {
      const client = await converse(server, "c1");
      client.send(frame);
      await client.next("error");
      assert.equal((await client.closing()).code, 1000, String(frame));
      assert.deepEqual(client.types(), ["connected", "error"]);
    }
  }));

test("frames during a turn run afterwards, in order", () =>
  withServer(standard(), async (server) => {
    const client = await converse(server, "c1");
    client.send({ message: "long" }).send({ message: "clock" }).send({ message: "one" }).send({ message: "hello" });
    for (let i = 0; i < 4; ++i) await client.next("done");
    const texts = client.all("message").map((frame) => frame.content);
    assert.deepEqual([texts.length, texts[0], texts[2], texts[3]], [4, longText, "You said: one", "Hello, world"]);
  }));

test("two sockets on one conversation: both receive every event; another conversation none", () =>
  withServer(standard(), async (server) => {
    const one = await converse(server, "shared");
    const two = await converse(server, "shared");
    const apart = await converse(server, "apart");
    await turn(one, "clock");
    await two.next("done");
    await turn(two, "delete note");
    await one.next("done");
    await turn(one, { type: "approval_response", approved: false });
    await two.next("done");
    assert.deepEqual(two.frames, one.frames);
    await turn(apart, "hello");
    assert.deepEqual(shape(apart.frames), ["connected", "thinking", "message_chunk", "message", "done"]);
  }));

test("a restart in the middle of a turn: the turn ends with the whole text", () =>
  withHeldModel(async (server, model) => {
    const before = await converse(server, "c1");
    before.send({ message: "long" });
    (await model.call(0)).say(...words.slice(0, 20));
    await before.next((frame) => frame.type === "message_chunk" && frame.content.includes(words[19]));
    await server.kill();
    await server.start();
    const client = await converse(server, "c1");
    (await model.call(1)).say(...words).end();
    await client.next("done");
    assert.deepEqual(client.all("message").map((frame) => frame.content), [longText]);
    const history = (await get(server, "/api/chat/c1/history")).body;
    assert.deepEqual(history.messages.map((m) => [m.role, m.content]), [["user", "long"], ["assistant", longText]]);
  }));

// Bad input on the native WebSocket (PROTOCOLS §1.4): a code and a text, and the socket stays open where it can.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketClient, styleB } from "./support/clients.mjs";
import { withServer } from "./support/server.mjs";
import { standard } from "./support/configuration.mjs";
import { until } from "./support/waiting.mjs";

const nobody = "00000000-0000-4000-8000-000000000000";
const deep = "[".repeat(2000) + "]".repeat(2000);

const table = [
  ["bad JSON", "{", "PARSE_ERROR"],
  ["empty text", "", "PARSE_ERROR"],
  ["text behind an object", '{"type":"ping"} {"type":"ping"}', "PARSE_ERROR"],
  ["a list", '["ping"]', "PARSE_ERROR"],
  ["null", "null", "PARSE_ERROR"],
  ["a string", '"ping"', "PARSE_ERROR"],
  ["nested too deeply", `{"type":"ping","x":${deep}}`, "PARSE_ERROR"],
  ["a binary frame", Buffer.from('{"type":"ping"}'), "PARSE_ERROR"],
  ["no type", {}, ["UNKNOWN_TYPE", "VALIDATION_ERROR"]],
  ["a type that is no text", { type: 7 }, ["UNKNOWN_TYPE", "VALIDATION_ERROR"]],
  ["an unknown type", { type: "message.sent" }, "UNKNOWN_TYPE"],
  ["message.send without content", { type: "message.send" }, "VALIDATION_ERROR"],
  ["message.send with empty content", { type: "message.send", content: "" }, "VALIDATION_ERROR"],
  ["message.send with a number", { type: "message.send", content: 1 }, "VALIDATION_ERROR"],
  ["message.send with an unknown policy", { type: "message.send", content: "x", onBusy: "perhaps" }, "VALIDATION_ERROR"],
  ["message.send with a mistyped id", { type: "message.send", content: "x", clientMessageId: {} }, "VALIDATION_ERROR"],
  ["session.create with a mistyped agent", { type: "session.create", agentId: [] }, "VALIDATION_ERROR"],
  ["session.create with mistyped metadata", { type: "session.create", metadata: "text" }, "VALIDATION_ERROR"],
  ["session.create of an unknown agent", { type: "session.create", agentId: "nobody" }, "NOT_FOUND"],
  ["session.resume without an id", { type: "session.resume" }, "VALIDATION_ERROR"],
  ["session.resume of what is no id", { type: "session.resume", sessionId: "x" }, "NOT_FOUND"],
  ["session.resume of nobody's id", { type: "session.resume", sessionId: nobody }, "NOT_FOUND"],
  ["session.resume after a negative seq", { type: "session.resume", sessionId: nobody, afterSeq: -1 }, "VALIDATION_ERROR"],
  ["session.resume after a fraction", { type: "session.resume", sessionId: nobody, afterSeq: 1.5 }, "VALIDATION_ERROR"],
  ["approval.decide without an id", { type: "approval.decide", approved: true }, "VALIDATION_ERROR"],
  ["approval.decide of what is no id", { type: "approval.decide", approvalId: "x", approved: true }, "NOT_FOUND"],
  ["approval.decide of nobody's id", { type: "approval.decide", approvalId: nobody, approved: true }, "NOT_FOUND"],
  ["approval.decide without a decision", { type: "approval.decide", approvalId: nobody }, "VALIDATION_ERROR"],
  ["approval.decide with a text", { type: "approval.decide", approvalId: nobody, approved: "yes" }, "VALIDATION_ERROR"],
  ["approval.decide with a mistyped edit", { type: "approval.decide", approvalId: nobody, approved: true, editedInput: 3 }, "VALIDATION_ERROR"],
  ["run.cancel of what is no id", { type: "run.cancel", runId: "x" }, "NOT_FOUND"],
  ["run.cancel of nobody's id", { type: "run.cancel", runId: nobody }, "NOT_FOUND"],
  ["run.cancel without a run", { type: "run.cancel" }, "NOT_FOUND"],
  ["typing without isTyping", { type: "typing" }, "VALIDATION_ERROR"],
  ["typing with a number", { type: "typing", isTyping: 1 }, "VALIDATION_ERROR"],
  ["auth with a mistyped project", { type: "auth", projectId: 5 }, "VALIDATION_ERROR"],
  ["auth for an unknown agent", { type: "auth", agentId: "nobody" }, "NOT_FOUND"],
  ["auth for an unknown session", { type: "auth", agentId: "writer", sessionId: nobody }, "NOT_FOUND"],
];

test("bad input: each frame has its error, and the socket and its session stay usable", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    for (const [name, frame, codes] of table) {
      client.send(frame);
      const error = await client.next("error");
      assert.ok([codes].flat().includes(error.code), `${name}: ${JSON.stringify(error)}`);
      assert.ok(typeof error.message === "string" && error.message.length > 10, name);
      client.send({ type: "ping" });
      await client.next("pong");
    }
    assert.equal(client.all("error").length, table.length);
  }));

test("bad input: afterwards a message still runs in the session that was there before", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const lost = ["session.resume of nobody's id", "session.create of an unknown agent", "auth for an unknown agent"];
    for (const [, frame] of table.filter(([name]) => lost.includes(name))) {
      client.send(frame);
      await client.next("error");
    }
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    assert.deepEqual(client.all("session.created").map((f) => f.sessionId), [client.sessionId]);
  }));

test("unknown project: the error names it", () =>
  withServer(standard(), async (server) => {
    const client = await SocketClient.open(server, "/ws");
    client.send({ type: "auth", projectId: "nowhere" });
    const error = await client.next("error");
    assert.equal(error.code, "NOT_FOUND");
    assert.match(error.message, /nowhere/);
  }));

test("too large: a frame over limits.max_frame_bytes closes with 1009, whole or in fragments", () =>
  withServer(standard(), async (server) => {
    const whole = await SocketClient.open(server, "/ws");
    whole.send(JSON.stringify({ type: "message.send", content: "x".repeat(65536) }));
    assert.equal((await whole.closing()).code, 1009);
    const pieces = await SocketClient.open(server, "/ws");
    for (let i = 0; i < 80; ++i) pieces.ws.send("x".repeat(1024), { fin: false });
    assert.equal((await pieces.closing()).code, 1009);
    const fits = await SocketClient.open(server, "/ws");
    fits.send({ type: "auth" }).send({ type: "message.send", content: "x".repeat(65000) });
    await fits.next("message.complete");
  }));

test("invalid UTF-8: a text frame with it closes with 1007", () =>
  withServer(standard(), async (server) => {
    for (const bytes of [[0x22, 0xff, 0x22], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80]]) {
      const client = await SocketClient.open(server, "/ws");
      client.ws.send(Buffer.from(bytes), { binary: false });
      assert.equal((await client.closing()).code, 1007, String(bytes));
    }
  }));

test("text of every kind arrives as it was sent", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const content = 'ñ 漢字 🙂 \u0000 \u2028 " \\ </script> \ud83d\udc68\u200d\ud83d\udcbb \t\n';
    client.send({ type: "message.send", content });
    assert.equal((await client.next("message.created")).content, content);
    await client.next("message.complete");
    assert.equal(client.all("message.content_delta").map((f) => f.text).join(""), `You said: ${content}`);
  }));

test("too many messages: a client over limits.messages_per_second is told so, and goes on later", () =>
  withServer(standard({ limits: { messages_per_second: 5 } }), async (server) => {
    const client = await SocketClient.open(server, "/ws");
    let sent = 0;
    const ping = async (times) => {
      for (let i = 0; i < times; ++i, ++sent) client.send({ type: "ping" });
      await client.until(() => client.all("error").length + client.all("pong").length === sent, `${sent} answers`);
    };
    // Two seconds may share ten of them; then anew.
    await until(() => ping(10).then(() => client.all("error").length > 0), "a refusal");
    assert.deepEqual([...new Set(client.all("error").map((f) => f.code))], ["RATE_LIMITED"]);
    const before = client.all("pong").length;
    assert.ok(before >= 5, `${before} answered`);
    await until(() => ping(1).then(() => client.all("pong").length > before), "an answer, later");
  }));

test("a path without a WebSocket: 404 at the upgrade", () =>
  withServer(standard(), async (server) => {
    for (const path of ["/", "/ws2", "/ws/chat/", "/ws/chat/a/b", "/api/v1/sessions"])
      assert.equal((await SocketClient.open(server, path)).refused, 404, path);
  }));

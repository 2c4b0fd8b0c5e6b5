// Sharing one port (PROTOCOLS §7), row by row where no other file has it: listeners, origins, hosts, compression, the page.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { get, post, request, SocketClient, styleA } from "./support/clients.mjs";
import { longText, standard } from "./support/configuration.mjs";
import { Inbox, textOf } from "./support/inbox.mjs";
import { WebSocket } from "./support/packages.mjs";
import { withServer } from "./support/server.mjs";
import { SocketIoClient } from "./support/socketio.mjs";

test("§7 --listen repeats: every listener serves every dialect, and they meet in one session", () =>
  withServer(
    standard(),
    async (server) => {
      const ends = server.urls.map((url) => ({ url, port: Number(new URL(url).port), onEnd: server.onEnd }));
      assert.equal(ends.length, 3);
      assert.equal(new Set(ends.map((end) => end.port)).size, 3);
      const nexus = await styleA(ends[0]);
      nexus.send({ type: "message.send", content: "hello" });
      const { sessionId } = await nexus.next("session.created");
      await nexus.next("message.complete");
      for (const end of ends) {
        const conversation = await SocketClient.open(end, `/ws/chat/${sessionId}`);
        await conversation.next("connected");
        const stream = await SocketClient.open(end, `/api/v1/ws/chat/writer?session=${sessionId}`);
        const room = await SocketIoClient.open(end, "/chat");
        room.emit("chat:join", { conversationId: sessionId });
        await room.next("chat:joined");
        const events = await SocketIoClient.open(end, "/", { transports: ["polling"] });
        await events.ask("join-chat", { chatId: sessionId });
        assert.equal((await get(end, `/api/v1/sessions/${sessionId}`)).body.id, sessionId);
        assert.equal((await get(end, "/health")).status, 200);
        const answered = await post(end, `/api/v1/sessions/${sessionId}/messages?wait=true`, { content: "hello" });
        assert.equal(answered.body.response, "Hello, world");
        for (const [client, type] of [[nexus, "message.complete"], [conversation, "done"], [stream, "done"], [room, "chat:complete"], [events, "ai-response-end"]])
          await client.next(type);
      }
    },
    { args: ["--listen", "127.0.0.1:0", "--listen", "localhost:0"] },
  ));

const sockets = ["/ws", "/api/v1/ws", "/ws/chat/x", "/api/v1/ws/chat/writer", "/socket.io/?EIO=4&transport=websocket"];

test("§7 a foreign Origin: 403 before the upgrade on every WebSocket, and on Socket.IO's polling", () =>
  withServer(standard({ cors: { origins: ["https://app.example"] } }), async (server) => {
    for (const path of sockets) {
      assert.equal((await SocketClient.open(server, path, { origin: "https://evil.example" })).refused, 403, path);
      assert.equal((await SocketClient.open(server, path, { origin: `http://127.0.0.1.evil.example:${server.port}` })).refused, 403, path);
      for (const origin of ["https://app.example", "http://localhost:9999"])
        await (await open(server, path, { origin })).stop();
    }
    const polling = "/socket.io/?EIO=4&transport=polling";
    assert.equal((await get(server, polling, { origin: "https://evil.example" })).status, 403);
    const passed = await get(server, polling, { origin: "https://app.example" });
    assert.deepEqual([passed.status, passed.headers["access-control-allow-origin"]], [200, "https://app.example"]);
    const asked = await request(server, "OPTIONS", polling, undefined, { origin: "https://app.example", "access-control-request-method": "POST" });
    assert.deepEqual([asked.status, asked.headers["access-control-allow-origin"]], [204, "https://app.example"]);
  }));

test("§7 the Host header: a name that is not the server's is 403 on every WebSocket and on Socket.IO", () =>
  withServer(standard(), async (server) => {
    const host = `rebound.example:${server.port}`;
    for (const path of sockets) assert.equal((await SocketClient.open(server, path, { headers: { host } })).refused, 403, path);
    assert.equal((await get(server, "/socket.io/?EIO=4&transport=polling", { host })).status, 403);
    assert.equal((await get(server, "/", { host })).status, 403);
  }));

/** A WebSocket that need not speak JSON. */
async function open(server, path, options = {}) {
  const ws = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, options);
  await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
  return { ws, stop: () => new Promise((resolve) => (ws.once("close", resolve), ws.terminate())) };
}

test("§7 permessage-deflate: off by default, agreed and understood where it is configured", async () => {
  const offers = { perMessageDeflate: true };
  await withServer(standard(), async (server) => {
    for (const path of sockets) {
      const { ws, stop } = await open(server, path, offers);
      assert.equal(ws.extensions, "", path);
      await stop();
    }
  });
  await withServer(standard({ limits: { permessage_deflate: true } }), async (server) => {
    const sent = [];
    const received = [];
    for (const perMessageDeflate of [true, false]) {
      const client = await SocketClient.open(server, "/ws", { perMessageDeflate });
      assert.equal(client.ws.extensions.startsWith("permessage-deflate"), perMessageDeflate);
      client.send({ type: "auth" }).send({ type: "message.send", content: "x".repeat(30_000) });
      await client.next("message.complete");
      assert.equal(textOf(client.frames), `You said: ${"x".repeat(30_000)}`);
      sent.push(client.ws._socket.bytesWritten);
      received.push(client.ws._socket.bytesRead);
    }
    assert.ok(sent[0] < sent[1] / 10, `compressed ${sent[0]} bytes, plain ${sent[1]}: the server took a compressed message`);
    assert.ok(received[0] < received[1] / 10, `compressed ${received[0]} bytes, plain ${received[1]}: the server's own frames`);
  });
});

test("§7 /: the console page to browsers, what the server is to Accept: application/json", () =>
  withServer(standard(), async (server) => {
    const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const page = await get(server, "/", { accept: browser });
    assert.match(page.headers["content-type"], /^text\/html/);
    assert.match(page.text, /^<!doctype html>/i);
    const told = await get(server, "/", { accept: "application/json" });
    assert.match(told.headers["content-type"], /^application\/json/);
    assert.deepEqual(["name", "version", "status", "endpoints"].filter((key) => key in told.body).length, 4);
    assert.equal(typeof told.body.endpoints, "object");
  }));

test("§7 exact paths: with and without a trailing slash, and nothing beside them", () =>
  withServer(standard(), async (server) => {
    for (const path of ["/ws", "/ws/", "/api/v1/ws", "/api/v1/ws/", "/ws/chat/x", "/ws/chat/x/", "/api/v1/ws/chat/writer", "/api/v1/ws/chat/writer/"])
      await (await open(server, path)).stop();
    for (const path of ["/wsx", "/ws/x", "/WS", "//ws", "/ws/chat", "/api/v1/ws/chat", "/api/v1/ws/chat/writer/x", "/api/ws", "/chat", "/socket.iox/"])
      assert.equal((await SocketClient.open(server, path)).refused, 404, path);
    for (const path of ["/healthz", "/health", "/api/v1/sessions", "/api/conversations", "/api/v1/agents", "/api/v1/chats", "/chat/conversations"]) {
      assert.equal((await get(server, path)).status, 200, path);
      assert.equal((await get(server, `${path}/`)).status, 200, `${path}/`);
    }
  }));

test("§7 /api/v1/chats is chat-events, /chat and /auth are chat-room: each unknown path answers in its dialect's shape", () =>
  withServer(standard(), async (server) => {
    for (const path of ["/api/v1/chats/0/0/0", "/chat/nothing", "/auth/nothing"])
      assert.deepEqual(Object.keys((await get(server, path)).body).sort(), ["error", "message", "statusCode"], path);
    assert.deepEqual(Object.keys((await get(server, "/api/nothing")).body), ["detail"]);
    assert.deepEqual(Object.keys((await get(server, "/api/v1/nothing")).body).sort(), ["error", "message"]);
  }));

/** The first line of the answer to bytes that are written as they stand. */
async function answerTo(server, bytes) {
  const inbox = new Inbox();
  const socket = connect(server.port, "127.0.0.1", () => socket.write(bytes));
  let text = "";
  socket.on("data", (data) => inbox.put({ type: "data", text: (text += data) }));
  socket.on("error", () => {});
  socket.on("close", () => inbox.end("closed"));
  await inbox.until(() => text.includes("\r\n\r\n") || inbox.ended !== null, "an answer");
  socket.destroy();
  return text.split("\r\n")[0];
}

const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

test("§7 handshakes: HTTP/1.0 and a missing or repeated Host are refused, a right one is 101", () =>
  withServer(standard(), async (server) => {
    const table = [
      ["GET /ws HTTP/1.1\r\nHost: localhost\r\n", /^HTTP\/1\.1 101 /],
      ["GET /ws HTTP/1.0\r\nHost: localhost\r\n", /^HTTP\/1\.[01] (400|426|505) /],
      ["GET /ws HTTP/1.1\r\n", /^HTTP\/1\.1 400 /],
      ["GET /ws HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", /^HTTP\/1\.1 400 /],
    ];
    for (const [head, expected] of table) assert.match(await answerTo(server, head + handshake), expected, head);
    assert.match(await answerTo(server, "GET /healthz HTTP/1.0\r\n\r\n"), /^HTTP\/1\.[01] 200 /);
  }));

test("§7 who comes with an own or listed Origin has the same session as everybody", () =>
  withServer(standard({ cors: { origins: ["https://app.example"] } }), async (server) => {
    const client = await SocketClient.open(server, "/ws", { origin: "https://app.example" });
    client.send({ type: "auth" }).send({ type: "message.send", content: "long" });
    await client.next("message.complete");
    assert.equal(textOf(client.frames), longText);
  }));

// Rows of PROTOCOLS §2 to §5 that no other file has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ended, listen, newChat, say } from "./support/chat_events.mjs";
import { get, post, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { SocketIoClient } from "./support/socketio.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";

test("§2 REST: health, config and its models have every field; the configuration is read-only over HTTP", () =>
  withServer(standard(), async (server) => {
    const health = (await get(server, "/health")).body;
    assert.deepEqual([health.status, typeof health.service, typeof health.uptime_seconds], ["healthy", "string", "number"]);
    const config = (await get(server, "/api/config")).body;
    assert.deepEqual(Object.keys(config).sort(), ["autonomy_level", "llm_provider", "max_tokens", "model", "temperature", "tools_count"]);
    assert.ok([config.temperature, config.max_tokens, config.tools_count].every(Number.isFinite));
    assert.deepEqual((await get(server, "/api/config/ollama-models")).body, { models: [] });
    for (const body of [{ api_keys: { a: "b" } }, { temperature: 0.1 }]) {
      const refused = await request(server, "PUT", "/api/config", body);
      assert.deepEqual([refused.status, Object.keys(refused.body)], [403, ["detail"]], JSON.stringify(body));
    }
    assert.deepEqual((await get(server, "/api/config")).body, config);
  }));

test("§2 REST: conversations are listed 50 at a time, history is unpaged", () =>
  withServer(standard(), async (server) => {
    await Promise.all(Array.from({ length: 52 }, (_, i) => post(server, "/api/chat", { message: "hello", conversation_id: `c${i}` })));
    const { conversations, total } = (await get(server, "/api/conversations")).body;
    assert.deepEqual([conversations.length, total], [50, 52]);
    assert.deepEqual(Object.keys(conversations[0]).sort(), ["created_at", "id", "message_count", "title", "updated_at"]);
    assert.equal((await get(server, "/api/conversations?limit=5")).body.conversations.length, 5);
    for (let i = 0; i < 12; ++i) await post(server, "/api/chat", { message: "hello", conversation_id: "c0" });
    const history = (await get(server, "/api/chat/c0/history")).body;
    assert.deepEqual([history.messages.length, history.total], [26, 26]);
  }));

test("§2 message before any turn: a new id is created on its first message, not when it is opened", () =>
  withServer(standard(), async (server) => {
    const client = await SocketClient.open(server, "/ws/chat/brand-new");
    await client.next("connected");
    assert.equal((await get(server, "/api/conversations")).body.total, 0);
    client.send({ message: "hello" });
    await client.next("done");
    assert.deepEqual((await get(server, "/api/conversations")).body.conversations.map((c) => c.id), ["brand-new"]);
  }));

test("§3 capacity: five turns at once by default, the sixth waits without a frame", () =>
  withServer(standard(), async (server) => {
    const open = () => SocketClient.open(server, "/api/v1/ws/chat/writer");
    const busy = await Promise.all(Array.from({ length: 5 }, open));
    for (const client of busy) {
      client.send("hold");
      await client.next("token");
    }
    const sixth = await open();
    sixth.send("hello");
    assert.equal((await post(server, "/api/v1/chat", { projectId: "demo", message: "hello" })).status, 200, "REST is not limited");
    assert.deepEqual(sixth.frames, []);
    const [held] = (await get(server, "/api/v1/sessions")).body.items.filter((s) => s.dialect === "agent-stream");
    await post(server, `/api/v1/sessions/${held.id}/cancel`);
    await sixth.next("done");
  }));

test("§4 ai-response-end: only after the reply is stored: a kill at that moment loses nothing of it", () =>
  withServer(standard(), async (server) => {
    for (let round = 0; round < 3; ++round) {
      const client = await listen(server);
      const chatId = await newChat(server);
      const sent = say(server, chatId, "clock").catch(() => undefined);
      const end = await client.next(ended(chatId));
      await server.kill();
      await sent;
      await server.start();
      assert.deepEqual((await get(server, `/api/v1/chats/${chatId}/messages`)).body, [end.message]);
    }
  }));

test("§5 credentials: a token without permissions may chat, read and approve in its own sessions", () =>
  withGuarded(async (server) => {
    const token = tokenOf("ana");
    const made = await request(server, "POST", "/chat/conversations", {}, bearer(token));
    const conversationId = made.body.id;
    const client = await SocketIoClient.open(server, "/chat", { auth: { token } });
    assert.equal((await client.ask("chat:join", { conversationId })).status, "ok");
    client.emit("chat:send", { conversationId, content: "delete note", role: "user" });
    const { approvalId } = await client.next("chat:approval-required");
    assert.equal((await client.ask("chat:approve", { approvalId, approved: false })).status, "ok");
    await client.next("chat:complete");
    assert.equal((await get(server, `/chat/conversations/${conversationId}`, bearer(token))).status, 200);
    const reader = await SocketIoClient.open(server, "/chat", { auth: { token: tokenOf("ana", { permissions: ["read"] }) } });
    assert.equal((await reader.ask("chat:join", { conversationId })).status, "ok");
    assert.equal((await reader.ask("chat:send", { conversationId, content: "hello" })).status, "error", "with permissions only those");
  }));

test("§5 chat:send takes attachments: the message shows which, to the room and over REST", () =>
  withServer(standard(), async (server) => {
    const conversationId = (await post(server, "/chat/conversations", {})).body.id;
    const file = (await request(server, "POST", `/api/v1/sessions/${conversationId}/files?name=a.txt`, "one", { "content-type": "text/plain" })).body;
    const client = await SocketIoClient.open(server, "/chat");
    await client.ask("chat:join", { conversationId });
    client.emit("chat:send", { conversationId, content: "hello", role: "user", attachments: [file.fileId] });
    const { message } = await client.next("chat:message");
    assert.deepEqual(message.metadata.attachments, [file]);
    await client.next("chat:complete");
    const stored = (await get(server, `/chat/conversations/${conversationId}`)).body.messages;
    assert.deepEqual(stored[0].metadata.attachments, [file]);
    assert.equal((await client.ask("chat:send", { conversationId, content: "hello", attachments: ["nothing"] })).status, "error");
  }));

test("§5 chat:user-left: also when the connection is lost, by every transport", () =>
  withServer(standard(), async (server) => {
    const conversationId = (await post(server, "/chat/conversations", {})).body.id;
    const stays = await SocketIoClient.open(server, "/chat");
    await stays.ask("chat:join", { conversationId });
    for (const transports of [["websocket"], ["polling"]]) {
      const goes = await SocketIoClient.open(server, "/chat", { transports });
      await goes.ask("chat:join", { conversationId });
      await stays.next("chat:user-joined");
      goes.socket.io.engine.close();
      await stays.next("chat:user-left");
    }
  }));

// The `chat-room` dialect with the official Socket.IO client (PROTOCOLS §5), row by row of its tables.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { request } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { shape } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { SocketIoClient } from "./support/socketio.mjs";
import { withShortToken } from "./support/tokens.mjs";

const secret = "the-secret-of-the-chat-room-tests-in-32-bytes";
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(sub, more = {}) {
  const claims = { sub, username: `${sub} the user`, exp: Math.floor(Date.now() / 1000) + 3600, ...more };
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const guarded = () => standard({ auth: { mode: "required" } });
const withGuarded = (body) => withServer(guarded(), body, { env: { JWT_SECRET: secret } });
const unknown = "0190a1b2-0000-7000-8000-00000000abcd";

/** REST under one user's name. */
function as(server, user) {
  const headers = user ? { authorization: `Bearer ${token(user)}` } : {};
  const call = (method) => (path, body) => request(server, method, path, body, headers);
  return { get: (path) => call("GET")(path), post: call("POST"), put: call("PUT"), delete: (path) => call("DELETE")(path) };
}

async function conversation(server, user, body = {}) {
  const made = await as(server, user).post("/chat/conversations", body);
  assert.equal(made.status, 201, made.text);
  return made.body.id;
}

const connect = (server, user, options = {}) =>
  SocketIoClient.open(server, "/chat", { ...(user ? { auth: { token: token(user) } } : {}), ...options });

async function inRoom(server, user, conversationId, options) {
  const client = await connect(server, user, options);
  client.emit("chat:join", { conversationId });
  client.joined = await client.next("chat:joined");
  return client;
}

/** Ana's conversation, with Ben among its participants, and both in its room. */
async function twoInRoom(server) {
  const conversationId = await conversation(server, "ana");
  const shared = await as(server, "ana").put(`/api/v1/sessions/${conversationId}/participants`, { users: ["ben"] });
  assert.equal(shared.status, 200, shared.text);
  const ana = await inRoom(server, "ana", conversationId);
  const ben = await inRoom(server, "ben", conversationId);
  await ana.next((f) => f.type === "chat:presence-update" && f.activeUsers.length === 2);
  return { conversationId, ana, ben };
}

const say = (client, conversationId, content) => client.emit("chat:send", { conversationId, content, role: "user" });
/** Types in a row, without those that are about people and lists. */
const turnShape = (frames) => shape(frames.filter((f) => /^chat:(message|thinking|streaming|complete|error|tool|approval)/.test(f.type)));
const plainTurn = ["chat:message", "chat:thinking", "chat:streaming", "chat:message", "chat:complete"];
const anaUser = { userId: "ana", username: "ana the user" };
const benUser = { userId: "ben", username: "ben the user" };

/** Its conversations get a title. */
function titled() {
  const configuration = standard();
  delete configuration.projects.demo.agents.writer.titles;
  return configuration;
}

test("turn: chat:message(user), thinking, streaming*, isComplete, chat:message(assistant), complete", () =>
  withServer(titled(), async (server) => {
    const id = await conversation(server);
    const client = await inRoom(server, undefined, id);
    assert.deepEqual(client.joined, { type: "chat:joined", conversationId: id, activeUsers: [{ userId: "anonymous", username: "Anonymous" }] });
    say(client, id, "hello");
    const complete = await client.next("chat:complete");
    assert.deepEqual(turnShape(client.frames), plainTurn);
    const [user, assistant] = client.all("chat:message").map((frame) => frame.message);
    assert.deepEqual(Object.keys(user).sort(), [
      "content", "conversationId", "createdAt", "id", "mcpToolCalls", "metadata", "role", "userId", "username",
    ]);
    assert.deepEqual([user.role, user.content, user.userId, user.mcpToolCalls], ["user", "hello", "anonymous", null]);
    assert.deepEqual([assistant.role, assistant.content, assistant.username], ["assistant", "Hello, world", "AI"]);
    assert.deepEqual(client.all("chat:thinking")[0], { type: "chat:thinking", conversationId: id, status: "processing" });
    const pieces = client.all("chat:streaming");
    assert.deepEqual(pieces.map((p) => [p.chunk, p.isComplete]), [["Hel", false], ["lo, ", false], ["world", false], ["", true]]);
    assert.ok(pieces.every((p) => p.messageId === assistant.id), "chat:streaming.messageId is the stored message's id");
    assert.equal(complete.messageId, assistant.id);
    const stored = await as(server).get(`/chat/conversations/${id}`);
    assert.deepEqual(stored.body.messages, [user, assistant], "REST tells the same messages");
    assert.equal(stored.body.title, "hello", "a title \"New Conversation\" is replaced after the first exchange");
  }));

test("every transport, and socket.io-client 3: the same turn", () =>
  withServer(standard(), async (server) => {
    const kinds = [{ transports: ["polling"] }, { transports: ["websocket"] }, { package: "socket.io-client-3" },
      { package: "socket.io-client-3", transports: ["polling"] }];
    for (const options of kinds) {
      const id = await conversation(server);
      const client = await inRoom(server, undefined, id, options);
      say(client, id, "hello");
      await client.next("chat:complete");
      assert.deepEqual(turnShape(client.frames), plainTurn, JSON.stringify(options));
      client.close();
    }
  }));

test("chat:joined, chat:user-joined, chat:user-typing, chat:presence-update, chat:active-users, chat:user-left", () =>
  withGuarded(async (server) => {
    const { conversationId, ana, ben } = await twoInRoom(server);
    assert.deepEqual(ben.joined.activeUsers, [anaUser, benUser]);
    assert.deepEqual(ana.all("chat:user-joined"), [{ type: "chat:user-joined", conversationId, ...benUser }]);
    assert.deepEqual(ana.all("chat:presence-update").map((f) => f.activeUsers), [[anaUser], [anaUser, benUser]]);
    assert.deepEqual(await ben.next("chat:presence-update"), { type: "chat:presence-update", conversationId, activeUsers: [anaUser, benUser] });
    assert.deepEqual(ben.all("chat:user-joined"), [], "who comes does not hear it");

    ben.emit("chat:typing", { conversationId, isTyping: true });
    assert.deepEqual(await ana.next("chat:user-typing"), { type: "chat:user-typing", conversationId, ...benUser, isTyping: true });
    ana.emit("chat:get-active-users", { conversationId });
    assert.deepEqual(await ana.next("chat:active-users"), { type: "chat:active-users", conversationId, activeUsers: [anaUser, benUser] });

    const again = await inRoom(server, "ben", conversationId);
    assert.equal((await ben.next("chat:user-joined")).userId, "ben", "also of the same user");
    again.close();
    assert.deepEqual(await ana.next("chat:user-left"), { type: "chat:user-left", conversationId, ...benUser });
    assert.deepEqual((await ana.next("chat:presence-update")).activeUsers, [anaUser, benUser], "he is there once more");

    ben.emit("chat:leave", { conversationId });
    await ana.next("chat:user-left");
    assert.deepEqual((await ana.next("chat:presence-update")).activeUsers, [anaUser]);
    assert.deepEqual(ben.all("chat:user-typing"), []);
    say(ana, conversationId, "hello");
    await ana.next("chat:complete");
    assert.deepEqual(ben.all("chat:message"), [], "who left hears no more of it");
  }));

test("sender and room: each event reaches each socket once, whether it joined or only sent", () =>
  withGuarded(async (server) => {
    const { conversationId, ana, ben } = await twoInRoom(server);
    const phone = await connect(server, "ana");
    say(phone, conversationId, "hello");
    for (const client of [ana, ben, phone]) {
      const from = client.all("chat:message").length;
      assert.equal(from <= 2, true);
      await client.next("chat:complete");
      assert.equal(client.all("chat:streaming").map((f) => f.chunk).join(""), "Hello, world");
      assert.equal(client.all("chat:message").length, 2);
      assert.deepEqual(turnShape(client.frames).slice(-5), plainTurn);
    }
    assert.equal(ben.all("chat:message")[0].message.username, "ana the user");
    assert.deepEqual(phone.all("chat:joined"), []);
  }));

test("turns of one conversation are serialised", () =>
  withServer(standard(), async (server) => {
    const id = await conversation(server);
    const client = await inRoom(server, undefined, id);
    for (const content of ["hello", "second", "third"]) say(client, id, content);
    for (let i = 0; i < 3; ++i) await client.next("chat:complete");
    assert.deepEqual(turnShape(client.frames.filter((f) => /thinking|complete/.test(f.type))), [
      "chat:thinking", "chat:complete", "chat:thinking", "chat:complete", "chat:thinking", "chat:complete",
    ]);
    assert.deepEqual(client.all("chat:message").filter((f) => f.message.role === "user").map((f) => f.message.content), [
      "hello", "second", "third",
    ]);
  }));

test("credentials: Authorization header, handshake auth.token, query token", () =>
  withGuarded(async (server) => {
    const id = await conversation(server, "ana");
    const ways = [{ auth: { token: token("ana") } }, { extraHeaders: { Authorization: `Bearer ${token("ana")}` } }, { query: { token: token("ana") } },
      { extraHeaders: { Authorization: `Bearer ${token("ana")}` }, auth: { token: "wrong" } }];
    for (const options of ways) {
      const client = await SocketIoClient.open(server, "/chat", options);
      client.emit("chat:join", { conversationId: id });
      assert.equal((await client.next("chat:joined")).conversationId, id);
      client.close();
    }
    const numeric = await SocketIoClient.open(server, "/chat", { auth: { token: token(42) } });
    const joined = await numeric.ask("chat:join", { conversationId: unknown });
    assert.deepEqual(joined.activeUsers.map((u) => u.userId), ["42"], "a numeric sub is accepted");
  }));

test("a bad or missing token: CONNECT succeeds, the first event disconnects the namespace, with no error event", () =>
  withGuarded(async (server) => {
    const id = await conversation(server, "ana");
    const expired = token("ana", { exp: Math.floor(Date.now() / 1000) - 10 });
    for (const options of [{}, { auth: { token: "nonsense" } }, { auth: { token: `${token("ana")}x` } }, { auth: { token: expired } }]) {
      const client = await SocketIoClient.open(server, "/chat", options);
      assert.deepEqual(client.frames, []);
      client.emit("chat:join", { conversationId: id });
      await client.next("(disconnect)");
      assert.deepEqual(client.frames, [{ type: "(disconnect)", reason: "io server disconnect" }]);
    }
  }));

test("a token that expires mid-connection stops working", () =>
  withGuarded(async (server) => {
    const id = await conversation(server, "ana");
    const client = await withShortToken((claims) => token("ana", claims), async (auth) => {
      const opened = await SocketIoClient.open(server, "/chat", { auth: { token: auth } });
      opened.emit("chat:join", { conversationId: id });
      await opened.next((frame) => frame.type === "chat:joined" || frame.type === "(disconnect)");
      assert.deepEqual(opened.reasons, []);
      return opened;
    });
    const asking = setInterval(() => client.emit("chat:get-active-users", { conversationId: id }), 100);
    await client.next("(disconnect)").finally(() => clearInterval(asking));
    assert.deepEqual(client.reasons, ["io server disconnect"]);
    assert.ok(client.frames.every((f) => !/error|exception/.test(f.type)));
  }));

test("nothing is broadcast to a socket before one of its events has passed the check", () =>
  withGuarded(async (server) => {
    const quiet = await connect(server, "ana");
    const { conversationId, ana } = await twoInRoom(server);
    say(ana, conversationId, "hello");
    await ana.next("chat:complete");
    assert.deepEqual(quiet.frames, []);
  }));

test("room isolation: joining or sending to another user's conversation is chat:error, and nothing of it is seen", () =>
  withGuarded(async (server) => {
    const id = await conversation(server, "ana");
    const ana = await inRoom(server, "ana", id);
    const eve = await connect(server, "eve");
    eve.emit("chat:join", { conversationId: id });
    assert.equal((await eve.next("chat:error")).conversationId, id);
    say(eve, id, "let me in");
    await eve.next("chat:error");
    eve.emit("chat:typing", { conversationId: id, isTyping: true });
    await eve.next("chat:error");
    eve.emit("chat:get-active-users", { conversationId: id });
    await eve.next("chat:error");
    say(ana, id, "hello");
    await ana.next("chat:complete");
    assert.deepEqual(turnShape(eve.frames), ["chat:error"]);
    assert.deepEqual(ana.all("chat:user-joined").concat(ana.all("chat:user-typing")), []);
    assert.equal(ana.all("chat:message").length, 2);
    for (const [method, path] of [["get", `/chat/conversations/${id}`], ["delete", `/chat/conversations/${id}`]]) {
      const refused = await as(server, "eve")[method](path);
      assert.deepEqual([refused.status, refused.body.statusCode, refused.body.error], [404, 404, "Not Found"]);
    }
    assert.deepEqual((await as(server, "eve").get("/chat/conversations")).body, []);
  }));

test("an unknown conversation: thinking, then chat:error; joining it is chat:joined", () =>
  withServer(standard(), async (server) => {
    const client = await connect(server);
    for (const id of [unknown, "nowhere"]) {
      say(client, id, "hello");
      assert.deepEqual(await client.next("chat:thinking"), { type: "chat:thinking", conversationId: id, status: "processing" });
      assert.deepEqual(await client.next("chat:error"), { type: "chat:error", conversationId: id, error: `Conversation with ID ${id} not found` });
      client.emit("chat:join", { conversationId: id });
      assert.equal((await client.next("chat:joined")).conversationId, id);
    }
  }));

test("exception: a handler without its payload says so, with the cause", () =>
  withServer(standard(), async (server) => {
    const client = await connect(server);
    client.emit("chat:join");
    const { message, ...rest } = await client.next("exception");
    assert.deepEqual(rest, { type: "exception", status: "error", cause: { pattern: "chat:join", data: null } });
    assert.ok(message.length > 10);
    client.emit("chat:send", { conversationId: "x", content: "x", role: "assistant" });
    assert.deepEqual((await client.next("exception")).cause.data, { conversationId: "x", content: "x", role: "assistant" });
  }));

test("a client that passes an ack callback gets an ack", () =>
  withServer(standard(), async (server) => {
    const conversationId = await conversation(server);
    const client = await connect(server);
    assert.deepEqual((await client.ask("chat:join", { conversationId })).status, "ok");
    const sent = await client.ask("chat:send", { conversationId, content: "hello", role: "user" });
    assert.equal(sent.messageId, (await client.next("chat:message")).message.id);
    assert.equal((await client.ask("chat:typing", { conversationId, isTyping: true })).status, "ok");
    assert.equal((await client.ask("chat:get-active-users", { conversationId })).activeUsers.length, 1);
    assert.equal((await client.ask("chat:leave", { conversationId })).status, "ok");
    assert.equal((await client.ask("chat:send", { conversationId: unknown, content: "x" })).status, "error");
    assert.equal((await client.ask("chat:send", {})).status, "error");
  }));

test("a model failure is chat:error with no complete; the user message stays stored", () =>
  withServer(standard(), async (server) => {
    const id = await conversation(server);
    const client = await inRoom(server, undefined, id);
    for (const content of ["fail", "cut"]) {
      say(client, id, content);
      assert.ok((await client.next("chat:error")).error.length > 0);
    }
    assert.deepEqual(client.all("chat:complete"), []);
    assert.ok(client.all("chat:message").every((f) => f.message.role === "user"));
    const { messages } = (await as(server).get(`/chat/conversations/${id}`)).body;
    assert.deepEqual(messages.filter((m) => m.role === "user").map((m) => m.content), ["fail", "cut"]);
    say(client, id, "hello");
    await client.next("chat:complete");
  }));

test("tools and approvals: tool-start, approval-required, chat:approve, approval-decided to all, tool-complete, complete", () =>
  withGuarded(async (server) => {
    const { conversationId, ana, ben } = await twoInRoom(server);
    say(ana, conversationId, "delete note");
    const card = await ben.next("chat:approval-required");
    assert.deepEqual([card.conversationId, card.tool, card.action, card.kind], [conversationId, "delete_file", { path: "note.txt" }, "tool"]);
    assert.equal((await ana.next("chat:tool-start")).toolCallId, card.toolCallId);
    const late = await connect(server, "ana");
    late.emit("chat:join", { conversationId });
    assert.equal((await late.next("chat:approval-required")).approvalId, card.approvalId, "who comes later sees the open card");

    const [won, lost] = await Promise.all([
      ben.ask("chat:approve", { approvalId: card.approvalId, approved: true, note: "fine" }),
      ana.ask("chat:approve", { approvalId: card.approvalId, approved: false }),
    ]);
    assert.deepEqual([won.status, lost.status, won.decision], ["ok", "ok", lost.decision]);
    for (const client of [ana, ben, late]) {
      const decided = await client.next("chat:approval-decided");
      assert.deepEqual([decided.conversationId, decided.approvalId, decided.decision], [conversationId, card.approvalId, won.decision]);
      await client.next("chat:complete");
    }
    const completed = ana.all("chat:tool-complete")[0];
    assert.deepEqual([completed.toolCallId, completed.tool, typeof completed.success], [card.toolCallId, "delete_file", "boolean"]);
    const unknownOne = await ana.ask("chat:approve", { approvalId: unknown, approved: true });
    assert.equal(unknownOne.status, "error");
    const eve = await connect(server, "eve");
    assert.equal((await eve.ask("chat:approve", { approvalId: card.approvalId, approved: true })).status, "error");
  }));

test("chat:cancel stops the run: its text is kept, then chat:error", () =>
  withServer(standard(), async (server) => {
    const id = await conversation(server);
    const client = await inRoom(server, undefined, id);
    say(client, id, "hold");
    await client.next("chat:streaming");
    client.emit("chat:cancel", { conversationId: id });
    await client.next("chat:error");
    assert.deepEqual(client.all("chat:message").at(-1).message.metadata, { cut: true });
    assert.deepEqual(client.all("chat:complete"), []);
  }));

test("chat:react: a stored event, shown to all", () =>
  withGuarded(async (server) => {
    const { conversationId, ana, ben } = await twoInRoom(server);
    say(ana, conversationId, "hello");
    const { message } = await ben.next("chat:message");
    ben.emit("chat:react", { conversationId, messageId: message.id, emoji: "👍", added: true });
    for (const client of [ana, ben])
      assert.deepEqual(await client.next("chat:reaction"), {
        type: "chat:reaction", conversationId, messageId: message.id, emoji: "👍", added: true, ...benUser,
      });
    const { messages } = (await as(server, "ana").get(`/chat/conversations/${conversationId}`)).body;
    assert.deepEqual(messages[0].metadata.reactions, [{ emoji: "👍", ...benUser }]);
  }));

test("chat:conversations-updated goes to those who may see the change", () =>
  withGuarded(async (server) => {
    const [ana, eve] = [await connect(server, "ana"), await connect(server, "eve")];
    for (const client of [ana, eve]) await client.ask("chat:leave", { conversationId: unknown });
    const listed = (update) => update.conversations.map((c) => [c.id, c.title]);
    const id = await conversation(server, "ana", { title: "Plans" });
    const made = await ana.next("chat:conversations-updated");
    assert.deepEqual(listed(made), [[id, "Plans"]]);
    assert.match(made.timestamp, /^\d{4}-\d\d-\d\dT.*Z$/);
    await as(server, "ana").put(`/chat/conversations/${id}`, { title: "Better plans" });
    assert.deepEqual(listed(await ana.next("chat:conversations-updated")), [[id, "Better plans"]]);
    assert.deepEqual(eve.frames, []);
    await as(server, "ana").put(`/api/v1/sessions/${id}/participants`, { users: ["eve"] });
    assert.deepEqual(listed(await eve.next("chat:conversations-updated")), [[id, "Better plans"]]);
    await as(server, "ana").delete(`/chat/conversations/${id}`);
    await eve.next((f) => f.type === "chat:conversations-updated" && f.conversations.length === 0);
  }));

test("recovery: a lost connection in the middle of a message goes on without loss, repeats or a second chat:joined", () =>
  withGuarded(async (server) => {
    const { conversationId, ana, ben } = await twoInRoom(server);
    const other = await conversation(server, "ben");
    ben.emit("chat:join", { conversationId: other });
    await ben.next("chat:joined");
    say(ana, conversationId, "long");
    await ben.until(() => ben.all("chat:streaming").length > 10);
    ben.socket.io.engine.close();
    await ben.next("(disconnect)");
    await ana.next("chat:user-left");
    await ana.until(() => ana.all("chat:streaming").length > 40);
    const connected = new Promise((resolve) => ben.socket.once("connect", resolve));
    ben.socket.connect();
    await connected;
    assert.equal(ben.socket.recovered, true);
    await ana.next("chat:user-joined");
    say(ben, other, "hello");
    await ben.until(() => ben.all("chat:complete").length === 2);
    const of = (id) => ben.all("chat:streaming").filter((f) => f.conversationId === id).map((f) => f.chunk).join("");
    assert.deepEqual([of(conversationId), of(other)], [longText, "Hello, world"]);
    assert.equal(ben.all("chat:joined").length, 2);
  }));

test("recovery: a socket whose token is not valid any more does not come back", () =>
  withGuarded(async (server) => {
    const { conversationId, ana, ben } = await twoInRoom(server);
    say(ana, conversationId, "hello");
    await ben.next("chat:complete");
    ben.socket.io.engine.close();
    await ben.next("(disconnect)");
    ben.socket.auth = { token: "nonsense" };
    const before = ben.frames.length;
    ben.socket.connect();
    await new Promise((resolve) => ben.socket.once("connect", resolve));
    assert.equal(ben.socket.recovered, false);
    ben.emit("chat:get-active-users", { conversationId });
    await ben.next("(disconnect)");
    assert.deepEqual(ben.frames.slice(before).map((f) => f.type), ["(disconnect)"]);
  }));

test("recovery after kill -9: the rest comes from the log; what was lost is told by a second chat:thinking", () =>
  withHeldModel(async (server, model) => {
    const id = await conversation(server);
    const client = await inRoom(server, undefined, id);
    say(client, id, "long");
    (await model.call(0)).say(...words.slice(0, 20));
    await client.next((frame) => frame.type === "chat:streaming" && frame.chunk.includes(words[19]));
    const back = client.frames.length;
    await server.kill();
    await client.next("(disconnect)");
    await server.start();
    client.socket.connect();
    (await model.call(1)).say(...words).end();
    await client.next("chat:complete");
    assert.equal(client.socket.recovered, true);
    // As the page does it: the text is cleared when the assistant thinks again.
    const again = client.frames.findIndex((f, i) => i >= back && f.type === "chat:thinking");
    assert.ok(again > 0, "a second chat:thinking");
    const chunks = client.frames.slice(again).filter((f) => f.type === "chat:streaming").map((f) => f.chunk);
    assert.equal(chunks.join(""), longText);
    assert.deepEqual(client.all("chat:message").map((f) => f.message.content), ["long", longText]);
    assert.equal(client.all("chat:joined").length, 1);
  }, { keepsPort: true }));

test("REST: models and MCP servers", () =>
  withServer(standard(), async (server) => {
    const rest = as(server);
    const models = (await rest.get("/chat/models/all")).body;
    assert.deepEqual(models.map((m) => [m.id, m.provider, m.model, m.isDefault]), [["other", "scripted", "tiny", false], ["writer", "scripted", "tiny", true]]);
    assert.equal((await rest.get("/chat/models/default")).body.id, "writer");
    assert.deepEqual((await rest.get("/chat/mcp/servers")).body, []);
    const picked = await rest.post("/chat/conversations", { model: "other" });
    assert.equal(picked.body.model, "other");
  }));

test("REST: conversations are made, listed, read, changed and deleted", () =>
  withGuarded(async (server) => {
    const rest = as(server, "ana");
    const made = (await rest.post("/chat/conversations", { systemPrompt: "Be kind.", mcpServers: ["git"] })).body;
    assert.deepEqual(Object.keys(made).sort(), [
      "activeUsers", "createdAt", "createdBy", "id", "mcpServers", "messages", "model", "systemPrompt", "title", "updatedAt",
    ]);
    assert.deepEqual([made.title, made.model, made.systemPrompt, made.mcpServers, made.createdBy, made.messages], [
      "New Conversation", "writer", "Be kind.", ["git"], "ana", [],
    ]);
    await inRoom(server, "ana", made.id);
    const found = (await rest.get(`/chat/conversations/${made.id}`)).body;
    assert.deepEqual(found.activeUsers, [anaUser]);
    assert.deepEqual((await rest.get("/chat/conversations")).body.map((c) => c.id), [made.id]);
    const changed = await rest.put(`/chat/conversations/${made.id}`, { title: "Plans", systemPrompt: "Be brief." });
    assert.deepEqual([changed.status, changed.body.title, changed.body.systemPrompt, changed.body.mcpServers], [200, "Plans", "Be brief.", ["git"]]);
    assert.equal((await rest.put(`/chat/conversations/${made.id}`, { model: "other" })).status, 400);
    assert.equal((await rest.put(`/chat/conversations/${made.id}`, { mcpServers: 1 })).status, 400);
    assert.equal((await rest.delete(`/chat/conversations/${made.id}`)).status, 200);
    const gone = await rest.get(`/chat/conversations/${made.id}`);
    assert.deepEqual(gone.body, { statusCode: 404, message: `Conversation with ID ${made.id} not found`, error: "Not Found" });
    assert.deepEqual((await rest.get("/chat/conversations")).body, []);
    assert.equal((await as(server).get("/chat/conversations")).status, 401);
  }));

test("REST: POST /chat/messages answers with both messages; a failed reply is 502, a question to a person 202", () =>
  withServer(standard(), async (server) => {
    const rest = as(server);
    const first = await rest.post("/chat/messages", { content: "hello", role: "user" });
    assert.equal(first.status, 201, first.text);
    const { conversationId, userMessage, assistantMessage } = first.body;
    assert.deepEqual([userMessage.content, assistantMessage.content, assistantMessage.role], ["hello", "Hello, world", "assistant"]);
    assert.deepEqual((await rest.get(`/chat/conversations/${conversationId}`)).body.messages, [userMessage, assistantMessage]);
    const tools = (await rest.post("/chat/messages", { content: "both", role: "user", conversationId })).body.assistantMessage;
    assert.deepEqual(tools.mcpToolCalls.map((c) => [c.tool, c.success]), [["clock", true], ["calculator", true]]);
    const failed = await rest.post("/chat/messages", { content: "fail", role: "user", conversationId });
    assert.deepEqual([failed.status, failed.body.statusCode, failed.body.error], [502, 502, "Bad Gateway"]);
    const parked = await rest.post("/chat/messages", { content: "delete note", role: "user", conversationId });
    assert.deepEqual([parked.status, parked.body.status, parked.body.conversationId], [202, "pending", conversationId]);
    assert.match(parked.body.approvalId, /^[0-9a-f-]{36}$/);
    const nowhere = await rest.post("/chat/messages", { content: "x", role: "user", conversationId: unknown });
    assert.deepEqual(nowhere.body, { statusCode: 404, message: `Conversation with ID ${unknown} not found`, error: "Not Found" });
    for (const body of [{}, { content: "" }, { content: "x", role: "assistant" }])
      assert.equal((await rest.post("/chat/messages", body)).body.statusCode, 400);
  }));

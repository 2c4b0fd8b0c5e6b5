// The `chat-events` dialect with the official Socket.IO client (PROTOCOLS §4), row by row of its tables.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { chunk, key, openaiConfiguration, streamHead, withUpstream } from "./support/aimock.mjs";
import { chunks, ended, failed, iso, listen, names, newChat, say, screen, uuid } from "./support/chat_events.mjs";
import { get, post, request, styleA } from "./support/clients.mjs";
import { longText, standard } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { withServer } from "./support/server.mjs";
import { untilOver, withShortToken } from "./support/tokens.mjs";

test("a turn: start, chunks, end with question and answer; then the POST is answered with the same", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const chatId = await newChat(server);
    assert.match(chatId, /^[0-9a-f]{24}$/);
    const answered = await say(server, chatId, "hello");
    assert.equal(answered.status, 201, answered.text);
    const end = await client.next(ended(chatId));
    assert.deepEqual(answered.body, { content: "hello", answer: "Hello, world", timestamp: end.message.timestamp });
    assert.deepEqual(end.message, answered.body);
    assert.deepEqual(names(client.frames, chatId), ["ai-response-start", "ai-response-chunk", "ai-response-end"]);
    assert.deepEqual(chunks(client, chatId).map((f) => [f.chunk, f.chunkIndex]), [["Hel", 0], ["lo, ", 1], ["world", 2]]);
    const [start] = client.all("ai-response-start");
    assert.deepEqual(Object.keys(start), ["type", "chatId", "timestamp"]);
    assert.match(start.timestamp, iso);
    assert.match(end.message.timestamp, iso);
    assert.deepEqual((await get(server, `/api/v1/chats/${chatId}/messages`)).body, [answered.body]);
  }));

test("an answer over several steps is the text of all of them", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const chatId = await newChat(server);
    const answered = await say(server, chatId, "clock");
    await client.next(ended(chatId));
    const shown = screen(client.frames, chatId);
    assert.equal(shown.starts, 1);
    assert.match(shown.text, /^Let me look\. It is /);
    assert.equal(answered.body.answer, shown.text);
    assert.deepEqual((await get(server, `/api/v1/chats/${chatId}`)).body.messages, [answered.body]);
  }));

test("each event reaches every socket once: websocket only, polling only, upgrading, and 3.x", () =>
  withServer(standard(), async (server) => {
    const clients = await Promise.all([
      listen(server), listen(server, { transports: ["websocket"] }), listen(server, { transports: ["polling"] }),
      listen(server, { package: "socket.io-client-3" }),
    ]);
    const chats = [await newChat(server), await newChat(server, "ben")];
    const answers = await Promise.all(chats.map((chatId, i) => say(server, chatId, i ? "clock" : "hello")));
    for (const client of clients)
      for (const [i, chatId] of chats.entries()) {
        await client.until(() => client.all(ended(chatId)).length > 0, "the end");
        assert.deepEqual(screen(client.frames, chatId).answers, [answers[i].body.answer]);
        assert.equal(client.all((f) => f.type === "chat-created" && f.chat.id === chatId).length, 1);
      }
    for (const chatId of chats)
      for (const client of clients)
        assert.deepEqual(client.all({ chatId }), clients[0].all({ chatId }));
  }));

test("a second message waits for the first, and each has its start, its chunks and its end", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const chatId = await newChat(server);
    const answers = await Promise.all([say(server, chatId, "long"), say(server, chatId, "hello")]);
    assert.deepEqual(answers.map((a) => a.status), [201, 201]);
    await client.until(() => client.all(ended(chatId)).length === 2, "two ends");
    const turn = ["ai-response-start", "ai-response-chunk", "ai-response-end"];
    assert.deepEqual(names(client.frames, chatId), [...turn, ...turn]);
    const asked = client.all(ended(chatId)).map((f) => f.message.content);
    assert.deepEqual(asked.sort(), ["hello", "long"]);
    for (const end of client.all(ended(chatId)))
      assert.equal(end.message.answer, end.message.content === "long" ? longText : "Hello, world");
  }));

test("a failed reply: error in the place of the end, and 502, with and without text", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const chatId = await newChat(server);
    for (const content of ["fail", "cut"]) {
      const { status, body } = await say(server, chatId, content);
      assert.deepEqual([status, body], [502, { statusCode: 502, message: body.message, error: "Bad Gateway" }]);
      const error = await client.next(failed(chatId));
      assert.deepEqual(error, { type: "error", chatId, error: body.message, errorCode: "PROVIDER_ERROR" });
    }
    assert.equal((await say(server, chatId, "hello")).status, 201);
    await client.next(ended(chatId));
    const shown = screen(client.frames, chatId);
    assert.deepEqual([shown.starts, shown.errors, shown.answers], [3, 2, ["Hello, world"]]);
    assert.deepEqual((await get(server, `/api/v1/chats/${chatId}/messages`)).body.map((m) => m.content), ["hello"]);
  }));

// The seed's guarantee, for the ways in which a stream of the `openai` kind can break; `scripted` is above.
const marked = "data: " + JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) + "\n\n";
const breaks = {
  "closed in order without an end marker": (response) => response.end(chunk("Half ")),
  "closed without a word": (response) => response.end(),
  "torn off": (response) => response.write(chunk("Half "), () => response.destroy()),
  "an error in the stream": (response) => response.end(`${chunk("Half ")}data: {"error":{"message":"overloaded"}}\n\n`),
  "no JSON in the stream": (response) => response.end(`${chunk("Half ")}data: {"choices\n\n${marked}data: [DONE]\n\n`),
};
const silences = { "silent after some text": (response) => response.write(chunk("Half ")), "silent from the start": () => {} };

/** A chat whose upstream breaks in each of these ways. With `recovers` it answers at last. */
function breaking(breaks, timeouts_ms, recovers) {
  const ways = Object.values(breaks);
  let call = 0;
  return withUpstream(
    (_, response) => {
      const way = ways[call++];
      response.writeHead(200, streamHead);
      if (way) return way(response);
      response.end(`${chunk("Whole")}${marked}data: [DONE]\n\n`);
    },
    (url) =>
      withServer(openaiConfiguration(url, { timeouts_ms }), async (server) => {
        const client = await listen(server);
        const chatId = await newChat(server);
        for (const how of Object.keys(breaks)) {
          const { status, text } = await say(server, chatId, "x");
          assert.equal(status, 502, `${how}: ${text}`);
          await client.next(failed(chatId));
          assert.equal(client.all(ended(chatId)).length, 0, how);
        }
        if (!recovers) return;
        assert.equal((await say(server, chatId, "x")).body.answer, "Whole");
        await client.next(ended(chatId));
        assert.deepEqual(screen(client.frames, chatId).answers, ["Whole"]);
      }, key),
  );
}
test("no end after a stream that broke, however it broke", () => breaking(breaks, {}, true));
test("no end after a stream that fell silent", () => breaking(silences, { first_byte: 300, idle: 300 }, false));

test("an upstream that refuses: error, 502 and no end", () =>
  withUpstream(
    (_, response) => response.writeHead(500, { "content-type": "application/json" }).end('{"error":{"message":"broken"}}'),
    (url) =>
      withServer(openaiConfiguration(url), async (server) => {
        const client = await listen(server);
        const chatId = await newChat(server);
        assert.equal((await say(server, chatId, "x")).status, 502);
        await client.next(failed(chatId));
        assert.equal(client.all(ended(chatId)).length, 0);
      }, key),
  ));

test("an approval: the card, 202, and after the decision the rest as events", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const chatId = await newChat(server);
    const { status, body } = await say(server, chatId, "delete x");
    const card = await client.next("approval-required");
    assert.deepEqual([status, body], [202, { status: "pending", approvalId: card.approvalId }]);
    assert.deepEqual([card.chatId, card.tool, card.action], [chatId, "delete_file", { path: "x.txt" }]);
    const late = await listen(server);
    const shownLate = await late.next("approval-required");
    assert.deepEqual(shownLate, card);
    await post(server, `/api/v1/approvals/${card.approvalId}/approve`);
    const decided = await client.next("approval-decided");
    assert.deepEqual([decided.chatId, decided.decision], [chatId, "approved"]);
    const end = await client.next(ended(chatId));
    assert.match(end.message.answer, /^May I\? Outcome: /);
    assert.equal(screen(client.frames, chatId).text, end.message.answer);
    await late.next(ended(chatId));
    assert.equal(late.all(ended(chatId)).length, 1);
  }));

test("a client that goes away does not stop the run", () =>
  withHeldModel(async (server, model) => {
    const client = await listen(server);
    const chatId = await newChat(server);
    const gone = new AbortController();
    const sent = fetch(`${server.url}/api/v1/chats/${chatId}/messages`, {
      method: "POST", headers: { "content-type": "application/json" }, body: '{"content":"long"}', signal: gone.signal,
    });
    const call = (await model.call(0)).say("Some ");
    await client.next("ai-response-chunk");
    gone.abort();
    await assert.rejects(sent);
    call.say("more").end();
    assert.equal((await client.next(ended(chatId))).message.answer, "Some more");
  }));

// ---- join-chat ----

test("join-chat: only the chats that were joined, by object or string; leave-chat undoes it", () =>
  withServer(standard(), async (server) => {
    const [one, two] = [await newChat(server), await newChat(server)];
    const client = await listen(server);
    assert.deepEqual(await client.ask("join-chat", { chatId: one }), { status: "ok", chatId: one });
    await Promise.all([say(server, one, "hello"), say(server, two, "hello")]);
    await client.next(ended(one));
    assert.deepEqual(client.all({ chatId: two }), []);
    assert.deepEqual(await client.ask("join-chat", two), { status: "ok", chatId: two });
    assert.deepEqual(await client.ask("join-chat", two), { status: "ok", chatId: two });
    await say(server, two, "hello");
    await client.next(ended(two));
    assert.equal(screen(client.frames, two).ends, 1);
    assert.deepEqual(await client.ask("leave-chat", { chatId: one }), { status: "ok", chatId: one });
    await Promise.all([say(server, one, "clock"), say(server, two, "hello")]);
    await client.until(() => client.all(ended(two)).length === 2, "the second end");
    assert.equal(screen(client.frames, one).ends, 1);
    await client.ask("leave-chat", { chatId: two });
    await say(server, one, "hello");
    await client.until(() => client.all(ended(one)).length === 2, "every chat again");
  }));

test("join-chat: any session by any of its names; unknown and bad ones are an error event", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const native = await styleA(server);
    native.send({ type: "message.send", content: "hello" });
    const { sessionId } = await native.next("session.created");
    await native.next("message.complete");
    const chatId = sessionId.replaceAll("-", "").slice(0, 24);
    assert.match(sessionId, uuid(chatId));
    assert.equal((await client.ask("join-chat", { chatId })).status, "ok");
    native.send({ type: "message.send", content: "hello" });
    const end = await client.next(ended(chatId));
    assert.deepEqual([end.message.content, end.message.answer], ["hello", "Hello, world"]);
    for (const bad of ["0".repeat(24), "nobody knows", "ñ".repeat(300)]) {
      const { status, message } = await client.ask("join-chat", { chatId: bad });
      assert.equal(status, "error");
      assert.match(message, /^Chat not found/);
      assert.equal((await client.next("error")).errorCode, "NOT_FOUND");
    }
    for (const bad of [undefined, null, 5, "", {}, { chatId: 5 }, []]) {
      assert.equal((await client.ask("join-chat", bad)).status, "error");
      assert.equal((await client.next("error")).errorCode, "VALIDATION_ERROR");
    }
    assert.equal((await client.ask("dance", {})).status, "error");
    assert.ok(client.socket.connected);
  }));

test("sockets that joined nothing get only chats that were made through this dialect", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const native = await styleA(server);
    native.send({ type: "message.send", content: "hello" });
    await native.next("message.complete");
    const chatId = await newChat(server);
    await say(server, chatId, "hello");
    await client.next(ended(chatId));
    assert.deepEqual([...new Set(client.frames.map((f) => f.chatId ?? f.chat.id))], [chatId]);
  }));

// ---- REST ----

test("chats: made, listed, read and deleted, as bare objects and lists", () =>
  withServer(standard(), async (server) => {
    const client = await listen(server);
    const made = await post(server, "/api/v1/chats", { userId: "ana" });
    const chat = made.body;
    assert.deepEqual(Object.keys(chat), ["id", "userId", "messages", "createdAt", "updatedAt"]);
    assert.deepEqual([chat.userId, chat.messages], ["ana", []]);
    assert.match(chat.createdAt, iso);
    const created = await client.next("chat-created");
    assert.deepEqual([created.userId, created.chat.id, created.chat.userId], ["ana", chat.id, "ana"]);
    const other = await newChat(server, "ben");
    const answered = (await say(server, chat.id, "hello")).body;
    const ids = async (path) => (await get(server, `/api/v1/chats${path}`)).body.map((c) => c.id);
    assert.deepEqual(await ids(""), [chat.id, other]);
    assert.deepEqual(await ids("?limit=1&offset=1"), [other]);
    assert.deepEqual(await ids("/user/ana"), [chat.id]);
    assert.deepEqual(await ids("/user/codigo/ben"), [other]);
    assert.deepEqual(await ids("/user/carla"), []);
    const read = (await get(server, `/api/v1/chats/${chat.id}`)).body;
    assert.deepEqual([read.id, read.userId, read.messages, read.createdAt], [chat.id, "ana", [answered], chat.createdAt]);
    assert.deepEqual((await get(server, "/api/v1/chats/user/ana")).body, [read]);
    const emptied = await request(server, "DELETE", `/api/v1/chats/${chat.id}/messages`);
    assert.deepEqual([emptied.status, emptied.body.id, emptied.body.messages], [200, chat.id, []]);
    assert.deepEqual((await get(server, `/api/v1/chats/${chat.id}/messages`)).body, []);
    assert.equal((await request(server, "DELETE", `/api/v1/chats/${chat.id}`)).status, 200);
    assert.deepEqual(await client.next("chat-deleted"), { type: "chat-deleted", chatId: chat.id });
    assert.deepEqual(await ids(""), [other]);
    for (const [method, path] of [["GET", ""], ["DELETE", ""], ["GET", "/messages"], ["DELETE", "/messages"]])
      assert.equal((await request(server, method, `/api/v1/chats/${chat.id}${path}`)).status, 404);
    assert.equal((await say(server, chat.id, "hello")).status, 404);
  }));

test("bad requests: the dialect's error shape, unknown fields refused", () =>
  withServer(standard(), async (server) => {
    const chatId = await newChat(server);
    const messages = `/api/v1/chats/${chatId}/messages`;
    const rows = [
      ["/api/v1/chats", {}], ["/api/v1/chats", { userId: "" }], ["/api/v1/chats", { userId: 5 }],
      ["/api/v1/chats", { userId: "ana", admin: true }], ["/api/v1/chats", { userId: "x".repeat(201) }],
      [messages, {}], [messages, { content: "" }], [messages, { content: 5 }], [messages, { content: "x", stream: true }],
      [messages, { content: "x", n: 2 }], [messages, { content: "x", n: 0 }], [messages, { content: "x", n: "1" }],
      [messages, { content: "x", temperature: 3 }], [messages, { content: "x", temperature: "hot" }],
      [messages, { content: "x", maxTokens: 0 }], [messages, { content: "x", maxTokens: 1.5 }],
    ];
    for (const [path, body] of rows) {
      const refused = await post(server, path, body);
      assert.deepEqual([refused.status, refused.body], [400, { statusCode: 400, message: refused.body.message, error: "Bad Request" }],
        JSON.stringify(body));
    }
    const missing = await say(server, "0".repeat(24), "hello");
    assert.deepEqual([missing.status, missing.body],
      [404, { statusCode: 404, message: `Chat not found: ${"0".repeat(24)}`, error: "Not Found" }]);
    const fine = await say(server, chatId, "hello", { n: 1, temperature: 0.5, maxTokens: 100 });
    assert.equal(fine.status, 201, fine.text);
  }));

// ---- with auth ----

const secret = "the-secret-of-the-chat-events-tests-in-32-bytes";
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(sub, more = {}) {
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub, username: sub, exp: Math.floor(Date.now() / 1000) + 3600, ...more })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
const bearer = (sub) => ({ authorization: `Bearer ${token(sub)}` });
const hash = "$y$j9T$saltsaltsalt$nNDsycEBP37XRiK/Qx62iZ4Jbzj3gHJ2kMaWwdseEp/"; // of "correct horse"
const guarded = standard({
  auth: { mode: "required", users: [{ id: "7", username: "ana", password_hash: hash, codigo: "A-17", roles: ["teacher"] }] },
});
const withGuarded = (body) => withServer(guarded, body, { env: { JWT_SECRET: secret } });

test("with auth: each user sees, hears and makes only chats of their own", () =>
  withGuarded(async (server) => {
    const [ana, ben] = await Promise.all(["7", "8"].map((sub) => listen(server, { auth: { token: token(sub) } })));
    const [nobody, wrong] = [await listen(server), await listen(server, { auth: { token: "wrong" } })];
    const chatId = await newChat(server, "7", bearer("7"));
    const bens = await newChat(server, "8", bearer("8"));
    const refused = await post(server, "/api/v1/chats", { userId: "8" }, bearer("7"));
    assert.deepEqual([refused.status, refused.body.error], [403, "Forbidden"]);
    assert.equal((await post(server, "/api/v1/chats", { userId: "7" })).status, 401);
    for (const call of [get(server, `/api/v1/chats/${chatId}`, bearer("8")), say(server, chatId, "hello", {}, bearer("8"))])
      assert.equal((await call).status, 404);
    assert.deepEqual((await get(server, "/api/v1/chats/user/codigo/A-17", bearer("7"))).body.map((c) => c.id), [chatId]);
    assert.deepEqual((await get(server, "/api/v1/chats/user/codigo/A-17", bearer("8"))).body, []);
    assert.equal((await get(server, "/api/v1/chats/user/codigo/A-1", bearer("8"))).status, 404);
    assert.equal((await ben.ask("join-chat", { chatId })).status, "error");
    await ben.ask("join-chat", { chatId: bens });
    await say(server, chatId, "hello", {}, bearer("7"));
    await say(server, bens, "hello", {}, bearer("8"));
    await ana.next(ended(chatId));
    await ben.next(ended(bens));
    assert.deepEqual(ana.all({ chatId: bens }), []);
    assert.deepEqual(ben.all((f) => f.chatId === chatId && f.type !== "error"), []);
    assert.deepEqual([nobody.frames, wrong.frames], [[], []]);
    // Whoever shares a chat is heard by both.
    const ben2 = await listen(server, { auth: { token: token("8") } });
    const full = (await get(server, `/api/v1/sessions/${chatId}`, bearer("7"))).body.id;
    const shared = await request(server, "PUT", `/api/v1/sessions/${full}/participants`, { users: ["8"] }, bearer("7"));
    assert.equal(shared.status, 200, shared.text);
    await say(server, chatId, "hello", {}, bearer("8"));
    await ben2.next(ended(chatId));
    await ana.until(() => screen(ana.frames, chatId).ends === 2, "the second end");
  }));

test("with auth: delivery stops when the token expires", () =>
  withGuarded(async (server) => {
    const lasting = await listen(server, { auth: { token: token("7") } });
    const [short, exp] = await withShortToken((claims) => token("7", claims), async (auth, exp) => {
      const client = await listen(server, { auth: { token: auth } });
      await newChat(server, "7", bearer("7"));
      await client.next("chat-created", (exp + 1) * 1000 - Date.now());
      return [client, exp];
    });
    await untilOver(exp);
    const chatId = await newChat(server, "7", bearer("7"));
    await say(server, chatId, "hello", {}, bearer("7"));
    await lasting.next(ended(chatId));
    assert.ok(!JSON.stringify(short.frames).includes(chatId), "the expired token hears nothing more");
  }));

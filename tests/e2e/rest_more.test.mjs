// What a session holds besides its talk, over REST (PROTOCOLS §1.6): files, reactions, participants, copies, export, the queue
// edited, usage by whom, keys of repeated requests.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { EventStream, get, post, request, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { inOneDay } from "./support/waiting.mjs";

const nowhere = "0190a1b2-0000-7000-8000-000000000001";
const put = (server, path, body, headers) => request(server, "PUT", path, body, headers);
const patch = (server, path, body, headers) => request(server, "PATCH", path, body, headers);
const newSession = async (server) => (await post(server, "/api/v1/projects/demo/sessions")).body.id;
const say = async (server, session, content, more = {}) =>
  (await post(server, `/api/v1/sessions/${session}/messages?wait=true`, { content, ...more })).body;
const messagesOf = async (server, session) => (await get(server, `/api/v1/sessions/${session}/messages?limit=100`)).body.items;

/** With Node's own fetch: what a browser would send and read. */
async function upload(server, session, files, headers = {}) {
  const form = new FormData();
  form.append("note", "not a file");
  for (const [name, bytes, type] of files) form.append("file", new Blob([bytes], { type }), name);
  const answer = await fetch(`${server.url}/api/v1/sessions/${session}/files`, { method: "POST", body: form, headers });
  return { status: answer.status, body: await answer.json() };
}
async function download(server, session, file, headers = {}) {
  const answer = await fetch(`${server.url}/api/v1/sessions/${session}/files/${file}`, { headers });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}
const allBytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));

test("files: a form's file comes back byte for byte, with its name and type", () =>
  withServer(standard(), async (server) => {
    const session = await newSession(server);
    const sent = await upload(server, session, [["niño 鳥 \"1\".png", allBytes, "image/png"]]);
    assert.equal(sent.status, 201, JSON.stringify(sent.body));
    assert.deepEqual(sent.body, { fileId: sent.body.fileId, name: 'niño 鳥 "1".png', contentType: "image/png", size: 70_000 });
    const got = await download(server, session, sent.body.fileId);
    assert.equal(got.status, 200);
    assert.ok(got.bytes.equals(allBytes));
    assert.equal(got.headers.get("content-type"), "image/png");
    assert.equal(got.headers.get("x-content-type-options"), "nosniff");
    assert.match(got.headers.get("content-security-policy"), /sandbox/);
    const disposition = got.headers.get("content-disposition");
    assert.match(disposition, /^attachment; filename="ni__o ___ _1_\.png"; filename\*=UTF-8''/);
    assert.equal(decodeURIComponent(disposition.split("UTF-8''")[1]), 'niño 鳥 "1".png');
  }));

test("files: several in one form, and the bytes alone; listed in order", () =>
  withServer(standard(), async (server) => {
    const session = await newSession(server);
    const two = await upload(server, session, [["a.txt", "one", "text/plain"], ["b.json", "{}", "application/json"]]);
    assert.deepEqual(two.body.files.map((f) => [f.name, f.size]), [["a.txt", 3], ["b.json", 2]]);
    assert.equal(two.body.fileId, two.body.files[0].fileId);
    const raw = await request(server, "POST", `/api/v1/sessions/${session}/files?name=sound.ogg`, "OggS", { "content-type": "audio/ogg" });
    assert.deepEqual([raw.status, raw.body.name, raw.body.contentType, raw.body.size], [201, "sound.ogg", "audio/ogg", 4]);
    const { items, total } = (await get(server, `/api/v1/sessions/${session}/files`)).body;
    assert.deepEqual([total, items.map((f) => f.name)], [3, ["a.txt", "b.json", "sound.ogg"]]);
    assert.ok(items.every((f) => typeof f.createdAt === "string" && "uploadedBy" in f));
    assert.equal((await download(server, session, two.body.fileId)).headers.get("content-type"), "text/plain; charset=utf-8");
  }));

test("files: what a browser could run is only bytes to it", () =>
  withServer(standard(), async (server) => {
    const session = await newSession(server);
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"]) {
      const { body } = await upload(server, session, [["x", "<script>1</script>", type]]);
      const got = await download(server, session, body.fileId);
      assert.equal(got.headers.get("content-type"), "application/octet-stream", type);
      assert.match(got.headers.get("content-disposition"), /^attachment/);
    }
  }));

test("files: limits say their figures; what is not there is 404", () =>
  withServer(standard({ limits: { ...standard().limits, max_file_bytes: 1000, max_files: 2 } }), async (server) => {
    const session = await newSession(server);
    const large = await upload(server, session, [["a", allBytes.subarray(0, 1001), "image/png"]]);
    assert.deepEqual([large.status, large.body.error.code], [413, "PAYLOAD_TOO_LARGE"]);
    assert.match(large.body.message, /1001 .*1000/);
    const body = await request(server, "POST", `/api/v1/sessions/${session}/files`, "x".repeat(300_000), { "content-type": "text/plain" });
    assert.deepEqual([body.status, body.body.error.code], [413, "PAYLOAD_TOO_LARGE"]);
    assert.match(body.body.message, /262144/);
    assert.equal((await upload(server, session, [["a", allBytes.subarray(0, 1000), "image/png"]])).status, 201);
    const more = await upload(server, session, [["b", "b", "image/png"], ["c", "c", "image/png"]]);
    assert.deepEqual([more.status, more.body.error.details.stored.length], [413, 1]);
    assert.equal((await get(server, `/api/v1/sessions/${session}/files`)).body.total, 2);
    for (const [path, status] of [[`${session}/files/${nowhere}`, 404], [`${session}/files/x`, 404], [`${nowhere}/files`, 404]])
      assert.equal((await get(server, `/api/v1/sessions/${path}`)).status, status, path);
    assert.equal((await upload(server, session, [])).status, 400);
    const broken = await request(server, "POST", `/api/v1/sessions/${session}/files`, "--x", { "content-type": "multipart/form-data; boundary=x" });
    assert.deepEqual([broken.status, broken.body.error.code], [400, "VALIDATION_ERROR"]);
  }));

test("attachments: a message brings files, on every way in, and everybody sees which", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const session = client.sessionId;
    const { body: file } = await upload(server, session, [["a.txt", "one", "text/plain"]]);
    client.send({ type: "message.send", content: "hello", attachments: [file.fileId] });
    assert.deepEqual((await client.next("message.created")).attachments, [file]);
    await client.next("message.complete");
    await say(server, session, "hello", { attachments: [file.fileId] });
    const chat = await post(server, "/api/v1/chat", { projectId: "demo", sessionId: session, message: "hello", attachments: [file.fileId] });
    assert.equal(chat.status, 200, chat.text);
    const users = (await messagesOf(server, session)).filter((m) => m.role === "user");
    assert.deepEqual(users.map((m) => m.attachments), [[file], [file], [file]]);
    const refused = await post(server, `/api/v1/sessions/${session}/messages`, { content: "hello", attachments: [nowhere] });
    assert.deepEqual([refused.status, refused.body.error.code], [400, "VALIDATION_ERROR"]);
    for (const attachments of ["x", [5], ["x"]])
      assert.equal((await post(server, `/api/v1/sessions/${session}/messages`, { content: "hello", attachments })).status, 400);
    const fresh = await post(server, "/api/v1/chat", { projectId: "demo", message: "hello", attachments: [file.fileId] });
    assert.equal(fresh.status, 400);
  }));

test("reactions: seen by every socket of the session, in its messages, and once", () =>
  withServer(standard(), async (server) => {
    const one = await styleB(server);
    const session = one.sessionId;
    const two = await styleA(server, { sessionId: session });
    await two.next("session.resumed");
    const { messageId } = await say(server, session, "hello");
    const path = `/api/v1/sessions/${session}/messages/${messageId}/reactions`;
    const added = await post(server, path, { emoji: "👍" });
    assert.deepEqual([added.status, added.body.emoji, added.body.added], [200, "👍", true]);
    for (const client of [one, two]) {
      const { seq, ...frame } = await client.next("message.reaction");
      assert.deepEqual(frame, { type: "message.reaction", messageId, emoji: "👍", added: true, userId: "anonymous", username: "Anonymous" });
      assert.ok(Number.isInteger(seq));
    }
    await post(server, path, { emoji: "👍", added: true });
    const reply = (await messagesOf(server, session)).find((m) => m.id === messageId);
    assert.deepEqual(reply.reactions, [{ emoji: "👍", userId: "anonymous", username: "Anonymous" }]);
    await post(server, path, { emoji: "👍", added: false });
    assert.equal((await one.next("message.reaction")).added, false);
    assert.equal(one.all("message.reaction").length, 2);
    assert.deepEqual((await messagesOf(server, session)).find((m) => m.id === messageId).reactions, []);
    const unknown = await post(server, `/api/v1/sessions/${session}/messages/${nowhere}/reactions`, { emoji: "👍" });
    assert.equal(unknown.status, 404);
    for (const body of [{}, { emoji: "" }, { emoji: "👍", added: "yes" }, { emoji: "x".repeat(65) }])
      assert.equal((await post(server, path, body)).status, 400, JSON.stringify(body));
  }));

test("a session is renamed, found by its title and by what was said, and its sockets are told", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const path = `/api/v1/sessions/${client.sessionId}`;
    const renamed = await patch(server, path, { title: "Trip to Quito", metadata: { a: 1 } });
    assert.deepEqual([renamed.status, renamed.body.title, renamed.body.metadata], [200, "Trip to Quito", { a: 1 }]);
    assert.equal((await client.next("session.updated")).title, "Trip to Quito");
    await say(server, client.sessionId, "hello");
    await newSession(server);
    for (const q of ["quito", "Hello, wor"]) {
      const found = (await get(server, `/api/v1/sessions?q=${encodeURIComponent(q)}`)).body;
      assert.deepEqual(found.items.map((s) => s.id), [client.sessionId], q);
    }
    assert.equal((await get(server, "/api/v1/sessions?q=nothing-like-it")).body.total, 0);
    for (const body of [{}, { title: "" }, { title: 5 }, { metadata: [] }]) assert.equal((await patch(server, path, body)).status, 400);
  }));

test("a session that nobody named is named after its first words, once they are answered; all who follow it are told", () => {
  const configuration = standard();
  configuration.projects.demo.agents.writer.titles = "first_words";
  return withServer(configuration, async (server) => {
    const client = await styleB(server);
    const titleOf = async (id) => (await get(server, `/api/v1/sessions/${id}`)).body.title;
    assert.equal(await titleOf(client.sessionId), "");
    await say(server, client.sessionId, "hello\nand the rest of it");
    assert.deepEqual([(await client.next("session.updated")).title, await titleOf(client.sessionId)], ["hello and the rest of it", "hello and the rest of it"]);
    await say(server, client.sessionId, "something else");
    assert.equal(await titleOf(client.sessionId), "hello and the rest of it");
    assert.deepEqual((await get(server, "/api/v1/sessions?q=rest%20of")).body.items.map((s) => s.title), ["hello and the rest of it"]);
    const chosen = await newSession(server);
    await patch(server, `/api/v1/sessions/${chosen}`, { title: "Mine" });
    await say(server, chosen, "hello");
    assert.equal(await titleOf(chosen), "Mine");
  });
});

test("the queue: edited and reordered, and it runs that way", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const path = `/api/v1/sessions/${client.sessionId}`;
    await post(server, `${path}/messages`, { content: "hold" });
    await client.next("message.content_delta");
    const ids = [];
    for (const content of ["one", "two", "three"]) ids.push((await post(server, `${path}/messages`, { content })).body.messageId);
    const edited = await patch(server, `${path}/queue/${ids[2]}`, { content: "third", position: 1 });
    assert.deepEqual([edited.status, edited.body.content, edited.body.position], [200, "third", 1]);
    assert.equal((await client.next("message.edited")).content, "third");
    assert.deepEqual((await client.next("queue.reordered")).messageIds, [ids[2], ids[0], ids[1]]);
    const waiting = (await get(server, `${path}/queue`)).body.items;
    assert.deepEqual(waiting.map((q) => [q.content, q.position]), [["third", 1], ["one", 2], ["two", 3]]);
    assert.equal((await patch(server, `${path}/queue/${ids[1]}`, { position: 99 })).body.position, 3);
    for (const body of [{}, { position: 0 }, { position: "1" }, { content: 5 }, { content: "" }])
      assert.equal((await patch(server, `${path}/queue/${ids[0]}`, body)).status, 400, JSON.stringify(body));
    assert.equal((await patch(server, `${path}/queue/${nowhere}`, { position: 1 })).status, 404);
    await post(server, `${path}/cancel`);
    for (let i = 0; i < 3; ++i) await client.next("message.complete");
    const said = client.all("message.content_delta").map((frame) => frame.text);
    assert.deepEqual(said.slice(-3), ["You said: third", "You said: one", "You said: two"]);
  }));

test("fork: edit and resend, regenerate; the session it was made of stays as it is", () =>
  withServer(standard(), async (server) => {
    const session = await newSession(server);
    const { body: file } = await upload(server, session, [["a.txt", "one", "text/plain"]]);
    await say(server, session, "hello", { attachments: [file.fileId] });
    await say(server, session, "clock");
    const before = await messagesOf(server, session);
    const second = before.filter((m) => m.role === "user")[1];
    const copy = await post(server, `/api/v1/sessions/${session}/fork`, { atSeq: second.seq - 1, content: "both" });
    assert.equal(copy.status, 201, copy.text);
    assert.notEqual(copy.body.id, session);
    assert.deepEqual([copy.body.forkedFrom, copy.body.agentId], [{ sessionId: session, atSeq: second.seq - 1 }, "writer"]);
    const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${copy.body.id}/events?after=0`);
    await stream.next((frame) => frame.type === "message.created" && frame.messageId === copy.body.messageId);
    await stream.next("message.complete");
    stream.close();
    const texts = (await messagesOf(server, copy.body.id)).filter((m) => m.content).map((m) => [m.role, m.content]);
    assert.deepEqual(texts, [["user", "hello"], ["assistant", "Hello, world"], ["user", "both"], ["assistant", "That makes 42."]]);
    const [attachment] = (await messagesOf(server, copy.body.id))[0].attachments;
    assert.ok((await download(server, copy.body.id, attachment.fileId)).bytes.equals(Buffer.from("one")));
    assert.deepEqual(await messagesOf(server, session), before);
    const whole = await post(server, `/api/v1/sessions/${session}/fork`);
    assert.deepEqual((await messagesOf(server, whole.body.id)).map((m) => m.content), before.map((m) => m.content));
    assert.equal("messageId" in whole.body, false);
    for (const body of [{ atSeq: -1 }, { atSeq: "1" }, { content: "" }, { content: 5 }])
      assert.equal((await post(server, `/api/v1/sessions/${session}/fork`, body)).status, 400, JSON.stringify(body));
    assert.equal((await post(server, `/api/v1/sessions/${nowhere}/fork`)).status, 404);
    const keyed = () => post(server, `/api/v1/sessions/${session}/fork`, { content: "hello" }, { "idempotency-key": "f1" });
    const [first, again] = [await keyed(), await keyed()];
    assert.deepEqual([again.status, again.body.id, again.body.messageId], [201, first.body.id, first.body.messageId]);
  }));

test("export: the whole session as one document", () =>
  withServer(standard(), async (server) => {
    const session = await newSession(server);
    const { body: file } = await upload(server, session, [["a.txt", "one", "text/plain"]]);
    for (let i = 0; i < 3; ++i) await say(server, session, "long", { attachments: [file.fileId] });
    await say(server, session, "delete note");
    const answer = await get(server, `/api/v1/sessions/${session}/export`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers["content-disposition"], new RegExp(`attachment; filename="session-${session}\\.json"`));
    const bundle = answer.body;
    assert.equal(bundle.session.id, session);
    assert.deepEqual(bundle.messages, await messagesOf(server, session));
    assert.deepEqual(bundle.files.map((f) => f.fileId), [file.fileId]);
    assert.deepEqual(bundle.approvals.map((a) => a.status), ["pending"]);
    assert.equal(bundle.traces.length, 4);
    assert.deepEqual(bundle.queue, []);
    const listed = await get(server, `/api/v1/sessions/${session}/events?limit=100`, { accept: "application/json" });
    assert.equal(bundle.events.length, listed.body.total);
    assert.deepEqual(bundle.events.slice(0, 100), listed.body.items);
    assert.equal((await get(server, `/api/v1/sessions/${nowhere}/export`)).status, 404);
  }));

test("usage: by agent, by session and by user", () =>
  inOneDay(() => withServer(standard(), async (server) => {
    const session = await newSession(server);
    await say(server, session, "clock");
    await post(server, "/api/v1/chat", { projectId: "demo", agentId: "other", message: "hello" });
    const by = async (what, query = "") => (await get(server, `/api/v1/projects/demo/usage/by-${what}${query}`)).body;
    const agents = await by("agent", "?period=day");
    assert.deepEqual(agents.items.map((u) => [u.agentId, u.totalTokens]), [["writer", 59], ["other", 13]]);
    assert.ok(agents.items.every((u) => u.totalCost > 0 && u.totalCost === u.totalCostUsd && u.totalRequests > 0));
    const sessions = await by("session");
    assert.deepEqual([sessions.total, sessions.items[0].sessionId, sessions.items[0].totalRequests], [2, session, 2]);
    const users = await by("user", "?period=week");
    assert.deepEqual(users.items.map((u) => u.totalTokens), [72]);
    assert.equal((await get(server, "/api/v1/projects/demo/usage/by-agent?period=year")).status, 400);
    assert.equal((await get(server, "/api/v1/projects/none/usage/by-agent")).status, 404);
  })));

test("Idempotency-Key: for every way to send a message; another body is 422; it is per route and nobody sees it", () =>
  withServer(standard(), async (server) => {
    const session = await newSession(server);
    const key = { "idempotency-key": "k-1" };
    const path = `/api/v1/sessions/${session}/messages`;
    const first = await post(server, path, { content: "hello" }, key);
    assert.equal(first.status, 202);
    assert.deepEqual((await post(server, path, { content: "hello" }, key)).body.messageId, first.body.messageId);
    const other = await post(server, path, { content: "clock" }, key);
    assert.deepEqual([other.status, other.body.error.code], [422, "IDEMPOTENCY_MISMATCH"]);
    assert.equal((await post(server, `${path}?wait=true`, { content: "clock" }, key)).status, 422);
    const chat = () => post(server, "/api/v1/chat", { projectId: "demo", sessionId: session, message: "clock" }, key);
    assert.deepEqual((await chat()).body, (await chat()).body);
    const users = (await messagesOf(server, session)).filter((m) => m.role === "user");
    assert.deepEqual(users.map((m) => m.content), ["hello", "clock"]);
    assert.ok(users.every((m) => !("clientMessageId" in m)));
    for (const [url, body] of [["/api/chat", { message: "clock" }], ["/api/v1/chat/", { agent_id: "writer", message: "clock" }]]) {
      const send = () => post(server, url, body, key);
      const answers = await Promise.all([send(), send()]);
      assert.deepEqual(answers[0].body, answers[1].body, url);
    }
    assert.equal((await get(server, "/api/v1/sessions")).body.total, 3);
    await server.kill();
    await server.start();
    assert.equal((await post(server, path, { content: "hello" }, key)).body.messageId, first.body.messageId);
  }));

test("nexus: presence, typing and sessions by any of their names", () =>
  withServer(standard(), async (server) => {
    const chat = await SocketClient.open(server, "/ws/chat/my%20room");
    chat.send({ message: "hello" });
    await chat.next("done");
    const client = await styleA(server);
    client.send({ type: "session.resume", sessionId: "my room", afterSeq: 0 }).send({ type: "message.send", content: "clock" });
    const resumed = await client.next("session.resumed");
    await client.next("message.complete");
    await chat.next("done");
    const [conversation] = (await get(server, "/api/conversations")).body.conversations;
    assert.deepEqual([conversation.id, conversation.title], ["my room", "hello"]);
    const short = resumed.sessionId.replaceAll("-", "").slice(0, 24);
    assert.equal((await get(server, "/api/v1/sessions/my%20room")).body.id, resumed.sessionId);
    client.send({ type: "session.resume", sessionId: "no such room" });
    assert.equal((await client.next("error")).code, "NOT_FOUND");
    assert.match(short, /^[0-9a-f]{24}$/);
  }));

test("conversation: ?afterSeq= brings what was missed", () =>
  withServer(standard(), async (server) => {
    const one = await SocketClient.open(server, "/ws/chat/c1");
    one.send({ message: "hello" });
    await one.next("done");
    const two = await SocketClient.open(server, "/ws/chat/c1?afterSeq=1");
    await two.next("done");
    assert.deepEqual(two.frames, one.frames);
  }));

// ---- with credentials ----

const secret = "the-secret-of-the-rest-tests-in-32-bytes-or-more";
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function tokenOf(sub) {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub, username: sub.toUpperCase(), exp })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
const as = (sub) => ({ authorization: `Bearer ${tokenOf(sub)}` });
const withGuarded = (body) => withServer(standard({ auth: { mode: "required" } }), body, { env: { JWT_SECRET: secret } });

test("participants: they may come in, and are gone when they are put out", () =>
  withGuarded(async (server) => {
    const { id } = (await post(server, "/api/v1/projects/demo/sessions", {}, as("ana"))).body;
    const path = `/api/v1/sessions/${id}`;
    assert.equal((await get(server, path, as("eva"))).status, 404);
    assert.deepEqual((await put(server, `${path}/participants`, { users: ["eva"] }, as("ana"))).body, { owner: "ana", users: ["eva"] });
    assert.deepEqual((await get(server, `${path}/participants`, as("eva"))).body, { owner: "ana", users: ["eva"] });
    assert.equal((await put(server, `${path}/participants`, { users: ["eva", "tom"] }, as("eva"))).status, 403);
    assert.equal((await put(server, `${path}/participants`, { users: "eva" }, as("ana"))).status, 400);
    const { messageId } = (await post(server, `${path}/messages?wait=true`, { content: "hello" }, as("eva"))).body;
    const eva = await styleA(server, { token: tokenOf("eva"), sessionId: id });
    await eva.next("session.resumed");
    const ana = await styleA(server, { token: tokenOf("ana"), sessionId: id });
    assert.deepEqual((await eva.next("presence")).users.map((u) => u.userId), ["eva", "ana"]);
    assert.deepEqual((await ana.next("presence")).users.map((u) => u.userId), ["eva", "ana"]);
    await post(server, `${path}/messages/${messageId}/reactions`, { emoji: "👍" }, as("ana"));
    const { username, userId } = await eva.next("message.reaction");
    assert.deepEqual([username, userId], ["ANA", "ana"]);
    const [user] = (await get(server, `${path}/messages`, as("ana"))).body.items;
    assert.deepEqual([user.author, user.authorName], ["eva", "EVA"]);
    await put(server, `${path}/participants`, { users: [] }, as("ana"));
    assert.equal((await eva.next("error")).code, "NOT_FOUND");
    const seen = eva.frames.length;
    await post(server, `${path}/messages?wait=true`, { content: "hello" }, as("ana"));
    await ana.next("message.complete");
    eva.send({ type: "ping" });
    await eva.next("pong");
    assert.deepEqual(eva.frames.slice(seen).map((f) => f.type), ["pong"]);
    for (const [method, rest] of [["GET", "/files"], ["GET", "/export"], ["POST", "/fork"], ["GET", "/participants"], ["GET", "/queue"]])
      assert.equal((await request(server, method, `${path}${rest}`, method === "POST" ? {} : undefined, as("eva"))).status, 404, rest);
  }));

test("nexus: nothing but auth and ping before credentials; bad ones are told, good ones open the rest", () =>
  withGuarded(async (server) => {
    const client = await SocketClient.open(server, "/ws");
    client.send({ type: "ping" });
    await client.next("pong");
    client.send({ type: "message.send", content: "hello" });
    assert.equal((await client.next("error")).code, "AUTH_REQUIRED");
    client.send({ type: "auth" });
    assert.equal((await client.next("error")).code, "AUTH_REQUIRED");
    client.send({ type: "auth", token: "nonsense" });
    assert.equal((await client.next("error")).code, "AUTH_FAILED");
    client.send({ type: "auth", token: tokenOf("ana") });
    await client.next("auth.success");
    client.send({ type: "message.send", content: "hello" });
    assert.equal((await client.next("message.created")).author, "ana");
    await client.next("message.complete");
  }));

test("keys of repeated requests are each principal's own", () =>
  withGuarded(async (server) => {
    const key = { "idempotency-key": "same" };
    const send = (who) => post(server, "/api/v1/chat", { projectId: "demo", message: "hello" }, { ...as(who), ...key });
    const [ana, eva] = [await send("ana"), await send("eva")];
    assert.notEqual(ana.body.sessionId, eva.body.sessionId);
    assert.equal((await send("ana")).body.messageId, ana.body.messageId);
  }));

test("agent-stream: no socket without credentials", () =>
  withGuarded(async (server) => {
    const stranger = await SocketClient.open(server, "/api/v1/ws/chat/writer");
    assert.equal(stranger.refused, 401);
    const ana = await SocketClient.open(server, `/api/v1/ws/chat/writer?token=${tokenOf("ana")}`);
    ana.send("hello");
    await ana.next("done");
    const [session] = (await get(server, "/api/v1/sessions", as("ana"))).body.items;
    assert.equal(session.owner, "ana");
    const eva = await SocketClient.open(server, `/api/v1/ws/chat/writer?session=${session.id}&token=${tokenOf("eva")}`);
    assert.equal((await eva.closing()).code, 1000);
    assert.deepEqual(eva.types(), ["error"]);
  }));

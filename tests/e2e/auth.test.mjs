// Credentials and access (PROTOCOLS, head): who comes in, in which error shape others stay out, and that nobody sees or
// changes what is somebody else's. Tokens are made here, by other code than the server's.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EventStream, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";
import { inOneDay } from "./support/waiting.mjs";

const secret = "the-secret-of-the-auth-tests-in-32-bytes-or-more";
const hash = "$y$j9T$saltsaltsalt$nNDsycEBP37XRiK/Qx62iZ4Jbzj3gHJ2kMaWwdseEp/"; // of "correct horse"

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(claims, { header = { alg: "HS256", typ: "JWT" }, key = secret } = {}) {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const tokenOf = (sub, more = {}) => token({ sub, username: sub, exp: inAnHour(), ...more });
const bearer = (text) => ({ authorization: `Bearer ${text}` });

function guarded(changes = {}) {
  return standard({
    auth: {
      mode: "required",
      api_keys: [
        { name: "reader", key_env: "READER_KEY", scopes: ["read"] },
        { name: "decider", sha256: createHash("sha256").update("decider-key").digest("hex"), scopes: ["read", "approve"] },
        { name: "ops", key_env: "OPS_KEY", scopes: ["admin"] },
      ],
      users: [
        { id: "7", username: "ana", password_hash: hash, codigo: "A-17", roles: ["teacher"] },
        { id: "8", username: "root", password_hash: hash, roles: ["admin"] },
      ],
      ...changes,
    },
  });
}
const environment = { env: { JWT_SECRET: secret, READER_KEY: "reader-key", OPS_KEY: "ops-key" } };
const withGuarded = (body, configuration = guarded()) => withServer(configuration, body, environment);

/** Requests under one user's name. */
function as(server, text) {
  const call = (method) => (path, body, headers = {}) => request(server, method, path, body, { ...bearer(text), ...headers });
  return { get: (path, headers) => call("GET")(path, undefined, headers), post: (path, body = {}, headers) => call("POST")(path, body, headers),
    put: call("PUT"), patch: call("PATCH"), delete: call("DELETE") };
}

const code = (answer) => [answer.status, answer.body?.error?.code];

// The shapes of PROTOCOLS §1.6, §2, §4 and §5.
const shapes = {
  nexus: (body, name) => assert.deepEqual(body, { error: { code: name, message: body.message }, message: body.message }),
  detail: (body) => assert.deepEqual(Object.keys(body), ["detail"]),
  statuscode: (body) => assert.deepEqual(body, { statusCode: 401, message: body.message, error: "Unauthorized" }),
};
const id = "0190a1b2-0000-7000-8000-000000000001";
const paths = {
  nexus: [
    ["GET", "/api/v1/projects"], ["GET", "/api/v1/projects/demo"], ["GET", "/api/v1/projects/demo/agents"],
    ["GET", "/api/v1/projects/demo/agents/writer"], ["POST", "/api/v1/projects/demo/agents/writer/chat"], ["POST", "/api/v1/chat"],
    ["GET", "/api/v1/projects/demo/sessions"], ["POST", "/api/v1/projects/demo/sessions"], ["GET", "/api/v1/projects/demo/traces"],
    ["GET", "/api/v1/projects/demo/usage"], ["GET", "/api/v1/sessions"], ["GET", `/api/v1/sessions/${id}`],
    ["DELETE", `/api/v1/sessions/${id}`], ["PATCH", `/api/v1/sessions/${id}/status`], ["GET", `/api/v1/sessions/${id}/messages`],
    ["POST", `/api/v1/sessions/${id}/messages`], ["GET", `/api/v1/sessions/${id}/events`], ["POST", `/api/v1/sessions/${id}/cancel`],
    ["GET", `/api/v1/sessions/${id}/queue`], ["DELETE", `/api/v1/sessions/${id}/queue/${id}`], ["GET", `/api/v1/sessions/${id}/traces`],
    ["GET", "/api/v1/approvals"], ["POST", "/api/v1/approvals/decide"], ["GET", `/api/v1/approvals/${id}`],
    ["POST", `/api/v1/approvals/${id}/approve`], ["POST", `/api/v1/approvals/${id}/deny`], ["POST", `/api/v1/approvals/${id}/decide`],
    ["GET", `/api/v1/traces/${id}`], ["GET", "/api/v1/stats"], ["GET", "/api/v1/tools"],
  ],
  detail: [
    ["POST", "/api/chat"], ["GET", "/api/chat/x/history"], ["GET", "/api/conversations"], ["GET", "/api/conversations/x"],
    ["DELETE", "/api/conversations/x"], ["GET", "/api/tools"], ["GET", "/api/tools/clock"], ["GET", "/api/config"], ["PUT", "/api/config"],
    ["GET", "/api/config/ollama-models"], ["GET", "/api/v1/agents/"], ["POST", "/api/v1/chat/"],
  ],
  statuscode: [
    ["GET", "/auth/profile"], ["GET", "/auth/me"], ["GET", "/api/v1/auth/profile"], ["GET", "/api/v1/chats"], ["POST", "/api/v1/chats"],
    ["GET", "/chat/conversations"], ["POST", "/chat/messages"],
  ],
};

test("REST without credentials, or with wrong ones: 401 in the shape of the path's dialect", () =>
  withGuarded(async (server) => {
    for (const [shape, list] of Object.entries(paths))
      for (const [method, path] of list) {
        const body = method === "GET" || method === "DELETE" ? undefined : {};
        const nothing = await request(server, method, path, body);
        assert.equal(nothing.status, 401, `${method} ${path}: ${nothing.text}`);
        assert.equal(nothing.headers["www-authenticate"], "Bearer");
        shapes[shape](nothing.body, "AUTH_REQUIRED");
        const wrong = await request(server, method, path, body, bearer("wrong"));
        assert.equal(wrong.status, 401, `${method} ${path}: ${wrong.text}`);
        assert.match(wrong.headers["www-authenticate"], /^Bearer error="invalid_token"/);
        shapes[shape](wrong.body, "AUTH_FAILED");
      }
  }));

test("REST that is open to everybody: health, the page, log-ins, and to this machine the metrics", () =>
  withGuarded(async (server) => {
    for (const path of ["/", "/health", "/healthz", "/readyz", "/metrics", "/api/v1/health"])
      for (const headers of [{}, bearer("wrong")]) assert.equal((await request(server, "GET", path, undefined, headers)).status, 200, path);
    assert.equal((await request(server, "OPTIONS", "/api/v1/sessions")).status, 204);
    assert.equal((await request(server, "GET", "/api/v1/nowhere")).status, 404);
  }));

test("tokens: what is not right is refused, over REST and at the upgrade", () =>
  withGuarded(async (server) => {
    const good = tokenOf("u");
    const [head, claims, signature] = good.split(".");
    const refused = {
      none: `${encode({ alg: "none" })}.${claims}.`,
      "none, signed": token({ sub: "u" }, { header: { alg: "none" } }),
      "another algorithm": token({ sub: "u" }, { header: { alg: "RS256" } }),
      "another secret": token({ sub: "u" }, { key: "guess" }),
      tampered: `${head}.${encode({ sub: "admin", exp: inAnHour() })}.${signature}`,
      expired: tokenOf("u", { exp: Math.floor(Date.now() / 1000) - 1 }),
      "not yet valid": tokenOf("u", { nbf: inAnHour() }),
      "without a subject": token({ username: "u" }),
    };
    for (const [what, text] of Object.entries(refused)) {
      assert.deepEqual(code(await as(server, text).get("/api/v1/sessions")), [401, "AUTH_FAILED"], what);
      assert.equal((await SocketClient.open(server, `/ws/chat/x?token=${text}`)).refused, 401, what);
    }
    for (const headers of [bearer(good), { authorization: good }, { authorization: `bearer ${good}` }])
      assert.equal((await request(server, "GET", "/api/v1/sessions", undefined, headers)).status, 200);
    assert.equal((await request(server, "GET", `/api/v1/sessions?token=${good}`)).status, 200);
    assert.equal((await as(server, tokenOf(42)).get("/auth/me")).body.id, "42");
  }));

test("WebSockets: 401 at the upgrade of conversation and agent-stream, in the auth frame of nexus", () =>
  withGuarded(async (server) => {
    for (const path of ["/ws/chat/mine", "/api/v1/ws/chat/writer"]) {
      assert.equal((await SocketClient.open(server, path)).refused, 401, path);
      assert.equal((await SocketClient.open(server, path, { headers: bearer("wrong") })).refused, 401, path);
      assert.equal((await SocketClient.open(server, path, { headers: bearer(tokenOf("u")) })).refused, undefined, path);
      assert.equal((await SocketClient.open(server, `${path}?token=${tokenOf("u")}`)).refused, undefined, path);
    }
    const early = await SocketClient.open(server, "/ws");
    early.send({ type: "message.send", content: "hello" });
    assert.equal((await early.next("error")).code, "AUTH_REQUIRED");
    early.send({ type: "auth", apiKey: "wrong" });
    assert.equal((await early.next("error")).code, "AUTH_FAILED");
    early.send({ type: "auth", token: tokenOf("u"), projectId: "demo" });
    await early.next("auth.success");
    early.send({ type: "message.send", content: "hello" });
    await early.next("message.complete");
  }));

/** What one user has: an answered session, one that waits for an approval, and a conversation. */
async function belongings(user) {
  const chat = (await user.post("/api/v1/chat", { projectId: "demo", message: "clock" })).body;
  const parked = (await user.post("/api/v1/chat", { projectId: "demo", message: "delete note" })).body;
  assert.equal(parked.status, "pending", JSON.stringify(parked));
  assert.equal((await user.post("/api/chat", { message: "hello", conversation_id: "mine" })).status, 200);
  return { session: chat.sessionId, trace: chat.traceId, parked: parked.sessionId, approval: parked.approvalId };
}

test("another user's sessions, approvals, traces and events are not there: 404 on every path, and in no list", () =>
  inOneDay(() => withGuarded(async (server) => {
    const ana = as(server, tokenOf("ana"));
    const bob = as(server, tokenOf("bob"));
    const its = await belongings(ana);
    const short = its.session.replaceAll("-", "").slice(0, 24);
    for (const name of [its.session, its.parked, short, "mine"]) {
      const at = `/api/v1/sessions/${name}`;
      for (const [method, path, body] of [
        ["get", at], ["get", `${at}/messages`], ["get", `${at}/events`], ["get", `${at}/queue`], ["get", `${at}/traces`],
        ["post", `${at}/messages`, { content: "hello" }], ["post", `${at}/messages?wait=true`, { content: "hello" }],
        ["post", `${at}/cancel`], ["patch", `${at}/status`, { status: "closed" }], ["delete", at],
        ["delete", `${at}/queue/${id}`],
        ["post", "/api/v1/chat", { projectId: "demo", message: "hello", sessionId: name }],
        ["post", "/api/v1/projects/demo/agents/writer/chat", { message: "hello", sessionId: name }],
      ])
        assert.deepEqual(code(await bob[method](path, body)), [404, "NOT_FOUND"], `${method} ${path}`);
      const stream = await EventStream.open(server, "GET", `${at}/events`, undefined, bearer(tokenOf("bob")));
      assert.equal(stream.status, 404);
      const run = await EventStream.open(server, "POST", `${at}/messages`, { content: "hello" }, bearer(tokenOf("bob")));
      assert.equal(run.status, 404);
    }
    const card = `/api/v1/approvals/${its.approval}`;
    for (const [method, path, body] of [
      ["get", card], ["post", `${card}/approve`], ["post", `${card}/deny`], ["post", `${card}/decide`, { approved: true }],
      ["get", `/api/v1/traces/${its.trace}`],
    ])
      assert.deepEqual(code(await bob[method](path, body)), [404, "NOT_FOUND"], `${method} ${path}`);
    const many = await bob.post("/api/v1/approvals/decide", { ids: [its.approval], approved: true });
    assert.deepEqual([many.status, many.body.items[0].error.code], [200, "NOT_FOUND"]);
    for (const path of ["/api/chat/mine/history", "/api/conversations/mine"]) assert.equal((await bob.get(path)).status, 404, path);
    assert.equal((await bob.delete("/api/conversations/mine")).status, 404);
    assert.equal((await bob.post("/api/chat", { message: "hello", conversation_id: "mine" })).status, 404);

    for (const list of ["/api/v1/sessions", "/api/v1/sessions?q=clock", "/api/v1/projects/demo/sessions", "/api/v1/approvals",
      `/api/v1/approvals?sessionId=${its.parked}`, "/api/v1/projects/demo/traces"]) {
      const { status, body } = await bob.get(list);
      assert.deepEqual([status, body?.total, body?.items], [200, 0, []], list);
    }
    assert.deepEqual((await bob.get("/api/conversations")).body, { conversations: [], total: 0 });
    const { body: stats } = await bob.get("/api/v1/stats");
    assert.deepEqual([stats.activeSessions, stats.pendingApprovals, stats.costToday, stats.costMonth], [0, 0, 0, 0]);

    // Nothing of all that has changed anything, and to its owner it is all there, by every name.
    assert.equal((await ana.get("/api/v1/sessions")).body.total, 3);
    assert.equal((await ana.get(card)).body.status, "pending");
    assert.equal((await ana.get("/api/v1/projects/demo/traces")).body.total, 3);
    assert.equal((await ana.get("/api/v1/approvals")).body.total, 1);
    assert.equal((await ana.get(`/api/v1/traces/${its.trace}`)).status, 200);
    for (const name of [its.session, short]) assert.equal((await ana.get(`/api/v1/sessions/${name}`)).body.id, its.session);
    assert.equal((await ana.get("/api/v1/sessions/mine/messages")).body.total, 2);
    assert.equal((await ana.get("/api/chat/mine/history")).body.total, 2);
    const own = (await ana.get("/api/v1/stats")).body;
    assert.deepEqual([own.activeSessions, own.pendingApprovals], [3, 1]);
    assert.ok(own.costToday > 0 && own.costMonth >= own.costToday, JSON.stringify(own));
    const approved = await ana.post(`${card}/approve`);
    assert.deepEqual([approved.status, approved.body.status, approved.body.decidedBy], [200, "approved", "ana"]);
  })));

test("another user's live session: its sockets refuse, its events go to its owner only", () =>
  withGuarded(async (server) => {
    const owner = await SocketClient.open(server, "/ws");
    owner.send({ type: "auth", token: tokenOf("ana"), projectId: "demo" });
    await owner.next("auth.success");
    owner.send({ type: "message.send", content: "hello" });
    const { sessionId } = await owner.next("session.created");
    await owner.next("message.complete");
    const other = await SocketClient.open(server, "/ws");
    other.send({ type: "auth", token: tokenOf("bob"), projectId: "demo" });
    await other.next("auth.success");
    other.send({ type: "session.resume", sessionId, afterSeq: 0 });
    assert.equal((await other.next("error")).code, "NOT_FOUND");
    other.send({ type: "message.send", content: "clock" });
    await other.next("message.complete");
    assert.equal(other.all((frame) => JSON.stringify(frame).includes(sessionId) && frame.type !== "error").length, 0, other.describe());
    const late = await SocketClient.open(server, "/ws/chat/" + sessionId, { headers: bearer(tokenOf("bob")) });
    late.send({ message: "hello" });
    assert.ok(await late.next((frame) => "error" in frame));
    assert.equal((await as(server, tokenOf("ana")).get(`/api/v1/sessions/${sessionId}/messages`)).body.total, 2);
  }));

test("an admin sees and may do everything", () =>
  withGuarded(async (server) => {
    const its = await belongings(as(server, tokenOf("ana")));
    for (const admin of [as(server, tokenOf("chief", { roles: ["admin"] })), as(server, "ops-key")]) {
      assert.equal((await admin.get("/api/v1/sessions")).body.total, 3);
      assert.equal((await admin.get("/api/v1/approvals?status=pending")).body.total, 1);
      assert.equal((await admin.get("/api/v1/projects/demo/traces")).body.total, 3);
      assert.equal((await admin.get(`/api/v1/sessions/${its.session}/messages`)).status, 200);
      assert.equal((await admin.get(`/api/v1/traces/${its.trace}`)).status, 200);
      assert.ok((await admin.get("/api/v1/projects/demo/usage")).body.totalCost > 0);
      assert.equal((await admin.get("/api/conversations")).body.total, 1);
    }
    const decided = await as(server, "ops-key").post(`/api/v1/approvals/${its.approval}/deny`);
    assert.deepEqual([decided.body.status, decided.body.decidedBy], ["denied", "ops"]);
  }));

test("scopes: what credentials do not allow is 403, with the name of what is missing", () =>
  withGuarded(async (server) => {
    const user = as(server, tokenOf("u"));
    const its = await belongings(user);
    const reader = as(server, "reader-key");
    assert.equal((await reader.get("/api/v1/sessions")).body.total, 0);
    for (const [method, path, body] of [["post", "/api/v1/chat", { projectId: "demo", message: "hello" }], ["post", "/api/v1/projects/demo/sessions"],
      ["delete", `/api/v1/sessions/${its.session}`], ["post", `/api/v1/approvals/${its.approval}/approve`], ["post", "/api/v1/approvals/decide"]])
      assert.deepEqual(code(await reader[method](path, body)), [403, "FORBIDDEN"], path);
    assert.match((await reader.post("/api/v1/chat", {})).body.message, /chat/);
    assert.match((await reader.post("/api/chat", { message: "hello" })).body.detail, /chat/);
    const decider = as(server, "decider-key");
    assert.deepEqual(code(await decider.post(`/api/v1/approvals/${its.approval}/approve`)), [404, "NOT_FOUND"]);
    assert.deepEqual(code(await decider.post("/api/v1/chat", { projectId: "demo", message: "hello" })), [403, "FORBIDDEN"]);
    for (const path of ["usage", "usage?period=day"]) assert.deepEqual(code(await user.get(`/api/v1/projects/demo/${path}`)), [403, "FORBIDDEN"]);
    assert.equal((await user.put("/api/config", {})).status, 403);
    const limited = as(server, tokenOf("u", { permissions: ["chat"], roles: ["admin"] }));
    assert.deepEqual(code(await limited.get("/api/v1/sessions")), [403, "FORBIDDEN"]);
    assert.equal((await limited.post("/api/v1/chat", { projectId: "demo", message: "hello" })).status, 200);
    assert.equal((await limited.get("/auth/me")).status, 200);
    assert.deepEqual((await as(server, tokenOf("u", { permissions: ["fly"] })).post("/chat/messages", {})).body, {
      statusCode: 403, message: "These credentials do not allow this; it needs the scope chat.", error: "Forbidden" });
  }));

test("log-in with a password: a token that works, 401 for everything else", () =>
  withGuarded(async (server) => {
    const login = (body) => request(server, "POST", "/auth/login", body);
    const { status, body } = await login({ username: "ana", password: "correct horse" });
    assert.deepEqual([status, body.user], [201, { id: "7", username: "ana", roles: ["teacher"] }]);
    const ana = as(server, body.access_token);
    for (const path of ["/auth/profile", "/auth/me"]) assert.deepEqual((await ana.get(path)).body, body.user);
    const { sessionId } = (await ana.post("/api/v1/chat", { projectId: "demo", message: "hello" })).body;
    assert.equal((await as(server, tokenOf("7")).get(`/api/v1/sessions/${sessionId}`)).status, 200, "the user is the subject");
    assert.equal((await as(server, (await login({ username: "root", password: "correct horse" })).body.access_token)
      .get("/api/v1/sessions")).body.total, 1);
    for (const wrong of [{ username: "ana", password: "wrong" }, { username: "nobody", password: "correct horse" },
      { username: "ana", password: "correct horse\u0000" }]) {
      const refused = await login(wrong);
      assert.deepEqual([refused.status, refused.body], [401, { statusCode: 401, message: "Invalid credentials", error: "Unauthorized" }]);
    }
    for (const bad of [{}, { username: "ana" }, { username: 1, password: "x" }, { username: "", password: "x" }, { username: "ana", password: ["x"] }]) {
      const refused = await login(bad);
      assert.deepEqual([refused.status, refused.body.statusCode, refused.body.error], [400, 400, "Bad Request"], JSON.stringify(bad));
    }
    // Whoever tries many passwords at once keeps nobody else waiting.
    const tries = Array.from({ length: 40 }, () => login({ username: "ana", password: "wrong" }));
    assert.equal((await request(server, "GET", "/healthz")).status, 200);
    for (const refused of await Promise.all(tries)) assert.ok([401, 429].includes(refused.status), refused.text);
  }));

test("log-in with a code: as chat-events clients do it", () =>
  withGuarded(async (server) => {
    const login = (body) => request(server, "POST", "/api/v1/auth/login", body);
    const { status, body } = await login({ codigo: "A-17" });
    assert.deepEqual([status, body.user], [200, { id: "7", nombre: "ana", rol: "teacher", codigo: "A-17" }]);
    assert.deepEqual((await as(server, body.accessToken).get("/api/v1/auth/profile")).body, body.user);
    assert.deepEqual((await login({ codigo: "A-1" })).body, { statusCode: 401, message: "Invalid credentials", error: "Unauthorized" });
    assert.equal((await login({ codigo: "A-17", admin: true })).status, 400);
    assert.equal((await login({})).status, 400);
    const foreign = await as(server, tokenOf("x", { username: "Xavier" })).get("/api/v1/auth/profile");
    assert.deepEqual(foreign.body, { id: "x", nombre: "Xavier", rol: "user", codigo: "" });
  }));

test("without auth: no credentials, wrong ones and log-ins under any name are all the one owner of everything", () =>
  withServer(standard(), async (server) => {
    const { status, body } = await request(server, "POST", "/auth/login", { username: "Ana", password: "any" });
    assert.deepEqual([status, body.user.username], [201, "Ana"]);
    assert.equal((await as(server, body.access_token).get("/auth/me")).body.username, "Ana");
    const byCode = (await request(server, "POST", "/api/v1/auth/login", { codigo: 1234 })).body;
    assert.deepEqual([byCode.user.id, byCode.user.nombre, byCode.user.codigo], ["1234", "1234", "1234"]);
    assert.deepEqual((await as(server, byCode.accessToken).get("/api/v1/auth/profile")).body, byCode.user);
    const made = await as(server, body.access_token).post("/api/v1/projects/demo/sessions");
    for (const headers of [{}, bearer("wrong"), bearer(byCode.accessToken), { authorization: "Basic eDp5" }]) {
      const list = await request(server, "GET", "/api/v1/sessions", undefined, headers);
      assert.deepEqual([list.status, list.body.items[0].id], [200, made.body.id]);
    }
  }));

test("start-up: a public address is fine with auth; auth that could let nobody in is refused", async () => {
  const folder = temporaryFolder();
  try {
    const check = (configuration, env, ...args) => {
      writeFileSync(join(folder, "c.json"), JSON.stringify(configuration));
      return run(["serve", "--config", join(folder, "c.json"), "--check-config", ...args], { env });
    };
    const good = await check(guarded(), environment.env, "--listen", "0.0.0.0:0");
    assert.deepEqual([good.status, good.stdout], [0, "configuration is valid\n"], good.stderr);
    const open = await check(standard(), {}, "--listen", "0.0.0.0:0");
    assert.deepEqual([open.status, /auth\.mode/.test(open.stderr)], [1, true], open.stderr);
    const nobody = await check(standard({ auth: { mode: "required" } }), { JWT_SECRET: "" });
    assert.deepEqual([nobody.status, /\/auth: nobody could come in.*JWT_SECRET/.test(nobody.stderr)], [1, true], nobody.stderr);
    const keyless = await check(guarded(), { ...environment.env, OPS_KEY: "" });
    assert.deepEqual([keyless.status, /api_keys\/2\/key_env.*OPS_KEY/.test(keyless.stderr)], [1, true], keyless.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("secrets, keys and tokens are in no log", async () => {
  let log;
  await withServer({ ...guarded(), log_level: "trace" }, async (server) => {
    const text = tokenOf("u");
    await as(server, text).post("/api/v1/chat", { projectId: "demo", message: "hello" });
    await as(server, "reader-key").get("/api/v1/sessions");
    await request(server, "GET", `/api/v1/sessions?token=${text}x`);
    await request(server, "POST", "/auth/login", { username: "ana", password: "correct horse" });
    log = () => server.log;
    for (const part of [text, text.split(".")[2], "reader-key", "correct horse", secret]) assert.ok(!server.log.includes(part), part);
  }, environment);
  assert.ok(!log().includes(secret));
});

// What is refused over HTTP (PROTOCOLS §1.6, §2, §7): paths, methods, bodies, foreign origins and hosts.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { get, post, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { Inbox } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";

const nobody = "00000000-0000-4000-8000-000000000000";

function assertNexusError(answer, status, code, what) {
  assert.deepEqual([answer.status, answer.body?.error?.code], [status, code], `${what}: ${answer.text}`);
  assert.ok(answer.body.message.length > 0 && answer.body.message === answer.body.error.message, what);
  assert.equal("success" in answer.body, false);
}

function assertDetail(answer, status, what) {
  assert.deepEqual([answer.status, Object.keys(answer.body ?? {})], [status, ["detail"]], `${what}: ${answer.text}`);
  assert.ok(answer.body.detail.length > 0);
}

test("404: unknown paths and unknown things, in the shape of their dialect", () =>
  withServer(standard(), async (server) => {
    const unknown = [
      "/api/v1/nothing", "/nothing", `/api/v1/sessions/${nobody}`, "/api/v1/sessions/x", `/api/v1/sessions/${nobody}/messages`,
      `/api/v1/sessions/${nobody}/queue`, `/api/v1/sessions/${nobody}/traces`, `/api/v1/approvals/${nobody}`, "/api/v1/approvals/x",
      "/api/v1/projects/x", "/api/v1/projects/demo/agents/x", "/api/v1/projects/x/sessions", `/api/v1/traces/${nobody}`, "/api/v1/traces/x",
    ];
    for (const path of unknown) assertNexusError(await get(server, path), 404, "NOT_FOUND", path);
    const posts = [
      ["/api/v1/chat", { projectId: "x", message: "m" }], ["/api/v1/chat", { projectId: "demo", agentId: "x", message: "m" }],
      ["/api/v1/chat", { projectId: "demo", message: "m", sessionId: nobody }], ["/api/v1/chat", { projectId: "demo", message: "m", sessionId: "x" }],
      ["/api/v1/projects/demo/agents/x/chat", { message: "m" }], [`/api/v1/sessions/${nobody}/messages`, { content: "m" }],
      [`/api/v1/sessions/${nobody}/cancel`, {}], [`/api/v1/approvals/${nobody}/approve`, {}], [`/api/v1/approvals/x/deny`, {}],
    ];
    for (const [path, body] of posts) assertNexusError(await post(server, path, body), 404, "NOT_FOUND", `${path} ${JSON.stringify(body)}`);
    for (const path of ["/api/nothing", "/api/tools/telescope", "/api/conversations/x"]) assertDetail(await get(server, path), 404, path);
  }));

test("405: names what is allowed", () =>
  withServer(standard(), async (server) => {
    const answer = await request(server, "PUT", "/api/v1/sessions");
    assertNexusError(answer, 405, "METHOD_NOT_ALLOWED", "PUT");
    assert.equal(answer.headers.allow, "GET");
    assert.equal((await request(server, "DELETE", "/api/v1/chat")).headers.allow, "POST");
    assertDetail(await get(server, "/api/chat"), 405, "GET /api/chat");
  }));

test("400: names the field, and what it must be", () =>
  withServer(standard(), async (server) => {
    const { sessionId } = (await post(server, "/api/v1/chat", { projectId: "demo", message: "hello" })).body;
    const s = `/api/v1/sessions/${sessionId}`;
    const table = [
      ["POST", "/api/v1/chat", {}, "projectId"], ["POST", "/api/v1/chat", { projectId: "demo" }, "message"],
      ["POST", "/api/v1/chat", { projectId: "demo", message: "" }, "message"], ["POST", "/api/v1/chat", { projectId: "demo", message: 5 }, "message"],
      ["POST", "/api/v1/chat", { projectId: "demo", message: "m", sessionId: 5 }, "sessionId"],
      ["POST", "/api/v1/chat", { projectId: "demo", message: "m", metadata: "x" }, "metadata"],
      ["POST", `${s}/messages`, {}, "content"], ["POST", `${s}/messages`, { content: "m", onBusy: "maybe" }, "onBusy"],
      ["POST", "/api/v1/projects/demo/sessions", { agentId: [] }, "agentId"], ["PATCH", `${s}/status`, { status: "gone" }, "status"],
      ["PATCH", `${s}/status`, {}, "status"], ["POST", "/api/v1/approvals/decide", { approved: true }, "ids"],
      ["POST", "/api/v1/approvals/decide", { ids: [], approved: true }, "ids"], ["POST", "/api/v1/approvals/decide", { ids: [nobody] }, "approved"],
      ["POST", `/api/v1/approvals/${nobody}/decide`, { approved: "yes" }, "approved"],
      ["GET", "/api/v1/sessions?limit=0", undefined, "limit"], ["GET", "/api/v1/sessions?limit=101", undefined, "limit"],
      ["GET", "/api/v1/sessions?offset=-1", undefined, "offset"], ["GET", "/api/v1/approvals?status=odd", undefined, "status"],
      ["GET", "/api/v1/approvals?sessionId=x", undefined, "sessionId"], ["GET", "/api/v1/projects/demo/usage?period=year", undefined, "period"],
    ];
    for (const [method, path, body, field] of table) {
      const answer = await request(server, method, path, body);
      const what = `${method} ${path} ${JSON.stringify(body)}`;
      assertNexusError(answer, 400, "VALIDATION_ERROR", what);
      assert.equal(answer.body.error.details.issues[0].path, field, what);
      assert.ok(answer.body.error.details.issues[0].message.length > 0);
    }
    for (const body of ["{", "[]", "null", '"m"', '{"a":1} x'])
      assertNexusError(await post(server, "/api/v1/chat", body), 400, "VALIDATION_ERROR", body);
    // The path that two dialects share tells them apart by the body.
    assertDetail(await post(server, "/api/v1/chat/", { message: "m" }), 422, "/api/v1/chat/");
    for (const body of ["{", { message: "" }, { message: 3 }, { message: "m", conversation_id: 3 }, { message: "m", conversation_id: "a/b" }])
      assertDetail(await post(server, "/api/chat", body), 422, JSON.stringify(body));
  }));

test("413 and 415: bodies that are too large, or no JSON by their own word", () =>
  withServer(standard(), async (server) => {
    const large = await post(server, "/api/v1/chat", { projectId: "demo", message: "x".repeat(300_000) });
    assertNexusError(large, 413, "PAYLOAD_TOO_LARGE", "large body");
    assertNexusError(await post(server, "/api/v1/chat", "x".repeat(300_000), { "transfer-encoding": "chunked" }), 413, "PAYLOAD_TOO_LARGE", "chunks");
    const fits = await post(server, "/api/v1/chat", { projectId: "demo", message: "x".repeat(200_000) });
    assert.equal(fits.status, 200);
    const form = await post(server, "/api/v1/chat", "a=b", { "content-type": "application/x-www-form-urlencoded" });
    assertNexusError(form, 415, "UNSUPPORTED_MEDIA_TYPE", "form");
    assertDetail(await post(server, "/api/chat", "a=b", { "content-type": "text/plain" }), 415, "text");
  }));

test("a foreign Origin: 403 on REST and at the upgrade; the listed and the own one pass with CORS headers", () =>
  withServer(standard({ cors: { origins: ["https://app.example"] } }), async (server) => {
    const answer = await get(server, "/api/v1/projects", { origin: "https://evil.example" });
    assertNexusError(answer, 403, "FORBIDDEN", "REST");
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    for (const path of ["/ws", "/api/v1/ws", "/ws/chat/x"])
      assert.equal((await SocketClient.open(server, path, { origin: "https://evil.example" })).refused, 403, path);
    for (const origin of ["https://app.example", `http://127.0.0.1:${server.port}`, "http://localhost:3000"]) {
      const passed = await get(server, "/api/v1/projects", { origin });
      assert.deepEqual([passed.status, passed.headers["access-control-allow-origin"]], [200, origin]);
      const socket = await SocketClient.open(server, "/ws/chat/x", { origin });
      await socket.next("connected");
    }
    const asked = { origin: "https://app.example", "access-control-request-method": "POST" };
    const preflight = await request(server, "OPTIONS", "/api/v1/chat", undefined, asked);
    assert.deepEqual([preflight.status, preflight.headers["access-control-allow-origin"]], [204, "https://app.example"]);
    assert.match(preflight.headers["access-control-allow-methods"], /POST/);
    assert.equal((await request(server, "OPTIONS", "/api/v1/chat", undefined, { origin: "https://evil.example" })).status, 403);
    assert.equal((await get(server, "/api/v1/projects", { origin: "null" })).status, 403);
  }));

test("FRONTEND_URL is the default of cors.origins", () =>
  withServer(
    standard(),
    async (server) => {
      assert.equal((await get(server, "/api/v1/projects", { origin: "https://front.example" })).status, 200);
      assert.equal((await get(server, "/api/v1/projects", { origin: "https://back.example" })).status, 403);
    },
    { env: { FRONTEND_URL: "https://front.example" } },
  ));

test("a foreign Host: 403 on REST and at the upgrade (DNS rebinding)", () =>
  withServer(standard(), async (server) => {
    const host = `rebound.example:${server.port}`;
    assertNexusError(await get(server, "/api/v1/projects", { host }), 403, "FORBIDDEN", host);
    assert.equal((await SocketClient.open(server, "/ws", { headers: { host } })).refused, 403);
    for (const own of [`localhost:${server.port}`, `127.0.0.1:${server.port}`, `[::1]:${server.port}`])
      assert.equal((await get(server, "/api/v1/projects", { host: own })).status, 200, own);
  }));

test("bytes that are no HTTP: 400 or a close, and the server goes on", () =>
  withServer(standard(), async (server) => {
    const garbage = ["\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00", "GET / HTTP/9.9\r\n\r\n", `GET /${"x".repeat(20_000)} HTTP/1.1\r\n\r\n`,
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"];
    for (const bytes of garbage) {
      const inbox = new Inbox();
      const socket = connect(server.port, "127.0.0.1");
      socket.on("data", (data) => inbox.put({ type: "data", text: String(data) }));
      socket.on("error", () => {});
      socket.on("close", () => inbox.end("closed"));
      socket.end(bytes, "latin1");
      await inbox.until(() => inbox.ended !== null, `an answer to ${JSON.stringify(bytes.slice(0, 60))}`);
      for (const { text } of inbox.frames) assert.match(text, /^HTTP\/1\.1 (4\d\d|505) /, JSON.stringify(bytes.slice(0, 60)));
    }
    assert.equal((await get(server, "/healthz")).status, 200);
  }));

// GET /api/v1/openapi.json: the document is sound, and the server does what it says: every operation of it is called here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { EventStream, get, post, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { Contract, name } from "./support/contract.mjs";
import { DemoWorld } from "./support/demo_world.mjs";
import { temporaryFolder, withServer } from "./support/server.mjs";

const nobody = "00000000-0000-4000-8000-000000000000";
const document = "/api/v1/openapi.json";
const json = { accept: "application/json" };
const corpus = join(dirname(fileURLToPath(import.meta.url)), "../../scenarios");

/** The demo, for which the examples are made. */
const withDemo = (body) =>
  withServer(null, async (server) => body(server, await Contract.of(server), new DemoWorld(server)), { args: ["--scenarios", corpus] });

/** Spectral's findings; where it cannot run, that is a failure. */
function lint(text) {
  const folder = temporaryFolder();
  const spectral = join(dirname(createRequire(import.meta.url).resolve("@stoplight/spectral-cli/package.json")), "dist/index.js");
  writeFileSync(join(folder, "openapi.json"), text);
  // Not asked for: a person to write to, a second text beside every summary, and that scopes are those of OAuth (OpenAPI 3.1
  // lets every scheme name roles). The test of credentials below looks at every operation.
  const off = ["info-contact", "operation-description", "oas3-operation-security-defined"];
  // One operation is there to be refused.
  const refused = { files: ["openapi.json#/paths/~1api~1config/put"], rules: { "operation-success-response": "off" } };
  const rules = { extends: ["spectral:oas"], rules: Object.fromEntries(off.map((rule) => [rule, "off"])), overrides: [refused] };
  writeFileSync(join(folder, "rules.json"), JSON.stringify(rules));
  const args = ["lint", "openapi.json", "--ruleset", "rules.json", "--format", "json", "--fail-severity", "hint", "--quiet"];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [spectral, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (bytes) => (said += bytes));
    child.stderr.on("data", (bytes) => (said += bytes));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, said }));
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
}

test("the linter finds nothing in the document, and would find a fault", () =>
  withServer(null, async (server) => {
    const { text, body } = await get(server, document);
    const found = await lint(text);
    assert.equal(found.status, 0, found.said);
    delete body.paths["/api/v1/stats"].get.responses;
    assert.notEqual((await lint(JSON.stringify(body))).status, 0);
  }));

test("§1.6 GET /openapi.json: to everybody, with a tag that saves sending it again", () =>
  withServer({ ...standard(), auth: { mode: "required" } }, async (server) => {
    const answer = await get(server, document);
    assert.deepEqual([answer.status, answer.headers["content-type"], answer.body.openapi], [200, "application/json", "3.1.0"]);
    assert.ok(answer.text.length < 300_000, `${answer.text.length} bytes`);
    const { etag } = answer.headers;
    assert.match(etag, /^"[0-9a-f]{32}"$/);
    const again = await get(server, document, { "if-none-match": etag });
    assert.deepEqual([again.status, again.text, again.headers.etag], [304, "", etag]);
    assert.equal((await get(server, document, { "if-none-match": '"another"' })).status, 200);
    const head = await request(server, "HEAD", document);
    assert.deepEqual([head.status, head.text, head.headers.etag], [200, "", etag]);
    assert.equal((await get(server, "/readyz")).body.version ?? answer.body.info.version, (await get(server, "/healthz")).body.version);
  }, { env: { JWT_SECRET: "the-secret-of-the-contract-tests-in-32-bytes-or-more" } }));

// Lists that are empty by what they are.
const emptyLists = ["GET /chat/mcp/servers", "GET /api/config/ollama-models"];

/** The rows of a list, under the names that the dialects have for them; null for what is no list. */
function rowsOf(body) {
  if (Array.isArray(body)) return body;
  return ["items", "conversations", "tools", "messages", "models"].map((key) => body?.[key]).find(Array.isArray) ?? null;
}

test("every GET answers as its schema says, after conversations, and with every parameter", () =>
  withDemo(async (server, contract, world) => {
    await world.build();
    for (const operation of contract.operations().filter(({ method }) => method === "GET")) {
      if (operation.path === "/assets/{file}" && !("assets/{file}" in world.values)) continue;
      const path = DemoWorld.path(operation.path, world.values);
      assert.ok(path, `${name(operation)}: tests/e2e/support/demo_world.mjs has no value for its path`);
      const ask = async (query, headers, at = path) => {
        const answer = await get(server, at + query, { ...json, ...headers });
        assert.equal(answer.status, 200, `${at}${query}: ${answer.text}`);
        contract.checkAnswer(operation, answer, query);
        return answer.body;
      };
      let rows = rowsOf(await ask("", {}));
      if (path.includes(world.values["sessions/{id}"]) && !/file|message|tool-call|scenario/.test(operation.path.split("/{id}")[1])) {
        const parked = rowsOf(await ask("", {}, path.replace(world.values["sessions/{id}"], world.parkedSession)));
        rows &&= [...rows, ...parked];
      }
      // Children are the other session's, a queue this one's.
      if (rows && !emptyLists.includes(name(operation))) assert.ok(rows.length > 0, `${name(operation)}: nothing to compare with its schema`);
      for (const parameter of contract.parametersOf(operation)) {
        if (parameter.in === "path" || parameter.example === undefined) continue;
        if (parameter.in === "header") await ask("", { [parameter.name]: String(parameter.example) });
        else await ask(`?${parameter.name}=${encodeURIComponent(parameter.example)}`, {});
      }
    }
    const page = await get(server, "/", { accept: "text/html" });
    contract.checkAnswer(contract.operations().find(({ path }) => path === "/"), page);
  }));

// What the paths of the other methods need, made anew for each: one call would spoil another's.
const fixtures = [
  [/^\/api\/v1\/approvals\/\{id\}/, async (world) => ({ "approvals/{id}": (await world.parked()).approvalId })],
  [/^\/api\/v1\/approvals\/remembered/, async (world) => ({ "remembered/{id}": await world.remembered() })],
  [/\/queue\/|\/cancel$/, async (world) => {
    const { session, messageId } = await world.parked();
    return { "sessions/{id}": session, "queue/{messageId}": messageId };
  }],
  [/\/feedback$/, async (world) => {
    const { session, answerId } = await world.exchange();
    return { "sessions/{id}": session, "messages/{messageId}": answerId };
  }],
  [/\/reactions$|\/fork$/, async (world) => {
    const { session, messageId } = await world.exchange();
    return { "sessions/{id}": session, "messages/{messageId}": messageId };
  }],
  [/^\/api\/v1\/scenarios/, async (world) => ({ "runs/{id}": await world.scenarioRun() })],
  [/\/sessions\/\{id\}/, async (world) => ({ "sessions/{id}": await world.session() })],
  [/\/chats\/\{id\}/, async (world) => ({ "chats/{id}": await world.eventsChat() })],
  [/^\/chat\/conversations\/\{id\}/, async (world) => ({ "conversations/{id}": (await post(world.server, "/chat/conversations")).body.id })],
  [/^\/api\/conversations\/\{id\}/, async () => ({ "conversations/{id}": "conv_x" })],
  [/\/agents\/\{a\}$/, async (world) => ({ "agents/{a}": await world.agent() })],
  [/./, async () => ({})],
];

test("every example is a body as its schema says, is taken, and answered as described", () =>
  withDemo(async (server, contract, world) => {
    for (const operation of contract.operations().filter(({ method }) => method !== "GET")) {
      const { requestBody, responses } = operation.is;
      const examples = Object.values(requestBody?.content["application/json"]?.examples ?? {}).map(({ value }) => value);
      if (requestBody && !("multipart/form-data" in requestBody.content)) assert.ok(examples.length > 0, `${name(operation)}: no example`);
      const succeeds = Object.keys(responses).some((status) => status.startsWith("2"));
      for (const body of examples.length > 0 ? examples : [undefined]) {
        const values = await fixtures.find(([pattern]) => pattern.test(operation.path))[1](world);
        const path = DemoWorld.path(operation.path, { "projects/{p}": "demo", "agents/{a}": "guide", ...values });
        assert.ok(path, `${name(operation)}: no value for its path`);
        if (body) contract.checkBody(operation, body);
        const answer = requestBody && !body
          ? await request(server, operation.method, path, "bytes", { "content-type": "text/plain" })
          : await request(server, operation.method, path, body);
        assert.equal(answer.status < 300, succeeds, `${name(operation)} ${JSON.stringify(body)} → ${answer.status} ${answer.text}`);
        contract.checkAnswer(operation, answer, JSON.stringify(body));
      }
    }
  }));

test("files: a form with several is answered as described, too", () =>
  withDemo(async (server, contract, world) => {
    const parts = ["a", "b"].map((text) => `--x\r\nContent-Disposition: form-data; name="file"; filename="${text}.txt"\r\n\r\n${text}\r\n`);
    const path = `/api/v1/sessions/${await world.session()}/files`;
    const answer = await request(server, "POST", path, `${parts.join("")}--x--\r\n`, { "content-type": "multipart/form-data; boundary=x" });
    assert.equal(answer.body.files?.length, 2, answer.text);
    contract.checkAnswer(contract.operations().find((operation) => name(operation) === "POST /api/v1/sessions/{id}/files"), answer);
  }));

// Events of a crash, of two deciders, of a change of agents and of Socket.IO rooms: tests/unit/transport_openapi_test.cpp has them.
const notHere = ["agent.changed", "approval.endorsed", "message.superseded", "presence", "tool.outcome_unknown"];

test("events of every kind are as their schema says, in streams and in lists", () =>
  withDemo(async (server, contract, world) => {
    const types = new Set();
    const take = (frames) => {
      for (const { sse, ...frame } of frames) {
        types.add(frame.type);
        if (sse) assert.equal(sse.event, frame.type);
        contract.checkComponent("Event", frame);
      }
    };
    const { session, approvalId, messageId } = await world.parked();
    const path = `/api/v1/sessions/${session}`;
    const stream = await EventStream.open(server, "GET", `${path}/events?after=0`);
    const member = await SocketClient.open(server, "/ws");
    member.send({ type: "auth", projectId: "demo", sessionId: session }).send({ type: "typing", isTyping: true });
    await stream.next("typing");
    await member.close();

    await request(server, "PATCH", path, { title: "All kinds" });
    await request(server, "PUT", `${path}/participants`, { users: ["ana"] });
    const other = (await post(server, `${path}/messages`, { content: "write a file" })).body.messageId;
    await request(server, "PATCH", `${path}/queue/${messageId}`, { content: "hello" });
    await request(server, "PATCH", `${path}/queue/${other}`, { position: 1 });
    const taken = (await post(server, `${path}/messages`, { content: "thanks" })).body.messageId;
    await request(server, "DELETE", `${path}/queue/${taken}`);
    await post(server, `${path}/messages/${messageId}/reactions`, { emoji: "👍" });
    await post(server, `/api/v1/approvals/${approvalId}/decide`, { approved: true, remember: true });
    await world.say(session, "delete the file"); // remembered: nobody is asked; behind the two that wait
    await request(server, "DELETE", `/api/v1/approvals/remembered/${(await get(server, "/api/v1/approvals/remembered")).body.items[0].id}`);
    await world.say(session, "delete the file"); // asks again
    await post(server, `${path}/cancel`);
    await stream.next("run.cancelled");
    await world.say(session, "ask the scout");
    const answers = (await get(server, `${path}/messages?limit=100`)).body.items.filter((m) => m.role === "assistant");
    await request(server, "PUT", `${path}/messages/${answers.at(-1).id}/feedback`, { rating: "down", note: "too short" });

    const chat = await world.eventsChat();
    await request(server, "DELETE", `/api/v1/chats/${chat}/messages`);
    const refused = await EventStream.open(server, "POST", `${path}/messages`, { content: "x", attachments: [nobody] });
    await refused.until(() => refused.ended !== null, "the end of the refusal");
    await request(server, "DELETE", path);
    await stream.next("session.closed");
    take(stream.frames);
    take(refused.frames);
    const listing = contract.operations().find((operation) => name(operation) === "GET /api/v1/sessions/{id}/events");
    for (const id of [session, chat]) {
      for (let offset = 0; ; offset += 100) {
        const page = await get(server, `/api/v1/sessions/${id}/events?limit=100&offset=${offset}`, json);
        contract.checkAnswer(listing, page, id);
        take(page.body.items);
        if (offset + 100 >= page.body.total) break;
      }
    }
    const missed = Object.keys(contract.document.components.schemas.Event.discriminator.mapping).filter((type) => !types.has(type));
    assert.deepEqual(missed.sort(), notHere);
  }));

test("a person has to decide first: answered as described, by every way to send a message", () =>
  withDemo(async (server, contract, world) => {
    const session = await world.session();
    const { id } = (await post(server, "/api/v1/chats", { userId: "ana" })).body;
    const message = "delete the file";
    const ways = {
      "/api/v1/projects/{p}/agents/{a}/chat": [202, { message }], "/api/v1/chat": [202, { projectId: "demo", message }],
      "/api/v1/sessions/{id}/messages": [202, { content: message }, "?wait=true"], "/api/chat": [200, { message }],
      "/api/v1/chats/{id}/messages": [202, { content: message }], "/chat/messages": [202, { content: message }],
    };
    const values = { "projects/{p}": "demo", "agents/{a}": "guide", "sessions/{id}": session, "chats/{id}": id };
    const check = async (operation, [status, body, query = ""]) => {
      const answer = await post(server, DemoWorld.path(operation.path, values) + query, body);
      assert.equal(answer.status, status, `${name(operation)}: ${answer.text}`);
      assert.ok("approvalId" in answer.body || "approval_required" in answer.body, answer.text);
      contract.checkAnswer(operation, answer);
    };
    const sending = contract.operations().filter(({ method, path }) => method === "POST" && path in ways);
    assert.equal(sending.length, Object.keys(ways).length);
    for (const operation of sending) await check(operation, ways[operation.path]);
    await check(sending.find(({ path }) => path === "/api/v1/chat"), [202, { agent_id: "guide", message }]);
  }));

test("errors have the shape of their dialect: unknown things, bad bodies, other types", () =>
  withDemo(async (server, contract) => {
    const values = { "agents/{a}": "nobody", "projects/{p}": "nobody", "tools/{name}": "telescope", "assets/{file}": "none" };
    for (const operation of contract.operations()) {
      const ids = Object.fromEntries((operation.path.match(/[^/{}]+\/\{\w+\}/g) ?? []).map((place) => [place, values[place] ?? nobody]));
      const path = DemoWorld.path(operation.path, ids);
      const refused = async (answer, statuses, what) => {
        assert.ok(statuses.includes(answer.status), `${name(operation)} ${what}: ${answer.status} ${answer.text}`);
        contract.checkAnswer(operation, answer, what);
      };
      const example = Object.values(operation.is.requestBody?.content["application/json"]?.examples ?? {})[0]?.value;
      const answer = await request(server, operation.method, path, example, json);
      contract.checkAnswer(operation, answer, "of nobody");
      if (!example) continue;
      const send = (text, type) => request(server, operation.method, path, text, { "content-type": type });
      if (operation.path === "/api/config") continue; // refuses whatever comes
      await refused(await send("{", "application/json"), "404" in operation.is.responses ? [400, 422, 404] : [400, 422], "no JSON");
      await refused(await send("{}", "text/csv"), "404" in operation.is.responses ? [415, 404] : [415], "another type");
    }
    // An unknown conversation or chat of somebody is an empty one; everything else is not there.
    const answer = await get(server, `/api/v1/sessions/${nobody}`);
    assert.deepEqual([answer.status, answer.body.error.code], [404, "NOT_FOUND"]);
    for (const query of ["limit=0", "status=gone"]) {
      const wrong = await get(server, `/api/v1/sessions?${query}`);
      assert.equal(wrong.status, 400);
      contract.checkAnswer(contract.operations().find((operation) => name(operation) === "GET /api/v1/sessions"), wrong);
    }
  }));

test("credentials: what the document says an operation needs is what it needs", () => {
  const scopes = ["read", "chat", "approve", "admin"];
  const keys = Object.fromEntries(scopes.flatMap((scope) => [[`only-${scope}`, [scope]], [`not-${scope}`, scopes.filter((other) => other !== scope && other !== "admin")]]));
  const auth = { mode: "required", api_keys: Object.entries(keys).filter(([, has]) => has.length > 0)
    .map(([key, has]) => ({ name: key, key_env: key.replace("-", "_").toUpperCase(), scopes: has })) };
  const env = { JWT_SECRET: "the-secret-of-the-contract-tests-in-32-bytes-or-more", ...Object.fromEntries(Object.keys(keys).map((key) => [key.replace("-", "_").toUpperCase(), key])) };
  return withServer({ ...standard(), auth }, async (server) => {
    const contract = await Contract.of(server);
    for (const operation of contract.operations()) {
      const path = operation.path.replace(/\{\w+\}/g, nobody);
      const call = (key) => request(server, operation.method, path, undefined, { ...json, ...(key ? { authorization: `Bearer ${key}` } : {}) });
      const needed = operation.is.security;
      const isOpen = needed.length === 0 || needed.some((one) => Object.keys(one).length === 0);
      const stranger = await call();
      // A log-in that is refused is a 401 of its own.
      if (!/\/login$/.test(operation.path)) assert.equal(stranger.status === 401, !isOpen, `${name(operation)} without credentials: ${stranger.status}`);
      contract.checkAnswer(operation, stranger, "without credentials");
      if (isOpen) continue;
      const [scope] = needed[0].bearer;
      const admitted = await call(`only-${scope ?? "read"}`);
      assert.ok(admitted.status !== 401, `${name(operation)} with ${scope}: ${admitted.text}`);
      if (operation.path !== "/api/config") assert.ok(admitted.status !== 403, `${name(operation)} with ${scope}: ${admitted.text}`);
      if (scope === undefined) continue;
      const lacking = await call(`not-${scope}`);
      assert.equal(lacking.status, 403, `${name(operation)} without ${scope}: ${lacking.status}`);
      contract.checkAnswer(operation, lacking, `without ${scope}`);
    }
  }, { env });
});

// HTTP tools through the server (issue 5, Tools 1 and 3): what is refused is never connected to, what is allowed works.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { get, styleB } from "./support/clients.mjs";
import { withServer } from "./support/server.mjs";
import { toolConfiguration, until, use } from "./support/tool_bench.mjs";

/** A server on 127.0.0.1 and ::1 whose requests are remembered; `connections` counts what never became one, too. */
async function withEndpoint(handler, body) {
  const seen = { requests: [], connections: 0 };
  const endpoint = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    seen.requests.push({ method: request.method, url: request.url, headers: request.headers, text });
    handler(request, response, text);
  });
  endpoint.on("connection", () => ++seen.connections);
  await new Promise((resolve) => endpoint.listen(0, "::", resolve));
  seen.port = endpoint.address().port;
  try {
    await body(seen);
  } finally {
    endpoint.closeAllConnections();
    await new Promise((resolve) => endpoint.close(resolve));
  }
}

const json = (response, value, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

test("http_request: no way of writing an address that is private, local or otherwise not public leads there", () =>
  withEndpoint((_, response) => response.end("secret"), (endpoint) =>
    withServer(toolConfiguration({ use: ["http_request"], agent: { approval: { http_request: "never" } } }), async (server) => {
      const client = await styleB(server);
      const hosts = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "localhost.", "LOCALHOST", "127.0.0.1.",
        "169.254.169.254", "10.0.0.1", "192.168.0.1", "[fe80::1]", "[fc00::1]", "１２７.0.0.1"];
      for (const host of hosts) {
        const refused = await use(client, "http_request", { url: `http://${host}:${endpoint.port}/` });
        assert.equal(refused.success, false, host);
        assert.doesNotMatch(String(refused.output), /^secret|HTTP 200/m, host);
      }
      for (const url of ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", `http://u:p@127.0.0.1:${endpoint.port}/`,
        "http://", "", "http://a\u0000b/", `http://example.org@127.0.0.1:${endpoint.port}/`, `http://x/${"y".repeat(20_000)}`])
        assert.equal((await use(client, "http_request", { url })).success, false, url.slice(0, 50));
      assert.match((await use(client, "http_request", { url: `http://127.0.0.1:${endpoint.port}/` })).output, /private, local or otherwise not public/);
      assert.equal(endpoint.connections, 0);
    })));

test("http_request: where private addresses are allowed, methods, headers, redirects and limits are as documented", () =>
  withEndpoint((request, response, text) => {
    if (request.url === "/echo") return json(response, { method: request.method, text, custom: request.headers["x-custom"] });
    if (request.url === "/moved") return response.writeHead(303, { location: "/echo" }).end();
    if (request.url === "/round") return response.writeHead(302, { location: "/round" }).end();
    if (request.url === "/file") return response.writeHead(302, { location: "file:///etc/passwd" }).end();
    if (request.url === "/endless") {
      const more = () => response.destroyed || (response.write("x".repeat(65536)), setImmediate(more));
      return more();
    }
    if (request.url === "/silent") return undefined;
    return response.writeHead(404).end("nothing here");
  }, (endpoint) => {
    const base = { kind: "http_request", allow_private: true, approval: "never", output_bytes: 100_000 };
    const configured = (more) => toolConfiguration({ tools: { http_request: { ...base, ...more } }, agent: { limits: { max_output_chars: 200_000 } } });
    const impatient = () => withServer(configured({ time_limit_ms: 1_000 }), async (server) => {
      const failed = await use(await styleB(server), "http_request", { url: `http://127.0.0.1:${endpoint.port}/silent` });
      assert.deepEqual([failed.success, /1000 ms|time limit/.test(failed.output)], [false, true], failed.output);
    });
    return withServer(configured({}), async (server) => {
      const client = await styleB(server);
      const ask = (path, more = {}) => use(client, "http_request", { url: `http://127.0.0.1:${endpoint.port}${path}`, ...more });
      const posted = await ask("/echo", { method: "POST", body: { a: 1 }, headers: { "X-Custom": "mine" } });
      assert.equal(posted.success, true);
      assert.match(posted.output, /^HTTP 200[^]*"method":"POST"[^]*"custom":"mine"/);
      assert.match((await ask("/moved", { method: "POST", body: "x" })).output, /"method":"GET"/);
      const missing = await ask("/nowhere");
      assert.deepEqual([missing.success, /HTTP 404[^]*nothing here/.test(missing.output)], [false, true]);
      for (const [path, says] of [["/round", /redirect/], ["/file", /file|http/]]) {
        const failed = await ask(path);
        assert.equal(failed.success, false, path);
        assert.match(failed.output, says, path);
      }
      const endless = await ask("/endless");
      assert.ok(Buffer.byteLength(endless.output) < 101_000 && /cut|more/i.test(endless.output.slice(-300)), endless.output.slice(-300));
      for (const header of ["Host", "Content-Length", "Transfer-Encoding"])
        assert.equal((await ask("/echo", { headers: { [header]: "1" } })).success, false, header);
    }).then(impatient);
  }));

test("a declared http tool: template, secret header, key; 5xx is a failed result, the secret is nowhere", () =>
  withEndpoint((request, response) => json(response, { url: request.url }, request.url.includes("broken") ? 503 : 200), (endpoint) => {
    const parameters = { type: "object", properties: { id: { type: "string" }, note: { type: "string" } }, required: ["id"] };
    const base = { kind: "http", description: "A record.", parameters, allow_private: true,
      headers: { Authorization: { env: "RECORD_AUTH" } }, url: `http://127.0.0.1:${endpoint.port}/records/{id}?note={note}` };
    const tools = { look: base, put: { ...base, method: "PUT" }, closed: { ...base, allow_private: false } };
    const secret = "Bearer the-key-of-the-records";
    return withServer(toolConfiguration({ tools }), async (server) => {
      const client = await styleB(server);
      const good = await use(client, "look", { id: "a b/c", note: "1&2" });
      assert.deepEqual([good.success, good.output], [true, { url: "/records/a%20b%2Fc?note=1%262" }]);
      assert.equal((await use(client, "put", { id: "x" })).success, true);
      const [first, second] = endpoint.requests;
      assert.deepEqual([first.headers.authorization, second.headers.authorization, first.headers["idempotency-key"]], [secret, secret, undefined]);
      assert.ok(second.headers["idempotency-key"].length > 10 && /^00-[0-9a-f]{32}-/.test(first.headers.traceparent));
      const broken = await use(client, "look", { id: "broken" });
      assert.deepEqual([broken.success, /503/.test(broken.output)], [false, true]);
      const before = endpoint.connections;
      for (const id of ["..", ".", "", 7, null]) assert.equal((await use(client, "look", { id })).success, false, String(id));
      assert.equal((await use(client, "closed", { id: "x" })).success, false);
      assert.equal(endpoint.connections, before);
      const everything = JSON.stringify(client.frames) + server.wholeLog + (await get(server, "/api/v1/tools")).text;
      assert.ok(!everything.includes("the-key-of-the-records"));
    }, { env: { RECORD_AUTH: secret } });
  }));

test("http_request: stopping the run closes the connection at once", () =>
  withEndpoint((_, response) => void response.write("begun"), (endpoint) => {
    const tools = { http_request: { kind: "http_request", allow_private: true, approval: "never", time_limit_ms: 600_000 } };
    return withServer(toolConfiguration({ tools }), async (server) => {
      const client = await styleB(server);
      client.send({ type: "message.send", content: `use http_request ${JSON.stringify({ url: `http://127.0.0.1:${endpoint.port}/` })}` });
      await until(() => endpoint.requests.length === 1, "the request");
      client.send({ type: "run.cancel" });
      assert.equal((await client.next("message.tool_complete")).success, false);
    });
  }));

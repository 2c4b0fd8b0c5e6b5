// The `anthropic` provider against a mock API that others wrote (aimock), over TLS and through a proxy, and against
// upstreams whose bytes the test writes (DESIGN §8).
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { get, post, styleA } from "./support/clients.mjs";
import { textOf } from "./support/inbox.mjs";
import { anthropicConfiguration, key, streamHead, withAimock } from "./support/aimock.mjs";
import { deadPort, onFreePort } from "./support/ports.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";
import { until } from "./support/waiting.mjs";
import { standard } from "./support/configuration.mjs";

const secret = key.env.MOCK_KEY;

const withMock = (body, provider, agent) =>
  withAimock((mock) => withServer(anthropicConfiguration(mock.url, provider, agent), (server) => body(server, mock), key));

/** An upstream that answers `handler(request with its body, response)`; `tls` has key and cert. */
async function withUpstream(handler, body, tls) {
  const serve = (request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece) => (text += piece));
    request.on("end", () => handler(Object.assign(request, { text }), response));
  };
  const upstream = tls ? createTlsServer(tls, serve) : createServer(serve);
  await new Promise((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  try {
    await body(`${tls ? "https" : "http"}://127.0.0.1:${upstream.address().port}`);
  } finally {
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  }
}

const event = (type, fields = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const delta = (fields, index = 0) => event("content_block_delta", { index, delta: fields });
const text = (words) => delta({ type: "text_delta", text: words });
const start = event("message_start", {
  message: { id: "m", usage: { input_tokens: 100, cache_creation_input_tokens: 20, cache_read_input_tokens: 80, output_tokens: 1 } },
});
const finish = (reason = "end_turn") =>
  event("message_delta", { delta: { stop_reason: reason }, usage: { output_tokens: 10 } }) + event("message_stop");
const answers = (bytes) => (_, response) => response.writeHead(200, streamHead).end(bytes);

/** One message; its frames up to the end of the run. */
async function ask(server, content, auth) {
  const client = await styleA(server, auth);
  client.send({ type: "message.send", content });
  client.end_ = await client.next((frame) => frame.type === "message.complete" || frame.type === "error");
  return client;
}

async function assertFails(server, content, code, words) {
  const client = await ask(server, content);
  assert.deepEqual([client.end_.type, client.end_.code], ["error", code], client.describe());
  assert.equal(client.all("message.complete").length, 0);
  if (words !== undefined) assert.equal(textOf(client.frames), words);
  const answer = await post(server, "/api/v1/chat", { projectId: "demo", message: content });
  assert.equal(answer.body.error.code, code, answer.text);
  return { client, answer: answer.text };
}

test("a plain answer: thoughts stay out of the text, cached input is priced as such, headers are right", () => {
  const seen = [];
  return withUpstream(
    (request, response) => {
      seen.push({ url: request.url, headers: request.headers, body: JSON.parse(request.text) });
      response.writeHead(200, streamHead);
      response.end(
        start + event("ping") + event("content_block_start", { index: 0, content_block: { type: "thinking", thinking: "" } }) +
          delta({ type: "thinking_delta", thinking: "Hm." }) + event("content_block_stop", { index: 0 }) +
          event("content_block_start", { index: 1, content_block: { type: "text", text: "" } }) + text("Hello ") + text("world") +
          event("content_block_stop", { index: 1 }) + event("novelty") + finish(),
      );
    },
    (url) =>
      withServer(
        anthropicConfiguration(url),
        async (server) => {
          const client = await ask(server, "hello");
          assert.equal(textOf(client.frames), "Hello world", client.describe());
          const { usage } = client.end_;
          // 120 at 1, 80 at 0.1 and 10 at 4 US dollars per million
          assert.deepEqual([usage.promptTokens, usage.completionTokens, usage.cost], [200, 10, 0.000168]);
          const [{ url: path, headers, body }] = seen;
          assert.equal(path, "/v1/messages");
          assert.deepEqual([headers["x-api-key"], headers["anthropic-version"]], [secret, "2023-06-01"]);
          assert.deepEqual([body.model, body.stream, body.system, body.max_tokens], ["claude-test", true, "Be brief.", 4096]);
          assert.deepEqual(body.messages, [{ role: "user", content: [{ type: "text", text: "hello" }] }]);
          assert.deepEqual(body.tools.map((tool) => tool.name).sort(), ["calculator", "clock"]);
          assert.ok(body.tools.every((tool) => tool.input_schema.type === "object"));
        },
        key,
      ),
  );
});

test("a tool call round trip and the history: aimock, which checks thinking turns, is content with the requests", () =>
  withMock(
    async (server, mock) => {
      mock.on({ userMessage: "time", hasToolResult: false }, { content: "Let me look.", toolCalls: [{ id: "toolu_1", name: "clock", arguments: {} }] });
      mock.on({ userMessage: "time", hasToolResult: true }, { content: "It is late." });
      mock.onMessage("thanks", { content: "Welcome.", reasoning: "Polite people." });
      const client = await ask(server, "what time is it");
      assert.equal(textOf(client.frames), "Let me look.It is late.", client.describe());
      const [begun] = client.all("message.tool_start");
      const [done] = client.all("message.tool_complete");
      assert.deepEqual([begun.tool, done.success, done.toolCallId], ["clock", true, begun.toolCallId]);
      client.send({ type: "message.send", content: "thanks" });
      await client.next("message.complete");
      assert.equal(textOf(client.frames), "Let me look.It is late.Welcome.");
      const [, second, third] = mock.getRequests().map((request) => request.body.messages);
      assert.deepEqual(second.map((m) => m.role), ["system", "user", "assistant", "tool"]);
      assert.equal(second[2].tool_calls[0].id, second[3].tool_call_id);
      assert.deepEqual(third.map((m) => m.role), ["system", "user", "assistant", "tool", "assistant", "user"]);
    },
    {},
    { reasoning_effort: "2048" },
  ));

test("upstream errors: the provider's own words reach the client, and the next message works", () =>
  withMock(async (server, mock) => {
    // First: after a failure the API is given both messages as one turn, and the mock takes the first fixture that fits.
    mock.onMessage("hello", { content: "Hello." });
    mock.onMessage("wrong", { error: { message: "model: claude-tset", type: "not_found_error" }, status: 404 });
    mock.onMessage("break", { error: { message: "Internal", type: "api_error" }, status: 500 });
    mock.onMessage("busy", { error: { message: "Overloaded", type: "overloaded_error" }, status: 529 });
    const { answer } = await assertFails(server, "wrong one", "PROVIDER_ERROR", "");
    assert.match(answer, /HTTP 404: model: claude-tset/);
    await assertFails(server, "break it", "PROVIDER_ERROR", "");
    const { client } = await assertFails(server, "busy now", "PROVIDER_ERROR", "");
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    assert.equal(textOf(client.frames), "Hello.");
  }));

test("retries: an overloaded API is asked again before any text, and only the good answer is seen", () =>
  withMock(
    async (server, mock) => {
      mock.onMessage("hello", { content: "Hello." });
      mock.nextRequestError(529, { message: "Overloaded" });
      const client = await ask(server, "hello");
      assert.equal(client.end_.type, "message.complete", client.describe());
      assert.equal(textOf(client.frames), "Hello.");
      assert.equal(mock.getRequests().length, 2);
    },
    { max_retries: 2 },
  ));

test("chaos: dropped, malformed and disconnected answers never complete a message, nor does one that is cut", () =>
  withMock(async (server, mock) => {
    for (const [what, rate] of Object.entries({ dropped: "dropRate", malformed: "malformedRate", disconnected: "disconnectRate" })) {
      mock.addFixture({ match: { userMessage: what }, response: { content: "Never." }, chaos: { [rate]: 1 } });
      await assertFails(server, what, "PROVIDER_ERROR", "");
    }
    mock.onMessage("cut", { content: "This text will be cut short somewhere." }, { chunkSize: 4, truncateAfterChunks: 5 });
    const { client } = await assertFails(server, "cut", "PROVIDER_ERROR");
    assert.ok("This text will be cut short somewhere.".startsWith(textOf(client.frames)));
    const { sessionId } = client.all("session.created")[0];
    const { items } = (await get(server, `/api/v1/sessions/${sessionId}/messages`)).body;
    assert.ok(items.every((message) => message.role === "user" || message.cut));
  }));

test("an overloaded_error in the middle fails the run, a stream without message_stop too", () => {
  const streams = {
    overloaded: start + text("Half ") + event("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
    silent: start + text("Half "),
  };
  return withUpstream(
    (request, response) => {
      const { messages } = JSON.parse(request.text);
      answers(streams[messages.at(-1).content[0].text])(request, response);
    },
    (url) =>
      withServer(
        anthropicConfiguration(url),
        async (server) => {
          const { answer } = await assertFails(server, "overloaded", "PROVIDER_ERROR", "Half ");
          assert.match(answer, /Overloaded/);
          await assertFails(server, "silent", "PROVIDER_ERROR", "Half ");
        },
        key,
      ),
  );
});

test("neither key nor prompt is in the log, whatever the upstream says; the key is in no text and not on disk", () =>
  withUpstream(
    (request, response) => {
      const { messages } = JSON.parse(request.text);
      const message = `${request.headers["x-api-key"]} may not say ${messages.at(-1).content[0].text}`;
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ type: "error", error: { type: "invalid_request_error", message } }));
    },
    (url) =>
      withServer(
        { ...anthropicConfiguration(url), log_level: "info" },
        async (server) => {
          const { client, answer } = await assertFails(server, "a-very-private-question", "PROVIDER_ERROR", "");
          assert.match(answer, /\*\*\* may not say/);
          assert.ok(!answer.includes(secret) && !client.describe().includes(secret));
          await server.stop();
          assert.match(server.wholeLog, /server started/);
          for (const words of [secret, "a-very-private-question", "Be brief."]) assert.ok(!server.wholeLog.includes(words), words);
          assert.ok(!readFileSync(`${server.data}/troupe.db`).includes(secret));
        },
        key,
      ),
  ));

test("a missing key names the environment variable, and the server does not start", async () => {
  const folder = temporaryFolder();
  try {
    const file = join(folder, "troupe.json");
    const configuration = standard({
      providers: { claude: { kind: "anthropic" } },
      prices: {},
      projects: { demo: { agents: { writer: { provider: "claude", model: "m" } } } },
    });
    writeFileSync(file, JSON.stringify(configuration));
    const args = ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data"), "--config", file];
    const { status, stderr } = await run(args, { env: { ANTHROPIC_API_KEY: "" } });
    assert.equal(status, 1);
    assert.match(stderr, /provider "claude": the environment variable ANTHROPIC_API_KEY is not set/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the demo: ANTHROPIC_API_KEY adds the agent `anthropic`", () =>
  withAimock(async (mock) => {
    mock.onMessage("hello", { content: "Hello from the mock." });
    const env = { ANTHROPIC_API_KEY: "any", ANTHROPIC_BASE_URL: mock.url, ANTHROPIC_MODEL: "claude-test", OPENAI_API_KEY: "" };
    await withServer(
      null,
      async (server) => {
        const client = await ask(server, "hello", {});
        assert.equal(textOf(client.frames), "Hello from the mock.");
        assert.equal(mock.getLastRequest().body.model, "claude-test");
      },
      { env, args: ["--agent", "anthropic"] },
    );
  }));

/** A certificate for 127.0.0.1 that nobody but its own file vouches for. */
async function withCertificate(body) {
  const folder = temporaryFolder();
  try {
    const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const of = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
    const what = ["-subj", "/CN=troupe test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-out", certFile];
    execFileSync("openssl", ["req", "-x509", ...of, ...what], { stdio: "pipe" });
    await body({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, certFile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const noProxies = { https_proxy: "", HTTPS_PROXY: "", http_proxy: "", all_proxy: "", ALL_PROXY: "" };
const withoutProxies = { env: { ...key.env, ...noProxies } };

test("TLS: an upstream that cannot be verified is refused clearly and sent nothing; with its ca_file it answers", () =>
  withCertificate((tls, certFile) => {
    let requests = 0;
    return withUpstream(
      (_, response) => {
        ++requests;
        response.writeHead(200, streamHead).end(start + text("Hello over TLS.") + finish());
      },
      async (url) => {
        await withServer(
          anthropicConfiguration(url, { max_retries: 2 }),
          async (server) => {
            const { answer } = await assertFails(server, "x", "PROVIDER_ERROR", "");
            assert.match(answer, /failed the TLS handshake: .*certificate.*ca_file/);
            assert.equal(requests, 0);
          },
          withoutProxies,
        );
        await withServer(
          anthropicConfiguration(url, { ca_file: certFile }),
          async (server) => {
            const client = await ask(server, "x");
            assert.equal(textOf(client.frames), "Hello over TLS.", client.describe());
          },
          withoutProxies,
        );
      },
      tls,
    );
  }));

async function startTinyproxy(folder, port) {
  const file = join(folder, "tinyproxy.conf");
  writeFileSync(file, `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\nLogLevel Info\n`);
  const proxy = spawn("tinyproxy", ["-d", "-c", file], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(proxy, "close");
  const started = { proxy, ended, port, log: "" };
  await new Promise((resolve, reject) => {
    const look = (bytes) => {
      started.log += bytes;
      if (started.log.includes("Accepting connections")) resolve();
    };
    proxy.stdout.on("data", look);
    proxy.stderr.on("data", look);
    ended.then(() => reject(new Error(`tinyproxy ended:\n${started.log}`)));
  });
  return started;
}

async function withTinyproxy(body) {
  const folder = temporaryFolder();
  try {
    const started = await onFreePort((port) => startTinyproxy(folder, port));
    try {
      await body(`http://127.0.0.1:${started.port}`, () => started.log);
    } finally {
      started.proxy.kill("SIGTERM");
      await started.ended;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hasTinyproxy = spawnSync("tinyproxy", ["-v"]).error === undefined;
const skip = hasTinyproxy ? false : "tinyproxy is not installed (apt-get install tinyproxy-bin)";

test("a proxy: the upstream is reached through it, with TLS to the end; one that is not there is named", { skip }, () =>
  withCertificate((tls, certFile) =>
    withUpstream(
      answers(start + text("Hello through a proxy.") + finish()),
      (url) =>
        withTinyproxy(async (proxy, log) => {
          await withServer(
            anthropicConfiguration(url, { ca_file: certFile, proxy }),
            async (server) => {
              const client = await ask(server, "x");
              assert.equal(textOf(client.frames), "Hello through a proxy.", client.describe());
              await until(() => log().includes(`CONNECT 127.0.0.1:${new URL(url).port}`), "a line in the proxy's log");
            },
            key,
          );
          const nobody = `http://127.0.0.1:${deadPort}`;
          await withServer(
            anthropicConfiguration(url, { ca_file: certFile, proxy: nobody }),
            async (server) => {
              const { answer } = await assertFails(server, "x", "PROVIDER_ERROR", "");
              assert.match(answer, new RegExp(`cannot be reached: .*\\b${deadPort}\\b`));
            },
            key,
          );
        }),
      tls,
    ),
  ));

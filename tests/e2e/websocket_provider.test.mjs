// The `websocket` provider against an upstream made of the npm package `ws` (PROTOCOLS §4, "Upstream of this seed"), and the
// seed's guarantee: `ai-response-end` never follows an upstream stream that did not say `end`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { key } from "./support/aimock.mjs";
import { chunks, ended, failed, listen, newChat, say, screen } from "./support/chat_events.mjs";
import { get, styleA } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { textOf } from "./support/inbox.mjs";
import { WebSocketServer } from "./support/packages.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";

/** An upstream that gives each first message to `handler(socket, message, request)`. */
async function withUpstream(handler, body, { tls, ...options } = {}) {
  const http = tls ? createTlsServer(tls) : createServer();
  const upstream = new WebSocketServer({ server: http, ...options });
  upstream.on("connection", (socket, request) => {
    socket.on("error", () => {});
    socket.on("message", (data) => handler(socket, JSON.parse(data), request));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  try {
    await body(`${tls ? "wss" : "ws"}://127.0.0.1:${http.address().port}/chat/`, upstream);
  } finally {
    for (const socket of upstream.clients) socket.terminate();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  }
}

const configuration = (url, provider = {}, agent = {}) =>
  standard({
    providers: { chat: { kind: "websocket", base_url: url, api_key_env: "MOCK_KEY", max_retries: 0, ...provider } },
    prices: { "chat/seed": { input: 1, output: 4 } },
    projects: { demo: { agents: { writer: { provider: "chat", model: "seed", instructions: "Be brief.", titles: "none", ...agent } } } },
  });

const json = (socket, fields) => socket.send(JSON.stringify(fields));
const piece = (socket, content, more = {}) =>
  json(socket, { type: "message_chunk", content, thread_id: "t", client_id: "c", ...more });
const end = (socket, more = {}) => json(socket, { type: "end", ...more });

test("a turn: the message goes out as the seed wants it, and the answer comes back whole", () => {
  const seen = [];
  return withUpstream(
    (socket, message, request) => {
      seen.push({ message, request });
      piece(socket, "Hel", { conversation_id: null });
      json(socket, { type: "typing" });
      piece(socket, "lo 👋");
      end(socket, { usage: { prompt_tokens: 7, completion_tokens: 2 } });
    },
    (url) =>
      withServer(configuration(url), async (server) => {
        const client = await listen(server);
        const chatId = await newChat(server);
        const answered = await say(server, chatId, "hello", { temperature: 0.5, maxTokens: 99 });
        assert.equal(answered.status, 201, answered.text);
        assert.equal(answered.body.answer, "Hello 👋");
        await client.next(ended(chatId));
        assert.equal(chunks(client, chatId).map((f) => f.chunk).join(""), "Hello 👋");
        assert.equal((await say(server, chatId, "again")).status, 201);
        const [{ message: first, request }, { message: second }] = seen;
        assert.deepEqual([request.url, request.headers.authorization], ["/chat/", `Bearer ${key.env.MOCK_KEY}`]);
        const { thread_id: thread, ...rest } = first;
        const system = { role: "system", content: "Be brief." };
        assert.deepEqual(rest, { type: "message", content: "hello", history: [system], temperature: 0.5, max_tokens: 99 });
        assert.ok(thread.length > 0 && second.thread_id === thread);
        const past = [system, { role: "user", content: "hello" }, { role: "assistant", content: "Hello 👋" }];
        assert.deepEqual([second.content, second.history, "temperature" in second], ["again", past, false]);
      }, key),
  );
});

test("the template of the configuration is what is sent, and usage is counted", () => {
  const seen = [];
  const message = { op: "ask", input: { text: "${content}", model: "${model}" }, system: "${instructions}", old: "${history}" };
  return withUpstream(
    (socket, got) => {
      seen.push(got);
      piece(socket, "Hi");
      end(socket, { usage: { prompt_tokens: 10, completion_tokens: 5 } });
    },
    (url) =>
      withServer(configuration(url, { message }), async (server) => {
        const client = await styleA(server);
        client.send({ type: "message.send", content: "hello" });
        const { usage } = await client.next("message.complete");
        assert.equal(textOf(client.frames), "Hi");
        assert.deepEqual([usage.promptTokens, usage.completionTokens, usage.cost], [10, 5, 0.00003]);
        assert.deepEqual(seen, [{ op: "ask", input: { text: "hello", model: "seed" }, system: "Be brief.", old: [] }]);
      }, key),
  );
});

// Every way in which an upstream can break before its `end`: with text (`Half `) where it had any.
const tcp = (socket) => socket._socket;
const breaks = {
  "closed in order, with text": (s) => (piece(s, "Half "), s.close(1000)),
  "closed in order, without text": (s) => s.close(1000),
  "closed with a code and words": (s) => (piece(s, "Half "), s.close(1011, "out of memory")),
  "closed with a code that blames us": (s) => s.close(1008, "not you"),
  "torn off, with text": (s) => s.send(JSON.stringify({ type: "message_chunk", content: "Half " }), () => s.terminate()),
  "torn off, without text": (s) => s.terminate(),
  "reset": (s) => s.send(JSON.stringify({ type: "message_chunk", content: "Half " }), () => tcp(s).resetAndDestroy()),
  "ended by FIN without a close frame": (s) => (piece(s, "Half "), tcp(s).end()),
  "an error, first": (s) => (json(s, { type: "error", message: "overloaded" }), end(s)),
  "an error in the middle": (s) => (piece(s, "Half "), json(s, { type: "error", error: { message: "overloaded" } }), end(s)),
  "an error without a word": (s) => (piece(s, "Half "), json(s, { type: "error" }), end(s)),
  "no JSON": (s) => (piece(s, "Half "), s.send('{"type":"end"'), end(s)),
  "no object": (s) => (piece(s, "Half "), s.send('["end"]'), end(s)),
  "an end that is not one": (s) => (piece(s, "Half "), json(s, { type: "END" }), json(s, { end: true }), s.close()),
  "half an end": (s) => (piece(s, "Half "), s.send('{"type":', { fin: false }, () => s.terminate())),
  "an end inside a broken frame": (s) => (piece(s, "Half "), tcp(s).end(Buffer.concat([Buffer.from([0x81, 40]), Buffer.from('{"type":"end"}')]))),
  "an end in a frame that RFC 6455 forbids": (s) => (piece(s, "Half "), tcp(s).end(Buffer.concat([Buffer.from([0xc1, 14]), Buffer.from('{"type":"end"}')]))),
  "text that is not UTF-8": (s) => (piece(s, "Half "), s.send(Buffer.from('{"type":"message_chunk","content":"\xff"}', "latin1"), { binary: false }), end(s)),
  "a message over the limit": (s) => (piece(s, "Half "), piece(s, "x".repeat(2 << 20)), end(s)),
};
const silences = { "silent after some text": (s) => piece(s, "Half "), "silent from the start": () => {} };

/** Chats whose upstream breaks in each of these ways. With `recovers` it then answers, and that is the whole chat. */
function breaking(breaks, timeouts_ms, recovers) {
  const ways = Object.values(breaks);
  let call = 0;
  return withUpstream(
    (socket) => {
      const way = ways[call++];
      if (way) return way(socket);
      piece(socket, "Whole");
      end(socket);
    },
    (url) =>
      withServer(configuration(url, { timeouts_ms, breaker: { failures: 0 } }), async (server) => {
        const client = await listen(server);
        const chatId = await newChat(server);
        for (const how of Object.keys(breaks)) {
          const { status, text } = await say(server, chatId, "x");
          assert.equal(status, 502, `${how}: ${text}`);
          await client.next(failed(chatId));
          assert.equal(client.all(ended(chatId)).length, 0, how);
          assert.ok(["", "Half "].includes(screen(client.frames, chatId).text), how);
        }
        assert.equal(call, ways.length);
        if (!recovers) return;
        assert.equal((await say(server, chatId, "x")).body.answer, "Whole");
        await client.next(ended(chatId));
        const shown = screen(client.frames, chatId);
        assert.deepEqual([shown.answers, shown.errors], [["Whole"], ways.length]);
        const kept = (await get(server, `/api/v1/chats/${chatId}/messages`)).body;
        assert.deepEqual(kept.map((m) => m.answer), ["Whole"]);
      }, key),
  );
}
test("no ai-response-end after a stream that broke, however it broke", () => breaking(breaks, {}, true));
test("no ai-response-end after a stream that fell silent", () => breaking(silences, { first_byte: 400, idle: 400 }, false));

test("no ai-response-end where the upstream refuses the handshake or is not there; its words are passed on without the key", () =>
  withUpstream(
    () => assert.fail("refused upstreams get no message"),
    async (url, upstream) => {
      const one = async (server, words) => {
        const client = await listen(server);
        const chatId = await newChat(server);
        const { status, text } = await say(server, chatId, "x");
        assert.equal(status, 502);
        assert.match(text, words);
        assert.ok(!text.includes(key.env.MOCK_KEY));
        await client.next(failed(chatId));
        assert.equal(client.all(ended(chatId)).length, 0);
      };
      await withServer(configuration(url), async (server) => {
        await one(server, /HTTP 401; check the API key/);
        upstream.options.verifyClient = (_, done) => done(false, 503, `busy, ${key.env.MOCK_KEY}`);
        await one(server, /HTTP 503/);
      }, key);
      await withServer(configuration("ws://127.0.0.1:1/"), (server) => one(server, /cannot be reached: 127.0.0.1:1: .*base_url/), key);
    },
    { verifyClient: (_, done) => done(false, 401, "no") },
  ));

test("retries: an upstream that closes before any text is asked again", () => {
  let calls = 0;
  return withUpstream(
    (socket) => (++calls === 1 ? socket.close(1013, "later") : (piece(socket, "Hello."), end(socket))),
    (url) =>
      withServer(configuration(url, { max_retries: 2 }), async (server) => {
        assert.equal((await say(server, await newChat(server), "x")).body.answer, "Hello.");
        assert.equal(calls, 2);
      }, key),
  );
});

test("a message that is cancelled closes the upstream's socket", () => {
  let left;
  const gone = new Promise((resolve) => (left = resolve));
  return withUpstream(
    (socket) => {
      socket.on("close", left);
      piece(socket, "Half ");
    },
    (url) =>
      withServer(configuration(url, { timeouts_ms: { idle: 600_000 } }), async (server) => {
        const client = await styleA(server);
        client.send({ type: "message.send", content: "x" });
        await client.next("message.content_delta");
        client.send({ type: "run.cancel" });
        await gone;
        assert.equal(client.all("message.complete").length, 0);
      }, key),
  );
});

test("a call in good order ends with a closing handshake, code 1000", () => {
  let left;
  const closed = new Promise((resolve) => (left = resolve));
  return withUpstream(
    (socket) => {
      socket.on("close", (code) => left(code));
      end(socket);
    },
    (url) =>
      withServer(configuration(url), async (server) => {
        assert.equal((await say(server, await newChat(server), "x")).status, 201);
        assert.equal(await closed, 1000);
      }, key),
  );
});

test("TLS: an upstream that cannot be verified is refused clearly; with its ca_file it answers", async () => {
  const folder = temporaryFolder();
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const of = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  const what = ["-subj", "/CN=troupe test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-out", certFile];
  try {
    execFileSync("openssl", ["req", "-x509", ...of, ...what], { stdio: "pipe" });
    let asked = 0;
    await withUpstream(
      (socket) => (++asked, piece(socket, "Hello over TLS."), end(socket)),
      async (url) => {
        const answer = (configured) => {
          let answered;
          return withServer(configured, async (server) => (answered = await say(server, await newChat(server), "x")), key).then(() => answered);
        };
        const refused = await answer(configuration(url));
        assert.equal(refused.status, 502);
        assert.match(refused.text, /failed the TLS handshake: .*certificate.*ca_file/);
        assert.equal(asked, 0);
        const other = await answer(configuration(url.replace("127.0.0.1", "localhost"), { ca_file: certFile }));
        assert.equal(other.status, 502, "a certificate of another name");
        assert.match(other.text, /failed the TLS handshake|cannot be reached/);
        assert.equal(asked, 0);
        assert.equal((await answer(configuration(url, { ca_file: certFile }))).body.answer, "Hello over TLS.");
      },
      { tls: { key: readFileSync(keyFile), cert: readFileSync(certFile) } },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a missing key names its variable, and the server does not start", async () => {
  const folder = temporaryFolder();
  try {
    const file = join(folder, "troupe.json");
    writeFileSync(file, JSON.stringify(configuration("ws://127.0.0.1:1")));
    const args = ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data"), "--config", file];
    const { status, stderr } = await run(args, { env: { MOCK_KEY: "" } });
    assert.equal(status, 1);
    assert.match(stderr, /provider "chat": the environment variable MOCK_KEY is not set/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

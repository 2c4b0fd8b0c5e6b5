// The `openai` provider against a mock API that others wrote (aimock), and against upstreams that break (DESIGN §8).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { get, post, styleA } from "./support/clients.mjs";
import { textOf } from "./support/inbox.mjs";
import { chunk, key, openaiConfiguration, streamHead, withAimock, withUpstream } from "./support/aimock.mjs";
import { loadOpenai } from "./support/packages.mjs";
import { deadPort } from "./support/ports.mjs";
import { withServer } from "./support/server.mjs";

const withMock = (body, provider) =>
  withAimock((mock) => withServer(openaiConfiguration(`${mock.url}/v1`, provider), (server) => body(server, mock), key));

/** One message; its frames up to the end of the run. */
async function ask(server, content, limitMs) {
  const client = await styleA(server);
  client.send({ type: "message.send", content });
  client.end_ = await client.next((frame) => frame.type === "message.complete" || frame.type === "error", limitMs);
  return client;
}

async function assertFails(server, content, code, text) {
  const client = await ask(server, content);
  assert.deepEqual([client.end_.type, client.end_.code], ["error", code], client.describe());
  assert.equal(client.all("message.complete").length, 0);
  if (text !== undefined) assert.equal(textOf(client.frames), text);
  const answer = await post(server, "/api/v1/chat", { projectId: "demo", message: content });
  assert.equal(answer.body.error.code, code, answer.text);
  return client;
}

test("the mock speaks the protocol: the official openai client streams an answer and a tool call from it", () =>
  withAimock(async (mock) => {
    mock.onMessage("hello", { content: "Hello from the mock." });
    mock.onMessage("weather", { toolCalls: [{ name: "get_weather", arguments: { city: "Vigo" } }] });
    const { default: OpenAI } = await loadOpenai();
    const openai = new OpenAI({ baseURL: `${mock.url}/v1`, apiKey: "any", maxRetries: 0 });
    const collect = async (content) => {
      const seen = { text: "", call: "", finish: null };
      const stream = await openai.chat.completions.create({
        model: "gpt-test", stream: true, messages: [{ role: "user", content }],
        tools: [{ type: "function", function: { name: "get_weather", parameters: { type: "object" } } }],
      });
      for await (const { choices } of stream) {
        seen.text += choices[0]?.delta.content ?? "";
        seen.call += choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? "";
        seen.finish = choices[0]?.finish_reason ?? seen.finish;
      }
      return seen;
    };
    assert.deepEqual(await collect("hello"), { text: "Hello from the mock.", call: "", finish: "stop" });
    assert.deepEqual(await collect("weather"), { text: "", call: '{"city":"Vigo"}', finish: "tool_calls" });
  }));

test("a plain answer: streamed, with its usage and cost recorded; the key is nowhere to be seen", () =>
  withMock(async (server, mock) => {
    mock.onMessage("hello", { content: "Hello from the mock, in several pieces.", usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 } }, { chunkSize: 5 });
    const client = await ask(server, "hello");
    assert.equal(textOf(client.frames), "Hello from the mock, in several pieces.");
    assert.ok(client.all("message.content_delta").length > 1);
    const { usage } = client.end_;
    assert.deepEqual([usage.promptTokens, usage.completionTokens, usage.totalTokens, usage.cost], [100, 10, 110, 0.00014]);
    const [{ body }] = mock.getRequests();
    assert.deepEqual([body.model, body.stream, body.stream_options.include_usage], ["gpt-test", true, true]);
    assert.deepEqual(body.messages.map((m) => [m.role, m.content]), [["system", "Be brief."], ["user", "hello"]]);
    assert.deepEqual(body.tools.map((tool) => tool.function.name).sort(), ["calculator", "clock"]);
    const secret = key.env.MOCK_KEY;
    assert.ok(!server.log.includes(secret));
    const week = (await get(server, "/api/v1/projects/demo/usage?period=week")).body;
    assert.deepEqual([week.items[0].totalTokens, week.totalCostUsd], [110, 0.00014]);
    await server.stop();
    assert.ok(!readFileSync(`${server.data}/troupe.db`).includes(secret));
  }));

test("a tool call round trip: the result goes back under the same id, the second answer ends the run", () =>
  withMock(async (server, mock) => {
    mock.on({ userMessage: "time", hasToolResult: false }, { toolCalls: [{ id: "call_1", name: "clock", arguments: {} }] });
    mock.on({ userMessage: "time", hasToolResult: true }, { content: "It is late." });
    const client = await ask(server, "what time is it");
    assert.equal(textOf(client.frames), "It is late.");
    const [start] = client.all("message.tool_start");
    const [done] = client.all("message.tool_complete");
    assert.deepEqual([start.tool, done.success, done.toolCallId], ["clock", true, start.toolCallId]);
    const second = mock.getRequests()[1].body.messages;
    assert.deepEqual(second.map((m) => m.role), ["system", "user", "assistant", "tool"]);
    assert.equal(second[2].tool_calls[0].id, second[3].tool_call_id);
    assert.ok(second[3].content.includes(typeof done.output === "string" ? done.output : JSON.stringify(done.output)));
    assert.equal(mock.getRequests().length, 2);
  }));

test("history: a second message carries the first turn, tool calls included", () =>
  withMock(async (server, mock) => {
    mock.on({ userMessage: "time", hasToolResult: false }, { toolCalls: [{ name: "clock", arguments: {} }] });
    mock.on({ userMessage: "time", hasToolResult: true }, { content: "It is late." });
    mock.onMessage("thanks", { content: "Welcome." });
    const client = await ask(server, "what time is it");
    client.send({ type: "message.send", content: "thanks" });
    await client.next("message.complete");
    const last = mock.getLastRequest().body.messages;
    assert.deepEqual(last.map((m) => m.role), ["system", "user", "assistant", "tool", "assistant", "user"]);
    assert.deepEqual([last[4].content, last[5].content], ["It is late.", "thanks"]);
  }));

test("upstream errors: 429 and 500 fail the run with a code, and the next message works", () =>
  withMock(async (server, mock) => {
    mock.onMessage("slow down", { error: { message: "Rate limited", type: "rate_limit_error" }, status: 429 });
    mock.onMessage("break", { error: { message: "Internal", type: "server_error" }, status: 500 });
    mock.onMessage("wrong", { error: { message: "No such model", type: "invalid_request_error" }, status: 400 });
    mock.onMessage("hello", { content: "Hello." });
    await assertFails(server, "break it", "PROVIDER_ERROR", "");
    await assertFails(server, "wrong one", "PROVIDER_ERROR", "");
    const limited = await ask(server, "slow down");
    assert.ok(["PROVIDER_ERROR", "RATE_LIMITED"].includes(limited.end_.code), limited.describe());
    limited.send({ type: "message.send", content: "hello" });
    await limited.next("message.complete");
    assert.equal(textOf(limited.frames), "Hello.");
  }));

test("retries: a 500 before any text is tried again, and only the good answer is seen", () =>
  withMock(
    async (server, mock) => {
      mock.onMessage("hello", { content: "Hello." });
      mock.nextRequestError(500, { message: "once" });
      const client = await ask(server, "hello");
      assert.equal(client.end_.type, "message.complete", client.describe());
      assert.equal(textOf(client.frames), "Hello.");
      assert.equal(mock.getRequests().length, 2);
    },
    { max_retries: 2 },
  ));

test("chaos: dropped, malformed and disconnected answers never complete a message", () =>
  withMock(async (server, mock) => {
    mock.addFixture({ match: { userMessage: "dropped" }, response: { content: "Never." }, chaos: { dropRate: 1 } });
    mock.addFixture({ match: { userMessage: "malformed" }, response: { content: "Never." }, chaos: { malformedRate: 1 } });
    mock.addFixture({ match: { userMessage: "disconnected" }, response: { content: "Never." }, chaos: { disconnectRate: 1 } });
    for (const what of ["dropped", "malformed", "disconnected"]) await assertFails(server, what, "PROVIDER_ERROR", "");
  }));

test("a stream that is cut: the text stays, the run fails, nothing completes", () =>
  withMock(async (server, mock) => {
    mock.onMessage("cut", { content: "This text will be cut short somewhere." }, { chunkSize: 4, truncateAfterChunks: 3 });
    const client = await assertFails(server, "cut", "PROVIDER_ERROR");
    assert.ok("This text will be cut short somewhere.".startsWith(textOf(client.frames)));
    const { sessionId } = client.all("session.created")[0];
    const { items } = (await get(server, `/api/v1/sessions/${sessionId}/messages`)).body;
    assert.ok(items.every((message) => message.role === "user" || message.cut));
  }));

test("a stream that ends in order but without an end marker is a failure too; the key was sent", () => {
  const keys = new Set();
  return withUpstream(
    (request, response) => {
      keys.add(request.headers.authorization);
      response.writeHead(200, streamHead).end(chunk("Half ") + chunk("an answer"));
    },
    (url) =>
      withServer(openaiConfiguration(url), async (server) => {
        await assertFails(server, "x", "PROVIDER_ERROR", "Half an answer");
        assert.deepEqual([...keys], [`Bearer ${key.env.MOCK_KEY}`]);
      }, key),
  );
});

test("a stalled upstream: the first_byte limit ends the wait, and the idle limit a stream that stops", () =>
  withUpstream(
    (request, response) => {
      if (request.url.startsWith("/v1/idle")) response.writeHead(200, streamHead).write(chunk("Some "));
    },
    async (url) => {
      const impatient = (at, timeouts_ms) => openaiConfiguration(at, { timeouts_ms });
      await withServer(impatient(url, { first_byte: 200 }), (server) => assertFails(server, "x", "TIMEOUT", ""), key);
      await withServer(impatient(`${url}/idle`, { idle: 200 }), (server) => assertFails(server, "x", "TIMEOUT", "Some "), key);
    },
  ));

test("stop: a run that waits for its upstream is cancelled at once, and the upstream's connection closed", () => {
  let hungUp;
  const gone = new Promise((resolve) => (hungUp = resolve));
  return withUpstream(
    (_, response) => {
      response.on("close", hungUp);
      response.writeHead(200, streamHead).write(chunk("Some "));
    },
    (url) =>
      withServer(openaiConfiguration(url, { timeouts_ms: { idle: 600_000 } }), async (server) => {
        const client = await styleA(server);
        client.send({ type: "message.send", content: "x" });
        await client.next("message.content_delta");
        client.send({ type: "run.cancel" });
        await client.next("run.cancelled");
        await gone;
      }, key),
  );
});

test("an unreachable upstream: the run fails and says so", () =>
  withServer(openaiConfiguration(`http://127.0.0.1:${deadPort}/v1`), (server) => assertFails(server, "x", "PROVIDER_ERROR", ""), key));

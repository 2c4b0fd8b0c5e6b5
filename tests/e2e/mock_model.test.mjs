// `troupe mock-model` against the official clients of the two APIs it speaks, and against our own server as its provider.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { anthropicConfiguration, key, openaiConfiguration } from "./support/aimock.mjs";
import { styleA } from "./support/clients.mjs";
import { textOf } from "./support/inbox.mjs";
import { withMockModel } from "./support/mock_model.mjs";
import { loadAnthropic, loadOpenai } from "./support/packages.mjs";
import { run, withServer } from "./support/server.mjs";

const { default: OpenAI } = await loadOpenai();
const { default: Anthropic } = await loadAnthropic();

const usage = { usage: { prompt: 20, cached_prompt: 5, completion: 7 } };
const script = {
  rules: [
    { when: { tool: "files.read" }, say: [{ text: "It says ${result}." }] },
    { when: { tool: "clock" }, say: [{ text: "It is late." }, usage] },
    { when: { user: "read" }, say: [{ reasoning: ["Hm", "."] }, { text: "Let me look. " }, { tool: "files.read", arguments: { path: "${user}.txt" } }, usage] },
    { when: { user: "time" }, say: [{ text: "A moment. " }, { tool: "clock", arguments: {} }] },
    { when: { user: "half" }, say: [{ text: "Half an ans" }, { cut: true }] },
    { when: { user: "break" }, say: [{ text: "Half " }, { error: { text: "the model broke", retryable: true } }] },
    { when: { user: "busy" }, say: [{ error: { text: "too many", code: "RATE_LIMITED", retryable: true, retry_after_ms: 30 } }] },
    { when: { user: "slow" }, say: [{ text: ["a", "b", "c"], every_ms: 20 }] },
    { when: { user: "short" }, say: [{ text: "No mo" }, { finish: "length" }] },
  ],
  otherwise: [{ text: ["Hel", "lo ${user}"] }, usage],
};

/** A client of each kind that counts the answers it gets, and asks and listens in the same words for both. */
function openaiAt(url, options = {}) {
  const statuses = [];
  const count = async (...args) => {
    const response = await fetch(...args);
    statuses.push(response.status);
    return response;
  };
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0, fetch: count, ...options });
  const ask = (messages, stream, headers) =>
    client.chat.completions.create(
      { model: "m", messages, stream, ...(stream ? { stream_options: { include_usage: true } } : {}) },
      { headers },
    );
  return {
    name: "openai", client, statuses,
    whole: async (content, headers) => (await ask([{ role: "user", content }], false, headers)).choices[0].message.content,
    async streamed(content, headers, text = []) {
      let finish = null;
      for await (const { choices } of await ask([{ role: "user", content }], true, headers)) {
        text.push(choices[0]?.delta.content ?? "");
        finish = choices[0]?.finish_reason ?? finish;
      }
      // What this client leaves to its user: without a reason the answer was not finished.
      assert.ok(finish, "the stream ended without a finish reason");
      return text.join("");
    },
  };
}
function anthropicAt(url, options = {}) {
  const statuses = [];
  const count = async (...args) => {
    const response = await fetch(...args);
    statuses.push(response.status);
    return response;
  };
  const client = new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0, fetch: count, ...options });
  const body = (content) => ({ model: "m", max_tokens: 100, messages: [{ role: "user", content }] });
  return {
    name: "anthropic", client, statuses,
    whole: async (content, headers) => (await client.messages.create(body(content), { headers })).content[0].text,
    async streamed(content, headers, text = []) {
      const stream = client.messages.stream(body(content), { headers });
      stream.on("text", (piece) => text.push(piece));
      return (await stream.finalMessage()).content.at(-1).text;
    },
  };
}
const both = async (url, body, options) => {
  for (const make of [openaiAt, anthropicAt]) await body(make(url, options));
};

test("openai client: text, reasoning, a tool call and usage, streamed and whole", () =>
  withMockModel(script, [], async (url) => {
    const { client } = openaiAt(url);
    const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "read" }];
    const stream = client.chat.completions.stream({ model: "gpt-any", messages, stream_options: { include_usage: true } });
    let reasoning = "";
    stream.on("chunk", ({ choices }) => (reasoning += choices[0]?.delta.reasoning_content ?? ""));
    const streamed = await stream.finalChatCompletion();
    const whole = await client.chat.completions.create({ model: "gpt-any", messages });
    assert.equal(reasoning, "Hm.");
    assert.equal(whole.choices[0].message.reasoning_content, "Hm.");
    for (const answer of [streamed, whole]) {
      const [{ message, finish_reason }] = answer.choices;
      assert.deepEqual([answer.model, message.role, message.content, finish_reason], ["gpt-any", "assistant", "Let me look. ", "tool_calls"]);
      assert.deepEqual(message.tool_calls.map(({ id, function: f }) => [id, f.name, JSON.parse(f.arguments)]), [["call_1_1", "files__read", { path: "read.txt" }]]);
      assert.deepEqual([answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens, answer.usage.completion_tokens], [20, 5, 7]);
    }
    const { tool_calls } = whole.choices[0].message;
    const second = await client.chat.completions.create({
      model: "gpt-any",
      messages: [...messages, { role: "assistant", content: null, tool_calls }, { role: "tool", tool_call_id: "call_1_1", content: "42" }],
    });
    assert.equal(second.choices[0].message.content, "It says 42.");
    const short = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "short" }] });
    assert.equal(short.choices[0].finish_reason, "length");
    assert.deepEqual((await client.models.list()).data.map((model) => model.id), ["scripted"]);
  }));

test("anthropic client: text, thinking, a tool call and usage, streamed and whole", () =>
  withMockModel(script, [], async (url) => {
    const { client } = anthropicAt(url);
    const question = { model: "claude-any", max_tokens: 100, system: "Be brief.", messages: [{ role: "user", content: "read" }] };
    const streamed = await client.messages.stream(question).finalMessage();
    const whole = await client.messages.create(question);
    for (const answer of [streamed, whole]) {
      assert.deepEqual([answer.model, answer.role, answer.stop_reason], ["claude-any", "assistant", "tool_use"]);
      const [thinking, text, call] = answer.content;
      assert.deepEqual([thinking.thinking, text.text], ["Hm.", "Let me look. "]);
      assert.deepEqual([call.id, call.name, call.input], ["call_1_1", "files__read", { path: "read.txt" }]);
      const { input_tokens, cache_read_input_tokens, output_tokens } = answer.usage;
      assert.deepEqual([input_tokens, cache_read_input_tokens, output_tokens], [15, 5, 7]);
    }
    const second = await client.messages.create({
      ...question,
      messages: [...question.messages, { role: "assistant", content: whole.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1_1", content: "42" }] }],
    });
    assert.equal(second.content[0].text, "It says 42.");
    const short = await client.messages.create({ ...question, messages: [{ role: "user", content: "short" }] });
    assert.equal(short.stop_reason, "max_tokens");
    assert.deepEqual((await client.models.list()).data.map((model) => model.id), ["scripted"]);
  }));

test("pauses of the script are kept, and pieces come as they are said", () =>
  withMockModel(script, [], (url) =>
    both(url, async (client) => {
      const pieces = [];
      assert.equal(await client.streamed("slow", {}, pieces), "abc", client.name);
      assert.deepEqual(pieces.filter(Boolean), ["a", "b", "c"], client.name);
      assert.equal(await client.whole("slow"), "abc", client.name);
    })));

test("status:429:2: the first two requests are refused, and the clients try again after the time they are told", () =>
  withMockModel(script, ["--fault", "status:429:2"], (url) =>
    withMockModel(script, ["--fault", "status:503:1", "--fault", "status:500:1", "--retry-after", "0"], async (other) => {
      const began = performance.now();
      const openai = openaiAt(url, { maxRetries: 2 });
      assert.equal(await openai.streamed("Ada"), "Hello Ada");
      assert.deepEqual(openai.statuses, [429, 429, 200]);
      assert.ok(performance.now() - began >= 1990, "Retry-After: 1, twice");
      const anthropic = anthropicAt(other, { maxRetries: 2 });
      assert.equal(await anthropic.streamed("Ada"), "Hello Ada");
      assert.deepEqual(anthropic.statuses, [503, 500, 200]);
    })));

test("errors: the clients raise them with their own types, before the text and in the middle of it", () =>
  withMockModel(script, [], (url) =>
    both(url, async (client) => {
      const { RateLimitError, InternalServerError, APIError } = client.client.constructor;
      const limited = await client.whole("busy").catch((error) => error);
      assert.ok(limited instanceof RateLimitError, `${client.name}: ${limited}`);
      assert.match(limited.message, /too many/);
      assert.deepEqual([limited.headers.get("retry-after"), limited.headers.get("retry-after-ms")], ["1", "30"]);
      await assert.rejects(client.streamed("busy"), RateLimitError);
      await assert.rejects(client.whole("x", { "x-troupe-fault": "status:500" }), InternalServerError);
      await assert.rejects(client.streamed("break"), (error) => error instanceof APIError && /the model broke/.test(error.message));
    })));

test("cuts and garbage: no client takes such an answer for a whole one", () =>
  withMockModel(script, [], (url) =>
    both(url, async (client) => {
      const pieces = [];
      await assert.rejects(client.streamed("half", {}, pieces), client.name);
      assert.equal(pieces.join(""), "Half an ans", client.name);
      await assert.rejects(client.whole("half"), client.name);
      for (const fault of ["cut:0", "cut:120", "cut:200", "garbage:0", "garbage:200"]) {
        const headers = { "x-troupe-fault": fault };
        await assert.rejects(client.streamed("Ada", headers), `${client.name} streamed ${fault}`);
        await assert.rejects(client.whole("Ada", headers), `${client.name} whole ${fault}`);
      }
      assert.equal(await client.streamed("Ada", { "x-troupe-fault": "none" }), "Hello Ada", client.name);
    })));

test("faults of the command line: each for as many requests as it says, and a header takes their place", () =>
  withMockModel(script, ["--fault", "cut:50:1", "--latency-ms", "120"], async (url) => {
    const { streamed } = openaiAt(url);
    const timed = async (headers) => {
      const began = performance.now();
      const result = await streamed("Ada", headers).catch(() => "raised");
      return [result, performance.now() - began >= 119];
    };
    assert.equal((await timed({ "x-troupe-fault": "none" }))[0], "Hello Ada");
    assert.deepEqual(await timed(), ["raised", true]);
    assert.deepEqual(await timed(), ["Hello Ada", true]);
  }));

test("stall: so many bytes of the body and then nothing, streamed and whole", () =>
  withMockModel(script, ["--stall-after", "64"], async (url) => {
    for (const stream of [true, false]) {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST", body: JSON.stringify({ model: "m", stream, messages: [{ role: "user", content: "Ada" }] }),
      });
      const reader = response.body.getReader();
      let size = 0;
      while (size < 64) {
        const { done, value } = await reader.read();
        assert.ok(!done, `it ended after ${size} bytes`);
        size += value.length;
      }
      assert.equal(size, 64);
      const more = await Promise.race([reader.read().then(() => "more"), pause(300, "nothing")]);
      assert.equal(more, "nothing");
      await reader.cancel();
    }
  }));

test("bad requests: each API's own error shape, with its status", () =>
  withMockModel(script, [], async (url) => {
    const openai = openaiAt(url);
    const anthropic = anthropicAt(url);
    const lone = await openai.client.chat.completions.create({ model: "m", messages: [{ role: "tool", tool_call_id: "x", content: "y" }] }).catch((e) => e);
    assert.deepEqual([lone.status, lone.type, lone.param], [400, "invalid_request_error", "messages"]);
    const endless = await anthropic.client.messages.create({ model: "m", max_tokens: 0, messages: [{ role: "user", content: "x" }] }).catch((e) => e);
    assert.deepEqual([endless.status, endless.error.type, endless.error.error.type], [400, "error", "invalid_request_error"]);
    const wrong = await openai.whole("x", { "x-troupe-fault": "explode:1" }).catch((e) => e);
    assert.deepEqual([wrong.status, wrong.param], [400, "X-Troupe-Fault"]);
    assert.match(wrong.message, /unknown word "explode"; allowed are latency/);
    const raw = async (method, path, body, headers = {}) => {
      const response = await fetch(url + path, { method, body, headers });
      return [response.status, (await response.json()).error.type];
    };
    assert.deepEqual(await raw("POST", "/v1/chat/completions", "{no"), [400, "invalid_request_error"]);
    assert.deepEqual(await raw("POST", "/v1/messages", "{}"), [400, "invalid_request_error"]);
    assert.deepEqual(await raw("GET", "/v1/chat/completions"), [405, "invalid_request_error"]);
    assert.deepEqual(await raw("POST", "/v1/embeddings", "{}"), [404, "invalid_request_error"]);
    assert.deepEqual(await raw("GET", "/v1/files", undefined, { "anthropic-version": "2023-06-01" }), [404, "not_found_error"]);
  }));

for (const [kind, configuration] of [
  ["openai", (url, provider) => openaiConfiguration(`${url}/v1`, provider)],
  ["anthropic", anthropicConfiguration],
])
  test(`our own server with it as a provider of the kind ${kind}: a tool round trip, usage, retries and a cut`, () =>
    withMockModel(script, ["--fault", "status:429:1"], (url) =>
      withServer(configuration(url, { max_retries: 2 }), async (server) => {
        const client = await styleA(server);
        const ask = async (content) => {
          const begin = client.frames.length;
          client.send({ type: "message.send", content });
          const end = await client.next((frame) => frame.type === "message.complete" || frame.type === "error");
          return { end, frames: client.frames.slice(begin) };
        };
        const time = await ask("what time is it");
        assert.equal(time.end.type, "message.complete", client.describe());
        assert.equal(textOf(time.frames), "A moment. It is late.");
        assert.equal(client.all("message.tool_start")[0].tool, "clock");
        const plain = await ask("Ada");
        assert.equal(textOf(plain.frames), "Hello Ada");
        assert.deepEqual([plain.end.usage.promptTokens, plain.end.usage.completionTokens], [20, 7]);
        const half = await ask("half");
        assert.deepEqual([half.end.type, half.end.code], ["error", "PROVIDER_ERROR"], client.describe());
        assert.equal(textOf(half.frames), "Half an ans");
      }, key)));

test("scenarios of the tree and recordings are served too", async () => {
  const plain = fileURLToPath(new URL("../../scenarios/conversation/plain_answer.json", import.meta.url));
  await withMockModel(plain, [], (url) => both(url, async (client) => assert.equal(await client.whole("hi"), "Hello.")));
  const recording = {
    scenario: "a recorded greeting",
    model: { exchanges: [{ turn: 1, step: 1, user: "hi", say: [{ text: ["Good ", "day"], after_ms: [1, 5] }] }] },
    steps: [{ send: { message: "hi" } }, { expect: { kind: "message_added" } }],
  };
  await withMockModel(recording, [], (url) =>
    both(url, async (client) => {
      assert.equal(await client.streamed("hi"), "Good day", client.name);
      await assert.rejects(client.whole("something else"), { status: 400 });
    }));
});

test("what it cannot serve is said before it listens", async () => {
  const start = (...args) => run(["mock-model", ...args]);
  const plain = fileURLToPath(new URL("../../scenarios/conversation/plain_answer.json", import.meta.url));
  for (const [args, status, text] of [
    [[], 2, /--scenario/],
    [["--scenario", "/nonexistent/none.json"], 1, /none\.json: cannot be read/],
    [["--scenario", plain, "--listen", "0.0.0.0:0"], 1, /refusing a public address/],
    [["--scenario", plain, "--fault", "cut:x"], 1, /fault "cut:x": cut needs bytes/],
    [["--scenario", plain, "--latency-ms", "-1"], 1, /latency needs milliseconds/],
  ]) {
    const ended = await start(...args);
    assert.equal(ended.status, status, ended.stderr);
    assert.match(ended.stderr + ended.stdout, text);
  }
});

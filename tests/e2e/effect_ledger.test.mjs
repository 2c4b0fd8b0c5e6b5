// The effect ledger (DESIGN §6): kill -9 before the intent, after it, after the effect, after the result. Effects are real: lines
// that a program appends to a file. A `once` tool never has two unless a person chose so; an idempotent one finishes by itself.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { get, post, styleB } from "./support/clients.mjs";
import { openaiConfiguration, key, streamHead } from "./support/aimock.mjs";
import { withServer } from "./support/server.mjs";
import { descendants, gone } from "./support/tool_bench.mjs";
import { until } from "./support/waiting.mjs";

// It says that it has begun, waits for `go1`, takes effect, says so, waits for `go2`, answers. An idempotent one looks first whether
// this key has taken effect.
const program = `cd "$FOLDER"
echo "$TROUPE_IDEMPOTENCY_KEY" >> begun
while [ ! -e go1 ]; do sleep 0.02; done
if [ "$KIND" = once ] || ! grep -qsx "$TROUPE_IDEMPOTENCY_KEY" effects; then echo "$TROUPE_IDEMPOTENCY_KEY" >> effects; fi
while [ ! -e go2 ]; do sleep 0.02; done
echo '{"ok": true}'`;

/** A model API whose every answer waits for the test: `asked` are the requests, `answer(n)` lets the n-th go. */
class Model {
  asked = [];
  async start() {
    this.server = createServer(async (request, response) => {
      let text = "";
      for await (const piece of request) text += piece;
      this.asked.push({ body: JSON.parse(text), response });
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}/v1`;
  }
  async answer(n) {
    const { body, response } = await until(() => this.asked[n], `model call ${n}`);
    const result = body.messages.at(-1).role === "tool" ? body.messages.at(-1).content : null;
    const delta = result === null
      ? { tool_calls: [{ index: 0, id: "call-1", type: "function", function: { name: "pay", arguments: "{}" } }] }
      : { content: `It says ${result}` };
    const send = (choice) => response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, ...choice }] })}\n\n`);
    response.writeHead(200, streamHead);
    send({ delta, finish_reason: null });
    send({ delta: {}, finish_reason: result === null ? "tool_calls" : "stop" });
    response.end("data: [DONE]\n\n");
    return body;
  }
  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const boundaries = ["before the intent", "after the intent", "after the effect", "after the result"];

async function ledger(kind, boundary, body) {
  const folder = mkdtempSync(join(tmpdir(), "troupe-ledger-"));
  const model = new Model();
  await model.start();
  const lines = (file) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean) : []);
  const go = (n) => writeFileSync(join(folder, `go${n}`), "");
  const configuration = openaiConfiguration(model.url, {}, { tools: ["pay"] });
  configuration.tools = {
    pay: { kind: "program", description: "Pays.", command: ["/bin/sh", "-c", program], environment: { FOLDER: folder, KIND: kind },
      effect: kind, approval: "never", sandbox: false, time_limit_ms: 600_000 },
  };
  try {
    await withServer(configuration, async (server) => {
      const client = await styleB(server);
      const { sessionId } = client;
      client.send({ type: "message.send", content: "pay" });
      let calls = 0; // of the model that were answered
      if (boundary !== "before the intent") {
        await model.answer(calls++);
        await until(() => lines("begun").length === 1, "the program");
      } else await until(() => model.asked.length === 1, "the model call");
      if (boundary === "after the effect" || boundary === "after the result") {
        go(1);
        await until(() => lines("effects").length === 1, "the effect");
      }
      if (boundary === "after the result") {
        go(2);
        await client.next("message.tool_complete");
      }
      const askedBefore = model.asked.length;
      const running = descendants(server.pid);
      await server.kill();
      await gone(running); // else the first program would take what is for the second
      await server.start();
      go(1), go(2);
      const again = await styleB(server);
      again.send({ type: "session.resume", sessionId });
      await again.next("session.resumed");
      await body({ server, client: again, sessionId, model, askedBefore, effects: () => lines("effects"), begun: () => lines("begun") });
    }, key);
  } finally {
    await model.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The answer to the result, and what the log says of the call. */
async function finished({ client, server, sessionId, model }, from) {
  for (let n = from; ; ++n) {
    const body = await model.answer(n);
    if (body.messages.at(-1).role !== "tool") continue;
    await client.next("message.complete");
    const { items } = (await get(server, `/api/v1/sessions/${sessionId}/tool-calls`)).body;
    assert.equal(items.length, 1);
    return body.messages.at(-1).content;
  }
}

for (const boundary of boundaries) {
  test(`an idempotent tool, killed ${boundary}: it finishes with one effect, under one key`, () =>
    ledger("idempotent", boundary, async (world) => {
      assert.match(await finished(world, world.askedBefore), /ok/);
      assert.equal(world.effects().length, 1);
      assert.equal(new Set(world.begun()).size, 1, "the key is the same when it runs again");
      const runsAgain = boundary === "after the intent" || boundary === "after the effect";
      assert.equal(world.begun().length, runsAgain ? 2 : 1);
    }));

  const isUnknown = boundary === "after the intent" || boundary === "after the effect";
  for (const choice of isUnknown ? ["retry", "done", "failed"] : [null])
    test(`a once tool, killed ${boundary}${choice ? `, ${choice}` : ""}: at most one effect unless a person chose otherwise`, () =>
      ledger("once", boundary, async (world) => {
        const had = boundary === "after the effect" || boundary === "after the result" ? 1 : 0;
        if (choice) {
          const card = await world.client.next("message.approval_required");
          assert.equal(card.kind, "outcome_unknown");
          assert.deepEqual([world.effects().length, world.begun().length], [had, 1], "nothing runs before a person chose");
          // Nor does it after another crash with the card open.
          await world.server.kill();
          await world.server.start();
          world.client = await styleB(world.server);
          world.client.send({ type: "session.resume", sessionId: world.sessionId });
          assert.equal((await world.client.next("message.approval_required")).approvalId, card.approvalId);
          assert.equal(world.effects().length, had);
          const answer = await post(world.server, `/api/v1/approvals/${card.approvalId}/decide`, { choice });
          assert.equal(answer.status, 200, answer.text);
        } else assert.equal((await get(world.server, "/api/v1/approvals?kind=outcome_unknown")).body.total, 0);
        const result = await finished(world, world.askedBefore);
        assert.equal(/Outcome unknown/.test(result), choice === "failed", result);
        const expected = choice === "retry" ? had + 1 : choice ? had : 1;
        assert.equal(world.effects().length, expected);
        assert.equal(world.begun().length, choice === "retry" ? 2 : 1);
      }));
}

// An hour of recording in virtual time: 60,000 pieces of text, each 60 ms after the one before it.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { run, temporaryFolder } from "./support/server.mjs";

const runs = 100;
const pieces = 600;
const pauseMs = 60;
/** CTest sets it: a second where the program is optimised. */
const limitMs = Number(process.env.TROUPE_HOUR_LIMIT_MS ?? 20_000);

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

function recording() {
  const exchanges = [];
  const steps = [];
  for (let n = 1; n <= runs; ++n) {
    const text = Array.from({ length: pieces }, (_, i) => `w${n}_${i} `);
    const [user, run, message] = [`question ${n}`, `$run_${n}`, `$answer_${n}`];
    exchanges.push({ turn: n, step: 1, user, say: [{ text, after_ms: text.map(() => pauseMs) }, { usage: { prompt: 100, completion: pieces } }] });
    steps.push(
      { send: { message: user }, as: "ada" },
      { expect: { kind: "message_added", content: user, author: "ada" } },
      { expect: { kind: "run_started", run, reply: message } },
      { expect: { kind: "step_started", run, step: 1, message } },
      { advance_ms: pieces * pauseMs },
      { expect: { kind: "text_delta", message, text: text.join("") } },
      { expect: { kind: "message_completed", step: 1, message, content: text.join(""), finish: "stop" } },
      { expect: { kind: "usage_recorded", step: 1, tokens: { prompt: 100, completion: pieces } } },
      { expect: { kind: "run_completed", run, message, steps: 1 } },
    );
  }
  const list = (items) => `[\n${items.map((item) => JSON.stringify(item)).join(",\n")} ]`;
  return `{ "scenario": "an hour", "model": { "exchanges": ${list(exchanges)} }, "tools": [], "results": [], "steps": ${list(steps)} }`;
}

test(`replay: an hour of 60,000 pieces takes less than ${limitMs} ms, and is the same every time`, async () => {
  const file = join(folder, "hour.json");
  writeFileSync(file, recording());
  const told = [];
  for (let i = 0; i < 5; ++i) {
    const { status, stdout, stderr } = await run(["replay", "--json", file], { limitMs: 100_000 });
    assert.equal(status, 0, stdout + stderr);
    told.push(JSON.parse(stdout));
  }
  assert.ok(told[0].events > runs * pieces);
  assert.equal(new Set(told.map(({ hash }) => hash)).size, 1);
  // Others use the machine too: the quickest counts.
  const quickest = Math.min(...told.map(({ ms }) => ms));
  assert.ok(quickest < limitMs, `the quickest of ${told.map(({ ms }) => ms)} ms`);
});

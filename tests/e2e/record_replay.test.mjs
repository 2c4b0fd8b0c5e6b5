// A live session is recorded, and the recording is the session again: in virtual time, over restarts and crashes, and against
// another server.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { styleA } from "./support/clients.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const secret = "zebra-crossing-77";
const live = join(folder, "live.json");
const stored = join(folder, "stored.json");

const lines = (text) => text.split("\n").filter((line) => line !== "");
const replay = async (...args) => {
  const { status, stdout, stderr } = await run(["replay", ...args], { limitMs: 50_000 });
  assert.equal(status, 0, `troupe replay ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
};

/** Two tools, one of them approved, a text that is stopped, and a message that waited meanwhile. */
async function converse(server) {
  const client = await styleA(server, { projectId: "demo" });
  client.send({ type: "message.send", content: `thanks, my key is ${secret}` });
  client.sessionId = (await client.next("session.created")).sessionId;
  await client.next("message.complete");
  client.send({ type: "message.send", content: "calculate 6*7" });
  await client.next("message.complete");
  client.send({ type: "message.send", content: "write a file" });
  await client.next("message.complete");
  client.send({ type: "message.send", content: "delete the file", clientMessageId: "m-3" });
  const card = await client.next("message.approval_required");
  client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, note: "go ahead" });
  await client.next("message.complete");
  client.send({ type: "message.send", content: "a long story" });
  await client.next("message.content_delta");
  client.send({ type: "message.send", content: "list the files" });
  await client.next("message.queued");
  client.send({ type: "run.cancel" });
  await client.next("run.cancelled");
  await client.next("message.complete");
  return client.sessionId;
}

test("recording: a live session becomes a readable scenario without secrets, and so does a stored one", async () => {
  const recordings = join(folder, "recordings");
  await withServer(
    null,
    async (server) => {
      const session = await converse(server);
      await server.stop();
      assert.deepEqual(readdirSync(recordings), [`${session}.json`]);
      const text = readFileSync(join(recordings, `${session}.json`), "utf8");
      writeFileSync(live, text);
      const made = await run(["record", "--session", session, "--data", server.data, "--out", stored], { env: { DEMO_API_KEY: secret } });
      assert.equal(made.status, 0, made.stdout + made.stderr);
    },
    { args: ["--record", recordings], env: { DEMO_API_KEY: secret } },
  );
  for (const file of [live, stored]) {
    const text = readFileSync(file, "utf8");
    assert.ok(!text.includes(secret));
    const recording = JSON.parse(text);
    assert.ok(recording.model.exchanges.some((e) => e.say.some((s) => Array.isArray(s.text) && s.text.length > 5)));
    assert.deepEqual(recording.results.map((r) => r.tool), ["calculator", "write_file", "delete_file", "list_files"]);
    assert.deepEqual(recording.steps.filter((s) => s.send).map((s) => Object.keys(s.send)[0]),
      ["message", "message", "message", "message", "approve", "message", "message", "cancel"]);
  }
});

test("replay: a hundred runs in virtual time have one hash", async () => {
  const hashes = new Set();
  for (let i = 0; i < 100; ++i) {
    const { verdict, hash, events } = JSON.parse(await replay("--json", live));
    assert.equal(verdict, "passed");
    assert.ok(events > 100);
    hashes.add(hash);
  }
  assert.equal(hashes.size, 1);
});

test("replay: the recordings hold over a restart after every step and a crash at every boundary", async () => {
  await replay("--restart-every-step", live, stored);
  const told = await replay("--crash-at", "every", live, stored);
  const [, crashes] = told.match(/^(\d+) crashes, one at each boundary/m) ?? assert.fail(told);
  assert.ok(Number(crashes) > 100, told);
});

test("replay: against a running server the same clients see the same", () =>
  withServer(null, async (server) => {
    assert.match(await replay("--url", server.url, live), /^1 scenarios: 1 passed/m);
    const other = join(folder, "other.json");
    writeFileSync(other, readFileSync(live, "utf8").replaceAll('"output":"42"', '"output":"43"'));
    const { status, stdout } = await run(["replay", "--url", server.url, other]);
    assert.equal(status, 1);
    assert.match(stdout, /other\.json:\d+: step \d+ \(expect\)\n[^]*output: expected "43", came "42"/);
  }));

test("replay: a difference is shown from both sides with its place; --update accepts it", async () => {
  const file = join(folder, "changed.json");
  const changed = lines(readFileSync(live, "utf8"));
  const at = changed.findIndex((line) => line.includes('"kind":"tool_completed"') && line.includes('"calculator"'));
  const before = changed[at];
  changed[at] = before.replace('"output":"42"', '"output":"41"');
  assert.notEqual(changed[at], before);
  writeFileSync(file, changed.join("\n"));
  const { status, stdout } = await run(["replay", file]);
  assert.equal(status, 1);
  assert.ok(stdout.includes(`changed.json:${at + 1}: step `), stdout);
  assert.match(stdout, /expected: \{"kind":"tool_completed".*"output":"41"[^]*came: .*"output":"42"[^]*differs: +output: expected "41", came "42"/);
  await replay("--update", file);
  await replay(file);
  changed[at] = before;
  assert.equal(readFileSync(file, "utf8").trimEnd(), changed.join("\n").trimEnd());
});

test("record: what cannot be recorded is told", async () => {
  const tell = async (args, status, text) => {
    const done = await run(["record", ...args]);
    assert.equal(done.status, status, done.stderr);
    assert.match(done.stderr, text);
  };
  const nobody = "00000000-0000-4000-8000-000000000000";
  await tell(["--session", "x", "--out", join(folder, "x.json")], 2, /expected the UUID of a session/);
  await tell(["--session", nobody, "--out", join(folder, "x.json"), "--data", join(folder, "none")], 1, /there is no database .*--data/);
});

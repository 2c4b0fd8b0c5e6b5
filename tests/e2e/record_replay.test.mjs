// A live session is recorded, and the recording is the session again: in virtual time, over restarts and crashes, and against
// another server.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { chunk, key, openaiConfiguration, streamHead, withUpstream } from "./support/aimock.mjs";
import { standard, words } from "./support/configuration.mjs";
import { post, request, styleA } from "./support/clients.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const secret = "zebra-crossing-77";
const live = join(folder, "live.json");
const stored = join(folder, "stored.json");

const lines = (text) => text.split("\n").filter((line) => line !== "");
const replay = async (...args) => {
  const { status, stdout, stderr } = await run(["replay", ...args], { limitMs: 300_000 });
  assert.equal(status, 0, `troupe replay ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
};

/** Its story stays where it is until it is stopped: what is done meanwhile may take as long as it takes. */
const configuration = standard();
configuration.providers.scripted.script.rules.unshift(
  { when: { tool: "list_files" }, say: [{ text: ["These ", "are ", "they."] }] },
  { when: { user: "thanks", after: "user" }, say: [{ text: words, every_ms: 2 }] },
  { when: { user: "calculate (.*)", after: "user" }, say: [{ tool: "calculator", arguments: { expression: "${1}" } }] },
  { when: { user: "list the files", after: "user" }, say: [{ tool: "list_files" }] },
  { when: { user: "story", after: "user" }, say: [{ text: words.slice(0, 20), every_ms: 2 }, { delay_ms: 600_000 }, { text: "Never said." }] },
);

/** Two tools, one of them approved, a text that is stopped, and a message that waited meanwhile. */
async function converse(server) {
  const client = await styleA(server, { projectId: "demo" });
  client.send({ type: "message.send", content: `thanks, my key is ${secret}` });
  client.sessionId = (await client.next("session.created")).sessionId;
  await client.next("message.complete");
  client.send({ type: "message.send", content: "calculate 6*7" });
  await client.next("message.complete");
  client.send({ type: "message.send", content: "write the file" });
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
    configuration,
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
  withServer(configuration, async (server) => {
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

/** A file, a queue that is changed, commands that come too late; everything that was refused is told by its code. */
async function getInTheWay(server) {
  const client = await styleA(server, { projectId: "demo" });
  client.send({ type: "message.send", content: "write the file" });
  client.sessionId = (await client.next("session.created")).sessionId;
  await client.next("message.complete");
  const api = `/api/v1/sessions/${client.sessionId}`;
  const file = await request(server, "POST", `${api}/files?name=notes.txt`, `a note, my key is ${secret}`, { "content-type": "text/plain" });
  const picture = await request(server, "POST", `${api}/files?name=dot.png`, "\u0089PNG", { "content-type": "image/png" });
  assert.deepEqual([file.status, picture.status], [201, 201]);
  client.send({ type: "message.send", content: "delete the file", clientMessageId: "m-1" });
  const card = await client.next("message.approval_required");
  const decide = (approved) => post(server, `/api/v1/approvals/${card.approvalId}/decide`, { approved, note: "first" });
  assert.equal((await decide(true)).status, 200);
  assert.equal((await decide(false)).status, 409);
  await client.next("message.complete");
  const attachments = [file.body.fileId, picture.body.fileId];
  assert.equal((await post(server, `${api}/messages`, { content: "a long story", attachments })).status, 202);
  await client.next("message.content_delta");
  const say = async (content, more = {}) => (await post(server, `${api}/messages`, { content, ...more })).body;
  await say("thanks");
  const second = await say("list files");
  const third = await say("calculate 1+1");
  await request(server, "PATCH", `${api}/queue/${second.messageId}`, { content: "list the files", position: 1 });
  await request(server, "PATCH", `${api}/queue/${third.messageId}`, { position: 1 });
  assert.equal((await say("now?", { onBusy: "reject" })).error.code, "BUSY");
  assert.equal((await say("delete the file", { clientMessageId: "m-1" })).runId, (await say("delete the file", { clientMessageId: "m-1" })).runId);
  assert.equal((await request(server, "DELETE", `${api}/queue/${third.messageId}`)).status, 200);
  client.send({ type: "run.cancel" });
  await client.next("run.cancelled");
  for (let i = 0; i < 2; ++i) await client.next("message.complete");
  assert.equal((await request(server, "PATCH", `${api}/status`, { status: "closed" })).status, 200);
  await client.next("session.updated");
  assert.equal((await say("still there?")).error.code, "SESSION_CLOSED");
  return client.sessionId;
}
const sent = (recording) => recording.steps.filter((s) => s.send).map((s) => Object.keys(s.send)[0]);
const refused = (recording) => recording.steps.filter((s) => s.reply?.error || s.reply?.won === false || s.reply?.repeated).map((s) => s.reply);
const commands = ["message", "file", "file", "message", "approve", "message", "message", "message", "message", "edit", "edit", "dequeue", "cancel", "status"];

test("recording: files, changes of the queue and refused commands come back, here and at another server", async () => {
  const recordings = join(folder, "in-the-way");
  const asked = join(folder, "asked.json");
  const read = join(folder, "read.json");
  let session;
  await withServer(
    configuration,
    async (server) => {
      session = await getInTheWay(server);
      const record = async (...args) => {
        const { status, stdout, stderr } = await run(["record", "--session", session, ...args], { env: { DEMO_API_KEY: secret } });
        assert.equal(status, 0, stdout + stderr);
      };
      await record("--url", server.url, "--out", asked);
      await record("--data", server.data, "--out", read);
      await server.stop();
    },
    { args: ["--record", recordings], env: { DEMO_API_KEY: secret } },
  );
  const file = join(recordings, `${session}.json`);
  const [heard, told, stored] = [file, asked, read].map((f) => JSON.parse(readFileSync(f, "utf8")));
  assert.deepEqual(refused(heard), [
    { won: false, decision: "approved" },
    { error: "BUSY" },
    { repeated: true, message: heard.steps.find((s) => s.expect?.client_message_id === "m-1").expect.message },
    { repeated: true, message: heard.steps.find((s) => s.expect?.client_message_id === "m-1").expect.message },
    { error: "SESSION_CLOSED" },
  ]);
  for (const recording of [told, stored]) {
    assert.deepEqual(sent(recording), commands);
    const files = recording.steps.filter((s) => s.send?.file).map((s) => s.send);
    assert.deepEqual(files[0], { file: "notes.txt", type: "text/plain", text: "a note, my key is [redacted]" });
    assert.equal(files[1].base64 ?? files[1].text, Buffer.from("\u0089PNG").toString());
    assert.deepEqual(recording.steps.filter((s) => s.send?.edit).map(({ send }) => [send.content, send.position]), [["list the files", 1], [undefined, 1]]);
    const results = ({ results }) => results.map(({ after_ms, ...told }) => told);
    assert.deepEqual(results(recording), results(heard));
    assert.deepEqual(recording.model.exchanges.map((e) => [e.turn, e.step, e.user]), heard.model.exchanges.map((e) => [e.turn, e.step, e.user]));
  }
  await replay(file, read, asked);
  await replay("--restart-every-step", file);
  await replay("--crash-at", "every", file);
  await withServer(configuration, async (server) => assert.match(await replay("--url", server.url, file, asked), /^2 scenarios: 2 passed/m));
});

test("recording: attempts that failed before anything was shown are in it, and are made again", async () => {
  const recordings = join(folder, "attempts");
  let calls = 0;
  const answer = (_, response) => {
    if (++calls <= 2) return response.writeHead(calls === 1 ? 503 : 429, { "retry-after": "0" }).end(`{"error":{"message":"no room, ${secret}"}}`);
    response.writeHead(200, streamHead).end(`${chunk("Hel")}${chunk("lo")}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`);
  };
  await withUpstream(answer, (baseUrl) =>
    withServer(
      openaiConfiguration(baseUrl, { max_retries: 2 }),
      async (server) => {
        const client = await styleA(server);
        client.send({ type: "message.send", content: "hi" });
        const { sessionId } = await client.next("session.created");
        await client.next("message.complete");
        await server.stop();
        const read = join(folder, "attempts.json");
        const made = await run(["record", "--session", sessionId, "--data", server.data, "--out", read]);
        assert.equal(made.status, 0, made.stderr);
        const file = join(recordings, `${sessionId}.json`);
        for (const [name, told] of [[file, /HTTP (503|429).*no room, \[redacted\]/], [read, /the log does not tell why/]]) {
          const text = readFileSync(name, "utf8");
          assert.ok(!text.includes(secret), text);
          const recording = JSON.parse(text);
          const { failed } = recording.model.exchanges[0];
          assert.equal(failed.length, 2);
          for (const { text } of failed) assert.match(text, told);
          assert.equal(recording.steps.find((s) => s.expect?.kind === "usage_recorded").expect.attempts, 3);
          await replay(name);
        }
        await replay("--crash-at", "every", file);
      },
      { args: ["--record", recordings], env: { ...key.env, DEMO_API_KEY: secret } },
    ),
  );
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
  const at = (url) => ["--session", nobody, "--out", join(folder, "x.json"), "--url", url];
  await tell(at("ftp://x"), 2, /--url ftp:\/\/x: expected http:\/\/HOST:PORT/);
  await tell([...at("http://127.0.0.1:1"), "--data", folder], 2, /--data excludes --url/);
  await withServer(null, async (server) => {
    await tell(at(server.url), 1, /Session not found.*`troupe sessions` lists them/);
    await server.stop();
    await tell(at(server.url), 1, /no server answers at/);
  });
});

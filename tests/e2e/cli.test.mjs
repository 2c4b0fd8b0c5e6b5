// The command line against a running server: in a terminal, in pipes, and with a database that is written meanwhile.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { get, post } from "./support/clients.mjs";
import { binary, run, temporaryFolder, withServer } from "./support/server.mjs";
import { ctrlC, ctrlD, inTerminal } from "./support/terminal.mjs";
import { tokenOf, withGuarded } from "./support/tokens.mjs";
import { slowEffect } from "./support/slow_effect.mjs";

const plain = { NO_COLOR: "1" };
const demo = (body, options) => withServer(null, body, options);

/** stdout of a command that must succeed. */
async function ok(args, options) {
  const { status, stdout, stderr } = await run(args, options);
  assert.equal(status, 0, `troupe ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}
const at = (server, ...args) => ok([...args, "--url", server.url]);
const json = async (server, ...args) => JSON.parse(await at(server, ...args, "--json"));

/** With something on stdin. */
function piped(server, args, input, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary(), [...args, "--url", server.url], { env: { ...process.env, ...env } });
    const out = { stdout: "", stderr: "" };
    child.stdout.on("data", (bytes) => (out.stdout += bytes));
    child.stderr.on("data", (bytes) => (out.stderr += bytes));
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    child.on("error", reject);
    child.on("close", (status) => (clearTimeout(timer), resolve({ status, ...out })));
    child.stdin.end(input);
  });
}

async function session(server, ...messages) {
  const made = await post(server, "/api/v1/projects/demo/sessions");
  for (const content of messages) await post(server, `/api/v1/sessions/${made.body.id}/messages?wait=true`, { content });
  return made.body.id;
}

test("chat: in a terminal it answers, shows tools and what they cost, and Ctrl-D leaves", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/Guide at http.* session ([0-9a-f-]{36})/);
    await t.until(/you> /);
    t.line("calculate 2*21");
    await t.until(/> calculator expression=2\*21/);
    await t.until(/\+ calculator \d+ ms 42/);
    await t.until(/Guide> The result is 42/);
    await t.until(/tokens \([\d,]+ in, [\d,]+ out\), \$[\d.]+; session \$[\d.]+ of \$0\.5000/);
    await t.until(/you> /);
    t.line("/session");
    await t.until(/[0-9a-f-]{36}/);
    await t.until(/you> /);
    t.type(ctrlD);
    await t.until(/come back with: troupe chat --session [0-9a-f-]{36}/);
    await t.end(0);
    assert.ok(!t.shown.includes("\x1b[3"), "no colours where NO_COLOR is set");
  }, plain)));

test("chat: a call is approved, edited, denied; the card shows what it is about", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("write a file");
    await t.until(/I wrote[^]*you> /);
    t.line("delete the file");
    await t.until(/\? delete_file needs your approval, risk high, until/);
    await t.until(/path: notes\/demo\.txt/);
    await t.until(/approve\? /);
    t.line("perhaps");
    await t.until(/type y, n, e, a or l/);
    t.line("n not today");
    await t.until(/denied: not today/);
    await t.until(/the file stays where it is[^]*you> /);
    t.line("delete the file");
    await t.until(/approve\? /);
    t.line("e");
    await t.until(/now: \{"path":"notes\/demo\.txt"\}[^]*JSON/);
    t.line("{");
    await t.until(/no JSON object/);
    t.line('{"path": 7}');
    await t.until(/! [^]*path[^]*VALIDATION_ERROR[^]*approve\? /);
    t.line("y go ahead");
    await t.until(/approved: go ahead/);
    await t.until(/\+ delete_file/);
    await t.until(/notes\/demo\.txt` is gone[^]*you> /);
    const { body } = await get(server, "/api/v1/approvals");
    assert.deepEqual(body.items.map((a) => [a.status, a.note]), [["approved", "go ahead"], ["denied", "not today"]]);
  }, plain)));

test("chat: a question that somebody else decides is closed in the terminal", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("delete the file");
    await t.until(/approve\? /);
    const [card] = (await json(server, "approvals", "list")).items;
    await at(server, "approvals", "decide", card.id, "--deny", "--note", "no");
    await t.until(/denied: no/);
    await t.until(/stays where it is[^]*you> /);
  }, plain)));

test("chat: Ctrl-C stops the answer, a second one leaves; what was said stays", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/session ([0-9a-f-]{36})/);
    await t.until(/you> /);
    t.line("a long story");
    await t.until(/Guide> This is a longer/);
    t.type(ctrlC);
    await t.until(/stopped/);
    await t.until(/you> /);
    t.type(ctrlC);
    await t.end(0);
    const [made] = (await json(server, "sessions")).items;
    const { items } = await json(server, "history", made.id);
    assert.equal(items.at(-1).cut, true);
    assert.match(items.at(-1).content, /^This is a longer/);
  }, plain)));

test("chat: taken up again it shows what was said, and asks what is open", () =>
  demo(async (server) => {
    const id = await session(server, "write a file", "delete the file");
    await inTerminal(["chat", "--session", id, "--url", server.url], async (t) => {
      await t.until(/you> write a file/);
      await t.until(/Guide> I wrote/);
      await t.until(/\? delete_file needs your approval/);
      await t.until(/approve\? /);
      t.line("y");
      await t.until(/is gone[^]*you> /);
      assert.equal(t.shown.match(/\? delete_file needs/g).length, 1);
    }, plain);
  }));

test("chat: an outcome that nobody knows is asked for", async () => {
  const { configuration, folder, effects } = slowEffect();
  try {
    await withServer(configuration, async (server) => {
      const id = await session(server);
      await post(server, `/api/v1/sessions/${id}/messages`, { content: "deploy" });
      while (effects() === 0) await get(server, "/healthz");
      await server.kill();
      await server.start();
      await inTerminal(["chat", "--session", id, "--url", server.url], async (t) => {
        await t.until(/\? whether deploy took effect is not known/);
        await t.until(/\[r\]etry, it is \[d\]one, it \[f\]ailed/);
        t.line("d I looked");
        await t.until(/done: I looked/);
        await t.until(/Deployed: [^]*you> /);
        assert.equal(effects(), 1);
      }, plain);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("chat: it goes on where it was when the server is killed in the middle of an answer", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("a long story");
    await t.until(/This is a longer text/);
    const { port } = server;
    await server.kill();
    await t.until(/the connection is lost/);
    server.args[server.args.indexOf("--listen") + 1] = `127.0.0.1:${port}`;
    await server.start();
    await t.until(/connected again/);
    await t.until(/End of the long text\.[^]*you> /);
  }, plain)));

test("chat: what a model says cannot command the terminal", () => {
  const script = { rules: [], otherwise: [{ text: "red\u001b[31m \u001b]0;owned\u0007 \u009b2J bidi\u202e \rover" }] };
  const configuration = { providers: { s: { kind: "scripted", script } }, default_project: "p",
    projects: { p: { default_agent: "a", agents: { a: { provider: "s", model: "m" } } } } };
  return withServer(configuration, async (server) => {
    const said = "red^[[31m ^[]0;owned^G ^[[2J bidi<U+202E> over\n";
    const { stdout } = await piped(server, ["chat", "x"], "");
    assert.equal(stdout, said);
    const [made] = (await json(server, "sessions")).items;
    for (const command of [["history", made.id], ["events", made.id]]) {
      const text = await at(server, ...command);
      assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text), JSON.stringify(text));
    }
  });
});

test("chat: in a pipe stdout is the answers alone, and each line waits for the one before", () =>
  demo(async (server) => {
    const lines = await piped(server, ["chat"], "calculate 2+3\nlist files");
    assert.equal(lines.status, 0, lines.stderr);
    assert.equal(lines.stdout, "The result is 5. The `calculator` tool worked it out, not I.\nIn your workspace:\n\nThe folder is empty.\n");
    assert.match(lines.stderr, /> calculator/);
    const whole = await piped(server, ["chat", "-"], "calculate\n6*7");
    assert.equal(whole.status, 0, whole.stderr);
    const frames = (await piped(server, ["chat", "--json", "what time is it?"], "")).stdout.trim().split("\n").map((l) => JSON.parse(l));
    assert.equal(frames.at(-1).type, "message.complete");
    assert.ok(frames.some((f) => f.type === "message.tool_start" && f.tool === "clock"));
    const parked = await piped(server, ["chat", "delete the file"], "");
    assert.equal(parked.status, 1);
    assert.match(parked.stderr, /troupe approvals decide [0-9a-f-]{36} --approve/);
  }));

test("every command that lists has JSON that a program can read", () =>
  demo(async (server) => {
    const id = await session(server, "write a file", "delete the file");
    const sessions = await json(server, "sessions", "--search", "write");
    assert.deepEqual([sessions.total, sessions.items[0].id], [1, id]);
    const history = await json(server, "history", id);
    assert.deepEqual(history.items.map((m) => m.role), ["user", "assistant", "assistant", "user", "assistant"]);
    const events = (await at(server, "events", id, "--json")).trim().split("\n").map((l) => JSON.parse(l));
    assert.equal(events[0].type, "session.created");
    const later = (await at(server, "events", id, "--json", "--after", String(events[4].seq))).trim().split("\n");
    assert.deepEqual(later.map((l) => JSON.parse(l)), events.slice(5));
    const traces = await json(server, "trace", "--session", id);
    assert.equal(traces.total, 2);
    const trace = await json(server, "trace", traces.items[1].id);
    assert.deepEqual(trace.spans.map((s) => s.kind), ["run", "model_call", "tool_call", "model_call"]);
    const [spend, days] = [await json(server, "spend", "--by", "agent"), await json(server, "spend")];
    assert.equal(spend.items[0].key, "guide");
    assert.ok(spend.totalCost > 0 && spend.totalCost === days.totalCost);
    const [card] = (await json(server, "approvals", "list")).items;
    const decided = await json(server, "approvals", "decide", card.id, "--approve", "--remember", "session", "--for", "8h");
    assert.equal(decided.status, "approved");
    const [grant] = (await json(server, "approvals", "remembered")).items;
    assert.deepEqual([grant.scope, grant.toolId], ["session", "delete_file"]);
    assert.ok(Math.abs(Date.parse(grant.expiresAt) - Date.now() - 8 * 3600_000) < 60_000);
    assert.equal((await json(server, "approvals", "revoke", grant.id)).status, "revoked");
    assert.equal((await json(server, "approvals", "remembered")).total, 0);
    for (const [args, says] of [[["sessions"], id], [["history", id], "write_file ok"], [["trace", traces.items[1].id], "tool_call"],
      [["trace"], traces.items[0].id], [["spend", "--by", "user"], "total"], [["approvals", "list", "--status", "approved"], card.id]])
      assert.ok((await at(server, ...args)).includes(says), args.join(" "));
  }));

test("approvals decide: several at once, and what cannot be decided is a failure", () =>
  demo(async (server) => {
    for (let i = 0; i < 2; ++i) await session(server, "delete the file");
    const ids = (await json(server, "approvals", "list")).items.map((a) => a.id);
    assert.equal(ids.length, 2);
    assert.match(await at(server, "approvals", "decide", ...ids, "--deny"), /(delete_file: denied.*\n){2}/);
    const again = await run(["approvals", "decide", ids[0], "--approve", "--url", server.url]);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /settled before: denied/);
  }));

test("events --follow: shows what happens, goes on over a restart, and Ctrl-C ends it with 0", () =>
  demo(async (server) => {
    const id = await session(server);
    await inTerminal(["events", id, "--follow", "--json", "--url", server.url], async (t) => {
      await t.until(/"type":"session.created"/);
      await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "time" });
      await t.until(/"type":"message.tool_start"[^]*"type":"message.complete"/);
      const { port } = server;
      await server.stop();
      await t.until(/connection is lost/);
      server.args[server.args.indexOf("--listen") + 1] = `127.0.0.1:${port}`;
      await server.start();
      await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "list files" });
      await t.until(/"tool":"list_files"[^]*"type":"message.complete"/);
      t.type(ctrlC);
      await t.end(0);
      const seqs = [...t.shown.matchAll(/"seq":(\d+)\}/g)].map((m) => Number(m[1]));
      assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), "each once, in order");
    });
  }));

test("backup: of a running server, while it writes; `troupe check` finds nothing in it", () =>
  demo(async (server) => {
    const folder = join(server.folder, "backup");
    mkdirSync(folder);
    const file = join(folder, "troupe.db");
    const id = await session(server, "write a file");
    const talking = session(server, "a long story");
    const report = JSON.parse(await ok(["backup", "--data", server.data, "--to", file, "--json"]));
    assert.equal(report.bytes, statSync(file).size);
    assert.equal(report.workspaces, join(server.data, "workspaces"));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["troupe.db"]);
    assert.match(await ok(["check", "--data", folder]), / 0 findings/);
    await talking;
    const refused = await run(["backup", "--data", server.data, "--to", file]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /exists; .*--force/);
    await ok(["backup", "--data", server.data, "--to", file, "--force"]);
    // A server runs on it, and knows what was said.
    await withServer(null, async (restored) => {
      await restored.stop();
      writeFileSync(join(restored.data, "troupe.db"), readFileSync(file));
      for (const more of ["-wal", "-shm"]) rmSync(join(restored.data, `troupe.db${more}`), { force: true });
      await restored.start();
      assert.equal((await json(restored, "history", id)).items[0].content, "write a file");
    });
  }));

test("token: a key that the configuration takes lets its owner in", async () => {
  const made = JSON.parse(await ok(["token", "new", "--name", "ops", "--scope", "admin", "--json"]));
  assert.equal(createHash("sha256").update(made.key).digest("hex"), made.apiKey.sha256);
  assert.equal((await piped({ url: "" }, ["token", "hash"], "abc").catch((e) => e)).status, 2, "it takes no --url");
  await withGuarded(async (server) => {
    const env = { TROUPE_TOKEN: made.key };
    assert.equal(JSON.parse(await ok(["sessions", "--json", "--url", server.url], { env })).total, 0);
    const without = await run(["sessions", "--url", server.url], { env: { TROUPE_TOKEN: "" } });
    assert.equal(without.status, 1);
    assert.match(without.stderr, /wants credentials.*AUTH_REQUIRED.*--token, or in TROUPE_TOKEN/);
    const wrong = await run(["sessions", "--url", server.url, "--token", "nonsense"]);
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /refuses these credentials.*AUTH_FAILED/);
    const chat = await run(["chat", "hello", "--url", server.url, "--token", tokenOf("ana")]);
    assert.equal(chat.status, 0, chat.stderr);
    assert.match(chat.stdout, /Hello, world/);
    const spend = await run(["spend", "--url", server.url, "--token", tokenOf("ana")]);
    assert.equal(spend.status, 1);
    assert.match(spend.stderr, /admin/);
  }, { ...(await import("./support/configuration.mjs")).standard(), auth: { api_keys: [made.apiKey] } });
});

test("wrong usage ends with 2, says what is wrong, what is near, and where to read on", async () => {
  for (const [args, says] of [
    [["sesions"], /no command `sesions`[^]*nearest there is: sessions[^]*try: troupe --help/],
    [["sessions", "--jsn"], /--jsn[^]*nearest there is: --json[^]*try: troupe sessions --help/],
    [["history"], /session is required[^]*try: troupe history --help/],
    [["approvals", "decide", "X"], /1 option from \[--approve,--deny,--choice,--answer\]/],
    [["approvals", "decide", "X", "--approve", "--arguments", "no"], /must be a JSON object/],
    [["approvals", "decide", "X", "--approve", "--remember", "session", "--for", "8"], /number and s, m, h or d/],
    [["spend", "--by", "moon"], /moon/],
    [["backup"], /--to is required/],
    [[], /which command\?/],
  ]) {
    const { status, stdout, stderr } = await run(args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stdout + stderr, says);
  }
});

test("a server that is not there: status 1, and what to do", async () => {
  for (const args of [["sessions"], ["chat", "hello"], ["events", "x", "--follow"], ["approvals", "list"]]) {
    const { status, stderr } = await run([...args, "--url", "http://127.0.0.1:9"]);
    assert.equal(status, 1, args.join(" "));
    assert.match(stderr, /no server answers at http:\/\/127\.0\.0\.1:9; start one with `troupe serve`/);
  }
});

test("completion: bash completes commands, options, their words and files", async () => {
  const script = await ok(["completion", "bash"]);
  const complete = (...words) =>
    new Promise((resolve) => {
      const line = `${script}\nCOMP_WORDS=(troupe ${words.map((w) => `'${w}'`).join(" ")}); COMP_CWORD=${words.length}; _troupe; echo "\${COMPREPLY[@]}"`;
      const bash = spawn("bash", ["--norc", "-c", line], { stdio: ["ignore", "pipe", "inherit"] });
      let out = "";
      bash.stdout.on("data", (bytes) => (out += bytes));
      bash.on("close", () => resolve(out.trim().split(" ")));
    });
  assert.deepEqual(await complete("app"), ["approvals"]);
  assert.deepEqual(await complete("approvals", "re"), ["remembered", "revoke"]);
  assert.deepEqual(await complete("spend", "--by", "a"), ["agent"]);
  assert.deepEqual(await complete("events", "x", "--fol"), ["--follow"]);
  assert.deepEqual(await complete("completion", "z"), ["zsh"]);
  assert.ok((await complete("serve", "--config", "/etc/pass")).includes("/etc/passwd"));
});

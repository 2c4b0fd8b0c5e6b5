// The command line against a running server: what it lists and decides, the log as it grows, a backup of a database that is
// written meanwhile, keys, wrong usage. `troupe chat`: cli_chat.test.mjs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { post } from "./support/clients.mjs";
import { assertEachOnceInOrder, at, demo, json, ok, piped, plain, session } from "./support/command_line.mjs";
import { standard } from "./support/configuration.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";
import { ctrlC, inTerminal } from "./support/terminal.mjs";
import { tokenOf, withGuarded } from "./support/tokens.mjs";

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
      await server.stop();
      await t.until(/connection is lost/);
      await server.start();
      await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "list files" });
      await t.until(/"tool":"list_files"[^]*"type":"message.complete"/);
      t.type(ctrlC);
      await t.end(0);
      assertEachOnceInOrder(t.shown);
    });
  }, { keepsPort: true }));

test("a narrow terminal: no line is wider than it, and no word of help is cut", () =>
  demo(async (server) => {
    const id = await session(server, "write a file", "delete the file");
    const [trace] = (await json(server, "trace", "--session", id)).items;
    for (const [columns, args] of [80, 40].flatMap((n) => [["sessions"], ["trace"], ["spend"], ["approvals", "list"], ["events", id]]
      .map((a) => [n, [...a, "--url", server.url]])).concat([[80, ["trace", trace.id, "--url", server.url]], [80, ["--help"]], [40, ["approvals", "decide", "--help"]]]))
      await inTerminal(args, async (t) => {
        await t.end(0);
        const lines = t.shown.split(/\r?\n/);
        // A word, as a path or an id, may be wider than the terminal.
        const wide = lines.filter((line) => [...line].length > columns && !/^ *\S+$/.test(line));
        assert.deepEqual(wide, [], `troupe ${args.join(" ")} in ${columns} columns`);
        if (args[0] === "sessions") assert.ok(lines.some((line) => line.startsWith(id)), t.shown);
      }, { ...plain, COLUMNS: String(columns) });
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
    const device = await run(["backup", "--data", server.data, "--to", "/dev/null", "--force"]);
    assert.equal(device.status, 1);
    assert.match(device.stderr, /no regular file/);
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
  assert.equal((await piped(null, ["token", "hash"], `${made.key}\n`)).stdout, `${made.apiKey.sha256}\n`);
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
  }, { ...standard(), auth: { api_keys: [made.apiKey] } });
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
  const folder = temporaryFolder();
  writeFileSync(join(folder, "mine.json"), "{}");
  assert.deepEqual(await complete("serve", "--config", join(folder, "mi")), [join(folder, "mine.json")]);
  rmSync(folder, { recursive: true });
});

// What every command says of its end, for people and with --json: success, wrong usage, a server that is not there, credentials
// that are missing, things that do not exist; and where its output goes when nobody takes it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { post } from "./support/clients.mjs";
import { demo, json, ok, piped, session } from "./support/command_line.mjs";
import { binary, outcomeOf, run, temporaryFolder } from "./support/server.mjs";
import { withGuarded } from "./support/tokens.mjs";

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const nobody = "00000000-0000-4000-8000-000000000000";
const file = (name) => join(folder, name);
const nowhere = "http://127.0.0.1:9";

/** Every command that asks a server, and one more argument list for what it cannot find; null: there is no such thing. */
const remote = [
  { args: ["sessions"], missing: null },
  { args: ["history", nobody], missing: ["history", nobody] },
  { args: ["events", nobody], missing: ["events", nobody] },
  { args: ["events", nobody, "--follow"], missing: ["events", nobody, "--follow"] },
  { args: ["trace"], missing: ["trace", "none"] },
  { args: ["spend"], missing: ["spend", "--project", "none"] },
  { args: ["approvals", "list"], missing: null },
  { args: ["approvals", "decide", nobody, "--deny"], missing: ["approvals", "decide", nobody, "--deny"] },
  { args: ["approvals", "remembered"], missing: null },
  { args: ["approvals", "revoke", nobody], missing: ["approvals", "revoke", nobody] },
  { args: ["chat", "hello"], missing: ["chat", "--session", nobody, "hello"] },
  { args: ["record", "--session", nobody, "--out", file("x.json")], missing: ["record", "--session", nobody, "--out", file("x.json")] },
];
/** What is asked in a wrong way, whoever would answer. */
const wrong = [
  ["sessions", "--limit", "0"], ["history"], ["events", "x", "--after", "-1"], ["trace", "a", "--session", "b"], ["spend", "--by", "moon"],
  ["approvals", "list", "--status", "lost"], ["approvals", "decide", "x"], ["approvals", "remembered", "--limit", "x"], ["approvals", "revoke"],
  ["chat", "--session", "a", "--agent", "b"], ["chat", ""], ["record", "--session", "x", "--out", file("x.json")], ["backup"], ["check", "--nonsense"],
  ["token", "new", "--scope", "king"], ["token", "hash", "x"], ["replay", "--speed", "-1", folder], ["serve", "--check-config", "--nonsense"], ["sesions"], [],
];

/** One object in one line on stderr, nothing on stdout. */
function errorIn({ status, stdout, stderr }, expected, args) {
  const command = `troupe ${args.join(" ")}\n${stdout}${stderr}`;
  assert.equal(status, expected, command);
  assert.equal(stdout, "", command);
  assert.match(stderr, /^\{.*\}\n$/, command);
  const { error, ...more } = JSON.parse(stderr);
  assert.deepEqual([Object.keys(error), more], [["code", "message"], {}], command);
  assert.match(error.code, /^[A-Z_]+$/, command);
  assert.ok(error.message.length > 5 && !error.message.startsWith("troupe"), command);
  return error;
}
/** The same for people. */
function complaintIn({ status, stdout, stderr }, expected, args) {
  assert.equal(status, expected, `troupe ${args.join(" ")}\n${stdout}${stderr}`);
  assert.match(stderr, /^troupe: [^]+\n$/, args.join(" "));
  return stderr;
}

test("--json: every command that has something to tell knows it", async () => {
  const without = [];
  const look = async (path) => {
    const help = await ok([...path, "--help"]);
    const names = [...(help.match(/^(Commands|Subcommands|Serve|Talk to a running server|Look after it|Scenarios):\n(( {2}.*\n)+)/gm) ?? [])]
      .flatMap((group) => [...group.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => name));
    if (names.length === 0 && !/^ {2}--json/m.test(help)) without.push(path.join(" "));
    for (const name of names) await look([...path, name]);
  };
  await look([]);
  assert.deepEqual(without.sort(), ["completion", "mock-model"]);
});

test("wrong usage: 2, and with --json one object on stderr", async () => {
  for (const args of wrong) {
    assert.match(complaintIn(await run(args), 2, args), /\S/);
    assert.equal(errorIn(await run([...args, "--json"]), 2, [...args, "--json"]).code, "VALIDATION_ERROR");
  }
  const near = errorIn(await run(["sesions", "--json"]), 2, ["sesions"]);
  assert.match(near.message, /no command `sesions`; the nearest there is: sessions; try: troupe --help/);
});

test("a server that is not there: 1, and what to do", async () => {
  for (const { args } of remote) {
    const at = [...args, "--url", nowhere];
    assert.match(complaintIn(await run(at), 1, at), /no server answers at http:\/\/127\.0\.0\.1:9; start one with `troupe serve`/);
    assert.match(errorIn(await run([...at, "--json"]), 1, at).message, /no server answers/);
  }
});

test("credentials that are missing, wrong or too weak: 1, with the server's code", () =>
  withGuarded(async (server) => {
    const env = { TROUPE_TOKEN: "" };
    for (const { args } of remote) {
      const at = [...args, "--url", server.url];
      assert.match(complaintIn(await run(at, { env }), 1, at), /wants credentials.*TROUPE_TOKEN/);
      assert.equal(errorIn(await run([...at, "--json"], { env }), 1, at).code, "AUTH_REQUIRED");
      assert.equal(errorIn(await run([...at, "--json"], { env: { TROUPE_TOKEN: "nonsense" } }), 1, at).code, "AUTH_FAILED");
    }
  }));

test("what does not exist: 1, NOT_FOUND, and where to look", () =>
  demo(async (server) => {
    for (const { missing } of remote.filter((c) => c.missing)) {
      const at = [...missing, "--url", server.url];
      assert.match(complaintIn(await run(at), 1, at), /not found/);
      assert.equal(errorIn(await run([...at, "--json"]), 1, at).code, "NOT_FOUND");
    }
    for (const args of [["check", "--data", file("none")], ["backup", "--data", file("none"), "--to", file("b")], ["serve", "--check-config", "--config", file("none")]])
      errorIn(await run([...args, "--json"]), 1, args);
    errorIn(await run(["token", "hash", "--json"]), 1, ["token hash"]);
  }));

test("success with --json: each line of stdout is an object", () =>
  demo(async (server) => {
    const id = await session(server, "write a file");
    await session(server, "delete the file");
    const [card] = (await json(server, "approvals", "list")).items;
    const [trace] = (await json(server, "trace", "--session", id)).items;
    const out = file("told.json");
    const told = await json(server, "record", "--session", id, "--out", out);
    assert.deepEqual([told.session, told.file], [id, out]);
    assert.ok(told.events > 5);
    for (const args of [["sessions"], ["history", id], ["events", id], ["trace"], ["trace", trace.id], ["spend"], ["approvals", "list"],
      ["approvals", "decide", card.id, "--approve", "--remember", "session"], ["approvals", "remembered"], ["chat", "time"]]) {
      const { status, stdout, stderr } = await run([...args, "--json", "--url", server.url]);
      assert.deepEqual([status, stderr], [0, ""], args.join(" "));
      for (const line of stdout.trim().split("\n")) assert.equal(typeof JSON.parse(line), "object");
    }
    for (const args of [["token", "new"], ["check", "--data", server.data], ["backup", "--data", server.data, "--to", file("copy.db")], ["replay", out],
      ["replay", "--list", out], ["serve", "--check-config"]])
      assert.equal(typeof JSON.parse(await ok([...args, "--json"])), "object", args.join(" "));
    const valid = JSON.parse(await ok(["serve", "--check-config", "--json"]));
    assert.deepEqual([valid.valid, valid.file, valid.projects[0].defaultAgent], [true, null, "guide"]);
    writeFileSync(file("wrong.json"), '{"projcts": {}}');
    const invalid = ["serve", "--check-config", "--json", "--config", file("wrong.json")];
    assert.match(errorIn(await run(invalid), 1, invalid).message, /projcts: unknown key; the nearest/);
  }));

test("record --url: a session with a remembered approval is recorded as the server writes it", () =>
  demo(async (server) => {
    const id = await session(server, "delete the file");
    const [card] = (await json(server, "approvals", "list")).items;
    await ok(["approvals", "decide", card.id, "--approve", "--remember", "session", "--url", server.url]);
    await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "delete the file" });
    assert.deepEqual((await json(server, "approvals", "list")).items, []);
    const out = file("remembered.json");
    await ok(["record", "--session", id, "--url", server.url, "--out", out]);
    const response = await fetch(`${server.url}/api/v1/sessions/${id}/scenario`);
    assert.equal(readFileSync(out, "utf8"), await response.text());
    assert.match(await ok(["replay", out]), /1 passed/);
    const waits = await session(server, "delete the file");
    assert.equal((await json(server, "approvals", "list")).items[0].sessionId, waits);
    const busy = ["record", "--session", waits, "--url", server.url, "--out", file("busy.json"), "--json"];
    assert.equal(errorIn(await run(busy), 1, busy).code, "BUSY");
  }));

/** With these file descriptors for stdin, stdout and stderr. */
const withStreams = (args, stdio, env = {}) => outcomeOf(spawn(binary(), args, { env: { ...process.env, ...env }, stdio }));

test("output that is lost makes a failure of every command, and is told once", () =>
  demo(async (server) => {
    const id = await session(server, "time");
    const full = openSync("/dev/full", "w");
    try {
      for (const args of [["sessions", "--url", server.url], ["sessions", "--json", "--url", server.url], ["events", id, "--url", server.url],
        ["chat", "time", "--url", server.url], ["check", "--data", server.data], ["token", "new"], ["completion", "bash"], ["--help"]]) {
        const { status, stderr } = await withStreams(args, ["ignore", full, "pipe"]);
        assert.equal(status, 1, `troupe ${args.join(" ")}\n${stderr}`);
        assert.equal(stderr.match(/stdout cannot be written: No space left on device/g)?.length, 1, `troupe ${args.join(" ")}\n${stderr}`);
      }
    } finally {
      closeSync(full);
    }
  }));

test("streams that are closed are no sockets: a conversation ends, a list fails", () =>
  demo(async (server) => {
    const env = { ...process.env, TROUPE: binary(), TROUPE_URL: server.url };
    const shell = (text) => outcomeOf(spawn("sh", ["-c", text], { env, stdio: ["ignore", "pipe", "pipe"] }));
    assert.equal((await shell('"$TROUPE" chat <&-')).status, 0);
    assert.equal((await shell('"$TROUPE" sessions >&-')).status, 1);
    const asked = await shell('"$TROUPE" chat "calculate 2*21" <&- 2>&-');
    assert.equal(asked.status, 0);
    assert.match(asked.stdout, /42/);
  }));

test("chat: without a reader of the answers no more is asked; without a message nothing is", () =>
  demo(async (server) => {
    const child = spawn(binary(), ["chat", "--url", server.url], { stdio: ["pipe", "pipe", "ignore"] });
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.stdout.destroy();
    child.stdin.on("error", () => {});
    child.stdin.write("time\n".repeat(20));
    assert.equal(await ended, 1);
    const [made] = (await json(server, "sessions")).items;
    assert.ok(made.messageCount < 10, `${made.messageCount} messages`);
    const empty = await piped(server, ["chat", "-"], "");
    assert.equal(empty.status, 1);
    assert.match(empty.stderr, /no message on stdin/);
  }));

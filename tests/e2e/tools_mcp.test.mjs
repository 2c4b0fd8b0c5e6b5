// MCP servers through the server (issue 5, Tools 4): real ones over both transports, and one that misbehaves as it is asked to.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { get, post, SocketClient, styleB } from "./support/clients.mjs";
import { everything, packageFile, withEverything } from "./support/mcp_http.mjs";
import { temporaryFolder, withServer } from "./support/server.mjs";
import { alive, descendants, gone, toolConfiguration, until, use } from "./support/tool_bench.mjs";

const node = process.execPath;
const misbehaving = fileURLToPath(new URL("../support/mcp_server.py", import.meta.url));
const stdio = (command, more = {}) => ({ kind: "mcp", command, ...more });
const toolsOf = async (server, name) =>
  (await get(server, "/api/v1/tools?limit=100")).body.items.filter((tool) => (tool.source ?? "") === name);
const calls = (server, ...names) => names.map((name) => `${server}.${name}`);

async function everyKind(server) {
  const client = await styleB(server);
  const echo = await use(client, "all.echo", { message: "ñ 🙂" });
  assert.deepEqual([echo.success, /ñ 🙂/.test(echo.output)], [true, true], JSON.stringify(echo));
  assert.match(String((await use(client, "all.get-sum", { a: 2, b: 3 })).output), /5/);
  const structured = await use(client, "all.get-structured-content", { location: "Chicago" });
  assert.equal(structured.success, true, JSON.stringify(structured));
  const image = await use(client, "all.get-tiny-image");
  assert.equal(image.success, true);
  const files = (await get(server, `/api/v1/sessions/${client.sessionId}/files`)).body.items;
  assert.equal(files.length, 1, "the picture is a file of the session");
  assert.ok(image.output.includes(files[0].id ?? files[0].fileId), image.output);
  const long = await use(client, "all.trigger-long-running-operation", { duration: 0.3, steps: 3 });
  assert.equal(long.success, true);
  assert.ok(client.all("message.tool_progress").some((f) => /of 3/.test(f.text)), "its progress is shown");
  const wrong = await use(client, "all.get-sum", { a: "two" });
  assert.deepEqual([wrong.success, wrong.output.includes("/a")], [false, true]);
  const listed = await toolsOf(server, "all");
  assert.ok(listed.length >= 10);
  for (const tool of listed) assert.match(tool.status, /^ready/);
  return client;
}

const names = calls("all", "echo", "get-sum", "get-structured-content", "get-tiny-image", "trigger-long-running-operation", "trigger-elicitation-request");

test("server-everything over stdio, listed by its name: results of all kinds, and an elicitation that nexus answers", () =>
  withServer(toolConfiguration({ tools: { all: stdio([node, everything], { approval: "never" }) }, use: names, list: ["all"] }), async (server) => {
    const client = await everyKind(server);
    client.send({ type: "message.send", content: "use all.trigger-elicitation-request {}" });
    const card = await client.next("message.approval_required");
    assert.deepEqual([card.kind, card.tool], ["input", "all.trigger-elicitation-request"]);
    assert.match(card.message, /all[^]*provide inputs/);
    assert.equal(card.schema.properties.email.format, "email");
    const conversation = await SocketClient.open(server, `/ws/chat/${client.sessionId}`);
    assert.equal((await conversation.next("approval_required")).kind, "input");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, answer: { integer: 4000 } });
    assert.equal((await client.next("error")).code, "VALIDATION_ERROR");
    client.send({ type: "approval.decide", approvalId: card.approvalId, answer: { name: "Ada", integer: 7 } });
    assert.equal((await client.next("approval.decided")).decision, "approved");
    const done = await client.next("message.tool_complete");
    assert.deepEqual([done.success, /Ada/.test(done.output)], [true, true], done.output);
    await client.next("message.complete");
    const tree = descendants(server.pid);
    assert.ok(tree.length >= 2);
    await server.kill();
    await gone(tree);
  }));

test("server-everything over Streamable HTTP, one tool and all: the same, and an elicitation that REST answers or declines", () =>
  withEverything((url) =>
    withServer(toolConfiguration({ tools: { all: { kind: "mcp", url, approval: "never" } }, use: names, list: ["all"] }), async (server) => {
      const client = await everyKind(server);
      for (const [decision, says] of [[{ approved: true, answer: { name: "Grace" } }, /Grace/], [{ approved: false }, /decline/]]) {
        client.send({ type: "message.send", content: "use all.trigger-elicitation-request {}" });
        const card = await client.next("message.approval_required");
        const { body } = await get(server, `/api/v1/approvals?status=pending&kind=input`);
        assert.deepEqual(body.items.map((item) => [item.id, item.toolId]), [[card.approvalId, "all.trigger-elicitation-request"]]);
        const answered = await post(server, `/api/v1/approvals/${card.approvalId}/decide`, decision);
        assert.equal(answered.status, 200, answered.text);
        const done = await client.next("message.tool_complete");
        assert.match(done.output, says);
        await client.next("message.complete");
      }
    })));

test("an agent that lists server.tool has that one only; server-filesystem stays in its folder, server-memory remembers", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "shared"));
  writeFileSync(join(folder, "shared", "a.txt"), "inside");
  writeFileSync(join(folder, "outside.txt"), "outside");
  const tools = {
    files: stdio([node, packageFile("server-filesystem/dist/index.js"), join(folder, "shared")]),
    memory: stdio([node, packageFile("server-memory/dist/index.js")], { environment: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") }, approval: "never" }),
  };
  const called = [...calls("files", "read_text_file", "write_file"), ...calls("memory", "create_entities", "read_graph")];
  const configuration = toolConfiguration({ tools, use: called, list: ["files.read_text_file", "memory"] });
  return withServer(configuration, async (server) => {
    const client = await styleB(server);
    assert.match((await use(client, "files.read_text_file", { path: join(folder, "shared", "a.txt") })).output, /inside/);
    const outside = await use(client, "files.read_text_file", { path: join(folder, "outside.txt") });
    assert.deepEqual([outside.success, /^outside/.test(outside.output)], [false, false], outside.output);
    const absent = await use(client, "files.write_file", { path: join(folder, "shared", "b.txt"), content: "x" });
    assert.equal(absent.success, false, "not listed, not there");
    assert.ok(!existsSync(join(folder, "shared", "b.txt")));
    const entities = [{ name: "Ada", entityType: "person", observations: ["writes programs"] }];
    assert.equal((await use(client, "memory.create_entities", { entities })).success, true);
    await server.kill();
    await server.start();
    const later = await styleB(server);
    assert.match(JSON.stringify((await use(later, "memory.read_graph")).output), /writes programs/);
    assert.match(readFileSync(join(folder, "memory.jsonl"), "utf8"), /Ada/);
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
});

/** The misbehaving server under the name `bad`; every tool of it can be called. */
function withBad(options, body, { entry = {}, agent = {} } = {}) {
  const used = calls("bad", "echo", "pid", "hang", "die", "die_once", "rubbish", "endless_rubbish", "endless_line", "wrong_ids", "freeze", "bad_structure", "ask");
  const tools = { bad: stdio(["/usr/bin/python3", misbehaving, ...options], { approval: "never", ...entry }) };
  return withServer(toolConfiguration({ tools, use: used, list: ["bad"], agent }), body);
}

test("bad input: a server that dies mid-answer fails the call long before its time is over, is started again, and says what is unknown", () =>
  withBad([], async (server) => {
    const client = await styleB(server);
    const first = (await use(client, "bad.pid")).output;
    for (const [name, says] of [["bad.die", /again/], ["bad.die_once", /unknown/]]) {
      await until(async () => (await use(client, "bad.pid")).success, "the server to be there");
      const done = await use(client, name);
      assert.deepEqual([done.success, done.durationMs < 300_000], [false, true], `${done.durationMs} ms`);
      assert.match(done.output, says);
    }
    const second = await until(async () => {
      const done = await use(client, "bad.pid");
      return done.success && done.output;
    }, "the server's return");
    assert.notEqual(second, first);
    assert.ok((await toolsOf(server, "bad")).every((tool) => tool.status.startsWith("ready")));
    const down = await until(async () => {
      await use(client, "bad.die"); // each time it is longer away
      return (await toolsOf(server, "bad")).find((tool) => tool.status.startsWith("down"));
    }, "a tool that is listed as down");
    assert.match(down.status, /exit status 4/);
  }, { entry: { time_limit_ms: 600_000 } }));

for (const [name, says] of [["endless_line", /8 MiB|8388608|bytes/], ["endless_rubbish", /message/]])
  test(`bad input: ${name} from an MCP server ends that server, not this one`, () =>
    withBad([], async (server) => {
      const client = await styleB(server);
      const done = await use(client, `bad.${name}`);
      assert.equal(done.success, false);
      assert.match(done.output, says);
      const rss = Number(readFileSync(`/proc/${server.pid}/status`, "latin1").match(/VmRSS:\s+(\d+)/)[1]);
      assert.ok(rss < 300_000, `${rss} kB`);
      await until(async () => (await use(client, "bad.echo", { text: "here" })).output === "here", "the server's return");
    }));

test("bad input: rubbish, wrong ids and results that break their schema are failed results or passed over", () =>
  withBad([], async (server) => {
    const client = await styleB(server);
    assert.equal((await use(client, "bad.rubbish")).output, "after the rubbish");
    assert.equal((await use(client, "bad.wrong_ids")).output, "right");
    assert.equal((await use(client, "bad.bad_structure")).success, false);
    assert.equal((await use(client, "bad.echo", { text: "here" })).output, "here");
  }));

test("bad input: a server that hangs is a failed result, and answers the next call", () =>
  withBad([], async (server) => {
    const client = await styleB(server);
    const hung = await use(client, "bad.hang");
    assert.equal(hung.success, false);
    assert.match(hung.output, /500 ms/);
    // A busy machine may need more than the 500 ms for this one.
    await until(async () => (await use(client, "bad.echo", { text: "here" })).output === "here", "an answer");
  }, { entry: { time_limit_ms: 500 } }));

test("a server that does not start: its agent still answers, readyz and metrics say why", () =>
  withBad(["--start", "die"], async (server) => {
    const client = await styleB(server);
    const failed = await use(client, "bad.echo", { text: "x" });
    assert.equal(failed.success, false);
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    const { status, body } = await get(server, "/readyz");
    assert.equal(status, 200);
    assert.deepEqual(body.degraded.map((part) => [part.kind, part.name]), [["tools", "bad"]]);
    assert.match(body.degraded[0].state, /exit status 7[^]*cannot find my configuration/);
    assert.match((await get(server, "/metrics")).text, /troupe_tool_source_up\{source="bad"\} 0/);
  }, { entry: { start_timeout_ms: 60_000 } }));

test("a question of a running call: stopping the run closes the card; kill -9 leaves no question that nobody can answer", () =>
  withBad([], async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: "use bad.ask {}" });
    const card = await client.next("message.approval_required");
    client.send({ type: "run.cancel" });
    await client.next("message.tool_complete");
    const late = await post(server, `/api/v1/approvals/${card.approvalId}/decide`, { approved: true, answer: { color: "red" } });
    assert.equal(late.status, 409, late.text);
    await client.until(() => client.all("message.complete").length > 0 || client.all("run.cancelled").length > 0, "the end of the run");
    client.send({ type: "message.send", content: "use bad.ask {}" });
    const second = await client.next("message.approval_required");
    const tree = descendants(server.pid);
    await server.kill();
    await gone(tree);
    await server.start();
    const stale = await post(server, `/api/v1/approvals/${second.approvalId}/decide`, { approved: true, answer: { color: "red" } });
    assert.equal(stale.status, 409, stale.text);
    const open = (await get(server, "/api/v1/approvals?status=pending")).body.items;
    assert.ok(open.every((item) => item.kind === "outcome_unknown" || item.kind === "input"), JSON.stringify(open));
    assert.equal(alive(tree).length, 0);
  }));

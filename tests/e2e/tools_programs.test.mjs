// Commands and programs through the server (issue 5, Tools 2 and 3): what clients see, and that killed means gone.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { get, styleB } from "./support/clients.mjs";
import { withServer } from "./support/server.mjs";
import { alive, descendants, gone, toolConfiguration, until, use } from "./support/tool_bench.mjs";

const command = (changes = {}) => ({ kind: "command", programs: ["sh", "python3"], approval: "never", ...changes });
const withCommand = (changes, body, agent = {}) =>
  withServer(toolConfiguration({ tools: { run: command(changes) }, agent }), body);

/** A tree that does not want to go: a new session, a double fork, deaf to SIGTERM. `$$` of each is said. */
const stubborn = `trap '' TERM HUP INT
(setsid sh -c 'trap "" TERM; sleep 600' &)
setsid sh -c 'trap "" TERM; (sleep 600 &) ; sleep 600' &
echo started
sleep 600`;

async function begun(server, client) {
  client.send({ type: "message.send", content: `use run ${JSON.stringify({ program: "sh", arguments: ["-c", stubborn] })}` });
  const started = await client.next("message.tool_start");
  let said = "";
  while (!said.includes("started")) said += (await client.next("message.tool_progress")).text;
  const tree = await until(() => {
    const found = descendants(server.pid);
    return found.filter((one) => one.name === "sleep").length >= 3 && found;
  }, "three sleeping grandchildren");
  return { started, tree };
}

for (const sandbox of [true, false]) {
  const where = sandbox ? "in the sandbox" : "without a sandbox";

  test(`command ${where}: output streams as it comes, the result has all of it`, () =>
    withCommand({ sandbox }, async (server) => {
      const client = await styleB(server);
      // Each line waits for the file that the test makes when the one before it has arrived.
      const script = "for i in 1 2 3; do echo line $i; while [ ! -e go$i ]; do sleep 0.02; done; done; echo bad >&2; exit 3";
      client.send({ type: "message.send", content: `use run ${JSON.stringify({ program: "sh", arguments: ["-c", script] })}` });
      for (const i of [1, 2, 3]) {
        assert.equal((await client.next("message.tool_progress")).text, `line ${i}\n`);
        assert.equal(client.all("message.tool_complete").length, 0);
        writeFileSync(join(server.data, "workspaces", client.sessionId, `go${i}`), "");
      }
      const done = await client.next("message.tool_complete");
      assert.equal(done.success, false);
      assert.match(done.output, /^Exit status 3\.?\n\nline 1\nline 2\nline 3\nbad\n/);
      await client.next("message.complete");
    }));

  test(`command ${where}: stopping the run ends every process of it, and the session goes on`, () =>
    withCommand({ sandbox, time_limit_ms: 600_000 }, async (server) => {
      const client = await styleB(server);
      const { tree } = await begun(server, client);
      client.send({ type: "run.cancel" });
      const done = await client.next("message.tool_complete");
      assert.equal(done.success, false);
      await gone(tree);
      const again = await use(client, "run", { program: "sh", arguments: ["-c", "echo fine"] });
      assert.match(again.output, /fine/);
    }));

  test(`command ${where}: kill -9 of the server ends every process of it`, () =>
    withCommand({ sandbox, time_limit_ms: 600_000 }, async (server) => {
      const client = await styleB(server);
      const { tree } = await begun(server, client);
      assert.equal(alive(tree).length, tree.length);
      await server.kill();
      await gone(tree);
    }));
}

test("command: SIGTERM to the server while one runs is an orderly end, and nothing is left", () =>
  withCommand({ time_limit_ms: 600_000 }, async (server) => {
    const client = await styleB(server);
    const { tree } = await begun(server, client);
    await server.stop();
    await gone(tree);
  }));

const secrets = { env: { SECRET_OF_THE_SERVER: "do not tell" } };
test("command: only its list runs, arguments are no shell, nothing of the server is to be seen, only the workspace is written", () => {
  const outside = mkdtempSync(join(tmpdir(), "troupe-outside-"));
  writeFileSync(join(outside, "secret.txt"), "outside");
  return withServer(toolConfiguration({ tools: { run: command() } }), async (server) => {
    const client = await styleB(server);
    const run = (args, program = "sh") => use(client, "run", { program, arguments: args });
    const refused = await run(["-la"], "ls");
    assert.deepEqual([refused.success, /"sh","python3"/.test(refused.output)], [false, true], refused.output);
    for (const program of ["/bin/sh", "../sh", "sh -c id", "", "sh\u0000"])
      assert.equal((await run([], program)).success, false, program);
    assert.match((await run(["-c", "import sys; print(sys.argv[1:])", "$(id)", "; rm -rf /", "*"], "python3")).output,
      /\['\$\(id\)', '; rm -rf \/', '\*'\]/);
    assert.doesNotMatch((await run(["-c", "env; cat /proc/*/environ 2>/dev/null"])).output, /do not tell/);
    const seen = await run(["-c", `cat ${outside}/secret.txt ${server.data}/troupe.db; echo x > /usr/x; echo x > /etc/x; echo x > mine; ls /workspace`]);
    assert.doesNotMatch(seen.output, /^outside|SQLite format/m);
    assert.match(seen.output, /mine/);
    assert.equal(readFileSync(join(server.data, "workspaces", client.sessionId, "mine"), "utf8"), "x\n");
    assert.deepEqual(readdirSync(outside), ["secret.txt"]);
    const net = await run(["-c", `import socket; socket.create_connection(("127.0.0.1", ${server.port}), 2)`], "python3");
    assert.deepEqual([net.success, /refused|unreachable/i.test(net.output)], [false, true], net.output);
  }, secrets).finally(() => rmSync(outside, { recursive: true, force: true }));
});

const bad = [
  // Bounded here: what a real one meets is the same count of its tree.
  ["a fork bomb", { processes: 20 }, "i=0; while [ $i -lt 300 ]; do sleep 600 & i=$((i+1)); done; sleep 600", /processes/],
  ["endless output", { output_bytes: 65536 }, "while :; do echo rubbish; done", /output/],
  ["a program that ignores SIGTERM and never ends", { time_limit_ms: 500 }, "trap '' TERM; while :; do sleep 1; done", /500 ms|time/],
  ["a program that computes for ever", { cpu_limit_ms: 1000 }, "while :; do :; done", /cpu_limit_ms|SIGXCPU|SIGKILL/],
  ["a program that wants all memory", { memory_bytes: 64 << 20 }, "exec python3 -c 'x = b\"x\" * (1 << 30)'", /MemoryError|memory/],
  ["a program that kills itself", {}, "kill -SEGV $$", /SIGSEGV/],
];
for (const [name, limits, script, says] of bad)
  test(`bad input: ${name} is a failed result that says so, and the server is unharmed`, () =>
    withCommand({ time_limit_ms: 300_000, ...limits }, async (server) => {
      const client = await styleB(server);
      const done = await use(client, "run", { program: "sh", arguments: ["-c", script] }, 310_000);
      assert.equal(done.success, false);
      assert.match(done.output, says);
      await until(() => alive(descendants(server.pid)).length === 0, "an empty tree");
      assert.equal((await get(server, "/readyz")).status, 200);
      // Anew where the machine is slower than the short limit.
      await until(async () => /fine/.test((await use(client, "run", { program: "sh", arguments: ["-c", "echo fine"] })).output), "a call that goes well");
    }));

test("program: JSON in, JSON out; what it says on stderr is progress; a wrong end is a failed result", () => {
  const program = `import json, sys, os
a = json.load(sys.stdin)
print("working", file=sys.stderr, flush=True)
if a["n"] < 0: sys.exit("negative")
print(json.dumps({"double": a["n"] * 2, "session": os.environ["TROUPE_SESSION_ID"]}))`;
  const tools = {
    double: { kind: "program", description: "Doubles.", command: ["python3", "-c", program], approval: "never",
      parameters: { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false } },
  };
  return withServer(toolConfiguration({ tools }), async (server) => {
    const client = await styleB(server);
    const good = await use(client, "double", { n: 21 });
    assert.deepEqual([good.success, good.output], [true, { double: 42, session: client.sessionId }]);
    assert.equal(client.all("message.tool_progress").map((f) => f.text).join("").trim(), "working");
    const negative = await use(client, "double", { n: -1 });
    assert.deepEqual([negative.success, /Exit status 1[^]*negative/.test(negative.output)], [false, true], negative.output);
    for (const wrong of ["{", "[]", "7", '{"n":"x"}', '{"n":1,"m":2}', "{}", ""]) {
      const refused = await use(client, "double", wrong);
      assert.deepEqual([refused.success, refused.output.length > 10], [false, true], wrong);
    }
    const said = client.all("message.tool_progress").map((f) => f.text).join("");
    assert.equal(said.match(/working/g).length, 2, "what does not fit the schema is never run");
  });
});

test("read_output: a long output is cut for the model, and read_output gives the rest of it", () => {
  const tools = { flood: { kind: "command", programs: ["seq"], approval: "never" } };
  const rules = [{ when: { user: "^read on (\\S+) ([0-9]+)", after: "user" },
    say: [{ tool: "read_output", arguments: '{"call_id": "${1}", "offset": ${2}}' }] }];
  const agent = { limits: { max_output_chars: 1000 } };
  return withServer(toolConfiguration({ tools, rules, agent }), async (server) => {
    const client = await styleB(server);
    const cut = await use(client, "flood", { program: "seq", arguments: ["10000"] });
    assert.ok(cut.output.length < 1500 && cut.outputBytes > 48_000, `${cut.output.length} of ${cut.outputBytes}`);
    const [, call, offset] = cut.output.match(/call_id\W+([\w-]+)[^]*offset\W+(\d+)/) ?? assert.fail(cut.output);
    client.send({ type: "message.send", content: `read on ${call} ${offset}` });
    const more = await client.next("message.tool_complete");
    assert.equal(more.success, true, more.output);
    const first = Number(more.output.match(/^\d+\n(\d+)/)[1]);
    assert.ok(first > 100 && more.output.includes(`\n${first + 1}\n`), more.output.slice(0, 50));
    await client.next("message.complete");
  });
});

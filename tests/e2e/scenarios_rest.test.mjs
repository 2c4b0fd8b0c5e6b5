// The scenarios of a server over REST: its folder, playing it in a process beside the server, and a session as a scenario.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { get, post, request } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";
import { inTerminal } from "./support/terminal.mjs";
import { until } from "./support/waiting.mjs";

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

const scenario = (title, said, more = {}) => JSON.stringify({
  scenario: title, model: { otherwise: [{ text: "Hello, ${user}." }] }, ignore: ["usage_recorded"], ...more,
  steps: [
    { send: { message: "Ada" } }, { expect: { kind: "message_added" } }, { expect: { kind: "run_started" } },
    { expect: { kind: "step_started" } }, { expect: { kind: "text_delta", text: said } },
    { expect: { kind: "message_completed" } }, { expect: { kind: "run_completed" } },
  ] }, null, 1);
/** A small folder: one that passes, one that fails, one that is none, and links out of it. */
function smallFolder() {
  const small = join(folder, "small");
  mkdirSync(join(small, "inner"), { recursive: true });
  writeFileSync(join(small, "inner/passes.json"), scenario("it passes", "Hello, Ada.", { tags: ["good"], skip: { restart: "no need" } }));
  writeFileSync(join(small, "fails.json"), scenario("it fails", "Good day, Ada."));
  writeFileSync(join(small, "broken.json"), '{ "scenario": "it is broken", ');
  writeFileSync(join(folder, "outside.json"), scenario("it is not in the folder", "Hello, Ada."));
  if (!existsSync(join(small, "link.json"))) symlinkSync(join(folder, "outside.json"), join(small, "link.json"));
  if (!existsSync(join(small, "up"))) symlinkSync(folder, join(small, "up"));
  return small;
}
/** One that is short, and one that is not over in hours where a crash is tried at every boundary: thousands of pieces are stored. */
function longFolder() {
  const long = join(folder, "long");
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, "a_short.json"), scenario("it is short", "Hello, Ada."));
  writeFileSync(join(long, "endless.json"), JSON.stringify({
    scenario: "it goes on and on", model: { otherwise: [{ text: Array.from({ length: 20_000 }, (_, i) => `w${i} `), every_ms: 60 }] },
    steps: [{ send: { message: "go" } }, { expect_none: { kind: "run_failed" } }, { advance_ms: 1_300_000 }, { expect_text: { contains: "w19999" } }],
  }));
  return long;
}

const made = (answer) => (assert.ok(answer.status < 300, `${answer.status} ${answer.text}`), answer.body);
const runs = "/api/v1/scenarios/runs";

const ended = (server, id) => until(async () => {
  const run = made(await get(server, `${runs}/${id}`));
  return run.status !== "running" && run;
}, `the end of run ${id}`);

/** Processes below `pid`, by what they run. */
function childrenOf(pid) {
  const parents = new Map();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0").join(" ");
      parents.set(Number(entry), { parent, command, nice: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]) });
    } catch {
      // It has ended meanwhile.
    }
  }
  const below = (child) => child !== undefined && (child.parent === pid || below(parents.get(child.parent)));
  return [...parents].filter(([, child]) => below(child)).map(([id, child]) => ({ id, ...child }));
}
const replaying = (server) => childrenOf(server.pid).find(({ command }) => command.includes(" replay "));

test("GET /scenarios: what is in the folder, what is none, and nothing beyond it", () =>
  withServer(null, async (server) => {
    const listed = made(await get(server, "/api/v1/scenarios"));
    assert.equal(listed.folder, "small");
    assert.deepEqual(listed.items.map(({ file }) => file), ["broken.json", "fails.json", "inner/passes.json", "link.json"]);
    const [broken, fails, passes, link] = listed.items;
    assert.match(broken.problem, /is not JSON/);
    assert.deepEqual(fails, { file: "fails.json", description: "it fails", tags: [] });
    assert.deepEqual(passes, { file: "inner/passes.json", description: "it passes", tags: ["good"], skip: { restart: "no need" } });
    assert.match(link.problem, /leads out of the folder/);
  }, { args: ["--scenarios", smallFolder()] }));

test("GET /scenarios: the list is kept while no file of the folder has changed", () => {
  const kept = join(folder, "kept");
  mkdirSync(kept, { recursive: true });
  const file = join(kept, "one.json");
  const write = (title, seconds) => {
    writeFileSync(file, scenario(title, "Hello, Ada."));
    utimesSync(file, seconds, seconds);
  };
  return withServer(null, async (server) => {
    const listed = async () => made(await get(server, "/api/v1/scenarios")).items.map(({ file: name, description }) => [name, description]);
    write("title 1", 1_000_000);
    assert.deepEqual(await listed(), [["one.json", "title 1"]]);
    write("title 2", 1_000_000); // its name, size and time are what they were
    assert.deepEqual(await listed(), [["one.json", "title 1"]]);
    write("title 3", 1_000_001);
    assert.deepEqual(await listed(), [["one.json", "title 3"]]);
    write("title 30", 1_000_001);
    assert.deepEqual(await listed(), [["one.json", "title 30"]]);
    // Written just now (here: at no time that is past already): a change within the same tick of the clock would not be seen.
    for (const title of ["another", "retitle"]) {
      writeFileSync(join(kept, "two.json"), scenario(title, "Hello, Ada."));
      utimesSync(join(kept, "two.json"), 4_000_000_000, 4_000_000_000);
      assert.deepEqual(await listed(), [["one.json", "title 30"], ["two.json", title]]);
    }
    assert.deepEqual(await listed(), [["one.json", "title 30"], ["two.json", "retitle"]]);
    rmSync(file);
    assert.deepEqual(await listed(), [["two.json", "retitle"]]);
    symlinkSync("/nowhere.json", join(kept, "lost.json"));
    assert.deepEqual((await listed()).map(([name]) => name), ["lost.json", "two.json"]);
    assert.equal((await ended(server, made(await post(server, runs, { files: ["two.json"] })).id)).passed, 1);
  }, { args: ["--scenarios", kept] });
});

test("what a killed server leaves of a run is below its data, and gone when it starts again", () =>
  withServer(null, async (server) => {
    const left = () => (existsSync(join(server.data, "scenario-runs")) ? readdirSync(join(server.data, "scenario-runs")) : []);
    await withServer(null, async (other) => {
      made(await post(other, runs, { files: ["endless.json"], crashAt: "every" }));
      const child = await until(() => replaying(other), "the process of the other server");
      made(await post(server, runs, { files: ["endless.json"], crashAt: "every" }));
      const orphan = await until(() => replaying(server), "the process");
      await server.kill();
      await until(() => !existsSync(`/proc/${orphan.id}`), "the end of the process");
      assert.equal(left().length, 1);
      await server.start();
      assert.deepEqual(left(), []);
      assert.ok(existsSync(`/proc/${child.id}`));
      assert.equal(readdirSync(join(other.data, "scenario-runs")).length, 1, "another server's is its own");
      await other.stop();
      assert.deepEqual(readdirSync(join(other.data, "scenario-runs")), []);
    }, { args: ["--scenarios", longFolder()] });
  }, { args: ["--scenarios", longFolder()] }));

test("POST /scenarios/runs: results as they come, with the first divergence; the server is not disturbed", () =>
  withServer(null, async (server) => {
    const begun = await post(server, runs);
    assert.equal(begun.status, 202, begun.text);
    assert.deepEqual([begun.body.status, begun.body.total, begun.body.results.length], ["running", 4, 0]);
    const run = await ended(server, begun.body.id);
    assert.deepEqual([run.status, run.done, run.passed, run.failed, run.skipped, run.current, run.problem], ["completed", 4, 1, 3, 0, null, null]);
    const of = (file) => run.results.find((result) => result.file === file);
    assert.deepEqual([of("inner/passes.json").verdict, of("inner/passes.json").divergence], ["passed", undefined]);
    assert.match(of("inner/passes.json").hash, /^[0-9a-f]{64}$/);
    assert.match(of("broken.json").text, /is not JSON/);
    const { verdict, divergence, text } = of("fails.json");
    assert.equal(verdict, "failed");
    assert.match(text, /fails\.json:\d+: step 5 \(expect\)/);
    assert.deepEqual([divergence.step, divergence.verb, divergence.expected.text, divergence.came.text, divergence.path],
      [5, "expect", "Good day, Ada.", "Hello, Ada.", "text"]);
    assert.deepEqual(divergence.before.map(({ event }) => event.kind), ["message_added", "run_started", "step_started"]);
    assert.equal(divergence.cameNext[0].kind, "message_completed");
    assert.equal(divergence.expectedNext[0].expect.kind, "message_completed");

    const page = made(await get(server, runs));
    assert.deepEqual([page.total, page.items[0].id, page.items[0].results], [1, run.id, undefined]);
    assert.equal(made(await get(server, "/readyz")).status, "ready");
  }, { args: ["--scenarios", smallFolder()] }));

test("POST /scenarios/runs: some files, some tags, with restarts and crashes; what cannot be is refused", () =>
  withServer(null, async (server) => {
    const play = async (body) => ended(server, made(await post(server, runs, body)).id);
    const restarted = await play({ tags: ["good"], restartEveryStep: true });
    assert.deepEqual(restarted.results.map(({ file, verdict, text }) => [file, verdict, text]), [["inner/passes.json", "skipped", "no need"]]);
    const crashed = await play({ files: ["inner/passes.json"], crashAt: "every" });
    assert.deepEqual([crashed.passed, crashed.total, crashed.crashAt], [1, 1, "every"]);
    assert.ok(crashed.results[0].boundaries > 2);
    for (const [body, path] of [[{ files: ["../outside.json"] }, "outside"], [{ files: ["up/outside.json"] }, "outside"], [{ files: [] }, "files"],
      [{ files: "all" }, "files"], [{ tags: ["nobody"] }, "none that fits"], [{ crashAt: 0 }, "crashAt"], [{ crashAt: 1, restartEveryStep: true }, "crashAt"]]) {
      const refused = await post(server, runs, body);
      assert.deepEqual([refused.status, refused.body.error.code], [400, "VALIDATION_ERROR"], JSON.stringify(body));
      assert.match(refused.body.message, new RegExp(path));
      const { issues } = refused.body.error.details;
      assert.ok(issues.length === 1 && issues[0].message.length > 5 && typeof issues[0].path === "string", refused.text);
    }
    assert.equal(made(await get(server, runs)).total, 2);
  }, { args: ["--scenarios", smallFolder()] }));

test("a run at a time: progress, a second one is refused, stopping it ends its process, and so does the server's end", () =>
  withServer(null, async (server) => {
    const { id, total } = made(await post(server, runs, { crashAt: "every" }));
    assert.equal(total, 2);
    const child = await until(() => replaying(server), "the process");
    assert.equal(child.nice, 10);
    const going = await until(async () => {
      const run = made(await get(server, `${runs}/${id}`));
      return run.done > 0 && run;
    }, "a result");
    assert.deepEqual([going.status, going.results.length], ["running", going.done]);
    assert.equal(going.current, "endless.json");
    const second = await post(server, runs);
    assert.deepEqual([second.status, second.body.error.code, second.body.error.details], [409, "SCENARIO_RUN_ACTIVE", { id }]);
    assert.equal((await request(server, "DELETE", `${runs}/${id}`)).status, 204);
    const run = await ended(server, id);
    assert.equal(run.status, "cancelled");
    assert.ok(run.done < run.total);
    assert.ok(!existsSync(`/proc/${child.id}`), "the process is gone");
    assert.equal((await request(server, "DELETE", `${runs}/${id}`)).status, 204);

    made(await post(server, runs, { crashAt: "every" }));
    const other = await until(() => replaying(server), "the process");
    await server.stop();
    await until(() => !existsSync(`/proc/${other.id}`), "the end of the process");
  }, { args: ["--scenarios", longFolder()] }));

test("a process that is killed is a failed run, and the next one begins", () =>
  withServer(null, async (server) => {
    const { id } = made(await post(server, runs, { crashAt: "every" }));
    process.kill((await until(() => replaying(server), "the process")).id, "SIGKILL");
    const run = await ended(server, id);
    assert.deepEqual([run.status, run.problem], ["failed", "it was ended by signal 9"]);
    const again = await ended(server, made(await post(server, runs, { files: ["a_short.json"] })).id);
    assert.deepEqual([again.status, again.passed], ["completed", 1]);
  }, { args: ["--scenarios", longFolder()] }));

test("without a folder: 404 that says how; a folder that is none ends the start", async () => {
  await withServer(null, async (server) => {
    for (const path of ["/api/v1/scenarios", runs, `${runs}/x`]) {
      const { status, body } = await get(server, path);
      assert.deepEqual([status, body.error.code], [404, "SCENARIOS_NOT_CONFIGURED"]);
      assert.match(body.message, /--scenarios DIR/);
    }
  });
  const refused = await run(["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "none"), "--scenarios", join(folder, "nowhere")]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /nowhere: there is no such folder/);
});

const keys = { mode: "required", api_keys: [{ name: "user", key_env: "USER_KEY", scopes: ["read", "chat", "approve"] }, { name: "boss", key_env: "BOSS_KEY", scopes: ["read", "chat", "admin"] }] };

test("only admins play scenarios, and a session is told to those who may see it", () =>
  withServer({ ...standard(), auth: keys, scenarios: smallFolder() }, async (server) => {
    const as = (key) => ({ authorization: `Bearer ${key}` });
    for (const [method, path] of [["GET", "/api/v1/scenarios"], ["GET", runs], ["POST", runs], ["GET", `${runs}/x`], ["DELETE", `${runs}/x`]])
      assert.equal((await request(server, method, path, undefined, as("u-key"))).status, 403, `${method} ${path}`);
    assert.equal((await get(server, "/api/v1/scenarios", as("b-key"))).status, 200);
    const { sessionId } = made(await request(server, "POST", "/api/v1/chat", { projectId: "demo", message: "hello" }, as("b-key")));
    assert.equal((await get(server, `/api/v1/sessions/${sessionId}/scenario`, as("b-key"))).status, 200);
    assert.equal((await get(server, `/api/v1/sessions/${sessionId}/scenario`, as("u-key"))).status, 404);
  }, { env: { USER_KEY: "u-key", BOSS_KEY: "b-key" } }));

test("GET /sessions/{id}/scenario: replays as it was, without secrets; not while a run goes on, not of a copy", () =>
  withServer(null, async (server) => {
    const { id } = made(await post(server, "/api/v1/projects/demo/sessions"));
    const path = `/api/v1/sessions/${id}`;
    const say = async (content) => made(await post(server, `${path}/messages?wait=true`, { content }));
    const empty = await get(server, `${path}/scenario`);
    assert.deepEqual([empty.status, empty.body.error.code], [409, "SESSION_NOT_RECORDABLE"]);
    await say("calculate 6*7");
    await say("my key is zebra-crossing-77");
    const { approvalId } = await say("delete the file");
    const parked = await get(server, `${path}/scenario`);
    assert.deepEqual([parked.status, parked.body.error.code], [409, "BUSY"]);
    made(await post(server, `/api/v1/approvals/${approvalId}/decide`, { approved: true, remember: { scope: "session", when: [] } }));
    await until(async () => (await get(server, `${path}/scenario`)).status === 200, "the end of the run");
    await say("delete the file"); // nobody is asked again

    const answer = await get(server, `${path}/scenario`);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers["content-type"], /^application\/json/);
    assert.equal(answer.headers["content-disposition"], `attachment; filename="scenario-${id}.json"`);
    assert.ok(!answer.text.includes("zebra-crossing-77"));
    const file = join(folder, "session.json");
    writeFileSync(file, answer.text);
    for (const mode of [[], ["--restart-every-step"], ["--crash-at", "every"]]) {
      const { status, stdout, stderr } = await run(["replay", ...mode, file]);
      assert.equal(status, 0, stdout + stderr);
    }
    const fork = made(await post(server, `${path}/fork`)).id;
    const copy = await get(server, `/api/v1/sessions/${fork}/scenario`);
    assert.deepEqual([copy.status, copy.body.error.code], [409, "SESSION_NOT_RECORDABLE"]);
  }, { env: { DEMO_API_KEY: "zebra-crossing-77" } }));

/** The writer may hand over to `other`, give it work, and needs two people to delete. */
function family() {
  const configuration = standard();
  configuration.providers.scripted.script.rules.unshift(
    { when: { user: "^pass on", after: "user" }, say: [{ tool: "handoff", arguments: { agent: "other", note: "be kind" } }] },
    { when: { user: "^give work", after: "user" }, say: [{ tool: "delegate", arguments: { agent: "other", task: "hello" } }] });
  const { writer } = configuration.projects.demo.agents;
  Object.assign(writer, { handoffs: ["other"], delegates: ["other"], approval: { delete_file: { policy: "always", deciders: 2 } } });
  return { ...configuration, auth: { mode: "required", api_keys: ["Ana", "Luis"].map((name) => ({ name, key_env: name.toUpperCase(), scopes: ["admin", "read", "chat", "approve"] })) } };
}

test("GET /sessions/{id}/scenario: two deciders, work for another agent and a conversation that is passed on replay too", () =>
  withServer(family(), async (server) => {
    const as = (who) => ({ authorization: `Bearer ${who}` });
    const { id } = made(await post(server, "/api/v1/projects/demo/sessions", {}, as("ana")));
    const path = `/api/v1/sessions/${id}`;
    const say = async (content) => made(await post(server, `${path}/messages?wait=true`, { content }, as("ana")));
    await say("give work");
    const { approvalId } = await say("delete file1");
    for (const who of ["ana", "luis"]) made(await post(server, `/api/v1/approvals/${approvalId}/decide`, { approved: true, note: `${who} agrees` }, as(who)));
    await until(async () => (await get(server, `${path}/scenario`, as("ana"))).status === 200, "the end of the run");
    await say("pass on");
    await say("clock");
    const { text } = await get(server, `${path}/scenario`, as("ana"));
    assert.match(text, /"deciders":2/);
    assert.deepEqual(JSON.parse(text).steps.filter((step) => step.send?.approve).map((step) => step.as), ["Ana", "Luis"]);
    const file = join(folder, "family.json");
    writeFileSync(file, text);
    for (const mode of [[], ["--restart-every-step"], ["--crash-at", "every"]]) {
      const { status, stdout, stderr } = await run(["replay", ...mode, file]);
      assert.equal(status, 0, stdout + stderr);
    }
  }, { env: { ANA: "ana", LUIS: "luis" } }));

test("troupe replay: a bar on a terminal that is gone at the end; none in a pipe, where it is not wanted, or with --json", async () => {
  const small = smallFolder();
  const files = [join(small, "fails.json"), join(small, "inner/passes.json")];
  const play = async (args, env) => {
    let shown;
    await inTerminal(["replay", ...args, ...files], async (terminal) => {
      await terminal.end(1);
      shown = terminal.shown;
    }, env);
    return shown;
  };
  const bar = await play([]);
  assert.match(bar, /\[\.+\] 0\/2 {2}\S*fails\.json/);
  assert.match(bar, /\x1b\[31m\[#+\.+\] 1\/2, 1 failed {2}\S*passes\.json/);
  assert.match(bar, /\r\x1b\[Kpassed {2}\S+passes\.json\r?\n2 scenarios: 1 passed, 1 failed/);
  assert.doesNotMatch(await play([], { NO_COLOR: "1" }), /\x1b\[31m/);
  for (const [args, env] of [[["--no-progress"]], [["--json"]], [[], { TERM: "dumb" }]]) assert.doesNotMatch(await play(args, env), /\[[#.]+\]/);
  const piped = await run(["replay", ...files]);
  assert.deepEqual([piped.status, piped.stderr], [1, ""]);
});

test("troupe replay --list: what files are, and which are none; paths from a file", async () => {
  const small = smallFolder();
  const names = join(folder, "names");
  writeFileSync(names, ["inner/passes.json", "broken.json"].map((name) => `${join(small, name)}\n`).join(""));
  const { status, stdout } = await run(["replay", "--list", "--json", "--files-from", names]);
  assert.equal(status, 1);
  const [broken, passes] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.match(broken.problem, /is not JSON/);
  assert.deepEqual([passes.description, passes.tags, passes.skip], ["it passes", ["good"], { restart: "no need" }]);
  assert.match((await run(["replay", "--list", "--tag", "good", small])).stdout, /passes\.json {2}it passes #good/);
  assert.equal((await run(["replay"])).status, 2);
});

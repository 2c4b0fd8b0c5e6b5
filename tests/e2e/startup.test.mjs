// Starting, and not starting (DESIGN §12): every refusal names the thing and the remedy, and has its exit status.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { get, post, SocketClient, styleA } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { run, Server, temporaryFolder, withServer } from "./support/server.mjs";

const example = fileURLToPath(new URL("../../config/troupe.example.json", import.meta.url));

async function inFolder(body) {
  const folder = temporaryFolder();
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `serve` must refuse: status 1, nothing on stdout, one line on stderr that matches all of `says`. */
async function assertRefuses(args, ...says) {
  const { status, stdout, stderr } = await run(["serve", ...args]);
  assert.deepEqual([status, stdout], [1, ""], stderr);
  for (const pattern of says) assert.match(stderr, pattern);
  return stderr;
}

const serveIn = (folder, ...more) => ["--listen", "127.0.0.1:0", "--data", join(folder, "data"), ...more];

function configured(folder, configuration) {
  const file = join(folder, "c.json");
  writeFileSync(file, typeof configuration === "string" ? configuration : JSON.stringify(configuration));
  return serveIn(folder, "--config", file);
}

test("a port in use: refused with the address and a remedy", () =>
  withServer(standard(), (server) =>
    inFolder((folder) => assertRefuses(["--listen", `127.0.0.1:${server.port}`, "--data", join(folder, "data")],
      new RegExp(`127\\.0\\.0\\.1:${server.port}`), /in use/, /choose another/)),
  ));

test("a port in use by the second --listen: nothing is left behind", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.on("listening", resolve));
  await inFolder(async (folder) => {
    const { status, stderr } = await run(["serve", ...serveIn(folder), "--listen", `127.0.0.1:${taken.address().port}`]);
    assert.equal(status, 1, stderr);
    assert.equal((await run(["check", "--data", join(folder, "data")])).status, 0);
  });
  taken.close();
});

test("several --listen: every listener serves everything", () =>
  inFolder(async (folder) => {
    const server = new Server(folder, standard(), { args: ["--listen", "127.0.0.1:0"] });
    await server.start();
    assert.equal((await get(server, "/healthz")).status, 200);
    await server.stop();
  }));

test("a data folder that is a file, or below one: refused with its path", () =>
  inFolder(async (folder) => {
    const file = join(folder, "data");
    writeFileSync(file, "not a folder");
    await assertRefuses(["--listen", "127.0.0.1:0", "--data", file], new RegExp(file));
    await assertRefuses(["--listen", "127.0.0.1:0", "--data", join(file, "below")], new RegExp(file));
    assert.equal(readFileSync(file, "utf8"), "not a folder");
  }));

test("a data folder whose database is none: refused, the file is left alone", () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, "data"));
    const file = join(folder, "data", "troupe.db");
    writeFileSync(file, "this is not SQLite at all, but long enough to be looked at ".repeat(20));
    const before = readFileSync(file);
    await assertRefuses(serveIn(folder), /troupe\.db/);
    assert.deepEqual(readFileSync(file), before);
  }));

test("a data folder in use by another process: refused, and the first goes on", () =>
  withServer(standard(), async (server) => {
    await assertRefuses(["--listen", "127.0.0.1:0", "--data", server.data], new RegExp(server.data), /use/);
    assert.equal((await post(server, "/api/v1/chat", { projectId: "demo", message: "hello" })).body.response, "Hello, world");
  }));

test("configuration: an unknown key names the nearest one, at every level", () =>
  inFolder(async (folder) => {
    const base = standard();
    await assertRefuses(configured(folder, { ...base, limts: {} }), /limts/, /"limits"/, /c\.json/);
    await assertRefuses(configured(folder, { ...base, limits: { max_frame_byte: 1 } }), /\/limits/, /"max_frame_bytes"/);
    const agent = structuredClone(base);
    agent.projects.demo.agents.writer.instruction = "x";
    await assertRefuses(configured(folder, agent), /\/projects\/demo\/agents\/writer/, /"instructions"/);
    const tool = structuredClone(base);
    tool.projects.demo.agents.writer.tools = ["clok"];
    await assertRefuses(configured(folder, tool), /clok/, /"clock"/);
  }));

test("configuration: what is missing, mistyped or out of range names its place", () =>
  inFolder(async (folder) => {
    const changed = (change) => {
      const configuration = standard();
      change(configuration);
      return configured(folder, configuration);
    };
    const writer = (c) => c.projects.demo.agents.writer;
    await assertRefuses(serveIn(folder, "--config", join(folder, "absent.json")), /absent\.json/);
    await assertRefuses(serveIn(folder, "--config", folder), /cannot be read/);
    await assertRefuses(configured(folder, '{\n  "listen": oops }'), /line 2, column/);
    await assertRefuses(configured(folder, "[]"), /c\.json/);
    await assertRefuses(changed((c) => (c.default_project = "nowhere")), /\/default_project/, /nowhere/, /demo/);
    await assertRefuses(changed((c) => (writer(c).provider = "nobody")), /\/provider/, /nobody/, /scripted/);
    await assertRefuses(changed((c) => (writer(c).limits.max_steps = "many")), /\/limits\/max_steps/);
    await assertRefuses(changed((c) => (writer(c).limits.max_steps = 0)), /\/limits\/max_steps/);
    await assertRefuses(changed((c) => (writer(c).on_busy = "panic")), /\/on_busy/, /queue/);
    await assertRefuses(changed((c) => (writer(c).approval = { http_request: "always" })), /\/approval/);
    await assertRefuses(changed((c) => (c.providers.scripted.kind = "magic")), /\/kind/, /openai/);
    await assertRefuses(changed((c) => (c.limits.max_frame_bytes = -1)), /\/limits\/max_frame_bytes/);
    await assertRefuses(changed((c) => (c.prices["nobody/x"] = { input: 1, output: 1 })), /\/prices/, /nobody/);
    assert.ok(!existsSync(join(folder, "data")), "a refused configuration makes no data folder");
  }));

test("configuration: a key in place of its variable's name is refused and not repeated", () =>
  inFolder(async (folder) => {
    const configuration = standard();
    configuration.providers.api = { kind: "openai", base_url: "https://api.example/v1", api_key_env: "sk-very-secret-key" };
    const text = await assertRefuses(configured(folder, configuration), /api_key_env/, /name of an environment variable/);
    assert.ok(!text.includes("very-secret"));
  }));

test("configuration: a mistake in a script is found like any other, by --check-config too", () =>
  inFolder(async (folder) => {
    const configuration = standard();
    configuration.providers.scripted.script.otherwise = [{ txt: "x" }];
    await assertRefuses(configured(folder, configuration), /scripted/, /txt/, /text/);
    await assertRefuses([...configured(folder, configuration), "--check-config"], /scripted/, /txt/, /text/);
  }));

test("--check-config: says whether, starts nothing", () =>
  inFolder(async (folder) => {
    const good = await run(["serve", ...configured(folder, standard()), "--check-config"]);
    assert.deepEqual([good.status, good.stdout], [0, "configuration is valid\n"]);
    assert.ok(!existsSync(join(folder, "data")));
    await assertRefuses([...configured(folder, { ...standard(), odd: 1 }), "--check-config"], /odd/);
    assert.equal((await run(["serve", "--config", example, "--check-config"])).status, 0);
  }));

test("wrong command lines: exit status 2 and a word about what is right", async () => {
  for (const args of [[], ["sevre"], ["serve", "--prot", "80"], ["serve", "--log-level", "loud"], ["serve", "--config"], ["check", "extra"], ["replay"]]) {
    const { status, stdout, stderr } = await run(args);
    assert.equal(status, 2, `troupe ${args.join(" ")}: ${stdout}${stderr}`);
    assert.ok(stderr.length > 0);
  }
  assert.equal((await run(["--help"])).status, 0);
  assert.match((await run(["--version"])).stdout, /^troupe \d+\.\d+\.\d+ \(commit \S+, storage schema \d+\)$/m);
});

test("addresses: a public one is refused without auth, a wrong one names what is expected", () =>
  inFolder(async (folder) => {
    const data = ["--data", join(folder, "data")];
    for (const address of ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"])
      await assertRefuses(["--listen", address, ...data], /public address/, /auth/, /127\.0\.0\.1/, /--insecure-no-auth/);
    for (const address of ["127.0.0.1", "127.0.0.1:port", "127.0.0.1:70000", "127.0.0.1:"])
      await assertRefuses(["--listen", address, ...data], new RegExp(address.replaceAll(".", "\\.")));
    assert.equal((await run(["serve", "--listen", "0.0.0.0:0", "--insecure-no-auth", "--check-config"])).status, 0);
  }));

test("--agent: another default agent, and one that does not exist is refused", () =>
  inFolder(async (folder) => {
    await assertRefuses([...configured(folder, standard()), "--agent", "nobody"], /--agent nobody/);
    await withServer(standard(), async (server) => {
      const client = await styleA(server, {});
      client.send({ type: "message.send", content: "hello" });
      assert.equal((await client.next("session.created")).agentId, "other");
    }, { args: ["--agent", "other"] });
  }));

test("the example configuration boots", () =>
  withServer(readFileSync(example, "utf8"), async (server) => {
    assert.equal((await get(server, "/readyz")).status, 200);
    assert.deepEqual((await get(server, "/api/v1/projects/demo/agents")).body.items.map((agent) => agent.id), ["writer"]);
  }));

test("without a configuration: the demo answers, calls a tool, asks for an approval and warns about money", () =>
  withServer(null, async (server) => {
    const client = await SocketClient.open(server, "/ws");
    client.send({ type: "auth" });
    const say = async (content, end) => {
      client.send({ type: "message.send", content });
      return client.next(end);
    };
    await say("hello", "message.complete");
    assert.match(client.all("message.content_delta").map((frame) => frame.text).join(""), /script/);
    await say("what time is it", "message.complete");
    assert.equal(client.all("message.tool_complete")[0].success, true);
    const alert = client.all("session.cost_alert")[0];
    assert.ok(alert.percent >= 50 && alert.currentSpend > 0 && alert.budget > 0, client.describe());
    await say("write a file", "message.complete");
    const card = await say("delete the file", "message.approval_required");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true });
    await client.next("message.complete");
    assert.equal(client.all("message.tool_complete").at(-1).success, true);
  }));

test("a stop right after a start with runs to resume: the process ends, and the runs are still there", () =>
  withServer(standard(), async (server) => {
    const clients = [];
    for (let i = 0; i < 4; ++i) {
      const client = await styleA(server);
      client.send({ type: "message.send", content: "hold" });
      await client.next("message.content_delta");
      clients.push(client);
    }
    for (let round = 0; round < 8; ++round) {
      await server.stop();
      await server.start();
    }
    const { sessionId } = clients[0].all("session.created")[0];
    const again = await styleA(server, { sessionId });
    await again.next("session.resumed");
    again.send({ type: "run.cancel" });
    await again.next("run.cancelled");
  }));

test("SIGTERM with many clients: the process ends in order, each time", async () => {
  for (let round = 0; round < 12; ++round)
    await withServer(standard(), async (server) => {
      for (let i = 0; i < 5; ++i) {
        const client = i % 2 ? await styleA(server) : await SocketClient.open(server, `/ws/chat/${i}`);
        client.send(i % 2 ? { type: "message.send", content: "hello" } : { message: "hello" });
        await client.next(i % 2 ? "message.complete" : "done");
      }
    });
});

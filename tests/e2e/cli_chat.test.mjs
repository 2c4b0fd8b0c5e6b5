// `troupe chat` in a terminal and in pipes.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { constants } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { get, post } from "./support/clients.mjs";
import { at, demo, json, piped, plain, session } from "./support/command_line.mjs";
import { standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { withServer } from "./support/server.mjs";
import { slowEffect } from "./support/slow_effect.mjs";
import { ctrlC, ctrlD, inTerminal } from "./support/terminal.mjs";
import { until } from "./support/waiting.mjs";

test("chat: in a terminal it answers, shows tools and what they cost, and Ctrl-D leaves", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/Guide at http.* session ([0-9a-f-]{36})/);
    await t.until(/To begin with: What can you do\? · /);
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
    await t.until(/arguments as JSON[^]*\{"path":"notes\/demo\.txt"\}/);
    t.line("\x15{");
    await t.until(/no JSON object[^]*arguments as JSON[^]*\{/);
    t.line('"path": 7}');
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
  withServer(standard(), (server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/session ([0-9a-f-]{36})/);
    await t.until(/you> /);
    t.line("hold");
    await t.until(/writer> Holding\./);
    t.type(ctrlC);
    await t.until(/stopped/);
    await t.until(/you> /);
    t.type(ctrlC);
    await t.end(0);
    const [made] = (await json(server, "sessions")).items;
    const { items } = await json(server, "history", made.id);
    assert.equal(items.at(-1).cut, true);
    assert.match(items.at(-1).content, /^Holding\./);
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
      await until(() => effects() > 0, "the effect");
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

test("chat: a question of a tool is answered field by field", () => {
  const configuration = standard();
  const program = fileURLToPath(new URL("support/mcp_modern_server.mjs", import.meta.url));
  configuration.tools = { modern: { kind: "mcp", command: [process.execPath, program, "stdio"], approval: "never" } };
  configuration.providers.scripted.script.rules.unshift(
    { when: { tool: "modern.ask" }, say: [{ text: "Noted: ${result}" }] }, { when: { user: "colour" }, say: [{ tool: "modern.ask" }] });
  configuration.projects.demo.agents.writer.tools.push("modern");
  return withServer(configuration, (server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("my colour");
    await t.until(/\? modern\.ask asks you[^]*Which color\?[^]*answer it\? /);
    t.line("y");
    await t.until(/color \(string\)\? /);
    t.line("teal");
    await t.until(/Noted: .*teal[^]*you> /);
    t.line("my colour");
    await t.until(/answer it\? /);
    t.line("n");
    await t.until(/denied[^]*you> /);
  }, plain));
});

test("chat: it goes on where it was when the server is killed in the middle of an answer", () =>
  withHeldModel((server, model) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("a long story");
    (await model.call(0)).say(...words.slice(0, 20));
    await t.until(/w19 ?/);
    await server.kill();
    await t.until(/the connection is lost/);
    await server.start();
    await t.until(/connected again/);
    (await model.call(1)).say(...words).end();
    await t.until(/w119[^]*you> /);
  }, plain), { keepsPort: true }));

test("chat: Ctrl-C twice leaves also where the server does not answer", () =>
  withHeldModel((server, model) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("a long story");
    (await model.call(0)).say("once");
    await t.until(/once/);
    process.kill(server.pid, "SIGSTOP");
    t.child.stdin.on("error", () => {}); // it may have left before the last of them
    try {
      await until(() => /the answer goes on in the server/.test(t.shown) || (t.type(ctrlC), false), "the end of the chat");
      await t.ended;
      // One Ctrl-C more may have come when it had left already: that ends any program.
      assert.ok([0, 100 + constants.signals.SIGINT].includes(t.status), `${t.status}\n${t.shown}`);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
  }, plain)));

test("chat: arguments that are too long for the screen are told to be cut, and shown when asked for", () => {
  const path = `notes/${"folder/".repeat(200)}the-end.txt`;
  const script = { rules: [{ when: { after: "user" }, say: [{ tool: "delete_file", arguments: { path } }] }], otherwise: [{ text: "As you wish." }] };
  const configuration = { providers: { s: { kind: "scripted", script } }, default_project: "p",
    projects: { p: { default_agent: "a", agents: { a: { provider: "s", model: "m", tools: ["delete_file"] } } } } };
  return withServer(configuration, (server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("delete it");
    await t.until(/and more: v shows all of it[^]*\[v\]iew all\? /);
    assert.ok(!t.shown.includes("the-end"));
    t.line("v");
    await t.until(/the-end\.txt[^]*\[v\]iew all\? /);
    t.line("n");
    await t.until(/As you wish[^]*you> /);
  }, plain));
});

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
    assert.equal(frames.findLast((f) => f.type !== "session.updated").type, "message.complete");
    assert.ok(frames.some((f) => f.type === "message.tool_start" && f.tool === "clock"));
    const parked = await piped(server, ["chat", "delete the file"], "");
    assert.equal(parked.status, 1);
    assert.match(parked.stderr, /troupe approvals decide [0-9a-f-]{36} --approve/);
  }));

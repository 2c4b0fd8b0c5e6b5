// The line that a person edits in `troupe chat`: what the keys make of it is what the server gets. What it looks like on a
// screen: tests/unit/app_cli_editor_test.cpp.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get, post } from "./support/clients.mjs";
import { demo, json, piped, plain, session } from "./support/command_line.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { ctrlC, ctrlD, inTerminal } from "./support/terminal.mjs";
import { until } from "./support/waiting.mjs";

const key = { left: "\x1b[D", up: "\x1b[A", down: "\x1b[B", home: "\x1b[H", end: "\x1b[F", altEnter: "\x1b\r" };
const paste = (text) => `\x1b[200~${text}\x1b[201~`;

/** What the person has said in the newest session, oldest first, once there are `count`. */
function said(server, count) {
  return until(async () => {
    const [made] = (await json(server, "sessions")).items;
    const { items } = await json(server, "history", made.id);
    const mine = items.filter((m) => m.role === "user").map((m) => m.content);
    return mine.length >= count && mine;
  }, `${count} messages`);
}
const chat = (body) => demo((server) => inTerminal(["chat", "--url", server.url], (t) => body(t, server), plain));

test("chat line: keys edit it, characters of any width too", () =>
  chat(async (t, server) => {
    await t.until(/you> /);
    t.type(`wörld 漢字${key.left}${key.left}${key.left}\x7f`).type(`${key.home}hello ${key.end}!\r`);
    await t.until(/you> hello wörl 漢字!/);
    await t.until(/tokens[^]*you> /);
    t.line("one two\x17three\x01\x0bfour\x19");
    await t.until(/tokens[^]*you> /);
    assert.deepEqual(await said(server, 2), ["hello wörl 漢字!", "fourone three"]);
  }));

test("chat line: the arrow up brings back what was said, also in a session that is taken up again", () =>
  demo(async (server) => {
    const id = await session(server, "time", "list files");
    await inTerminal(["chat", "--session", id, "--url", server.url], async (t) => {
      await t.until(/you> $/);
      t.type("draft").type(key.up).type(key.up);
      await t.until(/you> time/);
      t.type(key.down).type(key.down);
      await t.until(/you> draft/);
      t.type(`\x15${key.up}\r`);
      await t.until(/tokens[^]*you> /);
      assert.deepEqual(await said(server, 3), ["time", "list files", "list files"]);
    }, plain);
  }));

test("chat line: several lines that are pasted, or begun with Alt-Enter, are one message", () =>
  chat(async (t, server) => {
    await t.until(/you> /);
    t.type(`${paste("first\rsecond\x1b[31m")} third${key.altEnter}fourth`);
    await t.until(/first\r*\nsecond\[31m third\r*\nfourth/);
    t.type("\r");
    await t.until(/tokens[^]*you> /);
    assert.deepEqual(await said(server, 1), ["first\nsecond[31m third\nfourth"]);
  }));

test("chat line: what is typed while an answer comes stays whole, and is sent next", () =>
  withServer(standard(), (server) => inTerminal(["chat", "--url", server.url], async (t) => {
    const [, id] = await t.until(/session ([0-9a-f-]{36})/);
    await t.until(/you> /);
    t.line("hold");
    await t.until(/Holding\./);
    t.type("the clo");
    await t.until(/you> the clo/);
    t.type("ck please\r");
    await t.until(/waits for its turn/);
    await post(server, `/api/v1/sessions/${id}/cancel`);
    await t.until(/It is /);
    assert.deepEqual(await said(server, 2), ["hold", "the clock please"]);
  }, plain)));

test("chat line: a message that is being typed does not answer a question that comes in between", () =>
  chat(async (t, server) => {
    await t.until(/session ([0-9a-f-]{36})/);
    await t.until(/you> /);
    t.type("always be polite");
    await t.until(/you> always be polite/);
    const [made] = (await json(server, "sessions")).items;
    // Somebody else asks in the same session.
    await piped(server, ["chat", "--session", made.id, "delete the file"], "");
    await t.until(/\? delete_file needs your approval/);
    await t.until(/approve\? .*\? $/);
    t.line("n");
    await t.until(/denied/);
    await t.until(/you> always be polite/);
    assert.deepEqual((await get(server, "/api/v1/approvals")).body.items.map((a) => a.status), ["denied"]);
  }));

test("chat line: Ctrl-C takes the line away before it leaves, and the terminal is as it was", () =>
  chat(async (t) => {
    await t.until(/you> /);
    t.type("never sent");
    await t.until(/you> never sent/);
    t.type(ctrlC);
    await t.until(/never sent\^C[^]*you> /);
    t.type(ctrlD);
    await t.until(/come back with/);
    await t.until(/\x1b\[\?2004l/);
    await t.end(0);
  }));

test("chat line: a terminal that cannot move its cursor edits by itself", () =>
  demo((server) => inTerminal(["chat", "--url", server.url], async (t) => {
    await t.until(/you> /);
    t.line("calculate 2*21");
    await t.until(/The result is 42/);
    assert.ok(!t.shown.includes("\x1b"), JSON.stringify(t.shown));
    t.type(ctrlD);
    await t.end(0);
  }, { TERM: "dumb" })));

// The console's chat in Debian's Chromium: what a newcomer and an operator do with it (issue 6), and what must not happen to them.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openBrowser } from "./support/browser.mjs";
import { ChatTab } from "./support/chat_page.mjs";
import { get, post, request } from "./support/clients.mjs";
import { longText, standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { slowEffect } from "./support/slow_effect.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { until, untilIs } from "./support/waiting.mjs";

let browser;
before(async () => (browser = await openBrowser()));
after(() => browser?.close());

/** A server, and a tab on a new conversation. */
const withChat = (configuration, body, options) =>
  withServer(configuration, async (server) => {
    const chat = await ChatTab.open(browser, server, options);
    await body(chat, server);
    await chat.close();
  }, { keepsPort: true });
const session = async (server, id) => (await get(server, `/api/v1/sessions/${id}`)).body;

test("first run: from the page to an answer, its cost, its title and the alert", () =>
  withChat(null, async (chat, server) => {
    await chat.tab.shot("chat-new");
    const answer = await chat.ask("hello");
    assert.match(await answer.innerText(), /I am the guide of the Troupe demo/);
    await untilIs(6, () => answer.locator("li").count());
    await chat.ask("time");
    await chat.page.locator("[data-alert=cost]").waitFor();
    const { usage, title } = await session(server, chat.sessionId);
    const shown = chat.page.locator(".toolbar__spend");
    const figures = async () => (await Promise.all(["tokens", "cost", "turns"].map((name) => shown.getAttribute(`data-${name}`)))).map(Number);
    await untilIs([usage.totalTokens, usage.cost, 2], figures);
    assert.match(await shown.innerText(), /of (US)?\$0\.50/);
    assert.equal(title, "hello");
    await chat.page.getByRole("heading", { level: 1, name: "hello" }).waitFor();
    await chat.page.locator(".sessions__item", { hasText: "hello" }).waitFor();
    await chat.ask("ask the scout");
    await chat.tab.shot("chat-answers");
    await chat.page.getByRole("link", { name: "Open the conversation of the sub-agent" }).click();
    await chat.page.getByRole("link", { name: "To the conversation that started this one" }).waitFor();
    await chat.answered();
  }));

test("Spanish, dark, on a phone", () =>
  withChat(null, async (chat) => {
    await chat.page.getByRole("heading", { name: "Empieza una conversación con Guide" }).waitFor();
    const answer = await chat.ask("hola");
    assert.match(await answer.innerText(), /Soy el guía/);
    await chat.tab.shot("chat-phone");
    await chat.button("Mostrar las conversaciones").click();
    await chat.page.getByRole("searchbox", { name: "Buscar conversaciones" }).waitFor();
    await chat.tab.shot("chat-phone-list");
    await chat.tab.suitsEverybody("chat", { phone: true });
  }, { language: "es", theme: "dark", phone: true }));

test("a tool card: input, output, how long it took; a tool that fails says so", () =>
  withChat(standard(), async (chat) => {
    await chat.ask("write note");
    const card = chat.tool("write_file");
    assert.equal(await card.getAttribute("data-status"), "ok");
    assert.match(await card.innerText(), /done\s+[\d.]+ m?s/);
    await card.locator("summary").click();
    assert.match(await card.locator(".tool__body").innerText(), /content of note[\s\S]*note\.txt/);
    await chat.ask("unknown tool");
    assert.equal(await chat.tool("telescope").getAttribute("data-status"), "failed");
    assert.equal(await chat.tool("telescope").locator("details").getAttribute("open"), "", "what failed is shown");
  }));

test("markdown of the model is shown, never run: no scripts, no pictures of others, no odd links", () => {
  const evil = "<img src=x onerror=\"document.title='hit'\"> **bold** ![pixel](http://example.invalid/p.png) [click](javascript:alert(1)) `x`\n\n```js\nconst a = 1; // one\n```\n";
  const configuration = standard();
  configuration.providers.scripted.script.rules.unshift({ when: { user: "evil" }, say: [{ text: evil }] });
  return withChat(configuration, async (chat) => {
    const answer = await chat.ask("evil");
    await answer.locator(".hljs-keyword").waitFor();
    assert.equal(await answer.locator("strong").innerText(), "bold");
    assert.equal(await answer.locator(".prose img, .prose script").count(), 0);
    assert.deepEqual(await answer.locator(".prose a").evaluateAll((all) => all.map((a) => a.getAttribute("href"))), ["http://example.invalid/p.png"]);
    assert.equal(await chat.page.title(), "Troupe");
  });
});

test("an approval card: approve, deny with a note, edit, and remember", () =>
  withChat(standard(), async (chat, server) => {
    for (const name of ["one", "two", "three"]) await chat.ask(`write ${name}`);
    await chat.say("delete one");
    await chat.card.waitFor();
    assert.match(await chat.card.innerText(), /May the agent run delete_file\?[\s\S]*risk: high[\s\S]*left[\s\S]*one\.txt/);
    await chat.tab.shot("chat-approval");
    await chat.button("Approve").click();
    await chat.answered();
    assert.match(await chat.tool("delete_file").innerText(), /done[\s\S]*Approved/);

    await chat.say("delete two");
    await chat.card.getByLabel("Note").fill("not today");
    await chat.button("Deny").click();
    const denied = await chat.answered();
    assert.match(await denied.innerText(), /Denied[\s\S]*not today/);

    await chat.say("delete nothing");
    await chat.button("Edit the arguments").click();
    await chat.card.getByLabel("Arguments").fill("{ path: ");
    await chat.button("Approve as edited").click();
    await chat.card.getByText("This is no JSON object.").waitFor();
    await chat.card.getByLabel("Arguments").fill('{"path": "three.txt"}');
    await chat.card.getByLabel("From now on").selectOption({ label: "Do not ask for delete_file, in this conversation" });
    await chat.button("Approve as edited").click();
    const edited = await chat.answered();
    assert.match(await edited.innerText(), /done/);
    const { items } = (await get(server, `/api/v1/approvals?sessionId=${chat.sessionId}&status=approved`)).body;
    assert.ok(items.some((a) => a.editedInput?.path === "three.txt"));

    const unasked = await chat.ask("delete two");
    assert.match(await unasked.innerText(), /remembered[\s\S]*done/);
    assert.equal(await chat.card.count(), 0);
  }));

test("an approval of a call that a crash cut: the card asks what became of it", async () => {
  const { configuration, folder, effects } = slowEffect();
  try {
    await withServer(configuration, async (server) => {
      const chat = await ChatTab.open(browser, server);
      await chat.say("deploy");
      await chat.tool("deploy").getByText("deploying").waitFor();
      await restarted(server);
      await chat.card.waitFor();
      assert.match(await chat.card.innerText(), /Was it carried out\?/);
      await chat.tab.shot("chat-outcome-unknown");
      await chat.button("It was done").click();
      await chat.answered();
      assert.equal(effects(), 1);
      await chat.close();
    }, { keepsPort: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a question of a tool: the form is made from its schema", () => {
  const configuration = standard();
  const program = fileURLToPath(new URL("support/mcp_modern_server.mjs", import.meta.url));
  configuration.tools = { modern: { kind: "mcp", command: [process.execPath, program, "stdio"], approval: "never" } };
  configuration.providers.scripted.script.rules.unshift(
    { when: { tool: "modern.ask" }, say: [{ text: "Noted: ${result}" }] },
    { when: { user: "colour" }, say: [{ tool: "modern.ask" }] },
  );
  configuration.projects.demo.agents.writer.tools.push("modern");
  return withChat(configuration, async (chat) => {
    await chat.say("colour");
    await chat.card.getByText("Which color?").waitFor();
    await chat.button("Answer").click();
    await chat.card.getByText("This must be filled in.").waitFor();
    await chat.card.getByLabel("color (required)").fill("teal");
    await chat.tab.shot("chat-question");
    await chat.button("Answer").click();
    const answer = await chat.answered();
    assert.match(await answer.innerText(), /Noted:[\s\S]*teal/);
  });
});

test("stop: by the button and by Escape; what was said stays", () =>
  withChat(standard(), async (chat) => {
    for (const stop of [() => chat.button("Stop (Esc)").click(), () => chat.page.keyboard.press("Escape")]) {
      const running = await chat.ask("hold", "running");
      await running.getByText("Holding.").waitFor();
      await stop();
      const answer = await chat.answered("cancelled");
      assert.match(await answer.innerText(), /Holding\.[\s\S]*Stopped\./);
      await chat.page.locator("[data-run=none]").waitFor();
    }
    assert.equal(await chat.answers.count(), 2);
  }));

test("a run that fails says why, where it happened, and the next message is answered", () =>
  withChat(standard(), async (chat) => {
    const failed = await chat.ask("fail", "failed");
    assert.match(await failed.getByRole("alert").innerText(), /PROVIDER_ERROR/);
    assert.match(await (await chat.ask("hello")).innerText(), /Hello, world/);
  }));

test("by keyboard alone: write, break a line, decide, edit the last message, leave that", () =>
  withChat(standard(), async (chat) => {
    const { keyboard } = chat.page;
    await chat.page.waitForFunction(() => document.activeElement?.classList.contains("composer__text"));
    await keyboard.type("hello");
    await keyboard.press("Shift+Enter");
    await keyboard.type("again");
    await keyboard.press("Enter");
    await chat.answered();
    assert.equal(await chat.page.locator(".bubble__text").innerText(), "hello\nagain");
    await chat.page.waitForFunction(() => document.activeElement?.classList.contains("composer__text"));
    await keyboard.type("delete note");
    await keyboard.press("Enter");
    await chat.card.waitFor();
    await reach(chat, "Deny");
    await keyboard.press("Enter");
    await chat.answered();
    await chat.field.focus();
    await keyboard.press("ArrowUp");
    assert.equal(await chat.field.inputValue(), "delete note");
    await keyboard.press("Escape");
    assert.equal(await chat.field.inputValue(), "");
  }));

/** Shift+Tab until the button with this name has the focus. */
async function reach(chat, name) {
  for (let i = 0; i < 40; ++i) {
    await chat.page.keyboard.press("Shift+Tab");
    if ((await chat.page.evaluate(() => document.activeElement?.textContent)) === name) return;
  }
  assert.fail(`no way to ${name} by Shift+Tab`);
}

/** On the same data and port. */
async function restarted(server) {
  await server.kill();
  await server.start();
}

test("kill -9 in the middle of an answer: it goes on after the restart, nothing lost, nothing twice, nothing flickers", () =>
  withChat(standard(), async (chat, server) => {
    await chat.ask("hello");
    // Looks at every change of the page: what was once there must not go away.
    await chat.page.evaluate(() => {
      globalThis.gone = 0;
      const look = () => (globalThis.gone += document.querySelectorAll(".message--user").length === 0 || !document.querySelector(".message--answer") ? 1 : 0);
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
    });
    await chat.say("long");
    await chat.answers.last().getByText("w20 ").waitFor();
    await restarted(server);
    const answer = await chat.answered();
    const text = (await answer.locator(".prose").allInnerTexts()).join("");
    assert.equal(text.trim(), longText.trim());
    assert.equal(await chat.users.count(), 2);
    assert.equal(await chat.page.evaluate(() => globalThis.gone), 0);
    await chat.connected();
  }));

test("a message written while the server is away is sent once when it is back", () =>
  withChat(standard(), async (chat, server) => {
    await chat.ask("hello");
    const before = await chat.lastRun();
    await server.kill();
    await chat.page.locator("[data-connection=waiting]").waitFor();
    await chat.say("clock");
    await chat.page.getByText("It is sent when the connection is back.").waitFor();
    await server.start();
    await chat.answered("completed", before);
    assert.equal(await chat.users.count(), 2);
    assert.equal((await get(server, `/api/v1/sessions/${chat.sessionId}/messages`)).body.items.filter((m) => m.role === "user").length, 2);
  }));

test("two browsers on one conversation: presence, typing, one decision for both", () =>
  withGuarded(async (server) => {
    const token = tokenOf("ana");
    const ana = await ChatTab.open(browser, server, { token });
    await ana.ask("hello");
    await request(server, "PUT", `/api/v1/sessions/${ana.sessionId}/participants`, { users: ["eva"] }, bearer(token));
    const eva = await ChatTab.open(browser, server, { sessionId: ana.sessionId, token: tokenOf("eva"), theme: "dark" });
    await eva.answered();
    await ana.page.locator("[data-presence='2']").waitFor();
    // Who writes and pauses for some seconds is not shown any more: eva goes on until ana has seen it.
    const isSeen = () => ana.page.locator(".typing", { hasText: "eva is writing" }).isVisible();
    await until(async () => (await eva.field.pressSequentially("d"), isSeen()), "eva is writing");
    await eva.say("delete note");
    await ana.card.waitFor();
    await eva.card.waitFor();
    await ana.button("Deny").click();
    await eva.page.locator(".approval[data-approval=denied]").waitFor();
    const [one, other] = [await ana.answered(), await eva.answered()];
    assert.equal(await one.locator(".prose").last().innerText(), await other.locator(".prose").last().innerText());
    await eva.close();
    await ana.page.locator("[data-presence]").waitFor({ state: "detached" });
    await ana.close();
  }));

test("the queue: messages that wait are changed, moved and taken out", () =>
  withChat(standard(), async (chat, server) => {
    await chat.say("hold");
    await chat.answers.last().getByText("Holding.").waitFor();
    for (const text of ["first", "second", "third"]) {
      await chat.say(text);
      await chat.page.locator(".queue__item", { hasText: text }).waitFor();
    }
    const item = (text) => chat.page.locator(".queue__item", { hasText: text });
    await item("third").getByRole("button", { name: "Earlier" }).click();
    await chat.page.waitForFunction(() => [...document.querySelectorAll(".queue__text")].map((e) => e.textContent).join() === "first,third,second");
    await item("first").getByRole("button", { name: "Remove" }).click();
    await item("first").waitFor({ state: "detached" });
    await item("second").getByRole("button", { name: "Edit" }).click();
    await chat.page.locator(".queue__item textarea").fill("clock");
    await chat.page.locator(".queue__item textarea").press("Enter");
    await chat.page.locator(".queue__text", { hasText: "clock" }).waitFor();
    await untilIs(["third", "clock"], async () => (await get(server, `/api/v1/sessions/${chat.sessionId}/queue`)).body.items.map((m) => m.content));
    await chat.tab.shot("chat-queue");
    await chat.button("Stop (Esc)").click();
    await chat.answered();
    await chat.shows(["hold", "third", "clock"]);
  }));

test("fork, regenerate, edit and send again: copies, and the conversation stays as it is", () =>
  withChat(standard(), async (chat, server) => {
    for (const text of ["hello", "clock", "cheese"]) await chat.ask(text);
    const first = chat.sessionId;
    const back = async () => {
      await chat.tab.go(`/chat/${first}`);
      await chat.page.locator(`.conversation[data-session="${first}"]`).waitFor();
      await chat.shows(["hello", "clock", "cheese"]);
    };
    await chat.answers.nth(0).getByRole("button", { name: "Fork from here" }).click();
    await chat.elsewhere(first);
    await chat.answered();
    await chat.shows(["hello"]);

    await back();
    await chat.answers.nth(1).getByRole("button", { name: "Answer again, in a fork" }).click();
    await chat.elsewhere(first);
    await chat.answered();
    await chat.shows(["hello", "clock"]);

    await back();
    await chat.users.nth(1).hover();
    await chat.users.nth(1).getByRole("button", { name: "Edit and send again, in a fork" }).click();
    await chat.say("bread");
    await chat.elsewhere(first);
    assert.match(await (await chat.answered()).innerText(), /You said: bread/);
    await chat.shows(["hello", "bread"]);

    await back();
    await chat.shows(["hello", "clock", "cheese"]);
    assert.equal((await session(server, first)).messageCount, (await get(server, `/api/v1/sessions/${first}/messages`)).body.total);
  }));

test("the title, export, attachments and clearing", () =>
  withChat(standard(), async (chat, server) => {
    await chat.ask("hello");
    await chat.menu("Rename");
    await chat.page.getByLabel("Title").fill("About greetings");
    await chat.button("Save").click();
    await chat.page.getByRole("heading", { level: 1, name: "About greetings" }).waitFor();

    await chat.page.locator("input[type=file]").setInputFiles({ name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("milk") });
    await chat.ask("hello with a file");
    const downloading = chat.page.waitForEvent("download");
    await chat.page.getByRole("button", { name: /list\.txt/ }).click();
    assert.equal(readFileSync(await (await downloading).path(), "utf8"), "milk");

    const exporting = chat.page.waitForEvent("download");
    await chat.menu("Export as JSON");
    const exported = JSON.parse(readFileSync(await (await exporting).path(), "utf8"));
    assert.equal(exported.format, "troupe-session");
    assert.equal(exported.session.title, "About greetings");

    await chat.menu("Clear the messages");
    await chat.page.getByRole("dialog").getByRole("button", { name: "Clear the messages" }).click();
    await chat.answers.first().waitFor({ state: "detached" });
    assert.equal((await get(server, `/api/v1/sessions/${chat.sessionId}/messages`)).body.total, 0);
  }));

test("a long conversation: what is far away is not in the document; scrolling up brings it", () =>
  withServer(standard(), async (server) => {
    const { body: made } = await post(server, "/api/v1/projects/demo/sessions", { agentId: "other" });
    const turns = 80;
    for (let i = 0; i < turns; ++i) await post(server, `/api/v1/sessions/${made.id}/messages?wait=true`, { content: `cheese ${i}` });
    const chat = await ChatTab.open(browser, server, { sessionId: made.id });
    // At the end, by itself: the newest message is in sight and there is nothing below it.
    const newestIsShown = () =>
      chat.page.waitForFunction(
        (text) => {
          const list = document.querySelector(".messages__frame");
          if (!list || list.scrollHeight - list.scrollTop - list.clientHeight > 1) return false;
          const newest = [...list.querySelectorAll(".message")].find((e) => e.textContent.includes(text));
          const [seen, place] = [list.getBoundingClientRect(), newest?.getBoundingClientRect()];
          return place !== undefined && place.top >= seen.top && place.bottom <= seen.bottom + 1;
        },
        `You said: cheese ${turns - 1}`,
        { polling: 100, timeout: 60_000 },
      );
    await newestIsShown();
    assert.ok((await chat.page.locator(".message").count()) < 60);
    const frame = chat.page.locator(".messages__frame");
    await frame.hover();
    await chat.page.waitForFunction(
      () => {
        document.querySelector(".messages__frame").scrollTop = 0;
        return [...document.querySelectorAll(".bubble__text")].some((e) => e.textContent === "cheese 0");
      },
      null,
      { polling: 100 },
    );
    assert.ok((await chat.page.locator(".message").count()) < 60);
    await chat.button("To the newest message").click();
    await newestIsShown();
    await chat.close();
  }));

test("a server that wants credentials: the page asks, refuses bad ones, keeps good ones for the tab", () =>
  withGuarded(async (server) => {
    const chat = await ChatTab.open(browser, server, { signIn: true });
    await chat.page.getByLabel("Token or API key").fill("nonsense");
    await chat.button("Sign in").click();
    await chat.page.getByText("The server refused these credentials.").waitFor();
    await chat.tab.shot("sign-in");
    await chat.page.getByLabel("Token or API key").fill(tokenOf("ana"));
    await chat.button("Sign in").click();
    assert.match(await (await chat.ask("hello")).innerText(), /Hello, world/);
    await chat.page.reload();
    await chat.answered();
    await chat.button("Sign out").click();
    await chat.page.getByLabel("Token or API key").waitFor();
    await chat.close();
  }));

for (const options of [{ theme: "light" }, { theme: "dark" }, { theme: "light", phone: true }])
  test(`accessibility (axe, WCAG 2.2 AA): ${JSON.stringify(options)}`, () =>
    withChat(null, async (chat) => {
      assert.deepEqual(await chat.tab.accessibilityProblems(), []);
      await chat.ask("hello");
      await chat.ask("write a file");
      await chat.say("delete the file");
      await chat.card.waitFor();
      await chat.say("time");
      await chat.page.locator(".queue__item").waitFor();
      await chat.tab.shot(`chat-${options.theme}${options.phone ? "-phone" : ""}`);
      assert.deepEqual(await chat.tab.accessibilityProblems(), []);
      await chat.button("Stop (Esc)").click();
      await chat.answered();
    }, options));

test("what the browser gets: strict headers, files that never change, small ones", () =>
  withServer(null, async (server) => {
    const page = await get(server, "/", { accept: "text/html" });
    assert.equal(page.headers["cache-control"], "no-cache");
    const policy = page.headers["content-security-policy"];
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|http:|\*/);
    assert.doesNotMatch(page.text, /<script(?![^>]* src=)|<style|https?:\/\//);
    assert.equal((await get(server, "/", { accept: "text/html", "if-none-match": page.headers.etag })).status, 304);
    assert.equal((await get(server, "/")).body.name, "Troupe");

    const seen = new Map();
    const look = async (text) => {
      for (const [name] of text.matchAll(/[\w-]+-[\w-]{8}\.(?:js|css|svg)/g)) {
        if (seen.has(name)) continue;
        const file = await get(server, `/assets/${name}`);
        if (file.status !== 200) continue;
        seen.set(name, file.text.length);
        assert.equal(file.headers["cache-control"], "public, max-age=31536000, immutable", name);
        assert.equal(file.headers["x-content-type-options"], "nosniff", name);
        const packed = await request(server, "HEAD", `/assets/${name}`, undefined, { "accept-encoding": "br;q=0, gzip" });
        seen.set(name, Number(packed.headers["content-length"]));
        if (name.endsWith(".js")) await look(file.text);
      }
    };
    await look(page.text);
    const total = [...seen.values()].reduce((sum, size) => sum + size, 0);
    assert.ok(seen.size > 8, `only ${seen.size} files were found`);
    assert.ok(total <= 350 * 1024, `${total} bytes gzipped`);
    const [script] = [...seen.keys()].filter((name) => name.endsWith(".js"));
    assert.equal((await request(server, "HEAD", `/assets/${script}`, undefined, { "accept-encoding": "gzip, br" })).headers["content-encoding"], "br");
    for (const path of ["/assets/none.js", "/assets/..%2findex.html", "/assets/index.html"]) assert.equal((await get(server, path)).status, 404, path);
  }));

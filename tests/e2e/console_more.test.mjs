// The console's words on answers, scenarios and downloads, in a browser: what a person does there is stored, shown again and true.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser, Tab } from "./support/browser.mjs";
import { ChatTab } from "./support/chat_page.mjs";
import { get, request } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { run, withServer } from "./support/server.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { untilIs } from "./support/waiting.mjs";

let browser;
before(async () => (browser = await openBrowser()));
after(() => browser?.close());

const api = "/api/v1";
const thumb = (answer, rating) => answer.locator(`[data-thumb=${rating}]`);

async function downloaded(page, click) {
  const [file] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
}

test("feedback: stored with a note, mine after a reload, counted for others, exported, taken back", () =>
  withGuarded(async (server) => {
    const token = tokenOf("ana");
    const ana = await ChatTab.open(browser, server, { token });
    await ana.ask("hello");
    const id = ana.sessionId;
    await request(server, "PUT", `${api}/sessions/${id}/participants`, { users: ["eva"] }, bearer(token));
    const eva = await ChatTab.open(browser, server, { sessionId: id, token: tokenOf("eva") });
    const feedback = async () =>
      (await get(server, `${api}/sessions/${id}/messages`, bearer(token))).body.items
        .flatMap((m) => m.feedback ?? [])
        .map(({ rating, note, by }) => [by, rating, note]);

    const answer = ana.answers.last();
    await thumb(answer, "down").click();
    await answer.getByLabel("Note (optional)").fill("The clock is wrong.");
    await ana.tab.shot("chat-feedback");
    assert.deepEqual(await ana.tab.accessibilityProblems(), []);
    await ana.button("Save").click();
    await answer.locator(".rating__own").getByText("The clock is wrong.").waitFor();
    assert.deepEqual(await feedback(), [["ana", "down", "The clock is wrong."]]);

    const seen = (await eva.answered()).locator("[data-thumb=down]");
    await untilIs("1", () => seen.innerText());
    assert.equal(await seen.getAttribute("aria-pressed"), "false");
    assert.match(await seen.getAttribute("aria-label"), /^Bad answer, 1: ana$/);
    await thumb(eva.answers.last(), "up").click();
    await untilIs([["ana", "down", "The clock is wrong."], ["eva", "up", ""]], feedback);
    await eva.page.locator(".rating").getByText("The clock is wrong.").waitFor();
    await eva.page.keyboard.press("Escape");
    await eva.page.locator(".rating").waitFor({ state: "detached" });

    await ana.page.reload();
    const again = await ana.answered();
    await again.getByText("The clock is wrong.").waitFor();
    await untilIs(["true", "false"], () => Promise.all(["down", "up"].map((rating) => thumb(again, rating).getAttribute("aria-pressed"))));
    const exported = JSON.parse((await downloaded(ana.page, () => ana.menu("Export as JSON"))).text);
    assert.deepEqual(exported.messages.flatMap((m) => m.feedback ?? []).map((f) => f.rating), ["down", "up"]);

    await thumb(again, "down").click();
    await again.getByRole("button", { name: "Take it back" }).click();
    await untilIs([["eva", "up", ""]], feedback);
    await untilIs("false", () => thumb(again, "down").getAttribute("aria-pressed"));
    await ana.close();
    await eva.close();
  }));

test("starters: a new conversation offers those of the agent, and one of them begins it", () =>
  withServer(null, async (server) => {
    const chat = await ChatTab.open(browser, server);
    const starters = chat.page.getByRole("list", { name: "Messages to begin with" });
    const { items } = (await get(server, `${api}/projects/demo/agents`)).body;
    const offered = items.find((agent) => agent.isDefault).starters;
    assert.ok(offered.length > 0);
    assert.deepEqual(await starters.getByRole("button").allInnerTexts(), offered);
    assert.deepEqual(await chat.tab.accessibilityProblems(), []);
    await starters.getByRole("button", { name: "What time is it?" }).click();
    await chat.answered();
    await chat.shows(["What time is it?"]);
    await chat.tool("clock").waitFor();
    await chat.close();
  }));

test("clearing empties the conversation here and for others, and it goes on", () =>
  withServer(standard(), async (server) => {
    const chat = await ChatTab.open(browser, server);
    await chat.ask("hello");
    const other = await ChatTab.open(browser, server, { sessionId: chat.sessionId });
    await other.answered();
    await chat.menu("Clear the messages");
    await chat.page.getByRole("dialog").getByRole("button", { name: "Clear the messages" }).click();
    for (const tab of [chat, other]) await untilIs(0, () => tab.answers.count());
    assert.match(await (await chat.ask("clock")).innerText(), /done/);
    assert.equal((await get(server, `${api}/sessions/${chat.sessionId}/messages`)).body.items.filter((m) => m.role === "user").length, 1);
    await chat.close();
    await other.close();
  }));

test("a session that was downloaded as a scenario plays again; one that cannot be says why", () =>
  withServer(null, async (server) => {
    const chat = await ChatTab.open(browser, server);
    await chat.ask("time");
    const { sessionId: id, page, tab } = chat;
    await tab.go(`/sessions/${id}`);
    const button = page.getByRole("button", { name: "Download as a scenario" });
    const { name, text } = await downloaded(page, () => button.click());
    const file = join(server.folder, name);
    writeFileSync(file, text);
    const { status, stdout, stderr } = await run(["replay", file]);
    assert.equal(status, 0, `${stdout}${stderr}`);
    await page.getByText(`troupe replay ${name}`).waitFor();

    await tab.go(`/chat/${id}`);
    await chat.answered();
    await chat.ask("write a file");
    await chat.say("delete the file");
    await chat.card.waitFor();
    await tab.go(`/sessions/${id}`);
    await button.click();
    await page.getByRole("alert").getByText("BUSY").waitFor();
    await chat.close();
  }));

/** A folder with one that passes, one that fails and one that is skipped with restarts. */
function corpus() {
  const folder = mkdtempSync(join(tmpdir(), "troupe-corpus-"));
  mkdirSync(join(folder, "talk"));
  const scenario = (content, more) => ({
    scenario: `a message ${content} is answered`, model: { otherwise: [{ text: "Hello." }] }, ...more,
    steps: [{ send: { message: "hi" } }, { expect: { kind: "message_added", content } }, { expect: { kind: "run_started" } }],
    ignore: ["step_started", "text_delta", "message_completed", "usage_recorded", "run_completed"],
  });
  const write = (name, what) => writeFileSync(join(folder, name), JSON.stringify(what, null, 1));
  write("talk/good.json", scenario("hi", { tags: ["short"] }));
  write("talk/bad.json", scenario("bye", { tags: ["short"] }));
  write("pause.json", scenario("hi", { skip: { restart: "it is about pauses" } }));
  return folder;
}

test("scenarios: all are run, the one that fails is shown side by side and run again, reasons for skipping are told", async () => {
  const folder = corpus();
  try {
    await withServer(null, async (server) => {
      const tab = await Tab.open(browser, server);
      const page = await tab.go("/scenarios");
      const rows = page.getByRole("table", { name: "Scenarios of the folder" }).locator("tbody tr");
      await untilIs(3, () => rows.count());
      const shown = page.locator("[data-run]");
      const runs = async () => (await get(server, `${api}/scenarios/runs`)).body.items;
      const ended = async (status) => page.locator(`[data-run=${status}]`).waitFor();

      await page.getByRole("button", { name: "Run all 3" }).click();
      await ended("completed");
      assert.match(await page.getByRole("region", { name: "The run that is shown" }).innerText(), /3 of 3 played[\s\S]*2 passed\s*1 failed\s*0 skipped/);
      await untilIs(["content", "bye", "hi"], () => page.locator("[data-differs]").locator("th, td").allTextContents());
      await tab.shot("scenarios-run");
      assert.deepEqual(await tab.accessibilityProblems(), []);

      await page.getByRole("button", { name: "Run the failed one again" }).click();
      await untilIs(2, async () => (await runs()).length);
      await untilIs(["completed", 1, 1], async () => (await runs()).slice(0, 1).flatMap((r) => [r.status, r.total, r.failed]));
      await page.getByText("1 of 1 played").waitFor();

      await page.getByLabel("How", { exact: true }).selectOption({ label: "With a restart after every step" });
      await page.getByLabel("Tag", { exact: true }).selectOption({ label: "short" });
      await untilIs(2, () => rows.count());
      await page.getByLabel("Tag", { exact: true }).selectOption({ label: "Any" });
      await page.getByRole("checkbox", { name: "Pick pause.json" }).check();
      await page.getByRole("checkbox", { name: "Pick talk/good.json" }).check();
      await page.getByRole("button", { name: "Run the 2 picked" }).click();
      await page.getByText("2 of 2 played").waitFor();
      await page.getByText("Skipped: it is about pauses").waitFor();
      const [last] = await runs();
      assert.deepEqual([last.passed, last.failed, last.skipped, last.restartEveryStep], [1, 0, 1, true]);

      await page.getByRole("tab", { name: "Last runs" }).click();
      const history = page.getByRole("table", { name: "Last runs" }).locator("tbody tr");
      await untilIs(3, () => history.count());
      await history.last().getByRole("link").click();
      await page.getByText("3 of 3 played").waitFor();
      assert.equal(await shown.getAttribute("data-done"), "3");
      await tab.close();
    }, { args: ["--scenarios", folder] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("scenarios: a server without a folder says how to give it one; reports are opened all the same", () =>
  withServer(null, async (server) => {
    const tab = await Tab.open(browser, server);
    const page = await tab.go("/scenarios");
    await page.getByText("This server was started without a folder of scenarios").waitFor();
    await page.getByText("troupe serve --scenarios").waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    const report = join(server.folder, "report.xml");
    writeFileSync(report, '<testsuites><testsuite><testcase name="a" time="0.1"/></testsuite></testsuites>');
    await page.setInputFiles("input[type=file]", report);
    await page.getByText("1 passed").waitFor();
    assert.deepEqual(await tab.accessibilityProblems(), []);
    await tab.close();
  }));

test("navigation: on a phone the number stands beside its icon and falls with the decision; the bar's last button has the other pages", () =>
  withServer(standard(), async (server) => {
    const chat = await ChatTab.open(browser, server, { phone: true });
    await chat.ask("write one");
    await chat.say("delete one");
    await chat.card.waitFor();
    const bar = chat.page.getByRole("navigation", { name: "Pages" });
    const count = bar.locator(".nav__count");
    await count.waitFor();
    const [number, picture] = [await count.boundingBox(), await bar.locator('a[href="#/approvals"] svg').boundingBox()];
    assert.ok(number.x >= picture.x + picture.width / 2 && number.y + number.height / 2 <= picture.y + picture.height / 2, "it covers its icon");
    await chat.card.getByRole("button", { name: "Approve", exact: true }).click();
    await count.waitFor({ state: "detached" });

    // Lists that know ids only show the same name as the chat.
    await bar.getByRole("link", { name: "Traces" }).click();
    await chat.page.getByRole("link", { name: "Session write one" }).first().waitFor();
    await bar.getByRole("button", { name: "Menu" }).click();
    assert.deepEqual(await chat.tab.accessibilityProblems(), []);
    await chat.page.getByRole("dialog").getByRole("link", { name: "Settings" }).click();
    await chat.page.getByRole("heading", { name: "Settings" }).waitFor();
    await chat.page.getByRole("dialog").waitFor({ state: "hidden" });
    await chat.close();
  }));

// The console where answers and events take their time or come in an unusual order: nothing that was written is lost, nothing goes
// back to what it was for a moment, and a slow answer is an answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, Tab } from "./support/browser.mjs";
import { ChatTab } from "./support/chat_page.mjs";
import { get, listAll } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { DemoWorld } from "./support/demo_world.mjs";
import { withServer } from "./support/server.mjs";
import { until, untilIs } from "./support/waiting.mjs";

let browser;
before(async () => (browser = await openBrowser()));
after(() => browser?.close());

const api = "/api/v1";

/** A gate for requests: those that came wait until it opens. */
function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, open, came: 0 };
}

/** Requests that `fits` selects reach the server when the gate opens. */
async function hold(page, fits, methods = ["GET", "POST"]) {
  const at = gate();
  await page.route((url) => fits(url), async (route) => {
    if (!methods.includes(route.request().method())) return route.continue();
    ++at.came;
    await at.opened;
    await route.continue();
  });
  return at;
}

test("what is written while the first message is on its way goes on in the conversation", () =>
  withServer(standard(), async (server) => {
    const chat = await ChatTab.open(browser, server);
    const making = await hold(chat.page, (url) => url.pathname === `${api}/projects/demo/sessions`);
    await chat.say("hello");
    await until(() => making.came === 1);
    await chat.field.fill("and then");
    making.open();
    await chat.answered();
    await chat.shows(["hello"]);
    assert.equal(await chat.field.inputValue(), "and then");
    await chat.field.press("Enter");
    await chat.shows(["hello", "and then"]);
    await chat.close();
  }));

test("what was just done stays done while the events that tell of it are on their way", () =>
  withServer(standard(), async (server) => {
    const events = { late: [], isHeld: false };
    const chat = await ChatTab.open(browser, server);
    await chat.page.routeWebSocket("**/ws*", (socket) => {
      const there = socket.connectToServer();
      events.release = () => {
        events.isHeld = false;
        for (const frame of events.late.splice(0)) socket.send(frame);
      };
      there.onMessage((frame) => (events.isHeld ? events.late.push(frame) : socket.send(frame)));
    });
    await chat.ask("write one");
    await chat.say("delete one");
    await chat.card.waitFor();
    await chat.say("clock");
    await chat.page.locator(".queue__item").getByRole("button", { name: "Edit" }).click();

    events.isHeld = true;
    await chat.page.locator(".queue__item textarea").fill("hello");
    await chat.page.locator(".queue__item textarea").press("Enter");
    await untilIs(["hello"], async () => (await get(server, `${api}/sessions/${chat.sessionId}/queue`)).body.items.map((m) => m.content));
    assert.deepEqual(await chat.page.locator(".queue__text").allTextContents(), ["hello"]);
    const decided = chat.page.waitForResponse((answer) => answer.url().endsWith("/decide"));
    await chat.card.getByRole("button", { name: "Approve", exact: true }).click();
    assert.equal((await decided).status(), 200);
    await (await decided).finished();
    // The answer is with the page: a picture later it has shown what follows from it.
    await chat.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    assert.equal(await chat.card.getByRole("button", { name: "Approve", exact: true }).isDisabled(), true);
    events.release();
    await chat.shows(["write one", "delete one", "hello"]);
    await chat.answered();
    await chat.close();
  }));

test("what is typed while an agent is being stored is neither lost nor taken for stored", () =>
  withServer(standard(), async (server) => {
    const tab = await Tab.open(browser, server);
    const page = await tab.go("/settings/agents/new/demo");
    const description = page.getByLabel("Description");
    const stored = async (version, click) => {
      const storing = await hold(page, (url) => url.pathname.startsWith(`${api}/projects/demo/agents`) && !url.pathname.endsWith("/check"), ["POST", "PUT"]);
      await click();
      await until(() => storing.came === 1);
      await description.fill(`after ${version}`);
      storing.open();
      await untilIs(version, async () => (await get(server, `${api}/projects/demo/agents/clerk/definition`)).body.version);
      await page.getByText("not stored yet").waitFor();
      assert.equal(await description.inputValue(), `after ${version}`);
      const { definition } = (await get(server, `${api}/projects/demo/agents/clerk/definition`)).body;
      assert.equal(definition.description, `before ${version}`);
      await page.unrouteAll({ behavior: "wait" });
    };
    await page.getByLabel("Id", { exact: true }).fill("clerk");
    await page.getByLabel("Provider", { exact: true }).fill("scripted");
    await page.getByLabel("Model", { exact: true }).fill("tiny");
    await description.fill("before 1");
    await stored(1, () => page.getByRole("button", { name: "Make the agent" }).click());
    await description.fill("before 2");
    await stored(2, () => page.getByRole("button", { name: "Store", exact: true }).click());
    await tab.close();
  }));

test("a list that is read again every few seconds waits for an answer that takes longer", () =>
  withServer(null, async (server) => {
    const { approvalId } = await new DemoWorld(server).parked();
    assert.equal((await listAll(server, `${api}/approvals?status=pending`)).length, 1);
    const tab = await Tab.open(browser, server);
    await tab.page.clock.install();
    const isInbox = (url) => url.pathname === `${api}/approvals` && url.searchParams.get("limit") !== "1";
    const reading = await hold(tab.page, isInbox);
    const page = await tab.go("/approvals");
    await until(() => reading.came === 1);
    await page.clock.runFor(30_000);
    await page.evaluate(() => fetch("/healthz")); // behind whatever the page asked for
    assert.equal(reading.came, 1, "it was asked for once");
    reading.open();
    await page.locator("tbody tr").filter({ hasText: "delete_file" }).waitFor();
    assert.ok(approvalId);
    await tab.close();
  }));

test("for who wants less motion every change is there at once, not a picture later", () =>
  withServer(standard(), async (server) => {
    const chat = await ChatTab.open(browser, server);
    await chat.ask("hello");
    const grown = await chat.page.locator(".messages__rows").evaluate((rows) => {
      const before = rows.offsetHeight;
      const own = rows.style.height;
      rows.style.height = `${before + 50}px`;
      const by = rows.offsetHeight - before;
      rows.style.height = own;
      return by;
    });
    assert.equal(grown, 50);
    assert.deepEqual(await chat.page.evaluate(() => document.getAnimations().length), 0);
    await chat.close();
  }));

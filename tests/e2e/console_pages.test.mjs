// The console's pages besides Chat, in a browser, against a real server: what they show is what the API says, what they do is
// done, and everybody can use them (issue 6).
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openBrowser, Tab } from "./support/browser.mjs";
import { get, listAll, post, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { DemoWorld } from "./support/demo_world.mjs";
import { run, withServer } from "./support/server.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { untilIs as until } from "./support/waiting.mjs";

let browser;
before(async () => void (browser = await openBrowser()));
after(() => browser?.close());

const api = "/api/v1";
const corpus = fileURLToPath(new URL("../../scenarios", import.meta.url));
const body = async (server, path) => {
  const answer = await get(server, path);
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return answer.body;
};

async function eventsOf(server, session) {
  const out = [];
  for (;;) {
    const path = `${api}/sessions/${session}/events?limit=100&offset=${out.length}`;
    const page = (await get(server, path, { accept: "application/json" })).body;
    out.push(...page.items);
    if (page.items.length === 0 || out.length >= page.total) return out;
  }
}

/** Until no run goes on: those that wait for a person stay. */
const settled = (server) =>
  until([], async () => (await listAll(server, `${api}/projects/demo/traces`)).filter((t) => t.status === "running").map((t) => t.id));

/** `look` on a demo with something of everything. */
const inDemo = (look, options) =>
  withServer(null, async (server) => {
    const world = await new DemoWorld(server).build();
    await settled(server);
    const tab = await Tab.open(browser, server, options);
    await look({ server, world, tab, page: tab.page, session: world.values["sessions/{id}"] });
    await tab.close();
  }, { args: ["--scenarios", corpus] });

/** The row of a session, which has its title or, while it has none, its id. */
const rowOf = (page, session) => page.locator("tbody tr").filter({ has: page.locator(`a[title="${session}"]`) });

/** What waits stays in this page as it is now, although the page asks again and again, until the page decides something itself. */
async function holdInbox(page) {
  let isOver = false;
  const first = new Map(); // by question: the number in the navigation asks for one of them only
  page.on("request", (asked) => (isOver ||= asked.method() === "POST" && asked.url().endsWith("/approvals/decide")));
  await new Promise((resolve) =>
    page.route((url) => url.pathname === `${api}/approvals`, async (route) => {
      if (isOver) return route.continue();
      const { search, searchParams } = new URL(route.request().url());
      if (!first.has(search)) first.set(search, route.fetch());
      await route.fulfill({ response: await first.get(search) });
      if (searchParams.get("limit") !== "1") resolve();
    }));
}

test("accessibility: no page breaks a rule of WCAG AA, in both themes and languages, nor scrolls sideways on a phone", () =>
  inDemo(async ({ server, world, session }) => {
    const traces = await listAll(server, `${api}/projects/demo/traces`);
    const [waiting] = (await body(server, `${api}/approvals?status=pending`)).items;
    const report = join(server.folder, "report.xml");
    writeFileSync(report, '<testsuites><testsuite><testcase name="a" time="0.1"/></testsuite></testsuites>');
    const pages = {
      approvals: "/approvals", approval: `/approvals/waiting/${waiting.id}`, history: "/approvals/history",
      remembered: "/approvals/remembered", traces: "/traces", trace: `/traces/${world.values["traces/{id}"]}`,
      compare: `/traces/compare/${traces[0].id}/${traces.at(-1).id}`, spend: "/spend", sessions: "/sessions", session: `/sessions/${session}`,
      replay: `/sessions/${session}/replay`, scenarios: "/scenarios", "scenario-runs": "/scenarios/runs", report: "/scenarios/report", agents: "/settings/agents", tools: "/settings/tools",
      health: "/settings/health", limits: "/settings/limits", access: "/settings/access",
    };
    for (const look of [{ theme: "light" }, { theme: "dark", language: "es" }, { phone: true }]) {
      const tab = await Tab.open(browser, server, look);
      for (const [name, path] of Object.entries(pages)) {
        const page = await tab.go(path);
        await tab.isQuiet();
        if (name === "report") {
          await page.setInputFiles("input[type=file]", report);
          await page.locator("[data-report]").waitFor();
        }
        await tab.shot(`${name}-${look.phone ? "phone" : look.theme}`);
        assert.equal(await page.getByRole("alert").count(), 0, `${name} shows an error: ${await page.getByRole("alert").allTextContents()}`);
        await tab.suitsEverybody(name, look);
      }
      await tab.close();
    }
  }));

test("approvals: several are decided at once, and the one that somebody else decided says who was first", () =>
  inDemo(async ({ server, world, tab, page }) => {
    for (let i = 0; i < 2; ++i) await world.parked();
    const waiting = await listAll(server, `${api}/approvals?status=pending`);
    assert.equal(waiting.length, 3);
    await tab.go("/approvals");
    const table = page.getByRole("table", { name: "Waiting" });
    await until(3, () => table.locator("tbody tr").count());
    await page.getByRole("checkbox", { name: "Pick all" }).check();
    await page.getByText("3 picked").waitFor();
    await page.getByRole("group", { name: "Decide those" }).getByRole("button", { name: "Deny" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Note").fill("not today");
    // Somebody else is first with one of them, and the page has not heard of it.
    await holdInbox(page);
    assert.equal((await post(server, `${api}/approvals/${waiting[1].id}/approve`, { note: "go on" })).status, 200);
    await dialog.getByRole("button", { name: "Deny" }).click();
    await page.getByText("2 decisions were stored.").waitFor();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.textContent(), /settled before: approved.*go on.*APPROVAL_NOT_PENDING/);
    await page.getByText("Nothing waits for a decision.").waitFor();
    for (const [i, { id }] of waiting.entries()) {
      const now = await body(server, `${api}/approvals/${id}`);
      assert.deepEqual([now.status, now.note], i === 1 ? ["approved", "go on"] : ["denied", "not today"]);
    }
  }));

test("approvals: the inbox shows what comes while it is open, and edited arguments stand beside those asked for", () =>
  inDemo(async ({ server, world, tab, page }) => {
    await tab.go("/approvals");
    await until(1, () => page.locator("tbody tr").count());
    const { approvalId, session } = await world.parked();
    await until(2, () => page.locator("tbody tr").count());
    await rowOf(page, session).getByRole("button", { name: "delete_file" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Run with other arguments").check();
    const draft = dialog.getByLabel("Arguments to run with");
    await draft.fill("[1]");
    await dialog.getByText("must be a JSON object").waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Approve", exact: true }).isDisabled(), true);
    await draft.fill('{"path": "notes/other.txt"}');
    const differs = dialog.getByRole("table", { name: "Arguments as the agent asked" });
    await until(['was: "path": "notes/demo.txt"', 'is now: "path": "notes/other.txt"'], async () =>
      (await differs.locator(".diff__old, .diff__new").allTextContents()).map((text) => text.replace(/\s+/g, " ").trim()));
    await dialog.getByLabel("Note").fill("the other one");
    await dialog.getByRole("button", { name: "Approve as edited" }).click();
    await dialog.waitFor({ state: "hidden" });
    const now = await body(server, `${api}/approvals/${approvalId}`);
    assert.deepEqual([now.status, now.note, now.editedInput], ["approved", "the other one", { path: "notes/other.txt" }]);
    await tab.go("/approvals/history");
    const row = rowOf(page, session);
    await row.getByText("edited").waitFor();
    assert.match(await row.textContent(), /approved.*the other one/);
  }));

test("approvals: a remembered one is made with the decision, shown, and revoked", () =>
  inDemo(async ({ server, world, tab, page }) => {
    const { approvalId } = await world.parked();
    await tab.go(`/approvals/waiting/${approvalId}`);
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Remember this").selectOption({ label: "For this agent" });
    await dialog.getByLabel("For calls with").selectOption({ label: "any arguments" });
    await dialog.getByLabel("Until").selectOption({ label: "in 24 hours" });
    await dialog.getByRole("button", { name: "Approve", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    const grant = (await body(server, `${api}/approvals/remembered`)).items.find((g) => g.approvalId === approvalId);
    assert.deepEqual([grant.scope, grant.when, grant.toolId], ["agent", [], "delete_file"]);
    const hours = (Date.parse(grant.expiresAt) - Date.parse(grant.createdAt)) / 3_600_000;
    assert.ok(Math.abs(hours - 24) < 0.1, `${hours} hours`);
    await tab.go("/approvals/remembered");
    const rows = page.locator("tbody tr");
    const { total } = await body(server, `${api}/approvals/remembered`);
    await until(total, () => rows.count());
    const row = rows.filter({ hasText: "any arguments" });
    assert.match(await row.textContent(), /delete_file.*for agent guide/);
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await until(total - 1, () => rows.count());
    const all = (await body(server, `${api}/approvals/remembered?all=true`)).items;
    assert.equal(all.find((g) => g.id === grant.id).status, "revoked");
  }));

test("approvals: where two must approve, the first sees that it waits for another, and who may not is told why", () => {
  const careful = standard();
  careful.projects.demo.agents.writer.approval = { delete_file: { policy: "always", deciders: 2, not_requester: true } };
  return withGuarded(async (server) => {
    const client = await SocketClient.open(server, "/ws", { headers: bearer(tokenOf("ana")) });
    client.send({ type: "auth", projectId: "demo", agentId: "writer" });
    client.send({ type: "message.send", content: "delete note" });
    const card = await client.next("message.approval_required");
    const { sessionId } = client.all("session.created")[0];
    const joined = await request(server, "PUT", `${api}/sessions/${sessionId}/participants`, { users: ["ben", "cleo"] }, bearer(tokenOf("ana")));
    assert.equal(joined.status, 200);
    for (const [who, sees] of [["ana", "may not decide this"], ["ben", "1 of 2 have approved: ben"], ["cleo", null]]) {
      const tab = await Tab.open(browser, server, { token: tokenOf(who) });
      const page = await tab.go(`/approvals/waiting/${card.approvalId}`);
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Approve", exact: true }).click();
      if (who === "ana") await dialog.getByRole("alert").getByText("FORBIDDEN").waitFor();
      if (sees) await dialog.getByText(sees).waitFor();
      else await dialog.waitFor({ state: "hidden" });
      await tab.close();
    }
    assert.equal((await client.next("approval.decided")).decision, "approved");
    await client.next("message.complete");
  }, careful);
});

test("traces: the waterfall has the spans of the API, and leads to the message", () =>
  inDemo(async ({ server, tab, page }) => {
    const all = await listAll(server, `${api}/projects/demo/traces`);
    await tab.go("/traces");
    await until(all.length, () => page.locator("tbody tr").count());
    await page.getByLabel("Status").selectOption({ label: "waits for a person" });
    await until(all.filter((t) => t.status === "parked").length, () => page.locator("tbody tr").count());
    // The one with most spans: a sub-agent, a tool, an approval.
    const details = await Promise.all(all.map((t) => body(server, `${api}/traces/${t.id}`)));
    const trace = details.filter((t) => t.status === "completed").reduce((a, b) => (b.spans.length > a.spans.length ? b : a));
    await tab.go(`/traces/${trace.id}`);
    const rows = page.locator("[data-span]");
    await until(trace.spans.map((s) => s.kind), () => rows.evaluateAll((found) => found.map((row) => row.dataset.span)));
    const fold = page.getByLabel("Fold the time");
    if (await fold.count()) await fold.uncheck(); // only where the wait was long
    const begin = Date.parse(trace.startedAt);
    const bars = await page.locator(".track__bar").evaluateAll((found) =>
      found.map((bar) => {
        const frame = bar.parentElement.getBoundingClientRect();
        const own = bar.getBoundingClientRect();
        return [(own.left - frame.left) / frame.width, own.width / frame.width];
      }));
    for (const [i, span] of trace.spans.entries()) {
      const from = (Date.parse(span.startedAt) - begin) / trace.durationMs;
      assert.ok(Math.abs(bars[i][0] - from) < 0.01, `${span.kind} begins at ${bars[i][0]}, not ${from}`);
      assert.ok(Math.abs(bars[i][1] - span.durationMs / trace.durationMs) < 0.02, `${span.kind} is ${bars[i][1]} long`);
    }
    for (const [i, span] of trace.spans.entries()) {
      const text = await rows.nth(i).textContent();
      assert.ok(text.includes(span.name), text);
      if (span.usage.promptTokens) assert.ok(text.includes(span.usage.promptTokens.toLocaleString("en-GB")), text);
    }
    const messages = await listAll(server, `${api}/sessions/${trace.sessionId}/messages`);
    const answer = messages.find((m) => m.runId === trace.runId && m.role === "assistant");
    const asked = messages.filter((m) => m.role === "user" && m.seq < answer.seq).at(-1);
    const link = page.getByRole("link", { name: asked.content, exact: true });
    assert.equal(await link.getAttribute("href"), `#/chat/${trace.sessionId}/${asked.id}`);
  }));

test("traces: two runs stand side by side, and what only one of them has is marked", () =>
  inDemo(async ({ server, tab, page }) => {
    const all = (await listAll(server, `${api}/projects/demo/traces`)).filter((t) => t.status === "completed");
    const [a, b] = await Promise.all([all[0], all.find((t) => t.agentId !== all[0].agentId)].map((t) => body(server, `${api}/traces/${t.id}`)));
    await tab.go("/traces");
    const compare = page.getByRole("button", { name: "Compare" });
    assert.equal(await compare.isDisabled(), true);
    for (const trace of [a, b]) await page.getByRole("checkbox", { name: trace.id.slice(-8) }).check();
    await page.getByRole("button", { name: "Compare the two" }).click();
    const pairs = page.getByRole("table", { name: "Spans side by side" });
    await pairs.waitFor();
    assert.equal(await pairs.locator(".track").count(), a.spans.length + b.spans.length);
    const figures = page.getByRole("table", { name: "Two runs compared" });
    const tokens = await figures.locator("tr", { hasText: "Prompt tokens" }).locator("td").allTextContents();
    const figure = (n) => n.toLocaleString("en-GB");
    const more = b.usage.promptTokens - a.usage.promptTokens;
    assert.deepEqual(tokens.slice(1), [figure(a.usage.promptTokens), figure(b.usage.promptTokens), more === 0 ? "=" : `${more > 0 ? "+" : "−"}${figure(Math.abs(more))}`]);
  }));

test("spend: totals, shares and the CSV are those of the API, to the micro-dollar", () =>
  inDemo(async ({ server, tab, page }) => {
    const micro = (usd) => Math.round(Number(usd) * 1e6);
    const report = await body(server, `${api}/projects/demo/usage?period=month`);
    assert.ok(report.totalCost > 0);
    await tab.go("/spend");
    const total = (name) => page.locator(`[data-total=${name}]`).getAttribute("data-value");
    assert.equal(micro(await total("cost")), micro(report.totalCost));
    assert.equal(Number(await total("tokens")), report.totalTokens);
    assert.equal(Number(await total("requests")), report.totalRequests);
    const download = async (button) => {
      const [file] = await Promise.all([page.waitForEvent("download"), button.click()]);
      return readFileSync(await file.path(), "utf8").trim().split("\r\n").map((line) => line.split(","));
    };
    const days = await download(page.getByRole("button", { name: "CSV" }).first());
    assert.deepEqual(days[0], ["date", "totalCostUsd", "totalTokens", "totalRequests"]);
    assert.equal(days.length, 31);
    assert.equal(days.slice(1).reduce((sum, row) => sum + micro(row[1]), 0), micro(report.totalCost));
    for (const way of ["agent", "session", "user", "model"]) {
      await page.getByRole("tab", { name: `By ${way}` }).click();
      const shares = await listAll(server, `${api}/projects/demo/usage/by-${way}?period=month`);
      await page.locator(`[data-sum=${way}]`).waitFor();
      await until(shares.reduce((sum, s) => sum + micro(s.totalCost), 0), async () => micro(await page.locator(`[data-sum=${way}]`).getAttribute("data-value")));
      assert.equal(await page.getByRole("table", { name: `By ${way}` }).locator("tbody tr").count(), shares.length);
      const rows = await download(page.getByRole("tabpanel").getByRole("button", { name: "CSV" }));
      const [names, cost] = way === "model" ? [["provider", "model"], 2] : [["key"], 1];
      assert.deepEqual(rows.slice(1).map((row) => [...row.slice(0, cost), micro(row[cost])]), shares.map((s) => [...names.map((n) => s[n]), micro(s.totalCost)]));
      assert.equal(shares.reduce((sum, s) => sum + micro(s.totalCost), 0), micro(report.totalCost), `by ${way}`);
    }
    assert.match(await page.getByRole("img", { name: "Cost of each of 30 days" }).textContent(), new RegExp(report.items.at(-1).date));
  }));

test("sessions: search, filters, live ones and sub-agents are what the server says", () =>
  inDemo(async ({ server, tab, page, session }) => {
    const rows = page.locator("tbody tr");
    const shown = await listAll(server, `${api}/sessions`);
    await tab.go("/sessions");
    await until(shown.length, () => rows.count());
    const parked = new Set((await listAll(server, `${api}/projects/demo/traces`)).filter((t) => t.status === "parked").map((t) => t.sessionId));
    await until(parked.size, () => rows.getByText("live", { exact: true }).count());
    await page.getByLabel("With those of sub-agents").check();
    const all = await listAll(server, `${api}/sessions?includeChildren=true`);
    assert.ok(all.length > shown.length);
    await until(all.length, () => rows.count());
    await page.getByLabel("With those of sub-agents").uncheck();
    await page.getByRole("searchbox", { name: "Search" }).fill("scout");
    await until((await listAll(server, `${api}/sessions?q=scout`)).length, () => rows.count());
    await page.getByRole("searchbox", { name: "Search" }).fill("nobody ever said this");
    await page.getByText("No session fits.").waitFor();
    await tab.go(`/sessions/${session}`);
    await page.getByRole("button", { name: "Download as a scenario" }).waitFor();
    const [child] = (await body(server, `${api}/sessions/${session}/children`)).items;
    await until(1, () => page.locator(`a[href="#/sessions/${child.id}"]`).count());
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Make active" }).waitFor();
    await until("paused", async () => (await body(server, `${api}/sessions/${session}`)).status);
  }));

test("replay: at its end it shows the history, before that what had been said by then, by mouse and by keyboard", () =>
  inDemo(async ({ server, tab, page, session }) => {
    const events = await eventsOf(server, session);
    const messages = await listAll(server, `${api}/sessions/${session}/messages`);
    const questions = messages.filter((m) => m.role === "user").map((m) => m.content);
    await tab.go(`/sessions/${session}/replay`);
    const slider = page.getByRole("slider");
    const at = () => page.locator("[data-at]").getAttribute("data-at").then(Number);
    await until(events.length, at);
    const said = () => page.locator(".said__text").allTextContents();
    await until(questions, said);
    const text = (await page.locator(".talk").textContent()).replace(/\s+/g, " ");
    for (const m of messages.filter((one) => one.role === "assistant" && one.content))
      assert.ok(text.includes(m.content.replaceAll("`", "").trim().slice(0, 40)), m.content);

    // Right after the second question: two questions, and the first answer whole.
    const second = events.findIndex((e) => e.type === "message.created" && e.content === questions[1]) + 1;
    await slider.fill(String(second));
    await until(second, at);
    await until(questions.slice(0, 2), said);
    await page.getByRole("heading", { name: "message.created" }).waitFor();
    await slider.press("ArrowLeft");
    await until(second - 1, at);
    await until(questions.slice(0, 1), said);
    await slider.press("PageDown");
    await until(second, at);
    await slider.press("Home");
    await until(0, at);
    await page.getByText("Nothing has been said yet.").waitFor();

    // In the middle of a text: exactly the pieces so far.
    const third = events.findIndex((e) => e.type === "message.content_delta") + 3;
    const began = events.findIndex((e) => e.type === "message.content_delta");
    await slider.fill(String(third));
    const pieces = events.slice(began, third).map((e) => e.text).join("");
    await until(true, async () => (await page.locator("[data-said=answer]").last().textContent()).includes(pieces.replaceAll("`", "").trim()));
    const whole = messages.find((m) => m.role === "assistant" && m.content).content.replaceAll("`", "").trim();
    assert.equal((await page.locator(".talk").textContent()).includes(whole), false, "the rest had not come yet");
    await page.getByRole("button", { name: "Play" }).click();
    await until(true, async () => (await at()) > third + 3);
    await page.getByRole("button", { name: "Stop" }).or(page.getByRole("button", { name: "Play" })).click(); // it may be at its end
  }));

test("scenarios: a report of the program is shown with its first divergence, and other files are refused with the reason", () =>
  inDemo(async ({ server, tab, page }) => {
    const folder = join(server.folder, "corpus");
    mkdirSync(folder);
    const scenario = (content) => ({
      scenario: "a message is answered", model: { otherwise: [{ text: "Hello." }] },
      steps: [{ send: { message: "hi" } }, { expect: { kind: "message_added", content } }, { expect: { kind: "run_started" } }],
      ignore: ["step_started", "text_delta", "message_completed", "usage_recorded", "run_completed"],
    });
    writeFileSync(join(folder, "good.json"), JSON.stringify(scenario("hi"), null, 1));
    writeFileSync(join(folder, "bad.json"), JSON.stringify(scenario("bye"), null, 1));
    const junit = join(server.folder, "report.xml");
    assert.equal((await run(["replay", folder, "--junit", junit])).status, 1);
    const lines = join(server.folder, "report.jsonl");
    writeFileSync(lines, (await run(["replay", folder, "--json"])).stdout);
    await tab.go("/scenarios/report");
    for (const [file, kind] of [[junit, "junit"], [lines, "json"]]) {
      await page.setInputFiles("input[type=file]", file);
      await page.locator(`[data-report=${kind}]`).waitFor();
      assert.match(await page.locator(`[data-report=${kind}]`).textContent(), /2 scenarios1 passed1 failed0 skipped/);
      const differs = page.locator("[data-differs]");
      assert.deepEqual(await differs.locator("th, td").allTextContents(), ["content", "bye", "hi"]);
      await page.getByText("bad.json:", { exact: false }).first().waitFor();
    }
    await tab.shot("scenarios-report");
    assert.deepEqual(await tab.accessibilityProblems(), []);
    for (const [name, content, reason] of [
      ["half.xml", "<testsuites><testsuite>", "no whole XML file"], ["empty.xml", "<testsuites/>", "holds no test case"], ["log.txt", "passed a\n", "line 1"],
    ]) {
      const file = join(server.folder, name);
      writeFileSync(file, content);
      await page.setInputFiles("input[type=file]", file);
      await page.getByRole("alert").getByText(reason).waitFor();
    }
    // Chromium's own parser puts an error element with a style into what it could not read; it is never shown.
    tab.problems = tab.problems.filter((said) => !said.startsWith("Applying inline style"));
  }));

test("settings: agents, tools and health are those of the API, and what cannot be done here is said", () =>
  inDemo(async ({ server, tab, page }) => {
    await tab.go("/settings");
    await page.getByRole("link", { name: "New agent" }).waitFor();
    const agents = (await body(server, `${api}/projects/demo/agents`)).items;
    for (const agent of agents) {
      const card = page.locator("section.card", { has: page.getByRole("heading", { name: `${agent.name} ${agent.id}` }) });
      const text = await card.textContent();
      for (const tool of agent.tools) assert.ok(text.includes(tool), `${agent.id}: ${tool}`);
    }
    await page.getByRole("tab", { name: "Tools" }).click();
    const tools = await listAll(server, `${api}/tools`);
    await until(tools.length, () => page.getByRole("table", { name: "Tools" }).locator("tbody tr").count());
    await page.getByRole("tab", { name: "Tools" }).press("ArrowRight");
    await page.getByRole("table", { name: "Providers" }).waitFor();
    await page.getByText("troupe_uptime_seconds").waitFor();
    assert.deepEqual(
      await page.getByRole("table", { name: "Providers" }).locator("tbody td:first-child").allTextContents(),
      [...new Set(agents.map((a) => a.provider))].sort());
    await page.getByRole("tab", { name: "Access" }).click();
    await page.getByText("None: this server lets everybody in").waitFor();
  }));

test("errors: they stand where they happened, in the server's words, and trying again helps", () =>
  inDemo(async ({ tab, page }) => {
    const broken = /\/api\/v1\/projects\/demo\/usage\?/;
    const error = { code: "STORAGE_UNAVAILABLE", message: "commit to troupe.db: disk is full" };
    await page.route(broken, (route) => route.fulfill({ status: 503, contentType: "application/json", body: JSON.stringify({ error, message: error.message }) }));
    await tab.go("/spend");
    const alert = page.getByRole("alert");
    await alert.getByText(error.message).waitFor();
    await alert.getByText("disk space").waitFor();
    await page.unroute(broken);
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.locator("[data-total=cost]").waitFor();
    await until(0, () => alert.count());
    await tab.go("/traces/00000000000000000000000000000000");
    await alert.getByText("Trace not found").waitFor();
    await tab.go("/sessions/nowhere");
    await alert.getByText("Session not found: nowhere").waitFor();
  }));

// The console's Settings with agents that are made and changed there, the limits in force, and the page of the API: in a browser,
// against a real server (issue 6).
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { openBrowser, Tab } from "./support/browser.mjs";
import { get, post, request } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { tokenOf, withGuarded } from "./support/tokens.mjs";
import { untilIs as until } from "./support/waiting.mjs";

let browser;
before(async () => void (browser = await openBrowser()));
after(() => browser?.close());

const agents = "/api/v1/projects/demo/agents";
const clerk = {
  name: "Clerk", provider: "scripted", model: "tiny", tools: ["clock"], approval: { clock: "always" },
  limits: { max_steps: 5 }, stop: ["END"],
};
const ok = (answer) => (assert.ok(answer.status < 300, `${answer.status} ${answer.text}`), answer.body);
const definitionOf = async (server, id) => ok(await get(server, `${agents}/${id}/definition`));
const store = async (server, id, definition, note) => ok(await post(server, agents, { id, definition, note }));
const change = async (server, id, definition, more = {}) => ok(await request(server, "PUT", `${agents}/${id}`, { definition, ...more }));

const inTab = (look) => async (server) => {
  const tab = await Tab.open(browser, server);
  await look({ server, tab, page: tab.page });
  await tab.close();
};
const inConsole = (look) => withServer(standard(), inTab(look));
/** The examples of the API's document are of the demo. */
const inDemo = (look) => withServer(null, inTab(look));

const jsonOf = async (page) => JSON.parse(await page.getByLabel("Definition").inputValue());
const tabNamed = (page, name) => page.getByRole("tab", { name, exact: true });

test("agents: one is made with the form, by keyboard too, and answers", () =>
  inConsole(async ({ server, page, tab }) => {
    await tab.go("/settings/agents");
    await page.getByRole("region", { name: "Project demo" }).getByRole("link", { name: "New agent" }).press("Enter");
    await page.getByLabel("Id", { exact: true }).fill("clerk");
    await page.getByLabel("Name", { exact: true }).fill("Clerk");
    await page.getByText("1 problem").or(page.getByText(/\d problems/)).waitFor();
    await page.getByLabel("Provider", { exact: true }).fill("scripted");
    await page.getByLabel("Model", { exact: true }).fill("tiny");
    await page.getByLabel("Temperature").fill("0.5");
    await page.getByLabel("The system message of every call").fill("You count.\nNothing else.");
    await page.getByRole("checkbox", { name: "clock" }).press("Space");
    await page.getByLabel("Approval of clock").selectOption({ label: "always asks" });
    await page.getByRole("group", { name: "May give work to" }).getByRole("checkbox", { name: "other" }).check();
    await page.getByLabel("Steps of a run").fill("7");
    await page.getByLabel("Of a session").fill("0.25");
    await page.getByText("the server takes it").waitFor();
    await page.getByLabel("Note").fill("the first one");
    await tab.shot("agent-new-light");
    await page.getByRole("button", { name: "Make the agent" }).click();
    await page.getByText("stored, version 1").waitFor();
    const { definition, source, version } = await definitionOf(server, "clerk");
    assert.deepEqual([source, version], ["stored", 1]);
    assert.deepEqual(
      [definition.name, definition.temperature, definition.instructions, definition.tools, definition.approval, definition.delegates],
      ["Clerk", 0.5, "You count.\nNothing else.", ["clock"], { clock: "always" }, ["other"]],
    );
    assert.deepEqual([definition.limits.max_steps, definition.limits.budget_usd], [7, 0.25]);
    const { items } = ok(await get(server, `${agents}/clerk/versions`));
    assert.deepEqual(items.map((v) => [v.version, v.note]), [[1, "the first one"]]);
    const { id } = ok(await post(server, "/api/v1/projects/demo/sessions", { agentId: "clerk" }));
    assert.equal(ok(await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "hello" })).response, "Hello, world");
    await tab.go("/settings/agents");
    await page.getByRole("link", { name: "Clerk", exact: true }).waitFor();
  }));

test("agents: form and JSON are one draft, and what the form does not show survives it", () =>
  inConsole(async ({ server, page, tab }) => {
    await store(server, "clerk", clerk);
    await tab.go("/settings/agents/at/demo/clerk");
    await page.getByText("Also set, on the JSON tab:").waitFor();
    await page.getByLabel("Steps of a run").fill("6");
    await tabNamed(page, "As JSON").click();
    const edited = await jsonOf(page);
    assert.equal(edited.limits.max_steps, 6);
    assert.deepEqual(edited.stop, ["END"]);
    await page.getByLabel("Definition").fill(JSON.stringify({ ...edited, name: "Teller", on_busy: "reject" }));
    await tabNamed(page, "Form").click();
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Teller");
    assert.equal(await page.getByLabel("A message during a run").inputValue(), "reject");
    // A value that is emptied leaves the JSON; what cannot be read takes the form away, not the text.
    await page.getByLabel("Steps of a run").fill("");
    await tabNamed(page, "As JSON").click();
    assert.equal((await jsonOf(page)).limits?.max_steps, undefined);
    await page.getByLabel("Definition").fill('{"name": ');
    await page.getByText("This is no JSON").first().waitFor();
    assert.equal(await page.getByRole("button", { name: "Store", exact: true }).isDisabled(), true);
    await tabNamed(page, "Form").click();
    await page.getByText("cannot be read").waitFor();
    await tabNamed(page, "As JSON").click();
    assert.equal(await page.getByLabel("Definition").inputValue(), '{"name": ');
    await page.getByLabel("Definition").fill(JSON.stringify({ ...clerk, description: "kept" }));
    // A draft is there again after a look elsewhere.
    await tab.go("/settings/tools");
    await page.getByRole("table", { name: "Tools" }).waitFor();
    await tab.go("/settings/agents/at/demo/clerk");
    await until("kept", () => page.getByLabel("Description").inputValue());
    await page.getByLabel("Description").press("Control+s");
    await page.getByText("Stored as version 2.").waitFor();
    const { definition } = await definitionOf(server, "clerk");
    assert.deepEqual([definition.stop, definition.description], [["END"], "kept"]);
  }));

test("agents: the server's problems stand at their fields while one types", () =>
  inConsole(async ({ server, page, tab }) => {
    await store(server, "clerk", clerk);
    await tab.go("/settings/agents/at/demo/clerk");
    const steps = page.getByLabel("Steps of a run");
    const errorOf = async (field) => {
      const id = await field.getAttribute("aria-describedby");
      return id ? page.locator(`[id="${id.split(" ").at(-1)}"]`).textContent() : "";
    };
    const asked = ok(await post(server, `${agents}/check`, { id: "clerk", definition: { ...clerk, limits: { max_steps: 100_000 } } }));
    assert.equal(asked.valid, false);
    const told = asked.problems.find((p) => p.path === "/limits/max_steps").message;
    await steps.fill("100000");
    await until(true, async () => (await errorOf(steps)).includes(told));
    assert.equal(await steps.getAttribute("aria-invalid"), "true");
    await steps.fill("many");
    const worse = ok(await post(server, `${agents}/check`, { id: "clerk", definition: { ...clerk, limits: { max_steps: "many" } } }));
    await until(true, async () => (await errorOf(steps)).includes(worse.problems[0].message));
    await steps.scrollIntoViewIfNeeded();
    await tab.shot("agent-problem-light");
    await steps.fill("9");
    await page.getByText("the server takes it").waitFor();
    // Of places that the form has no field for, and as a refusal of what is stored all the same.
    await tabNamed(page, "As JSON").click();
    await page.getByLabel("Definition").fill(JSON.stringify({ ...clerk, stopp: ["x"] }));
    await page.getByText("1 problem").waitFor();
    await tabNamed(page, "Form").click();
    await page.getByRole("alert").getByText("/stopp").waitFor();
    await page.getByRole("button", { name: "Store", exact: true }).click();
    await page.getByText("INVALID_AGENT").waitFor();
    assert.equal((await definitionOf(server, "clerk")).version, 1);
  }));

test("agents: versions are listed, any two are compared, and an old one comes back as a new one", () =>
  inConsole(async ({ server, page, tab }) => {
    await store(server, "clerk", clerk, "first");
    await change(server, "clerk", { ...clerk, name: "Teller" }, { note: "renamed" });
    await change(server, "clerk", { ...clerk, name: "Teller", limits: { max_steps: 8 } }, { note: "longer" });
    await tab.go("/settings/agents/at/demo/clerk");
    await tabNamed(page, "Versions").click();
    const table = page.getByRole("table", { name: "Versions" });
    await until(["longer", "renamed", "first"], () => table.locator(".version-note").allTextContents());
    const differs = page.getByRole("table", { name: "Compare two versions" });
    const changed = async () => (await differs.locator(".diff__old, .diff__new").allTextContents()).map((text) => text.replace(/\s+/g, " ").trim());
    await until(['was: "max_steps": 5', 'is now: "max_steps": 8'], changed);
    await page.getByLabel("From", { exact: true }).selectOption("1");
    await page.getByLabel("To", { exact: true }).selectOption("2");
    await until(['was: "name": "Clerk",', 'is now: "name": "Teller",'], changed);
    await tab.shot("agent-versions-light");
    await table.getByRole("button", { name: "Restore version 1" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Note").fill("back to the first");
    await dialog.getByRole("button", { name: "Restore" }).click();
    await dialog.waitFor({ state: "hidden" });
    await until(["back to the first", "longer", "renamed", "first"], () => table.locator(".version-note").allTextContents());
    const { definition, version } = await definitionOf(server, "clerk");
    assert.deepEqual([version, definition.name, definition.limits.max_steps], [4, "Clerk", 5]);
    await tabNamed(page, "Form").click();
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Clerk");
  }));

test("agents: where somebody was faster, both changes are shown and the person chooses", () =>
  inConsole(async ({ server, page, tab }) => {
    await store(server, "clerk", clerk);
    await tab.go("/settings/agents/at/demo/clerk");
    await page.getByLabel("Description").fill("mine");
    await change(server, "clerk", { ...clerk, name: "Theirs" }, { note: "quick" });
    await page.getByRole("button", { name: "Store", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("You edited version 1; now version 2 is in force.", { exact: false }).waitFor();
    const changed = async (name) =>
      (await dialog.getByRole("table", { name }).locator(".diff__old, .diff__new").allTextContents()).map((text) => text.replace(/\s+/g, " ").trim());
    await until(true, async () => (await changed("What they changed")).includes('is now: "name": "Theirs",'));
    await until(true, async () => (await changed("What storing yours would change")).some((text) => text.includes('"description": "mine"')));
    await tab.shot("agent-conflict-light");
    assert.deepEqual(await tab.accessibilityProblems(), []);
    await dialog.getByRole("button", { name: "Go on editing" }).click();
    assert.equal(await page.getByLabel("Description").inputValue(), "mine");
    assert.equal((await definitionOf(server, "clerk")).version, 2);
    await page.getByRole("button", { name: "Store", exact: true }).click();
    await dialog.getByRole("button", { name: "Store mine on top" }).click();
    await dialog.waitFor({ state: "hidden" });
    const now = await definitionOf(server, "clerk");
    assert.deepEqual([now.version, now.definition.name, now.definition.description], [3, "Clerk", "mine"]);
    // And the other way: theirs.
    await page.getByLabel("Description").fill("mine again");
    await change(server, "clerk", { ...clerk, name: "Theirs" });
    await page.getByRole("button", { name: "Store", exact: true }).click();
    await dialog.getByRole("button", { name: "Take theirs, drop mine" }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Theirs");
    assert.equal((await definitionOf(server, "clerk")).version, 4);
  }));

test("agents: one of the file is copied to a stored one, and a stored one is deleted after a question", () =>
  inConsole(async ({ server, page, tab }) => {
    await tab.go("/settings/agents/at/demo/writer");
    await page.getByText("This agent stands in the server’s configuration file", { exact: false }).waitFor();
    await page.getByRole("link", { name: "Store a copy" }).click();
    await until("writer-copy", () => page.getByLabel("Id", { exact: true }).inputValue());
    await page.getByText("the server takes it").waitFor();
    await page.getByLabel("Id", { exact: true }).fill("writer");
    await page.getByRole("button", { name: "Make the agent" }).click();
    await page.getByRole("alert").getByText("AGENT_EXISTS").waitFor();
    await page.getByLabel("Id", { exact: true }).fill("scribe");
    await page.getByRole("button", { name: "Make the agent" }).click();
    await page.getByText("stored, version 1").waitFor();
    const { definition } = await definitionOf(server, "scribe");
    assert.deepEqual([definition.instructions, definition.tools], ["Be brief.", standard().projects.demo.agents.writer.tools]);
    await page.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.equal((await get(server, `${agents}/scribe`)).status, 200);
    await page.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Project demo" }).waitFor();
    assert.equal((await get(server, `${agents}/scribe`)).status, 404);
    await until(0, () => page.getByText("scribe").count());
  }));

test("agents: trying one stores it and opens a chat beside the form, which the next version answers too", () =>
  inConsole(async ({ server, page, tab }) => {
    await store(server, "clerk", { ...clerk, tools: [], approval: {} });
    await tab.go("/settings/agents/at/demo/clerk");
    await page.getByLabel("Description").fill("tried");
    await page.getByRole("button", { name: "Store and try" }).click();
    const trial = page.getByRole("region", { name: "Trial of clerk" });
    await trial.getByText("answered by version 2").waitFor();
    const write = trial.getByRole("textbox");
    await write.fill("hello");
    await write.press("Enter");
    await trial.getByText("Hello, world").first().waitFor();
    await tab.shot("agent-trial-light");
    assert.deepEqual(await tab.accessibilityProblems(), []);
    await page.getByLabel("Description").fill("tried again");
    await page.getByRole("button", { name: "Store", exact: true }).click();
    await trial.getByText("answered by version 3").waitFor();
    assert.equal((await definitionOf(server, "clerk")).definition.description, "tried again");
    const session = await trial.locator("[data-session]").getAttribute("data-session");
    assert.equal(ok(await get(server, `/api/v1/sessions/${session}`)).agentId, "clerk");
  }));

test("agents: who is no admin sees them, and is told that changing takes more", () =>
  withGuarded(async (server) => {
    const tab = await Tab.open(browser, server, { token: tokenOf("ana") });
    const page = await tab.go("/settings/agents");
    await page.getByText("that takes the scope admin", { exact: false }).first().waitFor();
    await page.getByRole("heading", { name: "writer writer" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "New agent" }).count(), 0);
    await tab.go("/settings/agents/at/demo/writer");
    await page.getByText("that takes the scope admin", { exact: false }).waitFor();
    await tab.shot("agents-reader-light");
    await tab.close();
    const boss = await Tab.open(browser, server, { token: tokenOf("boss", { roles: ["admin"] }) });
    await boss.go("/settings/agents");
    await boss.page.getByRole("link", { name: "New agent" }).first().waitFor();
    await boss.close();
  }));

test("agents: a server without that interface is said to be older", () =>
  inConsole(async ({ page, tab }) => {
    const missing = { code: "NOT_FOUND", message: "There is nothing here." };
    await page.route(/\/agents\/check$|\/api\/v1\/limits$/, (route) =>
      route.fulfill({ status: 404, contentType: "application/json", body: JSON.stringify({ error: missing, message: missing.message }) }));
    await tab.go("/settings/agents");
    await page.getByText("it is older than this page", { exact: false }).first().waitFor();
    await page.getByRole("heading", { name: "writer writer" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "New agent" }).count(), 0);
    await tab.go("/settings/limits");
    await page.getByText("it is older than this page", { exact: false }).waitFor();
    await page.getByRole("table", { name: "Agents" }).waitFor();
  }));

test("limits: the page has every number that the server tells", () =>
  inConsole(async ({ server, page, tab }) => {
    const limits = ok(await get(server, "/api/v1/limits"));
    await tab.go("/settings/limits");
    const table = page.getByRole("table", { name: "Agents" });
    await until(limits.projects.flatMap((p) => p.agents.map((a) => a.id)), () => table.locator("tbody td:first-child").allTextContents());
    for (const [group, of] of Object.entries(limits)) {
      if (Array.isArray(of) || typeof of !== "object") continue;
      for (const name of Object.keys(of)) assert.ok((await page.locator(".limit-groups code").getByText(name, { exact: true }).count()) > 0, `${group}.${name}`);
    }
    const writer = table.locator("tbody tr").filter({ hasText: "writer" });
    const steps = limits.projects.find((p) => p.id === "demo").agents.find((a) => a.id === "writer").limits.maxSteps;
    assert.equal(await writer.locator("td").nth(2).textContent(), String(steps));
  }));

const inShell = (command, env) =>
  new Promise((resolve, reject) =>
    execFile("/bin/sh", ["-c", command], { env: { ...process.env, ...env } }, (error, stdout, stderr) => (error ? reject(new Error(`${command}\n${stderr}`)) : resolve(stdout))));

test("API: every operation of the document is there, and its commands work in a shell as they are copied", () =>
  inDemo(async ({ server, page, tab }) => {
    const document = ok(await get(server, "/api/v1/openapi.json"));
    const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, o]) => ({ path, method, ...o })));
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await tab.go("/api");
    const links = page.getByRole("navigation", { name: "Operations" }).getByRole("link");
    await until(operations.length, () => links.count());
    const texts = new Set((await links.allTextContents()).map((text) => text.replace(/\s+/g, "")));
    for (const o of operations) assert.ok(texts.has(`${o.method.toUpperCase()}${o.path}`), `${o.method} ${o.path}`);

    const commandAt = async (id) => {
      await tab.go(`/api/${id}`);
      const shown = page.locator(`[data-operation="${id}"]`);
      await shown.waitFor();
      // Projects are asked for too: their ids stand in the command.
      if (operations.find((o) => o.operationId === id).path.includes("{p}")) await shown.locator(".curl").getByText("/projects/demo").waitFor();
      await shown.getByRole("button", { name: "Copy" }).first().click();
      await shown.getByText("Copied.").waitFor();
      const command = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(command, await shown.locator(".curl").first().textContent());
      return command.replace(/^curl/, "curl -sS --fail-with-body --max-time 20");
    };
    const { items } = JSON.parse(await inShell(await commandAt("listAgents")));
    assert.deepEqual(items.map((a) => a.id).sort(), ["guide", "scout"]);
    const made = JSON.parse(await inShell(await commandAt("createSession")));
    const said = await commandAt("sendMessage");
    await page.getByText("Set ID in the shell first.").waitFor();
    const accepted = JSON.parse(await inShell(said, { ID: made.id }));
    assert.ok(accepted.runId, JSON.stringify(accepted));
  }));

test("API: words find operations, schemas open, and a link leads to one of them", () =>
  inConsole(async ({ server, page, tab }) => {
    await tab.go("/api");
    const list = page.getByRole("navigation", { name: "Operations" });
    await list.getByRole("searchbox").fill("queue patch");
    await until(["updateQueued"], async () => (await list.getByRole("link").evaluateAll((found) => found.map((a) => a.hash.split("/").at(-1)))));
    await list.getByRole("searchbox").fill("no such thing anywhere");
    await page.getByText("No operation fits.").waitFor();
    await list.getByRole("searchbox").fill("listApprovals");
    await list.getByRole("link", { name: "GET /api/v1/approvals" }).press("Enter");
    await until("#/api/listApprovals", async () => new URL(page.url()).hash);
    const document = ok(await get(server, "/api/v1/openapi.json"));
    await page.getByRole("heading", { name: document.paths["/api/v1/approvals"].get.summary }).waitFor();
    await until("operation", () => page.evaluate(() => globalThis.document.activeElement?.id));
    const answer = page.locator("details.answer").filter({ hasText: "200" });
    await answer.getByText("Fields of Approval", { exact: true }).first().click();
    const { schemas } = document.components;
    const inside = answer.locator("details.schema__inside .schema__open").first();
    await until(Object.keys(schemas.Approval.properties), () => inside.locator("> .schema > dl > .schema__field > dt > code").allTextContents());
    await inside.getByRole("link", { name: "Schema Approval" }).click();
    await page.getByRole("heading", { name: "Schema Approval" }).waitFor();
    await tab.go("/api/nothingOfTheKind");
    await page.getByText("nothing named nothingOfTheKind").waitFor();
  }));

test("accessibility: the new pages break no rule of WCAG AA, in both themes and languages, nor scroll sideways on a phone", () =>
  withServer(standard(), async (server) => {
    await store(server, "clerk", { ...clerk, fallback: [{ provider: "scripted", model: "small" }] }, "the first");
    await change(server, "clerk", { ...clerk, name: "Teller" }, { note: "renamed" });
    const at = "/settings/agents/at/demo/clerk";
    const pages = {
      "settings-agents": "/settings/agents", "settings-agent": at, "settings-agent-json": [at, 1], "settings-agent-versions": [at, 2],
      "settings-agent-file": "/settings/agents/at/demo/writer", "settings-agent-new": "/settings/agents/new/demo",
      "settings-limits": "/settings/limits", "api": "/api", "api-operation": "/api/sendMessage", "api-schema": "/api/schema/Approval",
    };
    for (const look of [{ theme: "light" }, { theme: "dark", language: "es" }, { phone: true }]) {
      const tab = await Tab.open(browser, server, look);
      for (const [name, place] of Object.entries(pages)) {
        const [path, view] = [place].flat();
        const page = await tab.go(path);
        await tab.isQuiet();
        if (view) {
          await page.locator("[role=tablist]").nth(1).locator("[role=tab]").nth(view).click();
          if (name.endsWith("versions")) await page.locator(".diff").waitFor();
          await tab.isQuiet();
        }
        if (name === "api-operation") await page.locator("details.schema__inside > summary").first().click();
        await tab.shot(`${name}-${look.phone ? "phone" : look.theme}`);
        await tab.suitsEverybody(name, look);
      }
      await tab.close();
    }
  }));

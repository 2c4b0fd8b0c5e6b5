// Debian's Chromium, headless, on the console of a server. The page is asked as a user finds things: by role and name.
// TROUPE_CONSOLE_FILES names a build of web/ to show in the place of the one inside the program; TROUPE_SHOTS a folder for pictures.
// TROUPE_CPU_SLOWDOWN=N lets pages run N times slower, for finding tests that take a fast machine for granted (see lag.mjs, too).
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { patienceMs, untilIs } from "./waiting.mjs";

const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const slowdown = Number(process.env.TROUPE_CPU_SLOWDOWN ?? 1);
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

async function load(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`tests/e2e: the npm package ${name} is missing; run scripts/setup --tests`, { cause: error });
  }
}

export async function openBrowser() {
  if (!existsSync(chromium)) throw new Error(`tests/e2e: ${chromium} is missing; run scripts/setup --tests, or set CHROMIUM`);
  const { chromium: driver } = await load("playwright-core");
  // A page that came out of a folder has no address of its own, and Chromium lets no such page open sockets to this machine.
  const shown = process.env.TROUPE_CONSOLE_FILES ? ["--disable-features=LocalNetworkAccessChecks"] : [];
  return driver.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage", ...shown], timeout: patienceMs });
}

/** Answers with files of a build; everything else goes to the server. */
async function serveFiles(context, origin, folder) {
  await context.route(
    (url) => url.origin === origin && !/^\/(api|auth|ws|healthz|readyz|metrics|chat|socket\.io)(\/|$)/.test(url.pathname),
    (route) => {
      const path = normalize(new URL(route.request().url()).pathname);
      const file = join(folder, path === "/" ? "index.html" : path);
      if (!existsSync(file)) return route.fulfill({ status: 404, body: "" });
      return route.fulfill({ body: readFileSync(file), contentType: types[extname(file)] ?? "application/octet-stream" });
    },
  );
}

/** A tab of its own on the console. What it asks of another server, and what it throws, fails the test at `close`. */
export class Tab {
  static async open(browser, server, { theme = "light", language = "en", phone = false, token } = {}) {
    const tab = new Tab();
    tab.server = server;
    tab.problems = [];
    const viewport = phone ? { width: 390, height: 844 } : { width: 1280, height: 860 };
    tab.context = await browser.newContext({ viewport, colorScheme: theme, locale: language === "es" ? "es-ES" : "en-GB", acceptDownloads: true, reducedMotion: "reduce" });
    tab.context.setDefaultTimeout(patienceMs);
    if (process.env.TROUPE_CONSOLE_FILES) await serveFiles(tab.context, server.url, process.env.TROUPE_CONSOLE_FILES);
    if (token) await tab.context.addInitScript((text) => sessionStorage.setItem("troupe.token", text), token);
    tab.page = await tab.context.newPage();
    if (slowdown > 1) await (await tab.context.newCDPSession(tab.page)).send("Emulation.setCPUThrottlingRate", { rate: slowdown });
    tab.page.on("pageerror", (error) => tab.problems.push(`thrown: ${error.stack ?? error.message}`));
    tab.page.on("console", (said) => said.type() === "error" && /Content Security Policy|React|Warning:/.test(said.text()) && tab.problems.push(said.text()));
    tab.page.on("request", (asked) => {
      const url = new URL(asked.url());
      if (/^(https?|wss?):$/.test(url.protocol) && url.host !== new URL(server.url).host) tab.problems.push(`asked ${asked.url()}`);
    });
    return tab;
  }

  async go(path) {
    await this.page.goto(`${this.server.url}/#${path}`);
    // Where only the part after # is another one, an event tells the page of it: what is looked at from here on is the new one.
    await this.page.evaluate(async () => {
      for (let i = 0; i < 2; ++i)
        await new Promise((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = resolve;
          port2.postMessage(0);
        });
    });
    return this.page;
  }

  /** Waits until nothing is loaded or checked any more. */
  async isQuiet() {
    await this.page.locator("h1").first().waitFor();
    await this.page.waitForLoadState("networkidle");
    await untilIs(0, () => this.page.locator(".spinner, [data-check=checking]").count());
  }

  /** All violations of WCAG 2.2 A and AA, in words. */
  async accessibilityProblems() {
    const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(source);
    const { violations } = await this.page.evaluate(() =>
      globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} — ${(n.failureSummary ?? "").replace(/\s+/g, " ").slice(0, 200)}`));
  }

  /** The page fits a phone's width where it is looked at on one; elsewhere it breaks no rule of WCAG. */
  async suitsEverybody(name, { phone = false, theme = "light" } = {}) {
    if (!phone) return assert.deepEqual(await this.accessibilityProblems(), [], `${name}, ${theme}`);
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 1, `${name} is ${wide} pixels wider than a phone`);
  }

  async shot(name) {
    const folder = process.env.TROUPE_SHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  async close() {
    await this.context.close();
    assert.deepEqual(this.problems, []);
  }
}

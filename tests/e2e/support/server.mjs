// A real server process for one test: port 0, a temporary data folder, a configuration file.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { standard } from "./configuration.mjs";
import { lagMs, laggingPort } from "./lag.mjs";
import { onFreePort } from "./ports.mjs";
import { patienceMs } from "./waiting.mjs";

export function binary() {
  const path = process.env.TROUPE_BINARY;
  if (!path) throw new Error("TROUPE_BINARY must name the troupe program; ctest sets it");
  return path;
}

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), "troupe-e2e-"));

/** What a program says, where its streams are pipes, until it ends: {status, signal, stdout, stderr}. One that goes on for `limitMs` is killed. */
export function outcomeOf(child, limitMs = patienceMs) {
  return new Promise((resolve, reject) => {
    const out = { stdout: "", stderr: "" };
    child.stdout?.on("data", (bytes) => (out.stdout += bytes));
    child.stderr?.on("data", (bytes) => (out.stderr += bytes));
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.on("error", reject);
    child.on("close", (status, signal) => (clearTimeout(timer), resolve({ status, signal, ...out })));
  });
}

/** Runs the program to its end: {status, stdout, stderr}. */
export async function run(args, { env = {}, limitMs = patienceMs } = {}) {
  const child = spawn(binary(), args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const { signal, ...out } = await outcomeOf(child, limitMs);
  if (signal) throw new Error(`troupe ${args.join(" ")} did not end in ${limitMs} ms\n${out.stdout}${out.stderr}`);
  return out;
}

export class Server {
  #child;
  #exited;
  #output = { stdout: "", stderr: "" };
  #forwarder;
  #lags;

  /** `configuration` is an object, or null for the built-in demo. `lag: false`: nothing comes between (support/lag.mjs). */
  constructor(folder, configuration = standard(), { args = [], env = {}, lag = true } = {}) {
    this.#lags = lag && lagMs > 0;
    this.folder = folder;
    this.data = join(folder, "data");
    this.args = ["serve", "--listen", "127.0.0.1:0", "--data", this.data, ...args];
    this.env = env;
    if (configuration === null) return;
    const file = join(folder, "troupe.json");
    writeFileSync(file, typeof configuration === "string" ? configuration : JSON.stringify(configuration, null, 2));
    this.args.push("--config", file);
  }

  /** On a port that it has again when it is started again. */
  startToStay() {
    return onFreePort((port) => {
      this.args[this.args.indexOf("--listen") + 1] = `127.0.0.1:${port}`;
      return this.start();
    });
  }

  async start() {
    const child = spawn(binary(), this.args, { env: { ...process.env, ...this.env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal })));
    child.stderr.on("data", (bytes) => (this.#output.stderr += bytes));
    const expected = this.args.filter((argument) => argument === "--listen").length;
    const lines = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server did not start\n${this.log}`)), patienceMs);
      const settle = (f, value) => (clearTimeout(timer), f(value));
      let said = "";
      child.on("error", (error) => settle(reject, error));
      child.stdout.on("data", (bytes) => {
        said += bytes;
        const whole = said.split("\n").slice(0, -1);
        if (whole.length >= expected) settle(resolve, whole);
      });
      this.#exited.then((how) => settle(reject, new Error(`the server ended: ${JSON.stringify(how)}\n${this.log}`)));
    });
    this.urls = lines.map((line) => (line.match(/^listening on (http:\/\/\S+)$/) ?? assert.fail(`unexpected line: ${line}`))[1]);
    this.url = this.urls[0];
    this.port = Number(new URL(this.url).port);
    if (this.#lags) await this.#lag();
    return this;
  }

  async #lag() {
    const direct = this.port;
    const before = this.#forwarder?.direct === direct ? this.#forwarder.port : 0; // a server that came back where it was
    this.#forwarder?.close();
    this.#forwarder = { direct, ...(await laggingPort(direct, before)) };
    this.port = this.#forwarder.port;
    this.url = this.urls[0] = `http://127.0.0.1:${this.port}`;
  }

  get log() {
    return this.#output.stderr.split("\n").slice(-40).join("\n");
  }

  /** All of it. */
  get wholeLog() {
    return this.#output.stderr;
  }

  get running() {
    return this.#child !== undefined;
  }

  get pid() {
    return this.#child.pid;
  }

  async #wait() {
    const timer = setTimeout(() => this.#child.kill("SIGABRT"), patienceMs);
    const how = await this.#exited;
    clearTimeout(timer);
    this.#child = undefined;
    this.#forwarder?.close();
    return how;
  }

  /** SIGTERM: an orderly end with status 0. */
  async stop() {
    this.#child.kill("SIGTERM");
    assert.deepEqual(await this.#wait(), { status: 0, signal: null }, `the server's end after SIGTERM\n${this.log}`);
  }

  async kill() {
    this.#child.kill("SIGKILL");
    assert.equal((await this.#wait()).signal, "SIGKILL", `the server was to be killed\n${this.log}`);
  }

  /** `troupe check`: the log and everything made from it agree. */
  async check() {
    const { status, stdout, stderr } = await run(["check", "--json", "--data", this.data]);
    assert.equal(status, 0, `troupe check found:\n${stdout}${stderr}`);
    const report = JSON.parse(stdout);
    assert.deepEqual(report.findings, []);
    return report;
  }
}

/** A server around `body`; afterwards it must stop in order and leave a sound data folder. `keepsPort`: over restarts. */
export async function withServer(configuration, body, options = {}) {
  const folder = temporaryFolder();
  const server = new Server(folder, configuration, options);
  const opened = [];
  server.onEnd = (close) => opened.push(close);
  try {
    await (options.keepsPort ? server.startToStay() : server.start());
    await body(server);
    if (server.running) await server.stop();
    await server.check();
  } catch (error) {
    if (server.running) await server.kill().catch(() => {}); // it may have ended by itself: `error` tells why
    error.message += `\n--- server log\n${server.log}`;
    throw error;
  } finally {
    for (const close of opened) close();
    rmSync(folder, { recursive: true, force: true });
  }
}

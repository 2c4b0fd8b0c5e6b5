// tests/conformance_server for one test file, and raw clients of it: fetch for long polling, `ws` for WebSocket.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after } from "node:test";
import { lagMs, laggingPort } from "./lag.mjs";
import { WebSocket } from "./packages.mjs";
import { patienceMs } from "./waiting.mjs";

/** A heart that beats quickly, and forgives a client that is slow to answer. */
export const beating = { pingInterval: 300, pingTimeout: 60_000 };
/** The suites' own: who is slow is out, on a busy machine too. */
export const strict = { pingInterval: 300, pingTimeout: 200 };

/** Starts it on a port of its own, with a heart that is not felt; it must end in order when the file's tests are over. */
export async function startConformanceServer({ pingInterval = 25_000, pingTimeout = 60_000, connectTimeout = 60_000 } = {}) {
  const path = process.env.TROUPE_CONFORMANCE_SERVER;
  if (!path) throw new Error("TROUPE_CONFORMANCE_SERVER must name the conformance_server program; ctest sets it");
  const times = ["--ping-interval", pingInterval, "--ping-timeout", pingTimeout, "--connect-timeout", connectTimeout].map(String);
  const child = spawn(path, ["--port", "0", ...times], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal })));
  after(async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    assert.deepEqual(await exited, { status: 0, signal: null }, "the end after SIGTERM");
    clearTimeout(timer);
  });
  let said = "";
  const line = await within(
    new Promise((resolve) => child.stdout.on("data", (bytes) => (said += bytes).includes("\n") && resolve(said.split("\n")[0]))),
    "the first line of the server",
  );
  const [, url] = line.match(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/) ?? assert.fail(`unexpected first line: ${line}`);
  if (lagMs === 0 || pingTimeout < 4 * lagMs) return url;
  const forwarder = await laggingPort(Number(new URL(url).port));
  exited.then(() => forwarder.close());
  return `http://127.0.0.1:${forwarder.port}`;
}

export function within(promise, what, ms = patienceMs) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${ms} ms passed while waiting for ${what}`)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Long polling of one session at `endpoint`, e.g. `http://…/engine.io/`. */
export class Polling {
  static async open(endpoint) {
    const client = new Polling();
    client.endpoint = endpoint;
    const answer = await fetch(`${endpoint}?EIO=4&transport=polling`);
    assert.equal(answer.status, 200);
    client.handshake = JSON.parse((await answer.text()).slice(1));
    client.url = `${endpoint}?EIO=4&transport=polling&sid=${client.handshake.sid}`;
    return client;
  }
  async get(options = {}) {
    const answer = await fetch(this.url, options);
    return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") };
  }
  post(body) {
    return this.get({ method: "POST", body });
  }
  /** The WebSocket that this session may move to. */
  upgrade() {
    return Raw.open(this.url.replace("transport=polling", "transport=websocket"));
  }
}

/** A WebSocket whose messages wait to be read, text as strings and binary as buffers. */
export class Raw {
  #messages = [];
  #readers = [];
  #isClosed = false;
  answersPings = false; // as they arrive; then nobody reads them

  static async open(url) {
    const raw = Raw.start(url);
    await within(raw.opened, "the WebSocket to open");
    return raw;
  }
  /** Not waiting for it to open. */
  static start(url) {
    const raw = new Raw();
    raw.ws = new WebSocket(url.replace(/^http/, "ws"));
    raw.opened = new Promise((resolve) => raw.ws.on("open", resolve));
    raw.closed = new Promise((resolve) => raw.ws.on("close", (code) => resolve(code)));
    raw.closed.then((code) => {
      raw.#isClosed = true;
      for (const reader of raw.#readers.splice(0)) reader.reject(new Error(`closed with ${code} while waiting for a message`));
    });
    raw.ws.on("unexpected-response", (_, answer) => {
      raw.refused = answer.statusCode;
      raw.ws.terminate();
    });
    raw.ws.on("error", () => {}); // `close` follows
    raw.ws.on("message", (data, isBinary) => {
      const message = isBinary ? data : String(data);
      if (message === "2" && raw.answersPings) return raw.ws.send("3");
      const reader = raw.#readers.shift();
      reader ? reader.resolve(message) : raw.#messages.push(message);
    });
    return raw;
  }
  next() {
    if (this.#messages.length) return Promise.resolve(this.#messages.shift());
    if (this.#isClosed) return Promise.reject(new Error("closed, and every message was read"));
    return within(new Promise((resolve, reject) => this.#readers.push({ resolve, reject })), "a message");
  }
  /** The next one that is not a ping, which is answered. */
  async nextPacket() {
    for (;;) {
      const packet = await this.next();
      if (packet !== "2") return packet;
      this.ws.send("3");
    }
  }
  /** What came and nobody has read. */
  unread() {
    return [...this.#messages];
  }
  send(...messages) {
    for (const message of messages) this.ws.send(message);
    return this;
  }
  /** The code with which the server closed. */
  end(ms) {
    return within(this.closed, "the close", ms);
  }
  stop() {
    this.ws.terminate();
  }
}

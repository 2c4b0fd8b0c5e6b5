// Clients of the server: WebSocket (npm `ws`), REST and SSE (node:http). Each keeps what it received in an Inbox.
import { request as httpRequest } from "node:http";
import { defaultLimitMs, Inbox } from "./inbox.mjs";
import { WebSocket } from "./packages.mjs";

export class SocketClient extends Inbox {
  /** Resolves when the socket is open; `.refused` holds the HTTP status of a refused upgrade instead. */
  static async open(server, path, options = {}) {
    const client = new SocketClient();
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { perMessageDeflate: false, ...options });
    client.ws = ws;
    server.onEnd?.(() => ws.terminate());
    client.closed = new Promise((resolve) =>
      ws.on("close", (code, reason) => {
        client.end(`closed with ${code} ${reason}`);
        resolve({ code, reason: String(reason) });
      }),
    );
    ws.on("error", () => {}); // `close` follows
    ws.on("message", (data, isBinary) => client.put(isBinary ? { type: "(binary)" } : JSON.parse(data)));
    await new Promise((resolve, reject) => {
      ws.on("open", resolve);
      ws.on("unexpected-response", (_, response) => {
        client.refused = response.statusCode;
        ws.terminate();
        resolve();
      });
      client.closed.then((how) => reject(new Error(`${path} closed while it opened: ${JSON.stringify(how)}`)));
    });
    return client;
  }

  send(frame) {
    this.ws.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
    return this;
  }

  async close() {
    this.ws.close();
    return this.closed;
  }

  /** Waits for the close with a limit. */
  async closing(limitMs = defaultLimitMs) {
    await this.until(() => this.ended !== null, "the close", limitMs);
    return this.closed;
  }
}

/** A nexus client of style A: authenticated, ready to send. */
export async function styleA(server, auth = { projectId: "demo", agentId: "writer" }) {
  const client = await SocketClient.open(server, "/ws");
  client.send({ type: "auth", ...auth });
  return client;
}

/** A nexus client of style B with a session of its own. */
export async function styleB(server, agentId = "writer") {
  const client = await SocketClient.open(server, "/api/v1/ws?projectId=demo");
  client.send({ type: "auth", apiKey: "any" });
  await client.next("auth.success");
  client.send({ type: "session.create", agentId });
  client.sessionId = (await client.next("session.created")).sessionId;
  return client;
}

/** One HTTP request: {status, headers, text, body}; `body` is parsed where it is JSON. */
export function request(server, method, path, body, headers = {}) {
  const bytes = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const size = bytes === undefined || headers["transfer-encoding"] ? {} : { "content-length": Buffer.byteLength(bytes) };
  const typed = bytes === undefined ? {} : { "content-type": "application/json", ...size };
  return new Promise((resolve, reject) => {
    const call = httpRequest(
      { host: "127.0.0.1", port: server.port, method, path, headers: { ...typed, ...headers }, agent: false, timeout: defaultLimitMs },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece) => (text += piece));
        response.on("error", reject);
        response.on("end", () => {
          const isJson = /json/.test(response.headers["content-type"] ?? "");
          resolve({ status: response.statusCode, headers: response.headers, text, body: isJson && text ? JSON.parse(text) : undefined });
        });
      },
    );
    call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer in ${defaultLimitMs} ms`)));
    call.on("error", reject);
    call.end(bytes);
  });
}

export const get = (server, path, headers) => request(server, "GET", path, undefined, headers);
export const post = (server, path, body, headers) => request(server, "POST", path, body ?? {}, headers);

/** An SSE stream; frames are the parsed `data`, with the fields of the event as `sse`. */
export class EventStream extends Inbox {
  static open(server, method, path, body, headers = {}) {
    const client = new EventStream();
    const bytes = body === undefined ? undefined : JSON.stringify(body);
    const typed = bytes === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) };
    return new Promise((resolve, reject) => {
      const call = httpRequest(
        { host: "127.0.0.1", port: server.port, method, path, agent: false, headers: { accept: "text/event-stream", ...typed, ...headers } },
        (response) => {
          client.status = response.statusCode;
          client.headers = response.headers;
          client.call = call;
          server.onEnd?.(() => call.destroy());
          let rest = "";
          response.setEncoding("utf8");
          response.on("data", (piece) => {
            const blocks = (rest + piece).split("\n\n");
            rest = blocks.pop();
            for (const block of blocks) client.#take(block);
          });
          response.on("error", () => {});
          response.on("close", () => client.end("the stream ended"));
          resolve(client);
        },
      );
      call.on("error", (error) => (client.end(error.message), reject(error)));
      call.end(bytes);
    });
  }

  #take(block) {
    const sse = {};
    for (const line of block.split("\n")) {
      if (line.startsWith(":")) continue;
      const [, field, value] = line.match(/^(\w+): ?(.*)$/) ?? [null, "malformed", line];
      sse[field] = value;
    }
    if (sse.data !== undefined || sse.malformed !== undefined) this.put({ ...JSON.parse(sse.data), sse });
  }

  close() {
    this.call.destroy();
  }
}

/** All of a list that is paged. */
export async function listAll(server, path) {
  const items = [];
  for (;;) {
    const page = await get(server, `${path}${path.includes("?") ? "&" : "?"}limit=100&offset=${items.length}`);
    if (page.status !== 200) throw new Error(`GET ${path}: ${page.status} ${page.text}`);
    items.push(...page.body.items);
    if (page.body.items.length === 0 || items.length >= page.body.total) return items;
  }
}

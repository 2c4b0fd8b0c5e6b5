// The transcripts of docs/protocols.md, replayed against the demo that they were taken from: what the page shows is what the
// server does. A block begins with ```transcript KIND PATH. KIND is `websocket` or `socket.io` (PATH is then the namespace).
//   → FRAME              sent by the client             → NAME PAYLOAD          an event, on Socket.IO
//   ← FRAME              the next one from the server   ← …                     passes over what comes until the next line
//   → POST /path BODY    a REST call in between         ← 201 BODY              its answer
// Ids, times and the like differ from run to run: one that the page shows stands for the one that came in its place, and is
// replaced in what is sent later. In text, `…` stands for anything.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { request, SocketClient } from "./support/clients.mjs";
import { Inbox } from "./support/inbox.mjs";
import { loadSocketIo } from "./support/packages.mjs";
import { withServer } from "./support/server.mjs";

const page = readFileSync(new URL("../../docs/protocols.md", import.meta.url), "utf8");
const changing = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?|\b[0-9a-f]{32}\b|\b[0-9a-f]{24}\b/g;
const measured = new Set(["durationMs"]);

function* blocks() {
  const fence = /^```transcript (\S+) (\S+)\n([\s\S]*?)^```/gm;
  for (const [, kind, path, text] of page.matchAll(fence)) yield { kind, path, lines: text.trimEnd().split("\n") };
}

/** What this run has in the place of the page's ids and times. */
class Names {
  #ours = new Map();

  /** `said` as the page has it, with its ids and times for this run's where they are known. */
  translate(said) {
    return said.replace(changing, (name) => this.#ours.get(name) ?? name);
  }

  /** True where `came` is what the page says, an unknown name standing for whatever came in its place. */
  fits(said, came) {
    if (typeof said === "string" && typeof came === "string") return this.#textFits(said, came);
    if (said === null || typeof said !== "object") return said === came;
    if (came === null || typeof came !== "object" || Array.isArray(said) !== Array.isArray(came)) return false;
    const keys = Object.keys(said);
    if (keys.join() !== Object.keys(came).join()) return false;
    return keys.every((key) => (measured.has(key) ? typeof came[key] === typeof said[key] : this.fits(said[key], came[key])));
  }

  #textFits(said, came) {
    const names = [...said.matchAll(changing)].map(([name]) => name);
    const one = changing.source.replaceAll("(\\.", "(?:\\.");
    const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", "[\\s\\S]*");
    const pattern = said.split(new RegExp(one, "g")).map(literal).join(`(${one})`);
    const match = new RegExp(`^${pattern}$`).exec(came);
    if (!match) return false;
    return names.every((name, i) => {
      const ours = this.#ours.get(name);
      if (ours === undefined) this.#ours.set(name, match[i + 1]);
      return ours === undefined || ours === match[i + 1];
    });
  }
}

class SocketIoPeer extends Inbox {
  static async open(server, namespace) {
    const { io } = await loadSocketIo();
    const peer = new SocketIoPeer();
    peer.socket = io(`${server.url}${namespace}`, { transports: ["websocket"], reconnection: false });
    peer.socket.onAny((name, payload) => peer.put([name, payload]));
    await new Promise((resolve, reject) => peer.socket.on("connect", resolve).on("connect_error", reject));
    server.onEnd(() => peer.socket.close());
    return peer;
  }
  send(said) {
    const [, name, payload] = said.match(/^(\S+) ?(.*)$/);
    this.socket.emit(name, ...(payload ? [JSON.parse(payload)] : []));
  }
  expected(said) {
    const [, name, payload] = said.match(/^(\S+) ?(.*)$/);
    return [name, JSON.parse(payload)];
  }
}

class WebSocketPeer {
  static async open(server, path) {
    const peer = new WebSocketPeer();
    peer.client = await SocketClient.open(server, path);
    return peer;
  }
  get frames() {
    return this.client.frames;
  }
  until(...args) {
    return this.client.until(...args);
  }
  send(said) {
    this.client.send(said);
  }
  expected(said) {
    return JSON.parse(said);
  }
}

const call = /^(GET|POST|PUT|PATCH|DELETE) (\S+) ?(.*)$/;

async function replay(server, { kind, path, lines }) {
  const peer = await (kind === "socket.io" ? SocketIoPeer : WebSocketPeer).open(server, path);
  const names = new Names();
  let read = 0;
  let passing = false;
  const calls = [];
  for (const line of lines) {
    const sent = line.match(/^→ (.*)$/)?.[1];
    const said = line.match(/^← (.*)$/)?.[1];
    assert.ok(sent !== undefined || said !== undefined, `a line of the page begins neither with → nor with ←: ${line}`);
    if (sent !== undefined) {
      const rest = sent.match(call);
      if (rest) calls.push(request(server, rest[1], names.translate(rest[2]), rest[3] ? names.translate(rest[3]) : undefined));
      else peer.send(names.translate(sent));
      continue;
    }
    if (said.startsWith("…")) {
      passing = true;
      continue;
    }
    const status = said.match(/^(\d{3}) (.*)$/);
    if (status) {
      const answer = await calls.shift();
      assert.equal(String(answer.status), status[1], `${line}\n${answer.text}`);
      assert.ok(names.fits(JSON.parse(status[2]), answer.body), `the page: ${line}\ncame:     ${answer.text}`);
      continue;
    }
    const expected = peer.expected(said);
    if (passing) {
      read = await peer.until(() => {
        for (let i = read; i < peer.frames.length; ++i) if (names.fits(expected, peer.frames[i])) return i + 1;
        return undefined;
      }, line);
      passing = false;
    } else {
      await peer.until(() => peer.frames.length > read, line);
      assert.ok(names.fits(expected, peer.frames[read]), `the page: ${line}\ncame:     ${JSON.stringify(peer.frames[read])}`);
      ++read;
    }
  }
  for (const unanswered of calls) await unanswered;
}

const all = [...blocks()];

test("docs/protocols.md has a transcript of every dialect", () => {
  const paths = all.map(({ kind, path }) => (kind === "socket.io" ? path : path.replace(/[^/]+$/, "")));
  assert.deepEqual([...new Set(paths)].sort(), ["/", "/api/v1/ws/chat/", "/chat", "/ws/chat/"].sort());
  assert.ok(all.some(({ path }) => path === "/ws"), "nexus is at /ws");
});

for (const block of all)
  test(`docs/protocols.md: ${block.kind} ${block.path}: ${block.lines[0].slice(0, 60)}`, () =>
    withServer(null, (server) => replay(server, block)));

// Our own WebSocket for Node against the server of npm `ws`.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { FrameReader, frameOf, opcode } from "../src/websocket.frames.js";
import { NodeWebSocket } from "../src/websocket.node.js";

let http: Server;
let server: WebSocketServer;
let url: string;
beforeEach(async () => {
  http = createServer((_, response) => response.writeHead(404).end());
  server = new WebSocketServer({ server: http, path: "/ws" });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => http.close(resolve));
});

interface Close {
  code: number;
  reason: string;
  wasClean: boolean;
}
interface Told {
  socket: NodeWebSocket;
  peer: WebSocket;
  next: () => Promise<string>;
  closed: Promise<Close>;
}
async function connect(path = "/ws"): Promise<Told> {
  const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
  const socket = new NodeWebSocket(url + path);
  const messages: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  socket.onmessage = (event: { data: string }) => (waiting.length > 0 ? waiting.shift()!(event.data) : void messages.push(event.data));
  const closed = new Promise<Close>((resolve) => (socket.onclose = (event: Close) => resolve(event)));
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = (event: { message: string }) => reject(new Error(event.message));
  });
  const next = (): Promise<string> => (messages.length > 0 ? Promise.resolve(messages.shift()!) : new Promise((resolve) => waiting.push(resolve)));
  return { socket, peer: await accepted, next, closed };
}

test("text of every length class, both ways, with every character", async () => {
  const { socket, peer, next } = await connect();
  const echoed = (text: string): Promise<string> => {
    peer.once("message", (data: Buffer) => peer.send(data.toString()));
    socket.send(text);
    return next();
  };
  for (const text of ["", "a", "ñ€😀", "x".repeat(125), "x".repeat(126), "y".repeat(65535), "z".repeat(65536), "w".repeat(1_000_000)])
    expect((await echoed(text)) === text).toBe(true);
});

test("messages in fragments with a ping in between", async () => {
  const { peer, next } = await connect();
  const ponged = new Promise<string>((resolve) => peer.once("pong", (data: Buffer) => resolve(data.toString())));
  peer.send("one ", { fin: false });
  peer.ping("still there?");
  peer.send("message", { fin: true });
  expect(await next()).toBe("one message");
  expect(await ponged).toBe("still there?");
});

test("frames in any pieces, and what is no frame of a server", () => {
  const plain = (kind: number, text: string, isLast = true): Buffer =>
    Buffer.concat([Buffer.from([(isLast ? 0x80 : 0) | kind, Buffer.byteLength(text)]), Buffer.from(text)]);
  const bytes = Buffer.concat([plain(1, "ab", false), plain(9, "p"), plain(0, "cd"), plain(1, "é")]);
  for (let size = 1; size <= bytes.length; ++size) {
    const reader = new FrameReader();
    const got: [number, string][] = [];
    for (let at = 0; at < bytes.length; at += size)
      for (const m of reader.push(bytes.subarray(at, at + size))) got.push([m.opcode, m.data.toString()]);
    expect(got).toEqual([[9, "p"], [1, "abcd"], [1, "é"]]);
  }
  for (const bad of [Buffer.from([0xc1, 0]), frameOf(opcode.text, Buffer.from("x")), plain(0, "x"), Buffer.concat([plain(1, "a", false), plain(1, "b")])])
    expect(() => new FrameReader().push(bad)).toThrow();
  const large = Buffer.alloc(10);
  large[0] = 0x81;
  large[1] = 127;
  large.writeBigUInt64BE(BigInt(2) ** BigInt(40), 2);
  expect(() => new FrameReader().push(large)).toThrow(/large/);
});

test("closing from here and from there tells code and reason", async () => {
  const first = await connect();
  const heard = new Promise<[number, string]>((resolve) => first.peer.once("close", (code: number, reason: Buffer) => resolve([code, reason.toString()])));
  first.socket.close(1000, "bye");
  expect(await heard).toEqual([1000, "bye"]);
  expect(await first.closed).toMatchObject({ code: 1000, wasClean: true });
  expect(first.socket.readyState).toBe(3);
  const second = await connect();
  second.peer.close(1012, "the server restarts");
  expect(await second.closed).toMatchObject({ code: 1012, reason: "the server restarts" });
  const third = await connect();
  third.peer.terminate();
  expect(await third.closed).toMatchObject({ code: 1006, wasClean: false });
});

test("what is no WebSocket server, what is not there, and closing before it is open", async () => {
  const failing = async (address: string): Promise<string> => {
    const socket = new NodeWebSocket(address);
    const closed = new Promise<void>((resolve) => (socket.onclose = () => resolve()));
    const message = await new Promise<string>((resolve) => (socket.onerror = (e: { message: string }) => resolve(e.message)));
    await closed;
    return message;
  };
  expect(await failing(`${url}/other`)).toMatch(/status 4/);
  expect(await failing("ws://127.0.0.1:9/")).toMatch(/refused/i);
  const early = new NodeWebSocket(`${url}/ws`);
  const closed = new Promise<Close>((resolve) => (early.onclose = (event: Close) => resolve(event)));
  expect(() => early.send("x")).toThrow();
  early.close();
  expect((await closed).code).toBe(1006);
});

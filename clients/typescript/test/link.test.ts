// When a link tries again: fake sockets and a fake clock, because this is about time.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Link } from "../src/link.js";
import type { ConnectionState } from "../src/state.js";
import type { SocketLike } from "../src/websocket.js";

class FakeSocket implements SocketLike {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.({} as never);
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) } as never);
  }
  fail(): void {
    this.readyState = 3;
    this.onclose?.({ code: 1006 } as never);
  }
}

let states: ConnectionState[];
let frames: unknown[];
const backoff = { firstMs: 100, longestMs: 1000, random: () => 1 };
const make = (more = {}): Link =>
  new Link({ url: () => "ws://host/ws", WebSocket: FakeSocket, backoff, onOpen: () => undefined, onFrame: (f) => frames.push(f), onState: (s) => states.push(s), ...more });
const newest = (): FakeSocket => FakeSocket.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  states = [];
  frames = [];
});
afterEach(() => void vi.useRealTimers());

test("a failed try waits longer each time; once it is settled the first wait is short again", () => {
  const link = make();
  link.start();
  const waits: number[] = [];
  for (let i = 0; i < 5; ++i) {
    newest().fail();
    waits.push(states.at(-1)!.retryAt! - Date.now());
    const before = FakeSocket.all.length;
    vi.advanceTimersByTime(waits.at(-1)! - 1);
    expect(FakeSocket.all).toHaveLength(before);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(before + 1);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1000]);
  newest().open();
  link.settle();
  expect(states.at(-1)).toEqual({ status: "open", attempt: 0 });
  newest().fail();
  expect(states.at(-1)!.retryAt! - Date.now()).toBe(100);
});

test("an open socket that never settles counts as failed: no tight loop with a server that refuses", () => {
  const link = make();
  link.start();
  const waits: number[] = [];
  for (let i = 0; i < 3; ++i) {
    newest().open();
    link.restart({ code: "INTERNAL_ERROR", message: "" });
    waits.push(states.at(-1)!.retryAt! - Date.now());
    vi.advanceTimersByTime(2000);
  }
  expect(waits).toEqual([100, 200, 400]);
});

test("the server says when to come back", () => {
  const link = make();
  link.start();
  newest().open();
  link.settle();
  link.delayNext(1000);
  newest().fail();
  expect(states.at(-1)!.retryAt! - Date.now()).toBeGreaterThanOrEqual(1000);
});

test("silence is tested with a ping; no answer ends the socket, any frame keeps it", () => {
  const link = make({ heartbeatMs: 1000 });
  link.start();
  const socket = newest();
  socket.open();
  link.settle();
  vi.advanceTimersByTime(999);
  expect(socket.sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(socket.sent).toEqual(['{"type":"ping"}']);
  socket.say({ type: "pong" });
  vi.advanceTimersByTime(1000);
  expect(socket.sent).toHaveLength(2);
  vi.advanceTimersByTime(999);
  expect(states.at(-1)!.status).toBe("open");
  vi.advanceTimersByTime(1);
  expect(states.at(-1)).toMatchObject({ status: "waiting", error: { code: "TIMEOUT" } });
  expect(socket.readyState).toBe(3);
});

test("what an old socket still says is not heard; a stopped link stays stopped", () => {
  const link = make();
  link.start();
  const old = newest();
  old.open();
  const { onmessage } = old;
  link.restart({ code: "X", message: "" });
  onmessage?.({ data: '{"type":"pong"}' } as never);
  expect(frames).toEqual([]);
  link.stop();
  vi.advanceTimersByTime(100_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(states.at(-1)!.status).toBe("closed");
  expect(link.send({ type: "ping" })).toBe(false);
  link.start();
  expect(FakeSocket.all).toHaveLength(2);
});

test("a frame that is not JSON: another connection, with the reason", () => {
  const link = make();
  link.start();
  newest().open();
  newest().say("<html>");
  expect(states.at(-1)).toMatchObject({ status: "waiting", error: { code: "BAD_RESPONSE" } });
});

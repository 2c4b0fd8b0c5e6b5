// A server that does exactly what a test says, in the order it says: one socket, and REST calls that wait for their answer.
import { TroupeClient } from "../src/client.js";
import type { NexusEvent } from "../src/events.js";
import type { SocketLike } from "../src/websocket.js";

export type Plain = Record<string, unknown> & { type: string };

class Socket implements SocketLike {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  constructor(private readonly take: (frame: Plain) => void) {}
  send(text: string): void {
    this.take(JSON.parse(text) as Plain);
  }
  close(): void {
    this.readyState = 3;
  }
}

export interface Call {
  /** Such as `POST /sessions/s1/messages`. */
  what: string;
  body: Record<string, unknown>;
  answer(body: unknown, status?: number): void;
}

export class ScriptedServer {
  readonly client: TroupeClient;
  #calls: Call[] = [];
  #expected: { fits: RegExp; resolve: (call: Call) => void }[] = [];
  #frames: Plain[] = [];
  #waiting: { type: string; resolve: (frame: Plain) => void }[] = [];
  #socket: Socket | undefined;
  #seq = 0;

  constructor() {
    const frames = (frame: Plain): void => {
      const at = this.#waiting.findIndex((w) => w.type === frame.type);
      if (at >= 0) this.#waiting.splice(at, 1)[0]!.resolve(frame);
      else this.#frames.push(frame);
    };
    const opened = (socket: Socket): void => void (this.#socket = socket);
    class Scripted extends Socket {
      constructor() {
        super(frames);
        opened(this);
        queueMicrotask(() => {
          this.readyState = 1;
          this.onopen?.({} as never);
        });
      }
    }
    this.client = new TroupeClient({ url: "http://host", heartbeatMs: 0, WebSocket: Scripted, fetch: (url, init) => this.#called(url, init) });
  }

  get seq(): number {
    return this.#seq;
  }
  /** Events of the log get the next seq; `seq: undefined` is none. */
  say(...frames: Plain[]): void {
    for (const frame of frames) {
      const numbered = "seq" in frame ? frame : { ...frame, seq: ++this.#seq };
      this.#socket!.onmessage!({ data: JSON.stringify(numbered) } as never);
    }
  }
  /** An event that has no frame, or whose frame has not come yet. */
  skip(): number {
    return ++this.#seq;
  }

  /** The next frame of that type. */
  frame(type: string): Promise<Plain> {
    const at = this.#frames.findIndex((f) => f.type === type);
    if (at >= 0) return Promise.resolve(this.#frames.splice(at, 1)[0]!);
    return new Promise((resolve) => this.#waiting.push({ type, resolve }));
  }
  /** The next call that fits, asked for already or not; it waits for its answer. */
  call(fits: RegExp): Promise<Call> {
    const at = this.#calls.findIndex((c) => fits.test(c.what));
    if (at >= 0) return Promise.resolve(this.#calls.splice(at, 1)[0]!);
    return new Promise((resolve) => this.#expected.push({ fits, resolve }));
  }
  /** Calls that nobody has waited for. */
  get unanswered(): string[] {
    return this.#calls.map((c) => c.what);
  }

  #called(url: string, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal!.reason as Error));
      const call: Call = {
        what: `${init.method} ${url.replace("http://host/api/v1", "")}`,
        body: typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {},
        answer: (body, status = 200) =>
          resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "content-type": "application/json" } })),
      };
      const at = this.#expected.findIndex((e) => e.fits.test(call.what));
      if (at >= 0) this.#expected.splice(at, 1)[0]!.resolve(call);
      else this.#calls.push(call);
    });
  }
}

export const refusal = (code: string, message = code): unknown => ({ error: { code, message }, message });
export const page = (items: unknown[]): unknown => ({ items, data: items, total: items.length, limit: 100, offset: 0 });
/** As far as a session reads it. */
export const record = (lastSeq: number): unknown => ({
  id: "s1", agentId: "a", title: "", status: "active", participants: [], lastSeq,
  usage: { promptTokens: 0, completionTokens: 0, totalTokens: 0, cost: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 },
});

/** Everything that was put off to be done at once has been done. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

export const frames = {
  created: (messageId: string): Plain => ({ type: "message.created", messageId, role: "user", content: messageId, author: "" }),
  queued: (messageId: string, runId: string, position: number): Plain => ({ type: "message.queued", messageId, runId, position }),
  started: (runId: string): Plain => ({ type: "run.started", runId, messageId: `a-${runId}`, traceId: "t" }),
  delta: (text: string): Plain => ({ type: "message.content_delta", text, role: "assistant" }),
  complete: (runId: string): Plain => ({ type: "message.complete", messageId: `a-${runId}`, traceId: "t", usage: {} }),
  cancelled: (runId: string): Plain => ({ type: "run.cancelled", runId, textKept: true }),
} satisfies Record<string, (...args: never[]) => Plain & { type: NexusEvent["type"] | string }>;

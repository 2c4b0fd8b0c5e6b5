// One message and its answer, as it comes. Made by `session.send`. The run goes on at the server whether anybody reads or not.
import type { EventOf, NexusEvent, Usage } from "./events.js";
import { abortReason, TroupeError } from "./errors.js";
import type { AcceptedMessage } from "./records.js";

export type RunEvent = EventOf<
  | "message.created" | "message.queued" | "message.dequeued" | "run.started" | "message.content_delta" | "message.superseded" | "message.tool_start" | "message.tool_progress"
  | "message.tool_complete" | "message.approval_required" | "approval.endorsed" | "approval.decided" | "session.cost_alert" | "message.complete"
  | "run.cancelled" | "error"
>;

const runEvents = new Set<string>([
  "message.created", "message.queued", "message.dequeued", "run.started", "message.content_delta", "message.superseded", "message.tool_start", "message.tool_progress",
  "message.tool_complete", "message.approval_required", "approval.endorsed", "approval.decided", "session.cost_alert", "message.complete",
  "run.cancelled", "error",
]);
export const isRunEvent = (e: NexusEvent): e is RunEvent => runEvents.has(e.type);
const ends = new Set<string>(["message.complete", "run.cancelled", "message.dequeued"]);
export const endsRun = (e: NexusEvent): boolean => ends.has(e.type) || (e.type === "error" && e.runId !== undefined);

export interface RunResult {
  status: "completed" | "cancelled";
  runId: string;
  /** Of the answer's last message. */
  messageId: string;
  traceId: string;
  /** All text of the run; of a cancelled one what was kept. */
  text: string;
  /** Not told of a run that never started, and by older servers of cancelled ones. */
  usage?: Usage;
  toolCalls: { toolCallId: string; tool: string; input: unknown; success: boolean | null; output: unknown; durationMs: number }[];
}

export interface RunControl {
  cancel(runId: string): Promise<unknown>;
  /** Takes it out of the queue; false where it is not there. */
  dequeue(messageId: string): Promise<boolean>;
}

/** Iterate it for events as they come, or await `text()` or `result()`; both may be done, any number of times. */
export class Run implements AsyncIterable<RunEvent> {
  /** When the server has stored the message. */
  readonly accepted: Promise<AcceptedMessage>;
  readonly #events: RunEvent[] = [];
  readonly #result: Promise<RunResult>;
  #waiting: (() => void)[] = [];
  #isOver = false;
  #failure: unknown;
  #settleAccepted!: { resolve: (a: AcceptedMessage) => void; reject: (e: unknown) => void };
  #settleResult!: { resolve: (r: RunResult) => void; reject: (e: unknown) => void };
  #pieces: { seq: number; text: string }[] = [];
  #calls: RunResult["toolCalls"] = [];
  #started: EventOf<"run.started"> | undefined;
  #runId: string | undefined;

  constructor(
    readonly clientMessageId: string,
    private readonly control: RunControl,
  ) {
    this.accepted = new Promise((resolve, reject) => (this.#settleAccepted = { resolve, reject }));
    this.#result = new Promise((resolve, reject) => (this.#settleResult = { resolve, reject }));
    // Who reads the events hears of a failure there.
    this.accepted.catch(() => undefined);
    this.#result.catch(() => undefined);
  }

  get runId(): string | undefined {
    return this.#runId;
  }
  get isOver(): boolean {
    return this.#isOver;
  }
  /** So far. */
  get textSoFar(): string {
    return this.#pieces.map((p) => p.text).join("");
  }

  /** At its end; fails with a TroupeError when the run fails. */
  result(): Promise<RunResult> {
    return this.#result;
  }
  async text(): Promise<string> {
    return (await this.#result).text;
  }

  /** Stops it at the server; `result()` then has `status: "cancelled"`. A message that waits is taken out of the queue. */
  async cancel(): Promise<void> {
    const { runId, messageId } = await this.accepted;
    if (this.#isOver) return;
    // Whether it still waits only the server knows: that no event has told of its start may be the connection's delay.
    if (!this.#started && (await this.control.dequeue(messageId))) return this.finishEarly("cancelled");
    try {
      await this.control.cancel(runId);
    } catch (error) {
      // It ended by itself in between.
      if (!(error instanceof TroupeError && error.code === "NOT_FOUND")) throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    for (let next = 0; ; ) {
      if (next < this.#events.length) {
        yield this.#events[next++]!;
        continue;
      }
      if (this.#isOver) {
        if (this.#failure !== undefined) throw this.#failure;
        return;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  // ---- for the session ----

  accept(accepted: AcceptedMessage): void {
    this.#runId = accepted.runId;
    this.#settleAccepted.resolve(accepted);
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#settleAccepted.reject(error);
    this.#settleResult.reject(error);
    this.#end();
  }

  /** Stops waiting; the run goes on. */
  abandon(signal: AbortSignal): void {
    this.fail(abortReason(signal));
  }

  /** It never started, or ended before this client looked. */
  finishEarly(status: RunResult["status"], known: Partial<RunResult> = {}): void {
    if (this.#isOver) return;
    this.#settleResult.resolve({ runId: this.#runId ?? "", messageId: "", traceId: "", text: "", toolCalls: [], ...known, status });
    this.#end();
  }

  put(event: RunEvent): void {
    if (this.#isOver) return;
    this.#events.push(event);
    this.#fold(event);
    if (endsRun(event)) this.#finish(event);
    this.#wake();
  }

  #fold(e: RunEvent): void {
    if (e.type === "run.started") {
      this.#started = e;
      this.#runId = e.runId;
    }
    if (e.type === "message.content_delta") this.#pieces.push({ seq: e.seq, text: e.text });
    if (e.type === "message.superseded") this.#pieces = this.#pieces.filter((p) => p.seq < e.fromSeq);
    if (e.type === "message.tool_start") {
      const call = { toolCallId: e.toolCallId, tool: e.tool, input: e.input, success: null, output: null, durationMs: 0 };
      const again = this.#calls.findIndex((c) => c.toolCallId === e.toolCallId && c.success === null);
      if (again >= 0) this.#calls[again] = call;
      else this.#calls.push(call);
    }
    if (e.type === "message.tool_complete")
      this.#calls = this.#calls.map((c) =>
        c.toolCallId === e.toolCallId && c.success === null ? { ...c, success: e.success, output: e.output, durationMs: e.durationMs } : c,
      );
  }

  #finish(e: RunEvent): void {
    if (e.type === "error") {
      const error = new TroupeError({ code: e.code, message: e.message });
      this.#failure = error;
      this.#settleResult.reject(error);
      return this.#end();
    }
    const common = { runId: this.#runId ?? "", traceId: this.#started?.traceId ?? "", text: this.textSoFar, toolCalls: this.#calls };
    if (e.type === "message.complete")
      this.#settleResult.resolve({ ...common, status: "completed", messageId: e.messageId, usage: e.usage });
    else {
      const usage = e.type === "run.cancelled" && e.usage ? { usage: e.usage } : {};
      this.#settleResult.resolve({ ...common, status: "cancelled", messageId: this.#started?.messageId ?? "", ...usage });
    }
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }
  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

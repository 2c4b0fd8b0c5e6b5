// Messages on their way, and which run is whose. A message that was lost with the connection is sent again under the id it
// had, which starts nothing twice.
import { backoffDelay } from "./backoff.js";
import { abortReason, TroupeError } from "./errors.js";
import type { LiveClient } from "./client.js";
import type { NexusEvent } from "./events.js";
import type { AcceptedMessage } from "./records.js";
import { endsRun, isRunEvent, Run, type RunEvent } from "./run.js";
import type { SendArguments } from "./session.js";
import { type Answer, type SessionEvent, type SessionState, textOf } from "./state.js";

export interface OutboxHost {
  client: LiveClient;
  /** The session's id, once there is one. */
  id: () => Promise<string>;
  whenLive: () => Promise<void>;
  /** Takes a message out of the queue; false where it is not there. */
  dequeue: (messageId: string) => Promise<boolean>;
  state: () => SessionState;
  put: (event: SessionEvent) => void;
}

/** The request may have been taken or not: only sending it again tells. */
const lostOnTheWay = new Set(["CONNECTION_FAILED", "SHUTTING_DOWN", "STORAGE_UNAVAILABLE"]);

export class Outbox {
  #line: Promise<unknown> = Promise.resolve();
  #unaccepted = new Map<string, Run>(); // by clientMessageId
  #runs = new Map<string, Run>(); // by runId
  #heard = new Map<string, RunEvent[]>(); // of runs that may turn out to be one of #unaccepted
  #active: string | undefined;
  #created: RunEvent | undefined; // a run starts, or is queued, right behind its message

  constructor(private readonly host: OutboxHost) {}

  send(content: string, options: SendArguments): Run {
    const clientMessageId = options.clientMessageId ?? makeId();
    const run = new Run(clientMessageId, {
      cancel: async (runId) => this.host.client.sessions.cancel(await this.host.id(), runId),
      dequeue: this.host.dequeue,
    });
    const { signal } = options;
    if (signal?.aborted) {
      run.abandon(signal);
      return run;
    }
    const onAbort = (): void => this.#forget(run, abortReason(signal!));
    signal?.addEventListener("abort", onAbort);
    run.result().catch(() => undefined).finally(() => signal?.removeEventListener("abort", onAbort));
    this.#unaccepted.set(clientMessageId, run);
    this.host.put({ type: "local.sending", message: { clientMessageId, content, attachments: options.attachments ?? [] } });
    // One after the other: they are to be answered in the order in which they were sent.
    this.#line = this.#line.then(() => this.#submit(run, content, options)).catch(() => undefined);
    return run;
  }

  /** Every event of the session, each once. */
  take(event: NexusEvent): void {
    if (!isRunEvent(event)) return;
    if (event.type === "message.created") {
      this.#created = event;
      return;
    }
    const before = this.#created;
    this.#created = undefined;
    if (event.type === "message.queued") {
      if (before) this.#give(event.runId, before);
      return this.#give(event.runId, event);
    }
    if (event.type === "message.dequeued") {
      this.#give(event.runId, event);
      return this.#prune();
    }
    if (event.type === "run.started") {
      this.#active = event.runId;
      if (before && !this.#heard.has(event.runId)) this.#give(event.runId, before);
      this.#give(event.runId, event);
      return this.sweep();
    }
    const runId = this.#active;
    if (runId === undefined) return;
    this.#give(runId, event);
    if (!endsRun(event)) return;
    this.#active = undefined;
    this.#prune();
  }

  /** Older servers do not tell what was taken out of the queue: such runs are over where the state's queue has them no more. */
  sweep(): void {
    const waiting = new Set(this.host.state().queue.map((m) => m.runId));
    for (const [runId, run] of [...this.#runs]) {
      const heard = this.#heard.get(runId) ?? [];
      if (waiting.has(runId) || heard.at(-1)?.type !== "message.queued") continue;
      run.finishEarly("cancelled");
      this.#runs.delete(runId);
      this.#heard.delete(runId);
    }
  }

  close(error: TroupeError): void {
    for (const run of [...this.#unaccepted.values(), ...this.#runs.values()]) this.#forget(run, error);
    this.#unaccepted.clear();
    this.#runs.clear();
    this.#heard.clear();
    this.#active = this.#created = undefined;
  }

  async #submit(run: Run, content: string, options: SendArguments): Promise<void> {
    const { onBusy, attachments, signal } = options;
    const { clientMessageId } = run;
    const body = { clientMessageId, ...(onBusy ? { onBusy } : {}), ...(attachments ? { attachments } : {}) };
    for (let attempt = 1; ; ++attempt) {
      if (run.isOver) return;
      try {
        const id = await this.host.id();
        return this.#bind(run, await this.host.client.sessions.send(id, content, body, signal ? { signal } : {}));
      } catch (error) {
        if (!(error instanceof TroupeError) || !lostOnTheWay.has(error.code)) return this.#refuse(run, error);
      }
      // The connection of events fails too, or works by now; either way it says when to try again.
      await pause(backoffDelay(attempt, this.host.client.options.backoff));
      await this.host.whenLive().catch(() => undefined);
    }
  }

  #refuse(run: Run, error: unknown): void {
    const told = error instanceof TroupeError ? error : undefined;
    this.#unaccepted.delete(run.clientMessageId);
    if (told) this.host.put({ type: "local.refused", clientMessageId: run.clientMessageId, error: { code: told.code, message: told.message } });
    else this.host.put({ type: "local.sent", clientMessageId: run.clientMessageId });
    run.fail(error);
    this.#prune();
  }

  #forget(run: Run, why: unknown): void {
    this.#unaccepted.delete(run.clientMessageId);
    if (run.runId !== undefined) this.#runs.delete(run.runId);
    run.fail(why);
    this.host.put({ type: "local.sent", clientMessageId: run.clientMessageId });
  }

  #bind(run: Run, accepted: AcceptedMessage): void {
    this.#unaccepted.delete(run.clientMessageId);
    run.accept(accepted);
    if (run.isOver) return this.#prune();
    this.#runs.set(accepted.runId, run);
    const heard = this.#heard.get(accepted.runId);
    if (heard) for (const event of heard) run.put(event);
    else this.#settleFromState(run, accepted);
    if (run.isOver) this.#runs.delete(accepted.runId);
    this.#prune();
  }

  /** A message that was sent before, and is answered: no event will tell of it any more. */
  #settleFromState(run: Run, accepted: AcceptedMessage): void {
    const answer = this.host.state().messages.find((m): m is Answer => m.kind === "answer" && m.runId === accepted.runId);
    if (!answer || answer.runId === this.#active || answer.status === "running" || answer.status === "parked") return;
    if (answer.status === "failed") return run.fail(new TroupeError(answer.error ?? { code: "AGENT_RUN_FAILED", message: "The run has failed." }));
    run.finishEarly(answer.status === "completed" ? "completed" : "cancelled", {
      messageId: answer.messageId, traceId: answer.traceId ?? "", text: textOf(answer), ...(answer.usage ? { usage: answer.usage } : {}),
      toolCalls: answer.parts.flatMap((p) =>
        p.kind === "tool"
          ? [{ toolCallId: p.toolCallId, tool: p.tool, input: p.input, success: p.status === "ok" ? true : p.status === "failed" ? false : null,
               output: p.output ?? null, durationMs: p.durationMs ?? 0 }]
          : [],
      ),
    });
  }

  #give(runId: string, event: RunEvent): void {
    const run = this.#runs.get(runId);
    if (run) {
      run.put(event);
      if (run.isOver) this.#runs.delete(runId);
    }
    const heard = this.#heard.get(runId);
    if (heard) heard.push(event);
    else this.#heard.set(runId, [event]);
  }

  /** What is over is of no use once every message here has its run. */
  #prune(): void {
    if (this.#unaccepted.size > 0) return;
    for (const runId of [...this.#heard.keys()]) {
      const isOver = this.#heard.get(runId)!.some(endsRun);
      if (isOver) this.#heard.delete(runId);
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A UUID; also in pages without a secure context, which have no `randomUUID`. */
export function makeId(): string {
  if (globalThis.crypto?.randomUUID) return globalThis.crypto.randomUUID();
  const bytes = globalThis.crypto?.getRandomValues(new Uint8Array(16)) ?? Uint8Array.from({ length: 16 }, () => Math.random() * 256);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return [...bytes].map((b, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + b.toString(16).padStart(2, "0")).join("");
}

// Handlers of events, and events as an async iterator.
import { abortReason } from "./errors.js";
import type { NexusEvent } from "./events.js";

type Handler = (event: NexusEvent) => void;

export class Emitter {
  #handlers = new Map<string, Set<Handler>>();
  #readers = new Set<(failure: unknown) => void>();

  on(type: string, handler: Handler): () => void {
    const all = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, all.add(handler));
    return () => void all.delete(handler);
  }

  emit(event: NexusEvent): void {
    for (const type of [event.type, "*"])
      for (const handler of [...(this.#handlers.get(type) ?? [])])
        try {
          handler(event);
        } catch (error) {
          // One handler's mistake is not the next one's, nor the fold's.
          reportLater(error);
        }
  }

  /** Ends all iterators. */
  close(failure: unknown): void {
    for (const end of [...this.#readers]) end(failure);
  }

  /** Listens from this call on, not from the first `next()`. */
  iterate(signal?: AbortSignal): AsyncGenerator<NexusEvent> {
    const events: NexusEvent[] = [];
    const state = { isOver: false, failure: undefined as unknown };
    let wake = (): void => undefined;
    const off = this.on("*", (event) => {
      events.push(event);
      wake();
    });
    const end = (failure: unknown): void => {
      off();
      this.#readers.delete(end);
      signal?.removeEventListener("abort", onAbort);
      Object.assign(state, { isOver: true, failure });
      wake();
    };
    const onAbort = (): void => end(abortReason(signal!));
    this.#readers.add(end);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort);
    return (async function* () {
      try {
        for (;;) {
          while (events.length > 0) yield events.shift()!;
          if (state.isOver) break;
          await new Promise<void>((resolve) => (wake = resolve));
        }
        if (state.failure !== undefined) throw state.failure;
      } finally {
        if (!state.isOver) end(undefined);
      }
    })();
  }
}

function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

// A session's state as screens want it: events are folded when somebody looks, and listeners are told at most once a frame,
// however fast text comes.
import { reduceSessionAll } from "./reducer.js";
import { emptySession, type SessionEvent, type SessionState } from "./state.js";

const mostPending = 1000;

export class SessionStore {
  #state: SessionState = emptySession;
  #shown: SessionState = emptySession;
  #pending: SessionEvent[] = [];
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shownAt = 0;

  /** `frameMs`: listeners are told at most so often (16). */
  constructor(private readonly frameMs = 16) {}

  put(event: SessionEvent): void {
    // Also where nobody ever looks it must not grow.
    if (this.#pending.push(event) >= mostPending) void this.state;
    if (this.#timer !== undefined || this.#listeners.size === 0) return;
    this.#timer = setTimeout(this.flush, Math.max(0, this.#shownAt + this.frameMs - Date.now()));
  }

  /** With everything that has come. */
  get state(): SessionState {
    if (this.#pending.length > 0) {
      const events = this.#pending;
      this.#pending = [];
      this.#state = reduceSessionAll(this.#state, events);
    }
    return this.#state;
  }

  /** What listeners were told of last: stable between two calls of them. */
  readonly getSnapshot = (): SessionState => {
    // Nobody listens: nobody is surprised.
    if (this.#listeners.size === 0) this.#shown = this.state;
    return this.#shown;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#pending.length > 0 || this.#shown !== this.#state) this.#timer ??= setTimeout(this.flush, 0);
    return () => void this.#listeners.delete(listener);
  };

  /** Tells listeners now. */
  readonly flush = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shownAt = Date.now();
    if (this.#shown === this.state) return;
    this.#shown = this.#state;
    for (const listener of [...this.#listeners]) listener();
  };
}

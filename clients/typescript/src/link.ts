// A WebSocket that comes back: one socket at a time, tried again with a growing delay, given up when nothing comes from it.
// Knows nothing of what is said on it.
import { backoffDelay, type BackoffOptions } from "./backoff.js";
import type { ConnectionState } from "./state.js";
import { type SocketConstructor, socketConstructor, type SocketLike, socketStates } from "./websocket.js";

export interface LinkOptions {
  url: () => string;
  WebSocket?: SocketConstructor | undefined;
  backoff?: BackoffOptions | undefined;
  /** A ping after so much silence; as much again without an answer ends the socket (20 000; 0: never). */
  heartbeatMs?: number | undefined;
  onOpen: () => void;
  onFrame: (frame: unknown) => void;
  /** Of the state but `open`, which the owner declares with `settle()`. */
  onState: (state: ConnectionState) => void;
}

type Failure = { code: string; message: string };

export class Link {
  #socket: SocketLike | undefined;
  #attempt = 0;
  #isStarted = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;
  #isProbing = false;
  #leastDelayMs = 0;
  #failure: Failure | undefined;

  constructor(private readonly options: LinkOptions) {}

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#attempt = 0;
    globalThis.addEventListener?.("online", this.#onOnline);
    this.#connect();
  }

  /** For good, unless it is started again. */
  stop(error?: Failure): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    clearTimeout(this.#retry);
    globalThis.removeEventListener?.("online", this.#onOnline);
    this.#drop();
    this.options.onState({ status: "closed", attempt: this.#attempt, ...(error ? { error } : {}) });
  }

  /** The owner has what he wanted of this socket: the next failure is the first one again. */
  settle(): void {
    this.#attempt = 0;
    this.#failure = undefined;
    this.options.onState({ status: "open", attempt: 0 });
  }

  /** Ends this socket and tries again later. */
  restart(error: Failure): void {
    if (!this.#isStarted) return;
    this.#drop();
    this.#failure = error;
    this.#wait();
  }

  /** The server said when to come back. */
  delayNext(ms: number): void {
    this.#leastDelayMs = Math.max(0, Math.min(ms, 60_000));
  }

  /** False where nothing is connected. */
  send(frame: object): boolean {
    if (this.#socket?.readyState !== socketStates.open) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  readonly #onOnline = (): void => {
    if (!this.#retry) return;
    clearTimeout(this.#retry);
    this.#connect();
  };

  #connect(): void {
    this.#retry = undefined;
    this.#attempt += 1;
    this.options.onState({ status: "connecting", attempt: this.#attempt, ...(this.#failure ? { error: this.#failure } : {}) });
    const made = socketConstructor(this.options.WebSocket);
    if (typeof made === "function") return this.#open(made);
    made.then(
      (constructor) => this.#isStarted && !this.#socket && this.#open(constructor),
      (error: Error) => this.stop({ code: "CONNECTION_FAILED", message: `There is no WebSocket here, and ours cannot be loaded: ${error.message}` }),
    );
  }

  #open(constructor: SocketConstructor): void {
    let socket: SocketLike;
    try {
      socket = new constructor(this.options.url());
    } catch (error) {
      return this.stop({ code: "CONNECTION_FAILED", message: (error as Error).message });
    }
    this.#socket = socket;
    const isCurrent = (): boolean => this.#socket === socket;
    socket.onopen = () => {
      if (!isCurrent()) return;
      this.#heard();
      this.options.onOpen();
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (!isCurrent() || typeof event.data !== "string") return;
      this.#heard();
      let frame: unknown;
      try {
        frame = JSON.parse(event.data);
      } catch {
        return this.restart({ code: "BAD_RESPONSE", message: "A frame of the server is not JSON; is it a Troupe server?" });
      }
      this.options.onFrame(frame);
    };
    socket.onerror = () => undefined; // `onclose` follows
    socket.onclose = (event: { code?: number; reason?: string }) => {
      if (!isCurrent()) return;
      const why = event.reason ? `: ${event.reason}` : "";
      this.restart({ code: "CONNECTION_FAILED", message: `The connection ended (${event.code ?? 1006}${why}).` });
    };
  }

  #wait(): void {
    const delay = backoffDelay(Math.max(1, this.#attempt), this.options.backoff, this.#leastDelayMs);
    this.#leastDelayMs = 0;
    this.options.onState({
      status: "waiting", attempt: this.#attempt, retryAt: Date.now() + delay, ...(this.#failure ? { error: this.#failure } : {}),
    });
    this.#retry = setTimeout(() => this.#connect(), delay);
  }

  #drop(): void {
    clearTimeout(this.#heartbeat);
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => undefined;
    if (socket.readyState < socketStates.closing) socket.close(1000);
  }

  #heard(): void {
    this.#heardAt = Date.now();
    this.#isProbing = false;
    if (this.#heartbeat === undefined) this.#beat();
  }

  /** One timer, however much comes: it looks at when something came last. */
  #beat(): void {
    const every = this.options.heartbeatMs ?? 20_000;
    if (every <= 0) return;
    clearTimeout(this.#heartbeat);
    const due = Math.max(1, this.#heardAt + every * (this.#isProbing ? 2 : 1) - Date.now());
    this.#heartbeat = setTimeout(() => {
      this.#heartbeat = undefined;
      if (!this.#socket) return;
      if (Date.now() - this.#heardAt >= every) {
        if (this.#isProbing) return this.restart({ code: "TIMEOUT", message: "The server does not answer any more." });
        this.#isProbing = true;
        this.send({ type: "ping" });
      }
      this.#beat();
    }, due);
  }
}

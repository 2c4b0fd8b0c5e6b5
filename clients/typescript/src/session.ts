// A live session: follows the log over a WebSocket that comes back, loses nothing and tells nothing twice. What has an answer of
// its own (sending, deciding, cancelling) goes over REST, so that a refusal is told to whoever asked.
import { TroupeError } from "./errors.js";
import { Emitter } from "./emitter.js";
import type { ErrorEvent, EventType, NexusEvent, Rating } from "./events.js";
import type { ClientFrame, Decision } from "./frames.js";
import { readHistory, readOlder } from "./history.js";
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import type { Approval, QueuedMessage, SendOptions, SessionRecord, StoredFile } from "./records.js";
import type { Run } from "./run.js";
import type { LiveClient } from "./client.js";
import { SessionStore } from "./store.js";
import type { SessionState } from "./state.js";
import { socketUrl } from "./websocket.js";

export interface SessionOptions {
  projectId?: string;
  agentId?: string;
  /** Of a new session. */
  metadata?: Record<string, unknown>;
  /** So many messages are shown at first (100); `all` folds the whole log. */
  history?: number | "all";
  /** Listeners are told of changes at most so often (16). */
  frameMs?: number;
}
export type SendArguments = SendOptions & { signal?: AbortSignal };

type Phase = "down" | "auth" | "loading" | "attach" | "live";
/** Silence after which history is taken to be complete: the log's last events may have no frame. */
const quietMs = 250;

export class Session {
  readonly #store: SessionStore;
  readonly #emitter = new Emitter();
  readonly #link: Link;
  readonly #outbox: Outbox;
  #id: string | undefined;
  #phase: Phase = "down";
  #seq = 0;
  #older = 0;
  #goal: number | undefined; // loading ends at this seq
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #gone: Set<string> | undefined; // taken out of the queue while its list is on the way
  #token: string | undefined;
  #wasRefused = false;
  #opening: { promise: Promise<void>; resolve: () => void; reject: (e: unknown) => void } | undefined;
  #stopped = new AbortController();

  constructor(
    private readonly client: LiveClient,
    id: string | undefined,
    private readonly options: SessionOptions = {},
  ) {
    this.#id = id;
    this.#store = new SessionStore(options.frameMs);
    this.#link = new Link({
      url: () => socketUrl(client.http.base, "/ws", { projectId: this.#projectId }),
      WebSocket: client.options.WebSocket,
      backoff: client.options.backoff,
      heartbeatMs: client.options.heartbeatMs,
      onOpen: () => void this.#authenticate(false),
      onFrame: (frame) => this.#take(frame as NexusEvent),
      onState: (connection) => {
        if (connection.status !== "open") this.#phase = "down";
        this.#store.put({ type: "local.connection", connection });
        if (connection.status === "closed") this.#closed(connection.error);
      },
    });
    this.#outbox = new Outbox({
      client,
      id: () => this.open().then(() => this.#id!),
      whenLive: () => this.open(),
      dequeue: (messageId) => this.#takeOut(messageId),
      state: () => this.#store.state,
      put: (event) => this.#store.put(event),
    });
  }

  /** Of a new session: after `open()`. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Resolves when it follows the log; a new session is made then. Called by everything that needs it. */
  open(): Promise<void> {
    if (this.#phase === "live") return Promise.resolve();
    if (!this.#opening) {
      let settle!: { resolve: () => void; reject: (e: unknown) => void };
      const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
      promise.catch(() => undefined);
      this.#opening = { promise, ...settle };
      if (this.#stopped.signal.aborted) this.#stopped = new AbortController();
      this.#link.start();
    }
    return this.#opening.promise;
  }

  /** Stops following; runs go on at the server. It may be opened again, and goes on where it was. */
  close(): void {
    this.#link.stop();
  }

  /** With everything that has come so far. */
  getState(): SessionState {
    return this.#store.state;
  }
  readonly getSnapshot = (): SessionState => this.#store.getSnapshot();
  /** Told of changes, at most once a frame. */
  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  /** Each event once, in order; `*` for all. */
  on<T extends EventType | "*">(type: T, handler: (event: T extends EventType ? Extract<NexusEvent, { type: T }> : NexusEvent) => void): () => void {
    return this.#emitter.on(type, handler as (event: NexusEvent) => void);
  }
  /** All events from now on, until the session is closed or the signal aborts. */
  events(options: { signal?: AbortSignal } = {}): AsyncGenerator<NexusEvent> {
    return this.#emitter.iterate(options.signal);
  }

  /** Sends a message and follows its run. `signal` stops waiting; `run.cancel()` stops the run. */
  send(content: string, options: SendArguments = {}): Run {
    return this.#outbox.send(content, options);
  }
  /** Stops the run in progress, or the one named. */
  async cancel(runId?: string): Promise<void> {
    await this.open();
    const waiting = this.#store.state.queue.find((m) => m.runId === runId);
    // It may have started since, of which an event is on its way.
    if (waiting && (await this.#takeOut(waiting.id))) return;
    await this.client.sessions.cancel(this.#id!, runId);
  }
  decide(approvalId: string, decision: Decision, options: { signal?: AbortSignal } = {}): Promise<Approval> {
    return this.client.approvals.decide(approvalId, decision, options);
  }
  /** Tells the others; nothing where nothing is connected. */
  typing(isTyping: boolean): void {
    if (this.#phase === "live") this.#say({ type: "typing", isTyping });
  }
  async react(messageId: string, emoji: string, added = true): Promise<void> {
    await this.client.sessions.react(await this.#ready(), messageId, emoji, added);
  }
  /** What the caller thinks of an answer (its `messageId`); null takes it back. */
  async feedback(messageId: string, feedback: { rating: Rating; note?: string } | null): Promise<void> {
    const id = await this.#ready();
    if (feedback) await this.client.sessions.feedback(id, messageId, feedback);
    else await this.client.sessions.deleteFeedback(id, messageId);
  }
  /** The conversation starts anew: its messages are gone for people and the model. */
  async clear(): Promise<void> {
    await this.client.sessions.clear(await this.#ready());
  }
  async editQueued(messageId: string, changes: { content?: string; position?: number }): Promise<QueuedMessage> {
    return this.client.sessions.editQueued(await this.#ready(), messageId, changes);
  }
  async dequeue(messageId: string): Promise<void> {
    await this.client.sessions.deleteQueued(await this.#ready(), messageId);
    this.#dequeued(messageId);
  }
  async upload(data: Blob | ArrayBuffer | Uint8Array | string, name?: string, options: { signal?: AbortSignal } = {}): Promise<StoredFile> {
    return this.client.sessions.upload(await this.#ready(), data, name, options);
  }
  /** Removes one that was refused from `state.outgoing`. */
  discard(clientMessageId: string): void {
    this.#store.put({ type: "local.sent", clientMessageId });
  }

  /** Puts the page of messages before the first one in front. */
  async loadOlder(options: { signal?: AbortSignal } = {}): Promise<void> {
    const id = await this.#ready();
    const from = this.#older;
    if (from === 0) return;
    const read = await readOlder(this.client.sessions, id, from, options.signal);
    if (this.#older !== from) return; // somebody else has read it meanwhile
    this.#older = read.older;
    this.#store.put({ type: "local.history", messages: read.messages, hasOlder: read.older > 0 });
    this.#store.flush();
  }

  /** False where it does not wait (any more). */
  async #takeOut(messageId: string): Promise<boolean> {
    try {
      await this.dequeue(messageId);
      return true;
    } catch (error) {
      if (error instanceof TroupeError && error.code === "NOT_FOUND") return false;
      throw error;
    }
  }
  #dequeued(messageId: string): void {
    this.#gone?.add(messageId);
    this.#store.put({ type: "local.dequeued", messageId });
    this.#outbox.sweep();
  }

  // ---- the connection ----

  get #projectId(): string | undefined {
    return this.options.projectId ?? this.client.options.projectId;
  }
  get #agentId(): string | undefined {
    return this.options.agentId ?? this.client.options.agentId;
  }
  async #ready(): Promise<string> {
    await this.open();
    return this.#id!;
  }
  #say(frame: ClientFrame): boolean {
    return this.#link.send(frame);
  }

  async #authenticate(isRefused: boolean): Promise<void> {
    this.#phase = "auth";
    const { credentials } = this.client.http;
    try {
      const token = isRefused ? await credentials.refresh(this.#token) : await credentials.current();
      if (this.#phase !== "auth") return;
      if (isRefused && (token === undefined || token === this.#token))
        return this.#giveUp("AUTH_FAILED", "The server refuses the credentials, and there are no others.");
      this.#token = token;
    } catch (error) {
      return this.#giveUp("AUTH_FAILED", `No credentials: ${(error as Error).message}`);
    }
    const projectId = this.#projectId;
    // The agent is for a new session: one that is there has its own.
    const agentId = this.#id === undefined ? this.#agentId : undefined;
    this.#say({ type: "auth", ...(projectId ? { projectId } : {}), ...(agentId ? { agentId } : {}), ...(this.#token ? { token: this.#token } : {}) });
  }

  async #enter(): Promise<void> {
    this.#wasRefused = false;
    if (this.#id === undefined) {
      this.#phase = "attach";
      const agentId = this.#agentId;
      const { metadata } = this.options;
      this.#say({ type: "session.create", ...(agentId ? { agentId } : {}), ...(metadata ? { metadata } : {}) });
      return;
    }
    this.#phase = "loading";
    if (this.#seq === 0 && this.#goal === undefined && !(await this.#loadHistory())) return;
    if (this.#phase !== "loading") return;
    this.#phase = "attach";
    this.#say({ type: "session.resume", sessionId: this.#id, afterSeq: this.#seq });
  }

  async #loadHistory(): Promise<boolean> {
    this.#store.put({ type: "local.loading", isLoading: true });
    const { history = 100 } = this.options;
    try {
      const read = await readHistory(this.client.sessions, this.client.traces, this.#id!, history === "all" ? Infinity : history, this.#stopped.signal);
      this.#id = read.record.id;
      this.#older = read.older;
      this.#seq = read.after;
      this.#goal = read.record.lastSeq;
      this.#store.put({ type: "local.record", record: read.record, turns: read.turns });
      this.#store.put({ type: "local.history", messages: read.messages, hasOlder: read.older > 0, traces: read.traces });
      return true;
    } catch (error) {
      if (this.#stopped.signal.aborted) return false;
      const failure = error instanceof TroupeError ? error : new TroupeError({ code: "BAD_RESPONSE", message: String(error) });
      if (failure.isRetryable || failure.code === "INTERNAL_ERROR") this.#link.restart(failure);
      else this.#giveUp(failure.code, failure.message);
      return false;
    }
  }

  #take(frame: NexusEvent): void {
    if (typeof frame !== "object" || frame === null || typeof frame.type !== "string") return;
    if (frame.type === "auth.success" && this.#phase === "auth") void this.#enter();
    if (frame.type === "error" && frame.runId === undefined && frame.seq === undefined && this.#refused(frame)) return;
    if (frame.type === "session.draining") this.#link.delayNext(frame.reconnectAfterMs);
    const seq = "seq" in frame ? frame.seq : undefined;
    if (seq !== undefined) {
      // Nothing twice, whatever a new connection repeats.
      if (seq <= this.#seq) return;
      this.#seq = seq;
    }
    if (frame.type === "session.created") this.#id = frame.sessionId;
    if (frame.type === "message.dequeued") this.#gone?.add(frame.messageId);
    this.#store.put(frame);
    this.#emitter.emit(frame);
    this.#outbox.take(frame);
    // Said at the moment of attaching: the record was read before.
    if (frame.type === "session.resumed" && frame.lastSeq !== undefined && this.#goal !== undefined) this.#goal = frame.lastSeq;
    if (this.#phase === "attach" && (frame.type === "session.resumed" || frame.type === "session.created")) this.#live();
    if (this.#goal !== undefined) this.#look(seq);
    if (frame.type === "message.complete" || frame.type === "run.cancelled" || (frame.type === "error" && frame.runId !== undefined)) void this.#count();
  }

  #live(): void {
    this.#phase = "live";
    this.#link.settle();
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.resolve();
    if (this.#store.state.queue.length > 0 || this.#goal !== undefined) void this.#readQueue();
  }

  /** Whether history is complete: its last event has come, or nothing comes any more. */
  #look(seq: number | undefined): void {
    const over = (): void => {
      clearTimeout(this.#quiet);
      this.#goal = undefined;
      this.#store.put({ type: "local.loading", isLoading: false });
    };
    if (this.#phase !== "live") return;
    if ((seq ?? this.#seq) >= this.#goal!) return over();
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(over, quietMs);
  }

  /** An error that no run has: of what this connection asked for. True where it is settled here. */
  #refused(e: ErrorEvent): boolean {
    const error = new TroupeError(e);
    if (error.isAuth) {
      // A token that was refreshed and is refused again will not get better.
      if (!this.client.http.credentials.canRefresh || this.#wasRefused) this.#giveUp(e.code, e.message);
      else {
        this.#wasRefused = true;
        void this.#authenticate(true);
      }
      return true;
    }
    if (this.#phase !== "live" || e.code === "NOT_FOUND" || e.code === "FORBIDDEN") {
      if (error.isRetryable || e.code === "INTERNAL_ERROR") this.#link.restart(e);
      else this.#giveUp(e.code, e.message);
      return true;
    }
    if (e.code === "STORAGE_UNAVAILABLE" || e.code === "SHUTTING_DOWN" || e.code === "INTERNAL_ERROR") this.#link.restart(e);
    return false;
  }

  #giveUp(code: string, message: string): void {
    this.#link.stop({ code, message });
  }

  #closed(error: { code: string; message: string } | undefined): void {
    clearTimeout(this.#quiet);
    this.#stopped.abort();
    const failure = new TroupeError(error ?? { code: "CLIENT_CLOSED", message: "The session was closed here." });
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.reject(failure);
    this.#outbox.close(failure);
    this.#emitter.close(error ? failure : undefined);
    this.#store.put({ type: "local.loading", isLoading: false });
  }

  /** What titles and cancelled calls cost is billed later than any event of the run tells: the record knows all. */
  async #count(): Promise<void> {
    if (this.#store.state.queue.length > 0) return this.#readQueue();
    await this.#quietly(async (id) => {
      this.#store.put({ type: "local.record", record: await this.#record(id) });
    });
  }
  #record(id: string): Promise<SessionRecord> {
    return this.client.sessions.get(id, { signal: this.#stopped.signal });
  }
  async #readQueue(): Promise<void> {
    await this.#quietly(async (id) => {
      const known = this.#store.state.queue.map((m) => m.id);
      const taken = (this.#gone = new Set<string>());
      const { items } = await this.client.sessions.queue(id, { limit: 100 }, { signal: this.#stopped.signal });
      const record = await this.#record(id);
      if (this.#gone !== taken) return; // a newer list is on its way
      this.#gone = undefined;
      this.#store.put({ type: "local.record", record });
      // Left the queue, and every event up to a later moment has come: no run was started.
      const listed = new Set(items.map((m) => m.messageId));
      const isLevel = record.lastSeq <= this.#seq && items.length < 100;
      const gone = isLevel ? known.filter((messageId) => !listed.has(messageId)) : [];
      this.#store.put({ type: "local.queue", items, gone: [...gone, ...taken] });
      this.#outbox.sweep();
    });
  }
  /** What makes the picture better and is no reason to fail. */
  async #quietly(read: (id: string) => Promise<void>): Promise<void> {
    try {
      await read(this.#id!);
    } catch {
      // The next event, or the next connection, asks again.
    }
  }
}

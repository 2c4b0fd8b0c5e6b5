// Approvals of all sessions, kept up to date by asking again: the native protocol tells of one session only. What has not
// changed stays the same object.
import type { CallOptions } from "./http.js";
import type { Decision } from "./frames.js";
import type { TroupeError } from "./errors.js";
import type { Approval, BulkResult, Page } from "./records.js";
import type { ApprovalQuery } from "./rest/approvals.js";

export interface ApprovalInboxState {
  readonly approvals: readonly Approval[];
  readonly total: number;
  /** Nothing was read yet. */
  readonly isLoading: boolean;
  /** Of the last time it was asked for. */
  readonly error: TroupeError | Error | null;
}

export interface ApprovalSource {
  list(query?: ApprovalQuery, options?: CallOptions): Promise<Page<Approval>>;
  decide(id: string, decision: Decision, options?: CallOptions): Promise<Approval>;
  decideMany(ids: string[], decision: Pick<Decision, "approved" | "choice" | "note" | "remember">, options?: CallOptions): Promise<BulkResult[]>;
}

export class ApprovalInbox {
  #state: ApprovalInboxState = { approvals: [], total: 0, isLoading: true, error: null };
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  /** `intervalMs`: how often it asks while somebody listens (5000). */
  constructor(
    private readonly source: ApprovalSource,
    private readonly query: ApprovalQuery = { status: "pending", limit: 100 },
    private readonly intervalMs = 5000,
  ) {}

  readonly getSnapshot = (): ApprovalInboxState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) void this.refresh();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#asking?.abort();
    };
  };

  /** Asks now. */
  readonly refresh = async (): Promise<void> => {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const page = await this.source.list(this.query, { signal: asking.signal });
      if (asking.signal.aborted) return;
      this.#show({ approvals: this.#merged(page.items), total: page.total, isLoading: false, error: null });
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#show({ ...this.#state, isLoading: false, error: error as Error });
    }
    if (this.#listeners.size > 0) this.#timer = setTimeout(this.refresh, this.intervalMs);
  };

  readonly decide = async (id: string, decision: Decision): Promise<Approval> => {
    try {
      return await this.source.decide(id, decision);
    } finally {
      await this.refresh(); // also where somebody else was first
    }
  };

  readonly decideMany = async (ids: string[], decision: Pick<Decision, "approved" | "choice" | "note" | "remember">): Promise<BulkResult[]> => {
    try {
      return await this.source.decideMany(ids, decision);
    } finally {
      await this.refresh();
    }
  };

  #merged(items: readonly Approval[]): readonly Approval[] {
    const before = new Map(this.#state.approvals.map((a) => [a.id, a]));
    const merged = items.map((a) => {
      const known = before.get(a.id);
      return known && JSON.stringify(known) === JSON.stringify(a) ? known : a;
    });
    const isSame = merged.length === this.#state.approvals.length && merged.every((a, i) => a === this.#state.approvals[i]);
    return isSame ? this.#state.approvals : merged;
  }

  #show(next: ApprovalInboxState): void {
    const keys = Object.keys(next) as (keyof ApprovalInboxState)[];
    if (keys.every((key) => next[key] === this.#state[key])) return;
    this.#state = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

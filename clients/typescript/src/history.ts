// Where a client that opens a session begins to follow its log. A long session is not replayed from its first event: older
// exchanges come as stored messages, the last ones as events.
import type { Sessions } from "./rest/sessions.js";
import type { Traces } from "./rest/projects.js";
import type { MessageRecord, SessionRecord, Trace } from "./records.js";

const largestPage = 100;
const mostAttempts = 5;

export interface SessionHistory {
  record: SessionRecord;
  /** Runs so far. */
  turns: number;
  /** Those up to `after`. */
  messages: MessageRecord[];
  traces: Trace[];
  /** Messages before them, which were not read. */
  older: number;
  /** The log is followed from here on. */
  after: number;
}

/**
 * The last seq before an exchange that began when nothing else was going on, so that what is after it can be told by events
 * alone: its message has an answer, and no run before it goes on behind it. 0: from the beginning.
 */
export function cutOf(messages: readonly MessageRecord[], isWhole: boolean): number | undefined {
  const lastOfRun = new Map<string, number>();
  for (const m of messages) if (m.role === "assistant" && m.runId !== null) lastOfRun.set(m.runId, m.seq);
  for (let i = messages.length - 1; i >= 0; --i) {
    const m = messages[i]!;
    if (m.role !== "user" || m.runId === null || !lastOfRun.has(m.runId)) continue;
    const goesOn = messages.slice(0, i).some((before) => before.runId !== null && (lastOfRun.get(before.runId) ?? 0) > m.seq);
    if (!goesOn) return m.seq - 1;
  }
  return isWhole ? 0 : undefined;
}

/** `most` messages at least, where there are so many; `all` of the log where most is Infinity. */
export async function readHistory(sessions: Sessions, traces: Traces, id: string, most: number, signal: AbortSignal): Promise<SessionHistory> {
  const options = { signal };
  for (let attempt = 1; ; ++attempt) {
    const runs = await traces.ofSession(id, { limit: Number.isFinite(most) ? largestPage : 1 }, options);
    const record = await sessions.get(id, options);
    const read = Number.isFinite(most) && record.messageCount > 0 ? await readLast(sessions, id, most, signal) : { messages: [], older: 0 };
    // Totals must be of one moment: else a run that began meanwhile would be counted twice, or not at all.
    const { total } = await traces.ofSession(id, { limit: 1 }, options);
    if (total !== runs.total && attempt < mostAttempts) continue;
    const after = cutOf(read.messages, read.older === 0) ?? 0;
    const messages = read.messages.filter((m) => m.seq <= after);
    return { record, turns: runs.total, traces: runs.items, older: after === 0 ? 0 : read.older, after, messages };
  }
}

async function readLast(sessions: Sessions, id: string, most: number, signal: AbortSignal): Promise<{ messages: MessageRecord[]; older: number }> {
  let messages: MessageRecord[] = [];
  let { total: offset } = await sessions.messages(id, { limit: 1 }, { signal });
  // Further back than asked for, where no place to cut is found: that is a long queue, or a run that never paused.
  while (offset > 0 && (messages.length < most || cutOf(messages, false) === undefined)) {
    const limit = Math.min(largestPage, offset);
    offset -= limit;
    const page = await sessions.messages(id, { limit, offset }, { signal });
    const known = new Set(messages.map((m) => m.seq));
    messages = [...page.items.filter((m) => !known.has(m.seq)), ...messages];
  }
  return { messages, older: offset };
}

/** The page of messages before the first `older` ones. */
export async function readOlder(sessions: Sessions, id: string, older: number, signal?: AbortSignal): Promise<{ messages: MessageRecord[]; older: number }> {
  const limit = Math.min(largestPage, older);
  if (limit === 0) return { messages: [], older: 0 };
  const page = await sessions.messages(id, { limit, offset: older - limit }, signal ? { signal } : {});
  return { messages: page.items, older: older - limit };
}

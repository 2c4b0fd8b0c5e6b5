// The part of the fold that is not events: history and totals out of REST, the connection, what was sent from here.
import type { LogEvent } from "./events.js";
import type { Draft } from "./draft.js";
import type { MessageRecord, QueuedMessage, Trace } from "./records.js";
import type { Answer, AnswerPart, ChatMessage, QueuedEntry, SessionEvent, UserMessage } from "./state.js";

export function reduceLocal(d: Draft, e: SessionEvent | LogEvent): void {
  switch (e.type) {
    case "local.connection":
      return d.set({ connection: e.connection, ...(e.connection.status === "open" ? { isDraining: false } : { presence: [], typing: [] }) });
    case "local.loading":
      return d.set({ isLoading: e.isLoading });
    case "local.record": {
      const { record } = e;
      d.set({
        record, sessionId: record.id, agentId: record.agentId, title: record.title, status: record.status, participants: record.participants,
        usage: record.usage, usageSeq: Math.max(record.lastSeq, d.state.usageSeq),
        ...(e.turns === undefined ? {} : { turns: e.turns, turnsSeq: record.lastSeq }),
      });
      return;
    }
    case "local.history": {
      const known = new Set(d.state.messages.map((m) => m.id));
      const older = chatMessagesOf(e.messages, e.traces).filter((m) => !known.has(m.id));
      return d.set({ messages: [...older, ...d.state.messages], hasOlder: e.hasOlder });
    }
    case "local.queue":
      return reconcileQueue(d, e.items, new Set(e.gone));
    case "local.dequeued":
      return d.set({ queue: d.state.queue.filter((m) => m.id !== e.messageId) });
    case "local.sending": {
      const others = d.state.outgoing.filter((m) => m.clientMessageId !== e.message.clientMessageId);
      return d.set({ outgoing: [...others, e.message] });
    }
    case "local.sent":
      return d.set({ outgoing: d.state.outgoing.filter((m) => m.clientMessageId !== e.clientMessageId) });
    case "local.refused":
      return d.set({ outgoing: d.state.outgoing.map((m) => (m.clientMessageId === e.clientMessageId ? { ...m, error: e.error } : m)) });
    default: // events that have nothing to show
  }
}

/**
 * What was listed waits, unless events that came since say something else. What was not listed may have started, of which an
 * event is on its way, or was taken out, of which older servers send none: it is gone where the session knows so.
 */
function reconcileQueue(d: Draft, items: readonly QueuedMessage[], gone: ReadonlySet<string>): void {
  if (d.state.queue.some((m) => gone.has(m.id))) d.set({ queue: d.state.queue.filter((m) => !gone.has(m.id)) });
  for (const item of items) {
    if (gone.has(item.messageId)) continue;
    if (d.state.queue.some((m) => m.id === item.messageId)) continue;
    if (d.indexOf((m) => m.kind === "answer" && m.runId === item.runId) >= 0) continue; // it has started since
    const at = d.indexOf((m) => m.id === item.messageId);
    if (at >= 0) d.list("messages").splice(at, 1);
    d.list("queue").push(queuedEntryOf(item));
  }
  if (d.state.queue.length < 2) return;
  const place = new Map(items.map((m, i) => [m.messageId, i]));
  d.list("queue").sort((a, b) => (place.get(a.id) ?? Infinity) - (place.get(b.id) ?? Infinity));
}

function queuedEntryOf(item: QueuedMessage): QueuedEntry {
  return {
    kind: "user", id: item.messageId, content: item.content, author: item.author, authorName: item.authorName, attachments: item.attachments,
    reactions: [], seq: 0, runId: item.runId, createdAt: item.queuedAt,
    ...(item.clientMessageId === undefined ? {} : { clientMessageId: item.clientMessageId }),
  };
}

/** Stored messages as the fold of their events shows them: the messages of one run are one answer. */
export function chatMessagesOf(records: readonly MessageRecord[], traces: readonly Trace[] = []): ChatMessage[] {
  const traceOf = new Map(traces.map((t) => [t.runId, t]));
  const out: ChatMessage[] = [];
  const answers = new Map<string, number>();
  for (const record of records) {
    if (record.role === "user") out.push(userMessageOf(record));
    if (record.role !== "assistant") continue;
    const run = record.runId ?? "";
    const at = run === "" ? undefined : answers.get(run);
    if (at !== undefined) {
      out[at] = joined(out[at] as Answer, record);
    } else {
      answers.set(run, out.length);
      out.push(joined(undefined, record));
    }
  }
  return out.map((m) => {
    const trace = m.kind === "answer" ? traceOf.get(m.runId) : undefined;
    if (m.kind !== "answer" || !trace) return m;
    const status = statuses[trace.status] ?? m.status;
    return { ...m, traceId: trace.traceId, usage: trace.usage, status };
  });
}

const statuses: Record<string, Answer["status"]> = { completed: "completed", failed: "failed", cancelled: "cancelled" };

function userMessageOf(m: MessageRecord): UserMessage {
  return {
    kind: "user", id: m.id ?? "", content: m.content, author: m.author, authorName: m.authorName, attachments: m.attachments, reactions: m.reactions,
    seq: m.seq, createdAt: m.createdAt, ...(m.runId === null ? {} : { runId: m.runId }),
    ...(m.clientMessageId === undefined ? {} : { clientMessageId: m.clientMessageId }),
  };
}

function joined(before: Answer | undefined, m: MessageRecord): Answer {
  const parts: AnswerPart[] = [...(before?.parts ?? [])];
  if (m.content !== "") parts.push({ kind: "text", text: m.content, fromSeq: m.seq });
  for (const { success, ...call } of m.toolCalls)
    parts.push({ kind: "tool", ...call, status: success === null ? "stopped" : success ? "ok" : "failed", progress: "", seq: m.seq });
  const feedback = [...(before?.feedback ?? []), ...(m.feedback ?? [])];
  return {
    kind: "answer", id: before?.id ?? m.id ?? "", messageId: m.id ?? before?.messageId ?? "", runId: m.runId ?? "", status: m.cut ? "cut" : "completed",
    ...(feedback.length > 0 ? { feedback } : {}),
    parts, reactions: [...(before?.reactions ?? []), ...m.reactions], seq: before?.seq ?? m.seq, endSeq: m.seq, createdAt: before?.createdAt ?? m.createdAt,
  };
}

// Events in, what a screen shows out. Pure: no clock, no I/O. An event that was folded before changes nothing, so the log may
// be told twice. Frames must be those of `/ws`, event streams or event lists: one for each event.
import type { ApprovalRequired, EventOf, LogEvent, MessageCreated, NexusEvent, Usage, User } from "./events.js";
import { Draft, statusWith } from "./draft.js";
import { reduceLocal } from "./local.js";
import {
  type Answer, type AnswerFeedback, type ApprovalCard, type ChatMessage, noUsage, type QueuedEntry, type SessionEvent, type SessionState, type ToolPart, type UserMessage,
} from "./state.js";

const longestProgress = 64 * 1024;

/** The state after `event`: the same object where it changes nothing. */
export function reduceSession(state: SessionState, event: SessionEvent | LogEvent): SessionState {
  return reduceSessionAll(state, [event]);
}

/** The state after all of them; cheaper than one by one. */
export function reduceSessionAll(state: SessionState, events: Iterable<SessionEvent | LogEvent>): SessionState {
  const draft = new Draft(state);
  for (const event of events) fold(draft, event);
  return draft.finish();
}

function fold(d: Draft, event: SessionEvent | LogEvent): void {
  const seq = "seq" in event ? event.seq : undefined;
  if (seq !== undefined) {
    if (seq <= d.state.lastSeq) return;
    d.set({ lastSeq: seq });
  }
  const handler = handlers[event.type as NexusEvent["type"]] as ((d: Draft, e: typeof event) => void) | undefined;
  if (handler) handler(d, event);
  else reduceLocal(d, event);
}

type Handlers = { [T in NexusEvent["type"]]?: (d: Draft, e: EventOf<T>) => void };

const handlers: Handlers = {
  "session.created": (d, e) => d.set({ sessionId: e.sessionId, agentId: e.agentId }),
  "session.resumed": (d, e) => d.set({ sessionId: e.sessionId, status: e.status }),
  "session.updated": (d, e) =>
    d.set({ status: e.status, ...(e.title === undefined ? {} : { title: e.title }), ...(e.participants ? { participants: e.participants } : {}) }),
  "session.cleared": (d) => {
    // What runs now, and what waits, stays.
    const run = d.state.run?.runId;
    d.set({ messages: run ? d.state.messages.filter((m) => m.runId === run) : [], hasOlder: false });
  },
  "session.cost_alert": (d, e) => d.set({ costAlert: e }),
  "session.draining": (d) => d.set({ isDraining: true }),
  presence: (d, e) => {
    const here = new Set(e.users.map((u) => u.userId));
    d.set({ presence: e.users, typing: d.state.typing.filter((u) => here.has(u.userId)) });
  },
  typing: (d, e) => setTyping(d, e, e.isTyping),

  "message.created": addMessage,
  "message.queued": (d, e) => {
    const at = d.indexOf((m) => m.id === e.messageId);
    const message = at < 0 ? undefined : d.state.messages[at]!;
    if (message?.kind !== "user") return;
    d.list("messages").splice(at, 1);
    d.list("queue").splice(Math.max(0, e.position - 1), 0, { ...message, runId: e.runId });
  },
  "message.dequeued": (d, e) => {
    if (d.state.queue.some((m) => m.id === e.messageId)) d.set({ queue: d.state.queue.filter((m) => m.id !== e.messageId) });
  },
  "message.edited": (d, e) => {
    const at = d.state.queue.findIndex((m) => m.id === e.messageId);
    if (at >= 0) d.list("queue")[at] = { ...d.state.queue[at]!, content: e.content };
  },
  "queue.reordered": (d, e) => {
    const place = new Map(e.messageIds.map((id, i) => [id, i]));
    d.list("queue").sort((a, b) => (place.get(a.id) ?? Infinity) - (place.get(b.id) ?? Infinity));
  },
  "message.reaction": (d, e) => {
    const at = d.indexOf((m) => m.id === e.messageId || (m.kind === "answer" && m.messageId === e.messageId));
    if (at < 0) return;
    const message = d.state.messages[at]!;
    const others = message.reactions.filter((r) => r.emoji !== e.emoji || r.userId !== e.userId);
    const reactions = e.added ? [...others, { emoji: e.emoji, userId: e.userId, username: e.username }] : others;
    d.put(at, { ...message, reactions });
  },
  "message.feedback": (d, e) => {
    const at = d.indexOf((m) => m.kind === "answer" && (m.id === e.messageId || m.messageId === e.messageId));
    if (at < 0) return;
    const answer = d.state.messages[at] as Answer;
    const { feedback: before = [], ...rest } = answer;
    const feedback: AnswerFeedback[] = before.filter((f) => f.by !== e.by);
    if (e.rating !== null) feedback.push({ messageId: e.messageId, rating: e.rating, by: e.by, ...(e.note ? { note: e.note } : {}) });
    d.put(at, feedback.length > 0 ? { ...answer, feedback } : rest);
  },

  "run.started": startRun,
  "message.content_delta": (d, e) => {
    const answer = d.answer();
    if (!answer) return;
    const parts = d.parts(answer);
    const last = parts.at(-1);
    if (last?.kind === "text") parts[parts.length - 1] = { ...last, text: last.text + e.text };
    else parts.push({ kind: "text", text: e.text, fromSeq: e.seq });
    setParked(d);
  },
  "message.superseded": (d, e) => {
    const answer = d.answer();
    // A step writes its text before its calls, so what is void is whole parts at the end.
    if (answer?.parts.some((p) => p.kind === "text" && p.fromSeq >= e.fromSeq))
      answer.parts = answer.parts.filter((p) => p.kind !== "text" || p.fromSeq < e.fromSeq);
  },
  "message.complete": (d, e) => {
    endRun(d, { status: "completed", messageId: e.messageId, traceId: e.traceId, usage: e.usage, endSeq: e.seq });
  },
  "run.cancelled": (d, e) => {
    if (d.state.run?.runId !== e.runId) return;
    const answer = d.answer();
    if (answer && !e.textKept) answer.parts = answer.parts.filter((p, i) => p.kind !== "text" || i < answer.parts.length - 1);
    endRun(d, { status: "cancelled", endSeq: e.seq, ...(e.usage ? { usage: e.usage } : {}) });
  },
  error: (d, e) => {
    if (e.runId !== undefined && d.state.run?.runId === e.runId)
      endRun(d, {
        status: "failed", error: { code: e.code, message: e.message },
        ...(e.seq === undefined ? {} : { endSeq: e.seq }), ...(e.usage ? { usage: e.usage } : {}),
      });
  },

  "message.tool_start": (d, e) => {
    const answer = d.answer();
    if (!answer) return;
    const parts = d.parts(answer);
    const tool: ToolPart = {
      kind: "tool", toolCallId: e.toolCallId, tool: e.tool, input: e.input, status: "running", progress: "", seq: e.seq,
      ...(e.childSessionId === undefined ? {} : { childSessionId: e.childSessionId }),
      ...(e.allowedBy === undefined ? {} : { allowedBy: e.allowedBy }),
    };
    // A call that a crash interrupted is told again when it is tried again.
    const again = parts.findIndex((p) => p.kind === "tool" && p.toolCallId === e.toolCallId && p.tool === e.tool && isOpen(p));
    if (again >= 0) parts[again] = tool;
    else parts.push(tool);
    setParked(d);
  },
  "message.tool_progress": (d, e) =>
    d.changeTool(e.toolCallId, (tool) => ({ ...tool, progress: (tool.progress + e.text).slice(-longestProgress) })),
  "message.tool_complete": (d, e) => {
    for (const card of d.state.approvals.filter((a) => a.toolCallId === e.toolCallId))
      d.changeApproval(card.approvalId, (a) => ({ ...a, status: "expired" }));
    d.changeTool(e.toolCallId, (tool) => ({
      ...tool, status: e.success ? "ok" : "failed", output: e.output, durationMs: e.durationMs,
      ...(e.outputBytes === undefined ? {} : { outputBytes: e.outputBytes }),
      ...(e.cost === undefined ? {} : { cost: e.cost }),
    }));
    setParked(d);
  },
  "message.approval_required": (d, e) => {
    const card = cardOf(e);
    const at = d.state.approvals.findIndex((a) => a.approvalId === e.approvalId);
    if (at >= 0) d.list("approvals")[at] = card;
    else d.list("approvals").push(card);
    d.changeTool(e.toolCallId, (tool) => ({ ...tool, approval: card, status: statusWith(tool, card) }));
    setParked(d);
  },
  "approval.endorsed": (d, e) =>
    d.changeApproval(e.approvalId, (card) => ({
      ...card, endorsedBy: e.endorsedBy, ...(e.requiredApprovals === undefined ? {} : { requiredApprovals: e.requiredApprovals }),
    })),
  "approval.decided": (d, e) => {
    d.changeApproval(e.approvalId, (card) => ({
      ...card, status: e.decision, resolvedBy: e.resolvedBy,
      ...(e.note === undefined ? {} : { note: e.note }), ...(e.choice === undefined ? {} : { choice: e.choice }),
      ...(e.editedInput === undefined ? {} : { editedInput: e.editedInput }),
    }));
    setParked(d);
  },
};

function addMessage(d: Draft, e: MessageCreated): void {
  const mine = e.clientMessageId;
  if (mine !== undefined && d.state.outgoing.some((m) => m.clientMessageId === mine))
    d.set({ outgoing: d.state.outgoing.filter((m) => m.clientMessageId !== mine) });
  if (d.state.queue.some((m) => m.id === e.messageId)) return; // read from the list of the queue before
  // Who has no name is shown as `anonymous` to others, and has no author here.
  setTyping(d, { userId: e.author || "anonymous", username: "" }, false);
  const common = { id: e.messageId, reactions: [], seq: e.seq };
  const message: ChatMessage =
    e.role === "assistant"
      ? { ...common, kind: "answer", messageId: e.messageId, runId: "", status: "completed", parts: [{ kind: "text", text: e.content, fromSeq: e.seq }] }
      : { ...common, kind: "user", content: e.content, author: e.author, authorName: e.authorName ?? "", attachments: e.attachments ?? [],
          ...(mine === undefined ? {} : { clientMessageId: mine }) };
  d.list("messages").push(message);
}

/** Its message comes out of the queue, or is the last one that nobody answers yet. */
function startRun(d: Draft, e: EventOf<"run.started">): void {
  const at = d.state.queue.findIndex((m) => m.runId === e.runId);
  if (at >= 0) {
    const message: QueuedEntry = d.state.queue[at]!;
    // Runs start in the order of the queue: what stood before it was taken out, of which older servers do not tell.
    d.list("queue").splice(0, at + 1);
    d.list("messages").push(message);
  } else {
    const asked = d.indexOf((m) => m.kind === "user");
    const message = asked < 0 ? undefined : (d.state.messages[asked] as UserMessage);
    // It did not wait, so nothing waited that was sent before.
    if (message && d.state.queue.some((m) => m.seq < message.seq)) d.set({ queue: d.state.queue.filter((m) => m.seq > message.seq) });
    if (message && message.runId === undefined) d.put(asked, { ...message, runId: e.runId });
  }
  d.set({ run: { runId: e.runId, isParked: false }, approvals: [], ...(e.seq > d.state.turnsSeq ? { turns: d.state.turns + 1 } : {}) });
  d.list("messages").push({
    kind: "answer", id: e.messageId, messageId: e.messageId, runId: e.runId, traceId: e.traceId, status: "running", parts: [], reactions: [], seq: e.seq,
  });
}

/** Nobody waits for its calls or decides its approvals any more. */
function endRun(d: Draft, changes: Partial<Answer>): void {
  const answer = d.answer();
  if (answer) {
    if (changes.usage && answer.seq > d.state.usageSeq) d.set({ usage: sum(d.state.usage, changes.usage) });
    if (answer.parts.some((p) => p.kind === "tool" && isOpen(p)))
      answer.parts = answer.parts.map((p) => {
        if (p.kind !== "tool" || !isOpen(p)) return p;
        const approval = p.approval?.status === "pending" ? { ...p.approval, status: "expired" as const } : p.approval;
        return { ...p, status: "stopped", ...(approval ? { approval } : {}) };
      });
    Object.assign(answer, changes);
  }
  d.set({ run: null, ...(d.state.approvals.length > 0 ? { approvals: [] } : {}) });
}

const isOpen = (tool: ToolPart): boolean => tool.status === "running" || tool.status === "waiting";

/** A run is parked when all it waits for are people. */
function setParked(d: Draft): void {
  const run = d.state.run;
  const index = d.answerIndex;
  if (!run || index < 0) return;
  const { parts } = d.state.messages[index] as Answer;
  const isParked = d.state.approvals.length > 0 && parts.at(-1)?.kind === "tool" && parts.every((p) => p.kind !== "tool" || p.status !== "running");
  if (isParked === run.isParked) return;
  d.set({ run: { ...run, isParked } });
  d.answer()!.status = isParked ? "parked" : "running";
}

function setTyping(d: Draft, who: User, isTyping: boolean): void {
  const others = d.state.typing.filter((u) => u.userId !== who.userId);
  if (isTyping) others.push({ userId: who.userId, username: who.username });
  if (isTyping || others.length !== d.state.typing.length) d.set({ typing: others });
}

function cardOf(e: ApprovalRequired): ApprovalCard {
  const { type: _type, seq: _seq, ...fields } = e;
  return { requiredApprovals: 1, endorsedBy: [], ...fields, status: "pending" };
}

export function sum(a: Usage, b: Usage): Usage {
  const out = { ...noUsage };
  for (const key of Object.keys(out) as (keyof Usage)[]) out[key] = a[key] + b[key];
  // Dollars are told in micro-dollars at the finest: what adding makes of them beyond that is noise.
  for (const key of ["cost", "costUsd"] as const) out[key] = Math.round(out[key] * 1e6) / 1e6;
  return out;
}

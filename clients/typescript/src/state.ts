// What a screen shows of a session: a fold of its events (reducer.ts). Values are immutable, and what an event does not change
// stays the same object, so that a row of a long list is drawn again only when it has changed.
import type { AnyStatus, ApprovalDecision, ApprovalKind, Attachment, NexusEvent, OutcomeChoice, Rating, SessionCostAlert, Usage, User } from "./events.js";
import type { MessageRecord, QueuedMessage, Reaction, SessionRecord, Trace } from "./records.js";

export type ConnectionStatus = "idle" | "connecting" | "open" | "waiting" | "closed";
export interface ConnectionState {
  status: ConnectionStatus;
  /** Tries since it was last open. */
  attempt: number;
  /** Of `waiting`: when the next try begins, in milliseconds since 1970. */
  retryAt?: number;
  /** Why it is waiting or closed. */
  error?: { code: string; message: string };
}

export interface UserMessage {
  readonly kind: "user";
  readonly id: string;
  readonly content: string;
  readonly author: string;
  readonly authorName: string;
  readonly attachments: readonly Attachment[];
  readonly reactions: readonly Reaction[];
  readonly seq: number;
  /** The run that answers it, once that has started. */
  readonly runId?: string;
  readonly clientMessageId?: string;
  /** Only where the message was read from history: events have no times. */
  readonly createdAt?: string;
}

/** A message that waits for the runs before it. */
export interface QueuedEntry extends UserMessage {
  readonly runId: string;
}

export interface ApprovalCard {
  readonly approvalId: string;
  readonly toolCallId: string;
  readonly tool: string;
  readonly action: unknown;
  readonly kind: ApprovalKind;
  readonly riskLevel: string;
  readonly expiresAt: string;
  readonly requiredApprovals: number;
  readonly endorsedBy: readonly string[];
  readonly choices?: readonly OutcomeChoice[];
  readonly message?: string;
  readonly schema?: unknown;
  readonly argumentsHash?: string;
  readonly originSessionId?: string;
  readonly status: "pending" | ApprovalDecision;
  readonly resolvedBy?: string;
  readonly note?: string;
  readonly choice?: OutcomeChoice;
  /** The arguments that ran in the place of `action`. */
  readonly editedInput?: unknown;
}

export interface TextPart {
  readonly kind: "text";
  readonly text: string;
  /** Of its first piece. */
  readonly fromSeq: number;
}

/** `waiting`: for a person. `stopped`: the run ended before the call did. */
export type ToolStatus = "running" | "waiting" | "ok" | "failed" | "stopped";
export interface ToolPart {
  readonly kind: "tool";
  readonly toolCallId: string;
  readonly tool: string;
  readonly input: unknown;
  readonly status: ToolStatus;
  readonly output?: unknown;
  /** Its output while it runs; the last 64 Ki characters. */
  readonly progress: string;
  readonly durationMs?: number;
  readonly outputBytes?: number;
  readonly cost?: number;
  readonly childSessionId?: string;
  readonly allowedBy?: string;
  readonly approval?: ApprovalCard;
  readonly seq: number;
}
export type AnswerPart = TextPart | ToolPart;

/** `at` is known only where the message was read from history: events have no times. */
export interface AnswerFeedback {
  readonly messageId: string;
  readonly rating: Rating;
  readonly note?: string;
  readonly by: string;
  readonly at?: string;
}

/** `cut`: history tells only that it was stopped or that it failed. */
export type AnswerStatus = "running" | "parked" | "completed" | "failed" | "cancelled" | "cut";
/** All of one run. */
export interface Answer {
  readonly kind: "answer";
  /** Of its first message; `messageId` is that of its last, which reactions and forks name. */
  readonly id: string;
  readonly messageId: string;
  readonly runId: string;
  readonly traceId?: string;
  readonly status: AnswerStatus;
  readonly parts: readonly AnswerPart[];
  readonly reactions: readonly Reaction[];
  /** The newest of each person. */
  readonly feedback?: readonly AnswerFeedback[];
  readonly usage?: Usage;
  readonly error?: { readonly code: string; readonly message: string };
  readonly seq: number;
  readonly endSeq?: number;
  readonly createdAt?: string;
}
export type ChatMessage = UserMessage | Answer;

/** Sent from here and not yet told by the server. */
export interface OutgoingMessage {
  readonly clientMessageId: string;
  readonly content: string;
  readonly attachments: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface SessionState {
  readonly sessionId?: string;
  readonly agentId?: string;
  readonly title: string;
  readonly status: AnyStatus;
  readonly participants: readonly string[];
  readonly record?: SessionRecord;
  readonly connection: ConnectionState;
  /** History is on its way. */
  readonly isLoading: boolean;
  readonly lastSeq: number;
  readonly messages: readonly ChatMessage[];
  /** There are messages before the first one here: `session.loadOlder()`. */
  readonly hasOlder: boolean;
  readonly queue: readonly QueuedEntry[];
  readonly outgoing: readonly OutgoingMessage[];
  /** Those that wait for a person, oldest first. */
  readonly approvals: readonly ApprovalCard[];
  readonly run: { readonly runId: string; readonly isParked: boolean } | null;
  /** Of the whole session. Of a run in progress it is known at its end. */
  readonly usage: Usage;
  /** Runs so far. */
  readonly turns: number;
  /** `usage` has the runs that began up to here, `turns` those up to there. */
  readonly usageSeq: number;
  readonly turnsSeq: number;
  readonly costAlert: SessionCostAlert | null;
  readonly presence: readonly User[];
  readonly typing: readonly User[];
  /** The server is about to stop. */
  readonly isDraining: boolean;
}

export const noUsage: Usage = { promptTokens: 0, completionTokens: 0, totalTokens: 0, cost: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };

export const emptySession: SessionState = {
  title: "",
  status: "active",
  participants: [],
  connection: { status: "idle", attempt: 0 },
  isLoading: false,
  lastSeq: 0,
  messages: [],
  hasOlder: false,
  queue: [],
  outgoing: [],
  approvals: [],
  run: null,
  usage: noUsage,
  turns: 0,
  usageSeq: 0,
  turnsSeq: 0,
  costAlert: null,
  presence: [],
  typing: [],
  isDraining: false,
};

/** What a live session knows besides events. */
export type LocalEvent =
  | { type: "local.connection"; connection: ConnectionState }
  | { type: "local.loading"; isLoading: boolean }
  | { type: "local.record"; record: SessionRecord; turns?: number }
  | { type: "local.history"; messages: readonly MessageRecord[]; hasOlder: boolean; traces?: readonly Trace[] }
  | { type: "local.queue"; items: readonly QueuedMessage[]; gone: readonly string[] }
  | { type: "local.dequeued"; messageId: string }
  | { type: "local.sending"; message: OutgoingMessage }
  | { type: "local.sent"; clientMessageId: string }
  | { type: "local.refused"; clientMessageId: string; error: { code: string; message: string } };

export type SessionEvent = NexusEvent | LocalEvent;

/** The text of an answer, without its tools. */
export function textOf(answer: Answer): string {
  let text = "";
  for (const part of answer.parts) if (part.kind === "text") text += part.text;
  return text;
}

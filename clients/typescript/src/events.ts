// Every frame that the server sends to a client of the native protocol: over WebSocket, in event streams and in event lists.
// The one place for their types. tests/e2e/client_types.test.mjs makes a JSON Schema of this file and checks every frame of
// real conversations against it, unknown fields included, so it cannot drift from the server.

/** Of model calls. Both spellings are always there; `cost` and `costUsd` are US dollars. */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  cost: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
}

export interface Attachment {
  fileId: string;
  name: string;
  contentType: string;
  size: number;
}

export interface User {
  userId: string;
  username: string;
}

export type SessionStatus = "active" | "paused" | "closed";
/** `deleted`: over other protocols; it is not found any more. */
export type AnyStatus = SessionStatus | "deleted";
export type Rating = "up" | "down";
export type Role = "system" | "user" | "assistant" | "tool";
export type ApprovalKind = "tool" | "outcome_unknown" | "input";
export type ApprovalDecision = "approved" | "denied" | "expired";
export type OutcomeChoice = "retry" | "done" | "failed";
export type GrantScope = "session" | "agent" | "project";

/** A test on one argument of a call that is remembered as approved; docs/protocols.md names the operators. */
export type ArgumentTest = Record<string, unknown>;

/** Of events that are stored: their place in the session's log. Frames of one event share it. */
interface Stored {
  seq: number;
}

// ---- the session ----

export interface AuthSuccess {
  type: "auth.success";
}
export interface Pong {
  type: "pong";
}
export interface SessionCreated extends Stored {
  type: "session.created";
  sessionId: string;
  agentId: string;
}
export interface SessionResumed {
  type: "session.resumed";
  sessionId: string;
  fromSeq: number;
  /** Of the log when this was said: what is missing up to there comes next. Older servers do not tell. */
  lastSeq?: number;
  status: SessionStatus;
}
export interface SessionUpdated extends Stored {
  type: "session.updated";
  status: AnyStatus;
  title?: string;
  participants?: string[];
}
/** All messages so far are gone. */
export interface SessionCleared extends Stored {
  type: "session.cleared";
}
export interface SessionCostAlert extends Stored {
  type: "session.cost_alert";
  currentSpend: number;
  budget: number;
  percent: number;
  scope: string;
}
/** The server stops; the socket closes next. */
export interface SessionDraining {
  type: "session.draining";
  lastSeq: number;
  reconnectAfterMs: number;
}
export interface Presence {
  type: "presence";
  users: User[];
}
export interface Typing extends User {
  type: "typing";
  isTyping: boolean;
}

// ---- messages and their queue ----

export interface MessageCreated extends Stored {
  type: "message.created";
  messageId: string;
  role: Role;
  content: string;
  author: string;
  authorName?: string;
  clientMessageId?: string;
  attachments?: Attachment[];
}
export interface MessageQueued extends Stored {
  type: "message.queued";
  position: number;
  messageId: string;
  runId: string;
}
/** A message that waited was taken out of the queue, and is not answered. Older servers do not tell. */
export interface MessageDequeued extends Stored {
  type: "message.dequeued";
  messageId: string;
  runId: string;
}
/** The text of a message that waits. */
export interface MessageEdited extends Stored {
  type: "message.edited";
  messageId: string;
  content: string;
}
/** Of the messages that wait, first to run first. */
export interface QueueReordered extends Stored {
  type: "queue.reordered";
  messageIds: string[];
}
export interface MessageReaction extends Stored, User {
  type: "message.reaction";
  messageId: string;
  emoji: string;
  added: boolean;
}
/** What one person thinks of an answer, in the place of what that person thought before; `rating` null takes it back. */
export interface MessageFeedback extends Stored {
  type: "message.feedback";
  messageId: string;
  rating: Rating | null;
  note?: string;
  by: string;
}

// ---- runs ----

/** `messageId` is that of the answer's first part. */
export interface RunStarted extends Stored {
  type: "run.started";
  runId: string;
  messageId: string;
  traceId: string;
}
export interface ContentDelta extends Stored {
  type: "message.content_delta";
  text: string;
  role: "assistant";
}
/** Text of this run's answer from `fromSeq` on is void: the server died, and the step runs again. */
export interface MessageSuperseded extends Stored {
  type: "message.superseded";
  messageId: string;
  fromSeq: number;
}
export interface MessageComplete extends Stored {
  type: "message.complete";
  messageId: string;
  traceId: string;
  usage: Usage;
}
export interface RunCancelled extends Stored {
  type: "run.cancelled";
  runId: string;
  textKept: boolean;
  /** What is known by now: a model call that was cut short may be billed later. Older servers do not tell. */
  usage?: Usage;
}
/** With `runId` and `seq` a run has failed; without them a frame of this client was refused. */
export interface ErrorEvent {
  type: "error";
  code: string;
  message: string;
  runId?: string;
  /** Of the run that failed, as in `run.cancelled`. */
  usage?: Usage;
  seq?: number;
}

// ---- tools and approvals ----

export interface ToolStart extends Stored {
  type: "message.tool_start";
  toolCallId: string;
  tool: string;
  input: unknown;
  /** The session of the sub-agent that carries it out. */
  childSessionId?: string;
  /** The remembered approval that let it run. */
  allowedBy?: string;
}
export interface ToolProgress extends Stored {
  type: "message.tool_progress";
  toolCallId: string;
  text: string;
}
export interface ToolComplete extends Stored {
  type: "message.tool_complete";
  toolCallId: string;
  tool: string;
  success: boolean;
  output: unknown;
  durationMs: number;
  /** Of the whole output, where `output` is only its beginning. */
  outputBytes?: number;
  /** Of a sub-agent, in US dollars. */
  cost?: number;
}
/** Without `seq` it is an open question that is shown to a client which came late. */
export interface ApprovalRequired {
  type: "message.approval_required";
  approvalId: string;
  tool: string;
  action: unknown;
  toolCallId: string;
  expiresAt: string;
  kind: ApprovalKind;
  riskLevel: string;
  choices?: OutcomeChoice[];
  /** Of kind `input`: what is asked. */
  message?: string;
  schema?: unknown;
  argumentsHash?: string;
  requiredApprovals?: number;
  endorsedBy?: string[];
  /** The session of the sub-agent that asked. */
  originSessionId?: string;
  seq?: number;
}
/** One of several people that must approve has done so. */
export interface ApprovalEndorsed extends Stored {
  type: "approval.endorsed";
  approvalId: string;
  endorsedBy: string[];
  requiredApprovals?: number;
  note?: string;
}
/** Without `seq` it answers a decision that came too late. */
export interface ApprovalDecided {
  type: "approval.decided";
  approvalId: string;
  decision: ApprovalDecision;
  resolvedBy: string;
  note?: string;
  choice?: OutcomeChoice;
  /** The arguments that ran in the place of the asked ones. */
  editedInput?: unknown;
  seq?: number;
}

// ---- only in GET /sessions/{id}/events and exports ----

/** The last of a session that was closed. Live clients are told by `session.updated`. */
export interface SessionClosed extends Stored {
  type: "session.closed";
}
export interface ToolOutcomeUnknown extends Stored {
  type: "tool.outcome_unknown";
  runId: string;
  toolCallId: string;
  tool: string;
}
export interface GrantGiven extends Stored {
  type: "grant.given";
  grantId: string;
  scope: GrantScope;
  tool: string;
  when: ArgumentTest[];
  expiresAt: string | null;
  approvalId: string;
  by: string;
}
export interface GrantRevoked extends Stored {
  type: "grant.revoked";
  grantId: string;
  by: string;
}
export interface AgentChanged extends Stored {
  type: "agent.changed";
  runId: string;
  agentId: string;
  note: string;
}
export interface RunStopRequested extends Stored {
  type: "run.stop_requested";
  runId: string;
  by: string;
}

/** What a live connection brings. */
export type NexusEvent =
  | AuthSuccess
  | Pong
  | SessionCreated
  | SessionResumed
  | SessionUpdated
  | SessionCleared
  | SessionCostAlert
  | SessionDraining
  | Presence
  | Typing
  | MessageCreated
  | MessageQueued
  | MessageDequeued
  | MessageEdited
  | QueueReordered
  | MessageReaction
  | MessageFeedback
  | RunStarted
  | ContentDelta
  | MessageSuperseded
  | MessageComplete
  | RunCancelled
  | ErrorEvent
  | ToolStart
  | ToolProgress
  | ToolComplete
  | ApprovalRequired
  | ApprovalEndorsed
  | ApprovalDecided;

/** What the log of a session holds besides. */
export type LogEvent = NexusEvent | SessionClosed | ToolOutcomeUnknown | GrantGiven | GrantRevoked | AgentChanged | RunStopRequested;

export type EventType = NexusEvent["type"];
export type EventOf<T extends LogEvent["type"]> = Extract<LogEvent, { type: T }>;

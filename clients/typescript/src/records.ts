// What REST answers with. Checked against a real server by tests/e2e/client_rest.test.mjs, with the JSON Schema of this file.
import type {
  ApprovalDecision, ApprovalKind, ArgumentTest, Attachment, GrantScope, LogEvent, OutcomeChoice, Rating, Role, SessionStatus, Usage,
} from "./events.js";
import type { BusyPolicy } from "./frames.js";
import type { AgentSource } from "./records.agents.js";

/** A page of a list. (The wire also has the items under `data`; this client drops that copy.) */
export interface Page<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
}

export interface Project {
  id: string;
  name: string;
  defaultAgentId: string;
  agentCount: number;
}

export interface Agent {
  id: string;
  projectId: string;
  name: string;
  description: string;
  /** Messages to begin with, for a client to offer. */
  starters: string[];
  provider: string;
  model: string;
  tools: string[];
  /** By tool: `always`, `never`, `by_effect`, `by_rule` or `default`. */
  approval: Record<string, string>;
  onBusy: string;
  limits: {
    maxSteps: number;
    maxOutputTokens: number;
    maxQueue: number;
    budgetUsd: number | null;
    approvalTimeoutMs: number;
    toolTimeoutMs: number;
  };
  isDefault: boolean;
  source: AgentSource;
  /** The next three are null where the configuration file has the agent. */
  version: number | null;
  updatedAt: string | null;
  updatedBy: string | null;
  /** Why a stored one cannot be used now: what it needs is gone from the configuration file. */
  problem?: string;
  /** In lists of deleted ones: of the agent itself only ids, `version`, `updatedAt` and `updatedBy` say something. */
  deleted?: boolean;
}

export interface Tool {
  name: string;
  description: string;
  parameters: unknown;
  effect: string;
  approval: string;
  riskLevel: string;
  source: string;
  status: string;
}

export interface SessionRecord {
  id: string;
  projectId: string;
  agentId: string;
  dialect: string;
  alias: string;
  title: string;
  status: SessionStatus;
  owner: string;
  participants: string[];
  parentSessionId: string | null;
  parentToolCallId: string | null;
  depth: number;
  metadata: Record<string, unknown>;
  messageCount: number;
  lastSeq: number;
  usage: Usage;
  createdAt: string;
  updatedAt: string;
}

/** A copy of a session; with `runId` where a message was sent in it. */
export interface ForkedSession extends SessionRecord {
  forkedFrom: { sessionId: string; atSeq: number };
  runId?: string;
  messageId?: string;
}

export interface MessageToolCall {
  toolCallId: string;
  tool: string;
  input: unknown;
  success: boolean | null;
  output: unknown;
  durationMs: number;
  outputBytes?: number;
  childSessionId?: string;
  cost?: number;
}

export interface Reaction {
  emoji: string;
  userId: string;
  username: string;
}

/** A stored message. An answer that called tools is several of them, with one `runId`. */
export interface MessageRecord {
  id: string | null;
  sessionId: string;
  runId: string | null;
  role: Role;
  content: string;
  author: string;
  authorName: string;
  attachments: Attachment[];
  reactions: Reaction[];
  toolCalls: MessageToolCall[];
  /** The run was stopped or failed while this text streamed. */
  cut: boolean;
  seq: number;
  createdAt: string;
  clientMessageId?: string;
  /** Of answers that somebody has rated: one for each person. */
  feedback?: Feedback[];
}

export interface Feedback {
  messageId: string;
  rating: Rating;
  note: string;
  by: string;
  at: string;
}

export interface FileRecord extends Attachment {
  uploadedBy: string;
  createdAt: string;
}

/** The first file that was stored; of several, all of them in `files`. */
export interface StoredFile extends Attachment {
  files?: Attachment[];
}

export interface QueuedMessage {
  id: string;
  messageId: string;
  runId: string;
  content: string;
  author: string;
  authorName: string;
  attachments: Attachment[];
  position: number;
  queuedAt: string;
  clientMessageId?: string;
}

export interface ToolCallRecord {
  toolCallId: string;
  runId: string | null;
  tool: string;
  input: unknown;
  effect: string;
  success: boolean | null;
  output: unknown;
  outputBytes: number;
  isCut: boolean;
  durationMs: number;
  childSessionId: string | null;
  cost: number;
  startedAt: string | null;
  endedAt: string | null;
}

/** A part of a long output; offsets are in bytes. */
export interface ToolOutputPart {
  toolCallId: string;
  text: string;
  offset: number;
  total: number;
  nextOffset: number | null;
}

export interface Participants {
  owner: string;
  users: string[];
}

export interface Approval {
  id: string;
  projectId: string;
  agentId: string;
  sessionId: string;
  runId: string;
  toolCallId: string;
  /** The tool's name. */
  toolId: string;
  action: unknown;
  toolInput: unknown;
  argumentsHash: string | null;
  kind: ApprovalKind;
  choices: OutcomeChoice[] | null;
  message: string | null;
  schema: unknown;
  status: ApprovalDecision | "pending";
  riskLevel: string;
  requiredApprovals: number;
  endorsedBy: string[];
  /** Who may not decide it. */
  notBy: string | null;
  originSessionId: string | null;
  originApprovalId: string | null;
  createdAt: string;
  expiresAt: string | null;
  decidedBy: string | null;
  decidedAt: string | null;
  resolvedBy: string | null;
  resolvedAt: string | null;
  note: string | null;
  editedInput: unknown;
  choice: OutcomeChoice | null;
  answer: unknown;
}

/** Of one id of a bulk decision: the approval, or why it was not decided. */
export interface BulkResult {
  id: string;
  status?: Approval["status"];
  approval?: Approval;
  error?: { code: string; message: string; details?: Record<string, unknown> };
}

/** An approval that is remembered: such calls ask no more. */
export interface RememberedApproval {
  id: string;
  status: "active" | "expired" | "revoked";
  scope: GrantScope;
  projectId: string;
  agentId: string;
  sessionId: string;
  toolId: string;
  when: ArgumentTest[];
  approvalId: string | null;
  grantedBy: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
}

export interface Trace {
  id: string;
  traceId: string;
  projectId: string;
  agentId: string;
  sessionId: string;
  runId: string;
  status: string;
  startedAt: string | null;
  endedAt: string | null;
  durationMs: number | null;
  totalTokens: number;
  totalCost: number;
  usage: Usage;
}

export interface Span {
  kind: string;
  name: string;
  status: string;
  startedAt: string | null;
  endedAt: string | null;
  durationMs: number | null;
  usage: Usage;
}

export interface TraceWithSpans extends Trace {
  spans: Span[];
}

export type Period = "day" | "week" | "month";

export interface UsageDay {
  date: string;
  totalCost: number;
  totalCostUsd: number;
  totalTokens: number;
  totalRequests: number;
}
export interface UsageReport extends Page<UsageDay> {
  period: Period;
  totalCost: number;
  totalCostUsd: number;
  totalTokens: number;
  totalRequests: number;
}

/** `key` is the agent, session, user or `provider/model`, which also stands under its own name. */
export interface UsageShare {
  key: string;
  provider?: string;
  model?: string;
  agentId?: string;
  sessionId?: string;
  userId?: string;
  totalCost: number;
  totalCostUsd: number;
  totalTokens: number;
  totalRequests: number;
}
export interface UsageShares extends Page<UsageShare> {
  period: Period;
}

export interface Stats {
  totalProjects: number;
  totalAgents: number;
  activeSessions: number;
  costToday: number;
  costMonth: number;
  pendingApprovals: number;
}

export interface Health {
  status: string;
  version: string;
}
export interface Readiness {
  status: string;
  /** Told to operators: providers and sources of tools that do not answer. */
  degraded?: { kind: string; name: string; state: string }[];
}

/** A message was taken; its run starts now, or waits at `position`. */
export interface AcceptedMessage {
  runId: string;
  messageId: string;
  position?: number;
}

/** A whole answer; with `status: "pending"` a person must decide `approvalId` first. */
export interface ChatReply {
  sessionId: string;
  response: string;
  messageId: string;
  runId: string;
  traceId: string;
  usage: Usage;
  toolCalls: MessageToolCall[];
  status?: "pending";
  approvalId?: string;
}

/** A session as one document. */
export interface SessionExport {
  format: "troupe-session";
  version: number;
  exportedAt: string;
  session: SessionRecord;
  messages: MessageRecord[];
  queue: QueuedMessage[];
  approvals: Approval[];
  traces: Trace[];
  files: FileRecord[];
  events: LogEvent[];
}

export interface SendOptions {
  onBusy?: BusyPolicy;
  /** Ids of files of the session. */
  attachments?: string[];
  /** A message with an id that the session knows starts nothing; made up where it is left out. */
  clientMessageId?: string;
}

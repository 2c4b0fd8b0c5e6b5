// What operators look at: limits in force, budget alerts, scenarios. Checked against the server as records.ts is.

/** US dollars; null: no limit. */
export interface BudgetInForce {
  dailyUsd: number | null;
  monthlyUsd: number | null;
  alerts: number[];
}

export interface TransportLimits {
  maxFrameBytes: number;
  maxBodyBytes: number;
  maxHeaderBytes: number;
  headerTimeoutMs: number;
  idleTimeoutMs: number;
  maxConnections: number;
  connectionsPerAddress: number;
  messagesPerSecond: number;
  outboundHighWaterBytes: number;
  outboundLimitBytes: number;
  slowClientTimeoutMs: number;
  sessionIdleTimeoutMs: number;
  permessageDeflate: boolean;
}
export interface SessionLimits {
  maxFileBytes: number;
  maxFiles: number;
  maxSessionBytes: number;
  maxParticipants: number;
  agentStreamTurns: number;
  maxRooms: number;
}
export interface AgentLimits {
  id: string;
  /** `maxSteps`, `maxOutputTokens`, `maxQueue`, `budgetUsd` (of one session), `approvalTimeoutMs`, `toolTimeoutMs`, `maxOutputChars`, `maxDepth`. */
  limits: Record<string, number | null>;
  budget: BudgetInForce;
}
export interface ProjectLimits {
  id: string;
  budget: BudgetInForce;
  agents: AgentLimits[];
}

/** What the server allows; null: no limit. */
export interface Limits {
  transport: TransportLimits;
  sessions: SessionLimits;
  projects: ProjectLimits[];
  auth: { required: boolean };
}

/** A part of a budget was spent, in US dollars; `id` says whose budget it is, `sessionId` where the spending was. */
export interface BudgetAlert {
  at: string;
  scope: "session" | "agent" | "project";
  id: string;
  percent: number;
  spent: number;
  limit: number;
  sessionId: string;
}

/** `skip`: in which modes it is not played, and why; `problem`: why it cannot be read. */
export interface ScenarioEntry {
  file: string;
  description: string;
  tags: string[];
  skip?: { restart?: string; crash?: string; url?: string };
  problem?: string;
}
export interface ScenarioList {
  folder: string;
  items: ScenarioEntry[];
}

/** Where a scenario first went another way. Values of more than 4 KiB stand as text, cut. */
export interface ScenarioDivergence {
  line: number;
  step: number;
  verb: string;
  expected?: unknown;
  /** null: nothing came. */
  came?: unknown;
  /** Such as `calls[0].tool`. */
  path?: string;
  why?: string;
  before: { line: number; event: unknown }[];
  expectedNext: { line: number; expect: unknown }[];
  cameNext: unknown[];
  boundary?: number;
}

export type ScenarioVerdict = "passed" | "failed" | "skipped";
/** Of one file; `text` is why it was skipped or how it failed. */
export interface ScenarioResult {
  file: string;
  verdict: ScenarioVerdict;
  seconds: number;
  events: number;
  boundaries: number;
  /** Of all events; equal where every byte is. Absent where the file is no scenario. */
  hash?: string;
  text?: string;
  divergence?: ScenarioDivergence;
}

export interface ScenarioRunSummary {
  id: string;
  status: "running" | "completed" | "cancelled" | "failed";
  startedAt: string;
  endedAt: string | null;
  total: number;
  done: number;
  passed: number;
  failed: number;
  skipped: number;
  /** The file that is played now. */
  current: string | null;
  /** As asked; null: all. */
  files: string[] | null;
  tags: string[];
  restartEveryStep: boolean;
  crashAt: "every" | number | null;
  /** Why its status is `failed`. */
  problem: string | null;
}
/** With the results so far, in the order in which they were played. */
export interface ScenarioRun extends ScenarioRunSummary {
  results: ScenarioResult[];
}

/** A session as a scenario; `text` is the file, a step a line. */
export interface ScenarioFile {
  name: string;
  text: string;
}

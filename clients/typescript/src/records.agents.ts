// Agents that are stored over REST: their definitions and versions. Checked against the server as records.ts is.
import type { BusyPolicy } from "./frames.js";

/** US dollars; null: no limit. Alerts are percentages, once each. */
export interface BudgetDefinition {
  daily_usd?: number | null;
  monthly_usd?: number | null;
  alerts?: number[];
}

/** An agent as the configuration file has it (`projects.P.agents.A`); what is left out has the server's default. */
export interface AgentDefinition {
  name?: string;
  description?: string;
  starters?: string[];
  provider?: string;
  model?: string;
  instructions?: string;
  tools?: string[];
  /** By tool, MCP server or `*`: `always`, `never`, `by_effect`, or an object with rules. */
  approval?: Record<string, unknown>;
  delegates?: string[];
  handoffs?: string[];
  on_busy?: BusyPolicy | "steer" | "merge";
  limits?: {
    max_steps?: number;
    max_output_tokens?: number;
    max_queue?: number;
    budget_usd?: number | null;
    approval_timeout_ms?: number;
    tool_timeout_ms?: number;
    max_output_chars?: number;
    max_depth?: number;
  };
  alerts?: number[];
  inputs?: ("text" | "image" | "file")[];
  budget?: BudgetDefinition;
  temperature?: number | null;
  stop?: string[];
  reasoning_effort?: string;
  response_schema?: Record<string, unknown> | null;
  fallback?: { provider: string; model: string }[];
  /** Of a new session: the first words of its first message, or what the model makes of them. */
  titles?: "first_words" | "model" | "none";
  context?: { tokens?: number; policy?: "none" | "truncate" | "compact" };
}

/** `configuration`: of the server's file, which REST does not change. */
export type AgentSource = "configuration" | "stored";

/** The definition in force; `version` is null where the file has it. */
export interface AgentDefinitionRecord {
  id: string;
  source: AgentSource;
  version: number | null;
  definition: AgentDefinition;
}

export interface AgentVersion {
  version: number;
  createdAt: string;
  createdBy: string;
  note: string;
  /** The agent was deleted here. */
  deleted: boolean;
}
/** `definition` is null where the agent was deleted. */
export interface AgentVersionDetail extends AgentVersion {
  definition: AgentDefinition | null;
}

/** `path` is a JSON pointer into the definition. */
export interface AgentProblem {
  path: string;
  message: string;
}
export interface AgentCheck {
  valid: boolean;
  problems: AgentProblem[];
}

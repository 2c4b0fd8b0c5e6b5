// What a client sends over the WebSocket of the native protocol, and what a decision on an approval is.
import type { ArgumentTest, GrantScope, OutcomeChoice } from "./events.js";

export type BusyPolicy = "queue" | "reject" | "interrupt";

/** `true`: in this session, exactly these arguments. */
export type Remember = true | { scope?: GrantScope; when?: ArgumentTest[]; expiresInMs?: number };

/** `approved` for kind `tool`, `choice` for `outcome_unknown`, `answer` for `input` (or `approved: false` to decline). */
export interface Decision {
  approved?: boolean;
  choice?: OutcomeChoice;
  answer?: Record<string, unknown>;
  note?: string;
  /** Run with these arguments in the place of the asked ones. */
  editedInput?: Record<string, unknown>;
  remember?: Remember;
  /** The card's: other arguments than were looked at are not approved. */
  argumentsHash?: string;
}

export type ClientFrame =
  | { type: "auth"; projectId?: string; agentId?: string; apiKey?: string; token?: string; sessionId?: string; afterSeq?: number }
  | { type: "session.create"; agentId?: string; metadata?: Record<string, unknown> }
  | { type: "session.resume"; sessionId: string; afterSeq?: number }
  | { type: "message.send"; content: string; clientMessageId?: string; onBusy?: BusyPolicy; attachments?: string[] }
  | ({ type: "approval.decide"; approvalId: string } & Decision)
  | { type: "run.cancel"; runId?: string }
  | { type: "typing"; isTyping: boolean }
  | { type: "ping" };

// A session's state while events are folded into it: each list and answer is copied at most once per batch, however many
// events change it, and never where none does.
import type { Answer, AnswerPart, ApprovalCard, ChatMessage, SessionState, ToolPart } from "./state.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Lists = "messages" | "queue" | "approvals" | "outgoing" | "typing";

export class Draft {
  readonly state: Mutable<SessionState>;
  #owned = new Set<unknown>();
  #isChanged = false;

  constructor(private readonly base: SessionState) {
    this.state = { ...base };
  }

  finish(): SessionState {
    return this.#isChanged ? this.state : this.base;
  }

  set(changes: Partial<SessionState>): void {
    for (const key of Object.keys(changes) as (keyof SessionState)[]) if (this.state[key] !== changes[key]) this.#isChanged = true;
    Object.assign(this.state, changes);
  }

  /** To be changed in place. */
  list<K extends Lists>(name: K): SessionState[K][number][] {
    const now = this.state[name] as SessionState[K][number][];
    if (this.#owned.has(now)) return now;
    const copy = [...now];
    this.#owned.add(copy);
    (this.state as Record<Lists, unknown>)[name] = copy;
    this.#isChanged = true;
    return copy;
  }

  /** The last message that fits, from the end: what changes is nearly always there. */
  indexOf(fits: (message: ChatMessage) => boolean): number {
    const all = this.state.messages;
    for (let i = all.length - 1; i >= 0; --i) if (fits(all[i]!)) return i;
    return -1;
  }

  put(index: number, message: ChatMessage): void {
    this.list("messages")[index] = message;
  }

  get answerIndex(): number {
    const run = this.state.run;
    return run ? this.indexOf((m) => m.kind === "answer" && m.runId === run.runId) : -1;
  }

  /** The answer that is being written, to be changed in place. */
  answer(): Mutable<Answer> | undefined {
    const index = this.answerIndex;
    if (index < 0) return undefined;
    const now = this.state.messages[index] as Mutable<Answer>;
    if (this.#owned.has(now)) return now;
    const copy = { ...now };
    this.#owned.add(copy);
    this.put(index, copy);
    return copy;
  }

  parts(answer: Mutable<Answer>): AnswerPart[] {
    const now = answer.parts as AnswerPart[];
    if (this.#owned.has(now)) return now;
    const copy = [...now];
    this.#owned.add(copy);
    answer.parts = copy;
    return copy;
  }

  /** Ids of calls are unique within a step only: the newest one counts. */
  changeTool(toolCallId: string, change: (tool: ToolPart) => ToolPart): void {
    const index = this.answerIndex;
    if (index < 0) return;
    const parts = (this.state.messages[index] as Answer).parts;
    for (let i = parts.length - 1; i >= 0; --i) {
      const part = parts[i]!;
      if (part.kind !== "tool" || part.toolCallId !== toolCallId) continue;
      this.parts(this.answer()!)[i] = change(part);
      return;
    }
  }

  /** A card stands in the list of open ones and on its tool: both are the same object. */
  changeApproval(approvalId: string, change: (card: ApprovalCard) => ApprovalCard): void {
    const at = this.state.approvals.findIndex((a) => a.approvalId === approvalId);
    if (at < 0) return;
    const card = change(this.state.approvals[at]!);
    const open = this.list("approvals");
    if (card.status === "pending") open[at] = card;
    else open.splice(at, 1);
    this.changeTool(card.toolCallId, (tool) =>
      tool.approval?.approvalId === approvalId ? { ...tool, approval: card, status: statusWith(tool, card) } : tool,
    );
  }
}

/** Of a call whose card is `card` now. */
export function statusWith(tool: ToolPart, card: ApprovalCard): ToolPart["status"] {
  if (tool.status !== "running" && tool.status !== "waiting") return tool.status;
  return card.status === "pending" ? "waiting" : "running";
}

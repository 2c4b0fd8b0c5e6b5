// A session as it was after n of its events. The fold is the client's own, the one that Chat shows: what stands here is what
// somebody saw at that moment. Pure, so that it is tested without a page.
import { emptySession, reduceSessionAll, type LogEvent, type SessionState } from 'troupe-client';

const stride = 500; // events between two states that are kept

/** Kept states make a step back cheap: at most `stride` events are folded for it. */
export class Replay {
  private readonly kept: SessionState[] = [emptySession];

  constructor(readonly events: readonly LogEvent[]) {}

  /** The session after the first `count` events. */
  at(count: number): SessionState {
    const wanted = Math.max(0, Math.min(count, this.events.length));
    const place = Math.floor(wanted / stride);
    while (this.kept.length <= place) {
      const from = (this.kept.length - 1) * stride;
      this.kept.push(reduceSessionAll(this.kept[this.kept.length - 1]!, this.events.slice(from, from + stride)));
    }
    return reduceSessionAll(this.kept[place]!, this.events.slice(place * stride, wanted));
  }
}

export type LandmarkKind = 'user' | 'answer' | 'tool' | 'approval' | 'alert' | 'trouble';
export interface Landmark {
  at: number; // events up to and including it
  kind: LandmarkKind;
}

const kindOf: Partial<Record<LogEvent['type'], LandmarkKind>> = {
  'message.created': 'user',
  'message.complete': 'answer',
  'message.tool_start': 'tool',
  'message.approval_required': 'approval',
  'approval.decided': 'approval',
  'session.cost_alert': 'alert',
  error: 'trouble',
  'run.cancelled': 'trouble',
  'message.superseded': 'trouble',
  'tool.outcome_unknown': 'trouble',
};

/** Where something a person would look for happened: to mark on the time line, and to jump between. */
export function landmarksOf(events: readonly LogEvent[]): Landmark[] {
  return events.flatMap((event, i) => {
    const kind = kindOf[event.type];
    return kind ? [{ at: i + 1, kind }] : [];
  });
}

export interface KnownTime {
  seq: number;
  at: string;
}

/** Events carry no time of their own; messages do. The last time that is known at `seq`; `known` is in order. */
export function timeAt(known: readonly KnownTime[], seq: number): string | null {
  let found: string | null = null;
  for (const k of known) {
    if (k.seq > seq) break;
    found = k.at;
  }
  return found;
}

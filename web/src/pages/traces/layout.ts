// Where the bars of a waterfall stand: spans on a time axis in which long waits for people can be folded. Pure.
import type { Span } from 'troupe-client';
import { align, type Aligned } from '../common/align';

/** `attempts` comes only from servers that tell how often a model was asked. */
export type ToldSpan = Span & { attempts?: number };

export interface Bar {
  span: ToldSpan;
  index: number;
  depth: number;
  /** Milliseconds since the trace began. */
  from: number;
  to: number;
  isOpen: boolean;
}

/** Folded time: milliseconds of the clock to milliseconds of the drawing, piece by piece. */
export interface Axis {
  total: number;
  place(ms: number): number;
  folds: { from: number; to: number }[];
}

const waits = new Set(['approval_wait', 'queue_wait']);
export const isWait = (span: Span): boolean => waits.has(span.kind);

const time = (text: string | null): number | null => (text === null ? null : Date.parse(text));

/** Bars in the order of the API, which is by start with the run first. What is open ends at `now`. */
export function barsOf(spans: readonly ToldSpan[], now: number): Bar[] {
  const begin = Math.min(...spans.map((s) => time(s.startedAt) ?? Infinity));
  if (!Number.isFinite(begin)) return [];
  return spans.map((span, index) => {
    const from = (time(span.startedAt) ?? begin) - begin;
    const ended = time(span.endedAt);
    const to = (ended ?? Math.max(now, begin + from)) - begin;
    const depth = span.kind === 'run' ? 0 : span.kind === 'approval_wait' ? 2 : 1;
    return { span, index, depth, from, to: Math.max(to, from), isOpen: ended === null };
  });
}

const foldedMs = 0.06; // of the drawing, for each wait that is folded

/** A straight axis; or one in which waits during which nothing else went on take a small, equal share each. */
export function axisOf(bars: readonly Bar[], foldsWaits: boolean): Axis {
  const total = Math.max(1, ...bars.map((b) => b.to));
  const straight: Axis = { total, place: (ms) => ms, folds: [] };
  if (!foldsWaits) return straight;
  const holes = idleIn(bars, total);
  if (holes.length === 0) return straight;
  const idle = holes.reduce((sum, h) => sum + h.to - h.from, 0);
  const busy = Math.max(1, total - idle);
  const share = busy * foldedMs;
  const place = (ms: number): number => {
    let at = ms;
    for (const hole of holes) {
      if (ms >= hole.to) at -= hole.to - hole.from - share;
      else if (ms > hole.from) at -= (ms - hole.from) * (1 - share / (hole.to - hole.from));
    }
    return at;
  };
  return { total: place(total), place, folds: holes };
}

/** Stretches in which only waits are open; short ones are not worth folding. */
function idleIn(bars: readonly Bar[], total: number): { from: number; to: number }[] {
  const waiting = bars.filter((b) => isWait(b.span));
  const covered = (b: Bar): boolean =>
    b.span.kind === 'tool_call' && waiting.some((w) => w.from >= b.from && w.to <= b.to);
  const working = bars.filter((b) => b.span.kind !== 'run' && !isWait(b.span) && !covered(b));
  const out: { from: number; to: number }[] = [];
  for (const wait of [...waiting].sort((a, b) => a.from - b.from)) {
    let pieces = [{ from: Math.max(wait.from, out.at(-1)?.to ?? 0), to: wait.to }];
    for (const b of working)
      pieces = pieces.flatMap((p) =>
        b.to <= p.from || b.from >= p.to
          ? [p]
          : [
              { from: p.from, to: b.from },
              { from: b.to, to: p.to },
            ],
      );
    out.push(...pieces.filter((p) => p.to - p.from > Math.max(250, total * 0.1)));
  }
  return out;
}

const likeness = (s: Span): string => (s.kind === 'run' ? 'run' : `${s.kind} ${s.name}`);

/** Spans of two runs next to each other: those of one kind and name share a line, in order. */
export const pairsOf = (left: readonly Span[], right: readonly Span[]): Aligned<Span>[] =>
  align(left, right, (a, b) => likeness(a) === likeness(b));

// What became of one scenario, wherever it was told: a report file or a run of the server. Pure.
import type { ScenarioResult } from 'troupe-client';

/** Texts are JSON, or what the program wrote in its place. */
export interface Divergence {
  where: string;
  /** The last events that fitted. */
  before: string[];
  expected: string;
  /** Empty: nothing came. */
  came: string;
  differs: string[];
  thenExpected: string[];
  thenCame: string[];
  /** Of the journal, where it was made to crash. */
  boundary?: number;
}

export interface Case {
  name: string;
  verdict: 'passed' | 'failed' | 'skipped';
  seconds: number | null;
  text: string;
  /** Where the server told its parts; else they are read out of the text. */
  found?: Divergence;
}

export const isFailed = (one: Case): boolean => one.verdict === 'failed';
export const countOf = (cases: readonly Case[], verdict: Case['verdict']): number => cases.filter((c) => c.verdict === verdict).length;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

export function caseOf(result: ScenarioResult): Case {
  const { file, verdict, seconds, text = '', divergence: d } = result;
  const out: Case = { name: file, verdict, seconds, text };
  if (!d) return out;
  const named = d.path && d.why ? `${d.path}: ${d.why}` : (d.why ?? d.path);
  out.found = {
    where: `${file}:${d.line}: step ${d.step} (${d.verb})`,
    before: d.before.map((b) => textOf(b.event)),
    expected: textOf(d.expected),
    came: d.came === null ? '' : textOf(d.came),
    differs: named ? [named] : [],
    thenExpected: d.expectedNext.map((e) => textOf(e.expect)),
    thenCame: d.cameNext.map(textOf),
    ...(d.boundary === undefined ? {} : { boundary: d.boundary }),
  };
  return out;
}

/** JSON with a line per member, where it is JSON; else as it stands. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export interface FieldRow {
  name: string;
  /** Undefined where the scenario does not say. */
  expected: unknown;
  came: unknown;
  /** The first field that did not fit, as the report names it. */
  differs: boolean;
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Both sides field by field, those of the expectation first; null where one side is no object. */
export function fieldsOf(found: Divergence): FieldRow[] | null {
  const expected = objectIn(found.expected);
  const came = objectIn(found.came);
  if (!expected || !came) return null;
  // `calls[0].tool: expected …` is about the field `calls`.
  const named = new Set(found.differs.map((text) => /^([\w]+)(?:[.[:]|$)/.exec(text)?.[1]));
  const names = [...Object.keys(expected), ...Object.keys(came).filter((name) => !(name in expected))];
  return names.map((name) => ({ name, expected: expected[name], came: came[name], differs: named.has(name) }));
}

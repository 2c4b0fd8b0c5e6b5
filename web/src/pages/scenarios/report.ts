// Reports of `troupe replay`: its JUnit file and its lines of JSON, read in the browser; nothing is sent anywhere.
import type { Case, Divergence } from './cases';

export interface Report {
  kind: 'junit' | 'json';
  cases: Case[];
}

export const longestReport = 32 << 20; // bytes
const mostCases = 20_000;

/** Why a file is no report, as a key of the dictionary, with a detail where there is one. */
export class NotAReport extends Error {
  constructor(
    readonly reason: 'xml' | 'nothing' | 'line' | 'large',
    readonly detail = '',
  ) {
    super(reason);
  }
}

export function readReport(content: string): Report {
  if (content.length > longestReport) throw new NotAReport('large');
  return content.trimStart().startsWith('<') ? readJunit(content) : readLines(content);
}

function readJunit(content: string): Report {
  const document = new DOMParser().parseFromString(content, 'application/xml');
  const broken = document.querySelector('parsererror');
  if (broken) throw new NotAReport('xml', (broken.textContent ?? '').trim().slice(0, 200));
  const cases = [...document.getElementsByTagName('testcase')].slice(0, mostCases).map((node): Case => {
    const failure = node.querySelector('failure, error');
    const skipped = node.querySelector('skipped');
    const found = failure ?? skipped;
    const said = found ? found.getAttribute('message') || found.textContent || '' : '';
    const seconds = Number(node.getAttribute('time') ?? NaN);
    return {
      name: node.getAttribute('name') ?? '',
      verdict: failure ? 'failed' : skipped ? 'skipped' : 'passed',
      seconds: Number.isFinite(seconds) ? seconds : null,
      text: said.trim(),
    };
  });
  if (cases.length === 0) throw new NotAReport('nothing');
  return { kind: 'junit', cases };
}

function readLines(content: string): Report {
  const lines = content.split('\n').map((line) => line.trim());
  const cases: Case[] = [];
  lines.forEach((line, i) => {
    if (line === '' || cases.length >= mostCases) return;
    let found: unknown;
    try {
      found = JSON.parse(line);
    } catch {
      throw new NotAReport('line', String(i + 1));
    }
    const entry = found as Record<string, unknown> | null;
    const verdict = entry?.verdict;
    if (typeof entry?.file !== 'string' || (verdict !== 'passed' && verdict !== 'failed' && verdict !== 'skipped'))
      throw new NotAReport('line', String(i + 1));
    cases.push({
      name: entry.file,
      verdict,
      seconds: typeof entry.ms === 'number' ? entry.ms / 1000 : null,
      text: typeof entry.text === 'string' ? entry.text : '',
    });
  });
  if (cases.length === 0) throw new NotAReport('nothing');
  return { kind: 'json', cases };
}

/** The parts of a failure's text, as docs/scenarios.md describes it; null where it has another form. */
export function divergenceOf(text: string): Divergence | null {
  const [where = '', ...lines] = text.split('\n');
  const out: Divergence = { where: where.trim(), before: [], expected: '', came: '', differs: [], thenExpected: [], thenCame: [] };
  for (const line of lines) {
    const parts = /^\s+(after +line \d+|expected|came|differs|then expected(?:, line \d+)?|then came):\s*(.*)$/.exec(line);
    if (!parts) continue;
    const [, label, rest] = parts;
    if (label.startsWith('after')) out.before.push(rest);
    else if (label === 'expected') out.expected = rest;
    else if (label === 'came') out.came = rest;
    else if (label === 'differs') out.differs.push(rest);
    else if (label === 'then came') out.thenCame.push(rest);
    else out.thenExpected.push(rest);
  }
  return out.expected || out.came ? out : null;
}

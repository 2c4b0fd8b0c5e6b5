// The JSON of an agent as the editor sees it. The text is what is edited: the form reads and writes values in it by path, so
// that what the form does not know stays as it was. Pure.

export type Definition = Readonly<Record<string, unknown>>;
export type Path = readonly string[];

export interface Read {
  definition: Definition | null;
  /** Why there is none: the parser's words, or empty where it is JSON and no object. */
  problem: string | null;
}

export const isObject = (value: unknown): value is Definition => typeof value === 'object' && value !== null && !Array.isArray(value);

export function read(text: string): Read {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { definition: value, problem: null } : { definition: null, problem: '' };
  } catch (error) {
    return { definition: null, problem: (error as SyntaxError).message };
  }
}
export const write = (definition: Definition): string => JSON.stringify(definition, null, 2);

export function valueAt(from: unknown, path: Path): unknown {
  let at = from;
  for (const key of path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** `undefined` takes the value out, and with it objects on the way that hold nothing else. Keys keep their order. */
export function withValue(from: unknown, path: Path, value: unknown): Definition {
  const own = isObject(from) ? from : {};
  const [key = '', ...rest] = path;
  let next = value;
  if (rest.length > 0) {
    const inner = withValue(Object.hasOwn(own, key) ? own[key] : {}, rest, value);
    next = value === undefined && Object.keys(inner).length === 0 ? undefined : inner;
  }
  const entries = Object.entries(own);
  const at = entries.findIndex(([name]) => name === key);
  if (next === undefined) return Object.fromEntries(entries.filter((_, i) => i !== at));
  if (at < 0) entries.push([key, next]);
  else entries[at] = [key, next];
  return Object.fromEntries(entries);
}

/** Texts of a list; nothing where it is none. */
export const textsAt = (from: unknown, path: Path): string[] => {
  const value = valueAt(from, path);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
};

/** What an input of text shows. What is no plain value is shown as JSON. */
export const asText = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/** A text of every line that says something. */
export function asLines(text: string): string[] | undefined {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
  return lines.length > 0 ? lines : undefined;
}

/** What is no number is kept as it was typed: the server says what is wrong with it. */
export function asNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : text;
}
export const asNumbers = (text: string): (number | string)[] | undefined =>
  text.trim() === '' ? undefined : text.split(/[,;\s]+/).filter(Boolean).map((part) => asNumber(part) ?? part);

export interface Problem {
  path: string;
  message: string;
}

const pointerOf = (path: Path): string => path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
const isBelow = (path: string, pointer: string): boolean => path === pointer || path.startsWith(`${pointer}/`);

/** The problems at a place and below it; the path of those is what lies below. */
export function problemsAt(problems: readonly Problem[], path: Path): Problem[] {
  const pointer = pointerOf(path);
  return problems
    .filter((problem) => isBelow(problem.path, pointer))
    .map((problem) => ({ ...problem, path: problem.path.slice(pointer.length) }));
}
/** Those that stand at none of the places. */
export const problemsElsewhere = (problems: readonly Problem[], places: readonly Path[]): Problem[] => {
  const pointers = places.map(pointerOf);
  return problems.filter((problem) => !pointers.some((pointer) => isBelow(problem.path, pointer)));
};

/** Of an error's details, as INVALID_AGENT has them. */
export function problemsOf(error: unknown): Problem[] {
  const issues = (error as { details?: { issues?: unknown } } | null)?.details?.issues;
  if (!Array.isArray(issues)) return [];
  return issues.flatMap((issue: unknown) =>
    isObject(issue) && typeof issue.message === 'string' ? [{ path: asText(issue.path), message: issue.message }] : [],
  );
}

/** Whether two values are the same JSON; the order of keys does not count. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
  }
  return Object.is(a, b);
}

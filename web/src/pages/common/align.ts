// Two rows of things next to each other: what both have in order (a longest common subsequence) shares a line, the rest
// stands alone. For texts line by line, and for the spans of two runs.

export interface Aligned<T> {
  left: T | null;
  right: T | null;
}

const mostCells = 4_000_000;

/** Beyond a size that a page can bear, the equal beginning and end are aligned and the middle is not. */
export function align<T>(left: readonly T[], right: readonly T[], same: (a: T, b: T) => boolean): Aligned<T>[] {
  let begin = 0;
  while (begin < left.length && begin < right.length && same(left[begin], right[begin])) ++begin;
  let end = 0;
  while (
    end < left.length - begin &&
    end < right.length - begin &&
    same(left[left.length - 1 - end], right[right.length - 1 - end])
  )
    ++end;
  const both = (i: number, j: number): Aligned<T> => ({ left: left[i], right: right[j] });
  const out: Aligned<T>[] = [];
  for (let i = 0; i < begin; ++i) out.push(both(i, i));
  out.push(...middle(left.slice(begin, left.length - end), right.slice(begin, right.length - end), same));
  for (let i = end; i > 0; --i) out.push(both(left.length - i, right.length - i));
  return out;
}

function middle<T>(left: readonly T[], right: readonly T[], same: (a: T, b: T) => boolean): Aligned<T>[] {
  const alone = (): Aligned<T>[] => [
    ...left.map((l) => ({ left: l, right: null })),
    ...right.map((r) => ({ left: null, right: r })),
  ];
  if (left.length * right.length > mostCells) return alone();
  const width = right.length + 1;
  const best = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; --i)
    for (let j = right.length - 1; j >= 0; --j)
      best[i * width + j] = same(left[i], right[j])
        ? best[(i + 1) * width + j + 1] + 1
        : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
  const out: Aligned<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && same(left[i], right[j]))
      out.push({ left: left[i++], right: right[j++] });
    else if (j >= right.length || (i < left.length && best[(i + 1) * width + j] >= best[i * width + j + 1]))
      out.push({ left: left[i++], right: null });
    else out.push({ left: null, right: right[j++] });
  }
  return out;
}

/** Lines of two texts; an edited line stands next to what it was. */
export function alignLines(left: string, right: string): Aligned<string>[] {
  const rows = align(left.split('\n'), right.split('\n'), (a, b) => a === b);
  const out: Aligned<string>[] = [];
  let removed: string[] = [];
  let added: string[] = [];
  const flush = (): void => {
    for (let i = 0; i < Math.max(removed.length, added.length); ++i)
      out.push({ left: removed[i] ?? null, right: added[i] ?? null });
    removed = [];
    added = [];
  };
  for (const row of rows) {
    if (row.left !== null && row.right !== null) {
      flush();
      out.push(row);
    } else if (row.left !== null) removed.push(row.left);
    else if (row.right !== null) added.push(row.right);
  }
  flush();
  return out;
}

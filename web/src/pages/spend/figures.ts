// Figures of the spend page: sums in whole micro-dollars, days without requests, and CSV. Pure.

export interface DayRow {
  date: string; // YYYY-MM-DD, UTC
  totalCost: number;
  totalTokens: number;
  totalRequests: number;
}

export interface ShareRow {
  key: string;
  totalCost: number;
  totalTokens: number;
  totalRequests: number;
}

export interface Totals {
  totalCost: number;
  totalTokens: number;
  totalRequests: number;
}

export type Period = 'day' | 'week' | 'month';
export const daysOf: Record<Period, number> = { day: 1, week: 7, month: 30 };

const micro = (usd: number): number => Math.round(usd * 1e6);

/** Costs are added as the server does, in micro-dollars: floating point would be off in the last digit. */
export function sumOf(rows: readonly Totals[]): Totals {
  let cost = 0;
  const out = { totalCost: 0, totalTokens: 0, totalRequests: 0 };
  for (const row of rows) {
    cost += micro(row.totalCost);
    out.totalTokens += row.totalTokens;
    out.totalRequests += row.totalRequests;
  }
  out.totalCost = cost / 1e6;
  return out;
}

/** A row for every day of the period: the server leaves out those without requests, which are known to be zero. */
export function everyDay(rows: readonly DayRow[], period: Period, today: Date): DayRow[] {
  const known = new Map(rows.map((row) => [row.date, row]));
  const last = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate());
  const out: DayRow[] = [];
  for (let back = daysOf[period] - 1; back >= 0; --back) {
    const date = new Date(last - back * 86_400_000).toISOString().slice(0, 10);
    out.push(known.get(date) ?? { date, totalCost: 0, totalTokens: 0, totalRequests: 0 });
    known.delete(date);
  }
  // A day that began while the page was open, or another clock than the server's.
  return [...known.values(), ...out].sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** Of the calendar month in UTC, as budgets count; null where the days at hand do not reach back to its first. */
export function monthSoFar(rows: readonly DayRow[], today: Date): number | null {
  if (today.getUTCDate() > daysOf.month) return null;
  const month = today.toISOString().slice(0, 7);
  return sumOf(rows.filter((row) => row.date.startsWith(month))).totalCost;
}

function field(value: string | number): string {
  if (typeof value === 'number') return String(value);
  // A leading sign would make a formula of it in a spreadsheet.
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180, with the names of the API's fields as its head. */
export function csvOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, ...rows].map((row) => row.map(field).join(',')).join('\r\n') + '\r\n';
}

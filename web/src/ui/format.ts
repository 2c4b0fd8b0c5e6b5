// Numbers, money and times as the user's language writes them. Formatters are costly to make, so they are kept.
import { locale } from '../i18n';

type Formatter = Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat;
const kept = new Map<string, Formatter>();
function keep<T extends Formatter>(name: string, make: (tag: string) => T): T {
  const tag = locale();
  const key = `${tag} ${name}`;
  let found = kept.get(key) as T | undefined;
  if (!found) kept.set(key, (found = make(tag)));
  return found;
}

/** US dollars. Small sums keep the digits that tell them from nothing. */
export function formatMoney(usd: number): string {
  const size = Math.abs(usd);
  const digits = size === 0 || size >= 1 ? 2 : size >= 0.01 ? 4 : 6;
  return keep(
    `money${digits}`,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: 'currency',
        currency: 'USD',
        minimumFractionDigits: 2,
        maximumFractionDigits: digits,
      }),
  ).format(usd);
}
export const formatNumber = (value: number): string => keep('number', (tag) => new Intl.NumberFormat(tag)).format(value);
export const formatPercent = (share: number): string =>
  keep('percent', (tag) => new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 })).format(share);

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${formatNumber(Math.round(value * 10) / 10)} ${units[unit]}`;
}

export function formatDuration(ms: number, units: { ms: string; s: string; min: string; h: string; d: string }): string {
  if (!Number.isFinite(ms)) return '';
  if (ms < 1000) return `${Math.round(ms)} ${units.ms}`;
  if (ms < 10_000) return `${formatNumber(Math.round(ms / 100) / 10)} ${units.s}`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} ${units.s}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${units.min} ${s % 60} ${units.s}`;
  if (s < 172_800) return `${Math.floor(s / 3600)} ${units.h} ${Math.floor((s % 3600) / 60)} ${units.min}`;
  return `${Math.floor(s / 86_400)} ${units.d} ${Math.floor((s % 86_400) / 3600)} ${units.h}`;
}

export const formatTime = (at: Date): string =>
  keep('time', (tag) => new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit' })).format(at);
export const formatDate = (at: Date): string =>
  keep('date', (tag) => new Intl.DateTimeFormat(tag, { year: 'numeric', month: 'short', day: 'numeric' })).format(at);
export const formatDateTime = (at: Date): string =>
  keep('datetime', (tag) => new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'medium' })).format(at);

export function formatAgo(at: Date, now: Date, nowWord: string): string {
  const s = Math.round((at.getTime() - now.getTime()) / 1000);
  const size = Math.abs(s);
  if (size < 45) return nowWord;
  const relative = keep('ago', (tag) => new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' }));
  if (size < 3600) return relative.format(Math.round(s / 60), 'minute');
  if (size < 86_400) return relative.format(Math.round(s / 3600), 'hour');
  if (size < 7 * 86_400) return relative.format(Math.round(s / 86_400), 'day');
  return formatDate(at);
}

// Values as text. What the server did not give is shown as a dash that says so, never as zero.
import { useState } from 'react';
import { useLanguage } from '../i18n';
import { useCommon } from '../i18n/common';
import { formatAgo, formatDate, formatDateTime, formatDuration, formatMoney, formatNumber, formatTime } from './format';
import { useNow } from './useNow';

export function Missing() {
  const t = useCommon();
  return (
    <span className="muted" title={t.unknown}>
      <span aria-hidden="true">–</span>
      <span className="hidden-text">{t.unknown}</span>
    </span>
  );
}

const isNumber = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

export function Money({ usd }: { usd: number | null | undefined }) {
  useLanguage();
  return isNumber(usd) ? <span className="number">{formatMoney(usd)}</span> : <Missing />;
}
export function Count({ value }: { value: number | null | undefined }) {
  useLanguage();
  return isNumber(value) ? <span className="number">{formatNumber(value)}</span> : <Missing />;
}
export function Duration({ ms }: { ms: number | null | undefined }) {
  useLanguage();
  const t = useCommon();
  return isNumber(ms) ? <span className="number">{formatDuration(ms, t.units)}</span> : <Missing />;
}

type At = string | number | Date | null | undefined;
const toDate = (at: At): Date | null => {
  if (at === null || at === undefined || at === '') return null;
  const date = at instanceof Date ? at : new Date(at);
  return Number.isNaN(date.getTime()) ? null : date;
};

function Ago({ date }: { date: Date }) {
  const t = useCommon();
  return <>{formatAgo(date, new Date(useNow(30_000)), t.now)}</>;
}

export function Time({ at, style = 'ago' }: { at: At; style?: 'ago' | 'time' | 'date' | 'full' }) {
  useLanguage();
  const date = toDate(at);
  if (!date) return <Missing />;
  const text = { time: formatTime, date: formatDate, full: formatDateTime };
  return (
    <time dateTime={date.toISOString()} title={formatDateTime(date)} className="number">
      {style === 'ago' ? <Ago date={date} /> : text[style](date)}
    </time>
  );
}

const shownCharacters = 4_000;
export const toText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? ''));

/** Any JSON value, indented; a long one is cut until asked for. */
export function Json({ value, label }: { value: unknown; label?: string }) {
  const t = useCommon();
  const [all, setAll] = useState(false);
  const text = toText(value);
  const isLong = text.length > shownCharacters;
  return (
    <>
      <pre className="json" tabIndex={0} aria-label={label} role={label ? 'group' : undefined}>
        {isLong && !all ? `${text.slice(0, shownCharacters)}…` : text}
      </pre>
      {isLong && (
        <button type="button" className="button button--small button--quiet" onClick={() => setAll(!all)}>
          {all ? t.less : t.more}
        </button>
      )}
    </>
  );
}

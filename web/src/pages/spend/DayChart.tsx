// Cost by day as bars. The table below it says the same; for a screen reader the picture is one sentence.
import { useId } from 'react';
import { useLanguage } from '../../i18n';
import { formatMoney } from '../../ui';
import { ticksOf } from '../common/ticks';
import type { DayRow } from './figures';
import { useSpendText } from './text';

const width = 720;
const height = 200;
const left = 64;
const bottom = 24;
const top = 10;

/** Dates are days in UTC: they are shown as they stand, not moved into the user's zone. */
const label = (date: string): string => `${Number(date.slice(8))}.${Number(date.slice(5, 7))}.`;

export function DayChart({ rows }: { rows: readonly DayRow[] }) {
  const t = useSpendText();
  const id = useId();
  useLanguage();
  const most = Math.max(...rows.map((d) => d.totalCost), 1e-6);
  const ticks = ticksOf(most, 4);
  const ceiling = Math.max(most, ticks.at(-1) ?? most);
  const step = (width - left) / rows.length;
  const y = (usd: number) => top + (height - top - bottom) * (1 - usd / ceiling);
  const dearest = rows.reduce((best, d) => (d.totalCost > best.totalCost ? d : best));
  const every = Math.ceil(rows.length / 10);
  return (
    <svg viewBox={`0 0 ${width} ${height}`} className="chart" role="img" aria-labelledby={id}>
      <title id={id}>{t.chart(rows.length, formatMoney(dearest.totalCost), dearest.date)}</title>
      {ticks.map((usd) => (
        <g key={usd} className="chart__grid">
          <line x1={left} x2={width} y1={y(usd)} y2={y(usd)} />
          <text x={left - 8} y={y(usd) + 4} textAnchor="end">
            {formatMoney(usd)}
          </text>
        </g>
      ))}
      {rows.map((d, i) => (
        <g key={d.date}>
          {/* The whole column takes the pointer, so that small bars have a tool tip too. */}
          <rect className="chart__column" x={left + i * step} y={top} width={step} height={height - top - bottom}>
            <title>{`${d.date}: ${formatMoney(d.totalCost)}`}</title>
          </rect>
          {d.totalCost > 0 && (
            <rect
              className="chart__bar"
              x={left + i * step + step * 0.15}
              width={Math.min(step * 0.7, 48)}
              y={Math.min(y(d.totalCost), y(0) - 1.5)}
              height={Math.max(y(0) - y(d.totalCost), 1.5)}
              rx={2}
            />
          )}
          {(rows.length - 1 - i) % every === 0 && (
            <text className="chart__day" x={left + i * step + Math.min(step * 0.5, step * 0.15 + 24)} y={height - 6} textAnchor="middle">
              {label(d.date)}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

// Cost by day as bars. The table below it says the same; for a screen reader the picture is one sentence.
import { useEffect, useId, useRef, useState } from 'react';
import { locale, useLanguage } from '../../i18n';
import { formatMoney } from '../../ui';
import { ticksOf } from '../common/ticks';
import type { DayRow } from './figures';
import { useSpendText } from './text';

const height = 210;
const left = 66;
const bottom = 26;
const top = 10;

/** Of the element that the ref is on: the picture is drawn in its pixels, so that its letters keep their size. */
function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(720);
  useEffect(() => {
    if (!ref.current) return;
    const watch = new ResizeObserver(([entry]) => entry && setWidth(Math.max(240, entry.contentRect.width)));
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return [ref, width] as const;
}

export function DayChart({ rows }: { rows: readonly DayRow[] }) {
  const t = useSpendText();
  const id = useId();
  const language = useLanguage();
  const [frame, width] = useWidth();
  const most = Math.max(...rows.map((d) => d.totalCost), 1e-6);
  const ticks = ticksOf(most, 4);
  const ceiling = ticks.at(-1) ?? most;
  const step = (width - left) / rows.length;
  const thick = Math.min(step * 0.7, 48);
  const y = (usd: number) => top + (height - top - bottom) * (1 - usd / ceiling);
  const middle = (i: number) => left + (i + 0.5) * step;
  const dearest = rows.reduce((best, d) => (d.totalCost > best.totalCost ? d : best));
  const every = Math.max(1, Math.ceil(72 / step));
  // Days are UTC's: they are shown as they stand, not moved into the user's zone.
  const dayName = new Intl.DateTimeFormat(locale(language), { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return (
    <div ref={frame}>
      <svg width={width} height={height} className="chart" role="img" aria-labelledby={id}>
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
                x={middle(i) - thick / 2}
                width={thick}
                y={Math.min(y(d.totalCost), y(0) - 1.5)}
                height={Math.max(y(0) - y(d.totalCost), 1.5)}
                rx={2}
              />
            )}
            {(rows.length - 1 - i) % every === 0 && middle(i) > left + 12 && (
              <text x={Math.min(middle(i), width - 22)} y={height - 7} textAnchor="middle">
                {dayName.format(new Date(d.date))}
              </text>
            )}
          </g>
        ))}
      </svg>
    </div>
  );
}

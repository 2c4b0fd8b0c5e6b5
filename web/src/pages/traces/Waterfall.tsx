// The spans of a run on a time axis. It is a table: what the bars show is in its cells too, so it reads without them.
import { useState } from 'react';
import { useCommon } from '../../i18n/common';
import { Checkbox, Count, Duration, Money, formatDuration, useNow } from '../../ui';
import { Word } from '../common/parts';
import { ticksOf } from '../common/ticks';
import { axisOf, barsOf, isWait, type Axis, type Bar, type ToldSpan } from './layout';
import { useTraceText } from './text';

const percent = (share: number): string => `${Math.max(0, Math.min(100, share * 100)).toFixed(3)}%`;

export function Track({ bar, axis }: { bar: Bar; axis: Axis }) {
  const from = axis.place(bar.from) / axis.total;
  const to = axis.place(bar.to) / axis.total;
  return (
    <div className="track" aria-hidden="true">
      {axis.folds.map((fold) => (
        <span
          key={fold.from}
          className="track__fold"
          style={{ left: percent(axis.place(fold.from) / axis.total), width: percent((axis.place(fold.to) - axis.place(fold.from)) / axis.total) }}
        />
      ))}
      <span
        className={`track__bar track__bar--${bar.span.kind} ${bar.span.status === 'failed' ? 'is-bad' : ''} ${bar.isOpen ? 'is-open' : ''}`}
        style={{ left: percent(from), width: percent(to - from) }}
      />
    </div>
  );
}

export function SpanName({ span }: { span: ToldSpan }) {
  const t = useTraceText();
  const kinds: Readonly<Record<string, string>> = t.kinds;
  return (
    <>
      <span className={`span__dot span__dot--${span.kind}`} aria-hidden="true" />
      {kinds[span.kind] ?? span.kind} <strong className="span__name">{span.name}</strong>
    </>
  );
}

function AxisHead({ axis }: { axis: Axis }) {
  const units = useCommon().units;
  // Folded time has no even scale, so its marks would lie.
  const ticks = axis.folds.length > 0 ? [0] : ticksOf(axis.total, 5).slice(0, -1);
  return (
    <div className="axis" aria-hidden="true">
      {ticks.map((at) => (
        <span key={at} style={{ left: percent(at / axis.total) }}>
          {formatDuration(at, units)}
        </span>
      ))}
    </div>
  );
}

export function Waterfall({ spans, live }: { spans: readonly ToldSpan[]; live: boolean }) {
  const t = useTraceText();
  const now = useNow(live ? 1000 : 0);
  const [folds, setFolds] = useState(true);
  const bars = barsOf(spans, now);
  const folded = axisOf(bars, true);
  const axis = folds ? folded : axisOf(bars, false);
  const waiting = bars.filter((b) => isWait(b.span)).reduce((sum, b) => sum + b.to - b.from, 0);
  return (
    <div className="stack">
      <div className="row">
        {folded.folds.length > 0 && <Checkbox label={t.fold} checked={folds} onChange={(e) => setFolds(e.target.checked)} />}
        {waiting > 0 && (
          <span className="muted">
            {t.waited} <Duration ms={waiting} />
          </span>
        )}
      </div>
      <div className="table__frame" tabIndex={0} role="region" aria-label={t.waterfall}>
        <table className="table waterfall">
          <caption className="hidden-text">{t.waterfall}</caption>
          <thead>
            <tr>
              <th scope="col">{t.span}</th>
              <th scope="col" className="waterfall__time">
                <span className="hidden-text">{t.start}</span>
                <AxisHead axis={axis} />
              </th>
              <th scope="col" className="is-end">{t.took}</th>
              <th scope="col" className="is-end">{t.tokens}</th>
              <th scope="col" className="is-end">{t.cost}</th>
            </tr>
          </thead>
          <tbody>
            {bars.map((bar) => (
              <tr key={bar.index} data-span={bar.span.kind}>
                <td className={`depth depth--${bar.depth}`}>
                  <SpanName span={bar.span} /> {bar.span.status !== 'ok' && <Word value={bar.span.status} />}
                  {(bar.span.attempts ?? 1) > 1 && <span className="muted"> {t.attempts(bar.span.attempts ?? 1)}</span>}
                </td>
                <td className="waterfall__time">
                  <span className="hidden-text">
                    <Duration ms={bar.from} />
                  </span>
                  <Track bar={bar} axis={axis} />
                </td>
                <td className="is-end">
                  <Duration ms={bar.isOpen ? bar.to - bar.from : bar.span.durationMs} />
                </td>
                <td className="is-end">
                  {bar.span.usage.totalTokens > 0 && (
                    <span title={t.tokensOf(bar.span.usage.promptTokens, bar.span.usage.completionTokens)}>
                      <Count value={bar.span.usage.promptTokens} /> + <Count value={bar.span.usage.completionTokens} />
                    </span>
                  )}
                </td>
                <td className="is-end">{bar.span.usage.cost > 0 && <Money usd={bar.span.usage.cost} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="muted small">{t.told}</p>
    </div>
  );
}

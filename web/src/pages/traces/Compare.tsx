// Two runs side by side, on one scale: what took longer, what cost more, which steps only one of them has.
import { Link } from 'wouter';
import type { TraceWithSpans } from 'troupe-client';
import { api } from '../../api';
import { Card, Count, Duration, ErrorNote, Loading, Money, Table, Time, formatDuration, formatMoney, formatNumber, useAsync, type Column } from '../../ui';
import { useCommon } from '../../i18n/common';
import { PageFrame, SessionLink, Word, shortId } from '../common/parts';
import { useRecords } from '../common/words';
import { axisOf, barsOf, pairsOf, type Axis, type Bar } from './layout';
import { SpanName, Track } from './Waterfall';
import { useTraceText } from './text';

export function Compare({ a, b }: { a: string; b: string }) {
  const t = useTraceText();
  const asked = useAsync((signal) => Promise.all([api.client.traces.get(a, { signal }), api.client.traces.get(b, { signal })]), [a, b]);
  return (
    <PageFrame title={t.comparing} about={<Link href="/traces">{t.all}</Link>}>
      {asked.error !== null && <ErrorNote error={asked.error} onRetry={asked.reload} />}
      {!asked.data && asked.loading && <Loading />}
      {asked.data && <Both left={asked.data[0]} right={asked.data[1]} />}
    </PageFrame>
  );
}

interface Row {
  key: string;
  name: string;
  left: React.ReactNode;
  right: React.ReactNode;
  more: string;
}

const signed = (value: number, text: (size: number) => string): string =>
  value === 0 ? '=' : `${value > 0 ? '+' : '−'}${text(Math.abs(value))}`;

function Both({ left, right }: { left: TraceWithSpans; right: TraceWithSpans }) {
  const t = useTraceText();
  const r = useRecords();
  const units = useCommon().units;
  const traces = [left, right] as const;
  const of = (trace: TraceWithSpans, kind: string) => trace.spans.filter((s) => s.kind === kind).length;
  const ms = (trace: TraceWithSpans) => trace.durationMs;
  const counted = (key: string, name: string, value: (trace: TraceWithSpans) => number): Row => ({
    key, name,
    left: <Count value={value(left)} />,
    right: <Count value={value(right)} />,
    more: signed(value(right) - value(left), formatNumber),
  });
  const [leftMs, rightMs] = [ms(left), ms(right)];
  const rows: Row[] = [
    { key: 'status', name: r.status, left: <Word value={left.status} />, right: <Word value={right.status} />, more: '' },
    { key: 'agent', name: r.agent, left: left.agentId, right: right.agentId, more: '' },
    { key: 'session', name: r.session, left: <SessionLink id={left.sessionId} />, right: <SessionLink id={right.sessionId} />, more: '' },
    { key: 'start', name: t.started, left: <Time at={left.startedAt} style="full" />, right: <Time at={right.startedAt} style="full" />, more: '' },
    {
      key: 'took', name: t.took, left: <Duration ms={leftMs} />, right: <Duration ms={rightMs} />,
      more: leftMs === null || rightMs === null ? '' : signed(rightMs - leftMs, (n) => formatDuration(n, units)),
    },
    counted('prompt', t.prompt, (trace) => trace.usage.promptTokens),
    counted('completion', t.completion, (trace) => trace.usage.completionTokens),
    {
      key: 'cost', name: t.cost, left: <Money usd={left.totalCost} />, right: <Money usd={right.totalCost} />,
      more: signed(Math.round((right.totalCost - left.totalCost) * 1e6) / 1e6, formatMoney),
    },
    counted('models', t.kindsMany.model_call, (trace) => of(trace, 'model_call')),
    counted('tools', t.kindsMany.tool_call, (trace) => of(trace, 'tool_call')),
  ];
  const head = (trace: TraceWithSpans, letter: string) => (
    <Link href={`/traces/${trace.id}`}>
      {letter} · {shortId(trace.id)}
    </Link>
  );
  const columns: Column<Row>[] = [
    { key: 'name', head: t.figure, cell: (row) => row.name },
    { key: 'left', head: head(left, 'A'), cell: (row) => row.left },
    { key: 'right', head: head(right, 'B'), cell: (row) => row.right },
    { key: 'more', head: t.difference, align: 'end', cell: (row) => row.more },
  ];
  // One scale for both, so that a longer bar is a longer time.
  const now = Date.now();
  const bars = traces.map((trace) => barsOf(trace.spans, now));
  const total = Math.max(1, ...bars.flat().map((bar) => bar.to));
  const axis: Axis = { ...axisOf([], false), total };
  const barOf = (side: number, span: TraceWithSpans['spans'][number] | null): Bar | undefined =>
    span === null ? undefined : bars[side]?.find((bar) => bar.span === span);
  return (
    <>
      <Table caption={t.comparing} columns={columns} rows={rows} rowKey={(row) => row.key} />
      <Card title={t.sideBySide}>
        <div className="table__frame" tabIndex={0} role="region" aria-label={t.sideBySide}>
          <table className="table waterfall waterfall--pair">
            <caption className="hidden-text">{t.sideBySide}</caption>
            <thead>
              <tr>
                <th scope="col">A</th>
                <th scope="col" className="is-end">{t.took}</th>
                <th scope="col">B</th>
                <th scope="col" className="is-end">{t.took}</th>
              </tr>
            </thead>
            <tbody>
              {pairsOf(left.spans, right.spans).map((pair, i) => (
                <tr key={i} className={pair.left && pair.right ? undefined : 'is-alone'}>
                  {[pair.left, pair.right].map((span, side) => {
                    const bar = barOf(side, span);
                    return span && bar ? (
                      <Side key={side} bar={bar} axis={axis} />
                    ) : (
                      <td key={side} colSpan={2} className="muted">
                        {t.onlyOther}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
    </>
  );
}

function Side({ bar, axis }: { bar: Bar; axis: Axis }) {
  return (
    <>
      <td>
        <SpanName span={bar.span} /> {bar.span.status !== 'ok' && <Word value={bar.span.status} />}
        <Track bar={bar} axis={axis} />
      </td>
      <td className="is-end">
        <Duration ms={bar.to - bar.from} />
      </td>
    </>
  );
}

// Who has spent it. Sums of all shares are compared with the sum by day; where a list is longer than what is loaded, that is said.
import { useState } from 'react';
import { Download } from 'lucide-react';
import type { Period, SessionRecord, UsageShare } from 'troupe-client';
import { api } from '../../api';
import { Button, Count, ErrorNote, Loading, Money, Table, Tabs, formatMoney, formatPercent, useAsync, type Column } from '../../ui';
import { ListFoot, SessionLink, saveFile } from '../common/parts';
import { usePages } from '../common/usePages';
import { useRecords } from '../common/words';
import { csvOf, sumOf } from './figures';
import { useSpendText } from './text';

const ways = ['agent', 'session', 'user', 'model'] as const;
type Way = (typeof ways)[number];

export function Shares(props: { project: string; period: Period; total: number; turn: number }) {
  const t = useSpendText();
  const [way, setWay] = useState<Way>('agent');
  return (
    <section className="card" aria-label={t.byWhom}>
      <Tabs label={t.byWhom} active={way} onChange={(id) => setWay(id as Way)} tabs={ways.map((id) => ({ id, label: t.ways[id] }))}>
        <div className="stack">
          <Share key={way} {...props} way={way} />
        </div>
      </Tabs>
    </section>
  );
}

function Share({ project, period, total, turn, way }: { project: string; period: Period; total: number; turn: number; way: Way }) {
  const t = useSpendText();
  const r = useRecords();
  const ask = { agent: api.client.usage.byAgent, session: api.client.usage.bySession, user: api.client.usage.byUser, model: api.client.usage.byModel }[way];
  const pages = usePages<UsageShare>((query, signal) => ask.call(api.client.usage, project, period, query, { signal }), [way, turn]);
  const sum = sumOf(pages.items);
  const titles = useTitles(way === 'session' ? pages.items.slice(0, 20).map((s) => s.key) : []);
  const save = () =>
    saveFile(
      `troupe-spend-${project}-${period}-by-${way}.csv`,
      csvOf(
        [...(way === 'model' ? ['provider', 'model'] : [`${way}Id`]), 'totalCostUsd', 'totalTokens', 'totalRequests'],
        pages.items.map((s) => [...(way === 'model' ? [s.provider ?? '', s.model ?? ''] : [s.key]), s.totalCost, s.totalTokens, s.totalRequests]),
      ),
      'text/csv',
    );
  const columns: Column<UsageShare>[] = [
    {
      key: 'who',
      head: { agent: r.agent, session: r.session, user: r.user, model: t.model }[way],
      cell: (s) => <Who share={s} way={way} title={titles.get(s.key)} />,
      sortBy: (s) => s.key,
    },
    {
      key: 'share',
      head: t.share,
      cell: (s) => (
        <span className="share">
          <span className="share__bar share__bar--plain" aria-hidden="true">
            <span style={{ width: `${total > 0 ? Math.min(100, (s.totalCost / total) * 100) : 0}%` }} />
          </span>
          <span className="number">{shareText(s.totalCost, total)}</span>
        </span>
      ),
    },
    { key: 'cost', head: t.cost, align: 'end', cell: (s) => <Money usd={s.totalCost} />, sortBy: (s) => s.totalCost },
    { key: 'tokens', head: t.tokens, align: 'end', cell: (s) => <Count value={s.totalTokens} />, sortBy: (s) => s.totalTokens },
    { key: 'requests', head: t.requests, align: 'end', cell: (s) => <Count value={s.totalRequests} />, sortBy: (s) => s.totalRequests },
  ];
  if (pages.total === undefined && pages.error === null) return <Loading />;
  return (
    <>
      {pages.items.length > 0 && (
        <>
          <Table caption={t.ways[way]} columns={columns} rows={pages.items} rowKey={(s) => s.key} />
          <div className="row list-foot">
            <span data-sum={way} data-value={sum.totalCost}>
              {pages.hasMore ? t.sumOfLoaded(formatMoney(sum.totalCost)) : t.sum(formatMoney(sum.totalCost))}
            </span>
            <Button size="small" icon={<Download size={14} aria-hidden />} onClick={save}>
              {t.csv}
            </Button>
          </div>
          {!pages.hasMore && !pages.loading && Math.abs(sum.totalCost - total) > 1e-9 && <p className="muted">{t.differs}</p>}
        </>
      )}
      {pages.error !== null && pages.total === undefined ? <ErrorNote error={pages.error} onRetry={pages.reload} /> : <ListFoot pages={pages} />}
    </>
  );
}

function Who({ share: s, way, title }: { share: UsageShare; way: Way; title: string | undefined }) {
  const r = useRecords();
  if (way === 'session') return <SessionLink id={s.key} title={title} />;
  if (way !== 'model') return s.key ? <>{s.key}</> : <span className="muted">{r.noName}</span>;
  return (
    <>
      {s.model || <span className="muted">{r.noName}</span>} <span className="muted">{s.provider}</span>
    </>
  );
}

/** A share that is there is not written as none. */
function shareText(cost: number, total: number): string {
  if (total <= 0) return '';
  const share = cost / total;
  return share > 0 && share < 0.005 ? `< ${formatPercent(0.01)}` : formatPercent(share);
}

/** Titles of the dearest sessions; without one, and where a session is gone, its id stands there. */
function useTitles(ids: readonly string[]): ReadonlyMap<string, string> {
  const asked = useAsync(
    async (signal) => {
      const found = await Promise.all(ids.map((id) => api.client.sessions.get(id, { signal }).catch((): SessionRecord | null => null)));
      return new Map(found.flatMap((s) => (s?.title ? [[s.id, s.title] as const] : [])));
    },
    [ids.join(' ')],
  );
  return asked.data ?? new Map<string, string>();
}

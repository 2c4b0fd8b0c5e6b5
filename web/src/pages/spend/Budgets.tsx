// Budgets in force: of the project and its agents by day and month, of sessions, and what is spent of each as far as the server tells.
import type { Agent, Limits, SessionRecord } from 'troupe-client';
import { Link } from 'wouter';
import { api } from '../../api';
import { Badge, Card, ErrorNote, Meter, Missing, Money, Table, formatNumber, formatPercent, useAsync, type Column } from '../../ui';
import { SessionLink } from '../common/parts';
import { useRecords } from '../common/words';
import { monthSoFar, sumOf } from './figures';
import { useSpendText } from './text';

const looked = 100; // newest sessions

interface Row {
  key: string;
  /** Empty: the project itself. */
  agentId: string;
  span: 'day' | 'month' | 'session';
  limit: number;
  /** Null: the server does not tell. */
  spent: number | null;
  alerts: readonly number[];
}

/** What is spent now: by days of UTC, as budgets count. */
interface Spent {
  today: number;
  month: number | null;
  agentsToday: ReadonlyMap<string, number>;
}

async function readSpent(project: string, signal: AbortSignal): Promise<Spent> {
  const [days, day, agents] = await Promise.all([
    api.client.usage.byDay(project, 'month', { signal }),
    api.client.usage.byDay(project, 'day', { signal }),
    api.client.usage.byAgent(project, 'day', { limit: 100 }, { signal }),
  ]);
  return {
    today: sumOf(day.items).totalCost,
    month: monthSoFar(days.items, new Date()),
    agentsToday: new Map(agents.items.map((a) => [a.key, a.totalCost])),
  };
}

function rowsOf(limits: Limits | undefined, project: string, spent: Spent | undefined): Row[] {
  const found = limits?.projects.find((p) => p.id === project);
  if (!found) return [];
  const out: Row[] = [];
  const add = (row: Omit<Row, 'key' | 'limit'>, limit: number | null | undefined) => {
    if (typeof limit === 'number') out.push({ ...row, limit, key: `${row.agentId} ${row.span}` });
  };
  const { budget } = found;
  add({ agentId: '', span: 'day', spent: spent?.today ?? null, alerts: budget.alerts }, budget.dailyUsd);
  add({ agentId: '', span: 'month', spent: spent?.month ?? null, alerts: budget.alerts }, budget.monthlyUsd);
  for (const agent of found.agents) {
    const { alerts, dailyUsd, monthlyUsd } = agent.budget;
    add({ agentId: agent.id, span: 'day', spent: spent ? (spent.agentsToday.get(agent.id) ?? 0) : null, alerts }, dailyUsd);
    add({ agentId: agent.id, span: 'month', spent: null, alerts }, monthlyUsd);
    add({ agentId: agent.id, span: 'session', spent: null, alerts: [] }, agent.limits.budgetUsd);
  }
  return out;
}

function Used({ share }: { share: number }) {
  const t = useSpendText();
  return (
    <span className="share">
      <span className="share__bar">
        <Meter share={share} />
      </span>
      <span className="number">{formatPercent(share)}</span>
      {share >= 1 ? <Badge tone="bad">{t.reached}</Badge> : share >= 0.8 && <Badge tone="warn">{t.near}</Badge>}
    </span>
  );
}

/** `isQuiet`: the page says already that spend cannot be read. */
export function Budgets({ agents, project, turn, isQuiet }: { agents: readonly Agent[]; project: string; turn: number; isQuiet: boolean }) {
  const t = useSpendText();
  const r = useRecords();
  const limits = useAsync((signal) => api.client.server.limits({ signal }), [turn]);
  const spent = useAsync((signal) => readSpent(project, signal), [project, turn]);
  const rows = rowsOf(limits.data, project, spent.data);
  const nameOf = (id: string) => agents.find((a) => a.id === id)?.name ?? id;
  const columns: Column<Row>[] = [
    {
      key: 'whose',
      head: t.whose,
      cell: (row) =>
        row.agentId === '' ? (
          <strong>{t.wholeProject}</strong>
        ) : (
          <>
            {r.agent} {nameOf(row.agentId)}
          </>
        ),
    },
    { key: 'span', head: t.span, cell: (row) => <span className="nowrap">{t.spans[row.span]}</span> },
    { key: 'budget', head: t.budget, align: 'end', cell: (row) => <Money usd={row.limit} /> },
    { key: 'spent', head: t.spent, align: 'end', cell: (row) => (row.span === 'session' ? <span className="muted">{t.below}</span> : <Money usd={row.spent} />) },
    { key: 'share', head: t.used, cell: (row) => (row.spent === null ? row.span !== 'session' && <Missing /> : <Used share={row.limit > 0 ? row.spent / row.limit : 1} />) },
    { key: 'alerts', head: t.warnsAt, cell: (row) => (row.alerts.length > 0 ? row.alerts.map((n) => `${formatNumber(n)} %`).join(', ') : null) },
  ];
  return (
    <Card title={t.budgets} actions={<Link href="/settings/limits">{t.toLimits}</Link>}>
      {limits.error !== null && <ErrorNote error={limits.error} onRetry={limits.reload} />}
      {spent.error !== null && !spent.loading && !isQuiet && <ErrorNote error={spent.error} onRetry={spent.reload} />}
      {limits.data && rows.length === 0 && <p className="muted">{t.noBudgets}</p>}
      {rows.length > 0 && <Table caption={t.budgets} columns={columns} rows={rows} rowKey={(row) => row.key} />}
      {rows.some((row) => row.agentId !== '' && row.span === 'month') && <p className="muted">{t.noMonths}</p>}
      <NearSessions agents={agents} project={project} turn={turn} />
    </Card>
  );
}

interface Near {
  session: SessionRecord;
  budget: number;
}

/** The sessions that have used most of what one of them may. */
function NearSessions({ agents, project, turn }: { agents: readonly Agent[]; project: string; turn: number }) {
  const t = useSpendText();
  const r = useRecords();
  const sessions = useAsync(
    (signal) => api.client.sessions.list({ projectId: project, limit: looked, includeChildren: true }, { signal }),
    [project, turn],
  );
  const shareOf = (row: Near) => row.session.usage.cost / row.budget;
  const rows: Near[] = (sessions.data?.items ?? [])
    .flatMap((session) => {
      const budget = agents.find((a) => a.id === session.agentId)?.limits.budgetUsd;
      return budget && session.usage.cost > 0 ? [{ session, budget }] : [];
    })
    .sort((a, b) => shareOf(b) - shareOf(a))
    .slice(0, 10);
  const columns: Column<Near>[] = [
    { key: 'session', head: r.session, cell: (row) => <SessionLink id={row.session.id} title={row.session.title} /> },
    { key: 'agent', head: r.agent, cell: (row) => row.session.agentId },
    { key: 'spent', head: t.spent, align: 'end', cell: (row) => <Money usd={row.session.usage.cost} />, sortBy: (row) => row.session.usage.cost },
    { key: 'budget', head: t.budget, align: 'end', cell: (row) => <Money usd={row.budget} /> },
    { key: 'share', head: t.used, cell: (row) => <Used share={shareOf(row)} />, sortBy: shareOf },
  ];
  if (sessions.error !== null) return <ErrorNote error={sessions.error} onRetry={sessions.reload} />;
  if (rows.length === 0) return null;
  return (
    <>
      <h3>{t.nearSessions}</h3>
      <Table caption={t.nearSessions} columns={columns} rows={rows} rowKey={(row) => row.session.id} />
      {(sessions.data?.total ?? 0) > looked && <p className="muted">{t.lookedAt(looked)}</p>}
    </>
  );
}

// Budgets that the API tells, the per-session ones of agents, and the sessions that come near them.
import type { Agent, SessionRecord } from 'troupe-client';
import { Link } from 'wouter';
import { api } from '../../api';
import { Badge, Card, ErrorNote, Meter, Money, Note, Table, formatPercent, useAsync, type Column } from '../../ui';
import { SessionLink } from '../common/parts';
import { useRecords } from '../common/words';
import { useSpendText } from './text';

const looked = 100; // newest sessions

interface Row {
  session: SessionRecord;
  budget: number;
}

export function Budgets({ agents, project, turn }: { agents: readonly Agent[]; project: string; turn: number }) {
  const t = useSpendText();
  const r = useRecords();
  const withBudget = agents.filter((a) => a.limits.budgetUsd !== null);
  const sessions = useAsync(
    (signal) => api.client.sessions.list({ projectId: project, limit: looked, includeChildren: true }, { signal }),
    [project, turn],
  );
  const rows: Row[] = (sessions.data?.items ?? [])
    .flatMap((session) => {
      const budget = withBudget.find((a) => a.id === session.agentId)?.limits.budgetUsd;
      return budget ? [{ session, budget }] : [];
    })
    .filter((row) => row.session.usage.cost > 0)
    .sort((a, b) => b.session.usage.cost / b.budget - a.session.usage.cost / a.budget)
    .slice(0, 10);
  const shareOf = (row: Row) => row.session.usage.cost / row.budget;
  const columns: Column<Row>[] = [
    { key: 'session', head: r.session, cell: (row) => <SessionLink id={row.session.id} title={row.session.title} /> },
    { key: 'agent', head: r.agent, cell: (row) => row.session.agentId },
    { key: 'spent', head: t.spent, align: 'end', cell: (row) => <Money usd={row.session.usage.cost} />, sortBy: (row) => row.session.usage.cost },
    { key: 'budget', head: t.budget, align: 'end', cell: (row) => <Money usd={row.budget} /> },
    {
      key: 'share',
      head: t.used,
      cell: (row) => (
        <span className="share">
          <span className="share__bar">
            <Meter share={shareOf(row)} />
          </span>
          <span className="number">{formatPercent(shareOf(row))}</span>
          {shareOf(row) >= 1 ? <Badge tone="bad">{t.reached}</Badge> : shareOf(row) >= 0.8 && <Badge tone="warn">{t.near}</Badge>}
        </span>
      ),
      sortBy: shareOf,
    },
  ];
  return (
    <Card title={t.budgets}>
      {withBudget.length === 0 ? (
        <p className="muted">{t.noBudgets}</p>
      ) : (
        <ul className="plain">
          {withBudget.map((a) => (
            <li key={a.id}>
              <strong>{a.name}</strong>: <Money usd={a.limits.budgetUsd} /> {t.perSession}
            </li>
          ))}
        </ul>
      )}
      {sessions.error !== null && <ErrorNote error={sessions.error} onRetry={sessions.reload} />}
      {rows.length > 0 && <Table caption={t.budgets} columns={columns} rows={rows} rowKey={(row) => row.session.id} />}
      {withBudget.length > 0 && (sessions.data?.total ?? 0) > looked && <p className="muted">{t.lookedAt(looked)}</p>}
      <Note>
        <span className="note__text">{t.alerts}</span>
        <Link href="/settings/agents">{t.toAgents}</Link>
      </Note>
    </Card>
  );
}

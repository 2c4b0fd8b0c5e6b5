// Marks that budgets crossed, newest first, with the session whose call did it.
import type { BudgetAlert } from 'troupe-client';
import { api } from '../../api';
import { Badge, Card, Money, Table, Time, formatNumber, type Column } from '../../ui';
import { ListFoot, SessionLink } from '../common/parts';
import { usePages } from '../common/usePages';
import { useRecords } from '../common/words';
import { useSpendText } from './text';

export function Alerts({ project, turn }: { project: string; turn: number }) {
  const t = useSpendText();
  const r = useRecords();
  const pages = usePages<BudgetAlert>((query, signal) => api.client.projects.alerts(project, query, { signal }), [project, turn]);
  const columns: Column<BudgetAlert>[] = [
    { key: 'at', head: t.when, cell: (a) => <Time at={a.at} /> },
    { key: 'percent', head: t.used, cell: (a) => <Badge tone={a.percent >= 100 ? 'bad' : 'warn'}>{formatNumber(a.percent)} %</Badge> },
    { key: 'scope', head: t.whose, cell: (a) => (a.scope === 'session' ? t.scopes.session : `${t.scopes[a.scope]} ${a.id}`) },
    { key: 'spent', head: t.spent, align: 'end', cell: (a) => <Money usd={a.spent} /> },
    { key: 'limit', head: t.budget, align: 'end', cell: (a) => <Money usd={a.limit} /> },
    { key: 'session', head: r.session, cell: (a) => a.sessionId && <SessionLink id={a.sessionId} /> },
  ];
  return (
    <Card title={t.alerts}>
      {pages.total === 0 && <p className="muted">{t.noAlerts}</p>}
      {pages.items.length > 0 && (
        <Table caption={t.alerts} columns={columns} rows={pages.items} rowKey={(a) => `${a.at} ${a.scope} ${a.id} ${a.percent} ${a.spent}`} />
      )}
      {pages.total !== 0 && <ListFoot pages={pages} />}
    </Card>
  );
}

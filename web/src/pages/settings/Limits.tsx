// What is in force: of the server as a whole, of projects, and of each agent. A server that tells less is shown as far as it does.
import type { Agent, AgentLimits, BudgetInForce, Limits as InForce } from 'troupe-client';
import { api } from '../../api';
import { useCommon } from '../../i18n/common';
import { Card, Count, Duration, ErrorNote, formatBytes, formatDuration, formatNumber, Loading, Money, Note, statusOf, Table, useAsync, type Column } from '../../ui';
import { useSetup } from '../common/useProjects';
import { useRecords } from '../common/words';
import { useSettingsText } from './text';

export function Limits() {
  const t = useSettingsText();
  const limits = useAsync((signal) => api.client.server.limits({ signal }), []);
  const isOlder = statusOf(limits.error) === 404;
  return (
    <div className="stack">
      <p className="muted">{t.limitsAbout}</p>
      {limits.error !== null && !isOlder && <ErrorNote error={limits.error} onRetry={limits.reload} />}
      {!limits.data && limits.loading && <Loading />}
      {isOlder && <OfAgents />}
      {limits.data && <Told limits={limits.data} />}
    </div>
  );
}

type Value = number | boolean | string | null;
interface Entry {
  name: string;
  value: Value;
}
const isValue = (value: unknown): value is Value => value === null || ['number', 'boolean', 'string'].includes(typeof value);

function Told({ limits }: { limits: InForce }) {
  const t = useSettingsText();
  const names: Readonly<Record<string, string>> = t.limitNames;
  const titles: Readonly<Record<string, string>> = t.limitGroups;
  // Also groups that this page does not know yet.
  const groups = Object.entries(limits).flatMap(([group, of]: [string, unknown]) =>
    typeof of === 'object' && of !== null && !Array.isArray(of)
      ? [{ group, entries: Object.entries(of).flatMap(([name, value]: [string, unknown]) => (isValue(value) ? [{ name, value }] : [])) }]
      : [],
  );
  const columns: Column<Entry>[] = [
    {
      key: 'name',
      head: t.limit,
      cell: (entry) => (
        <>
          {names[entry.name] && <div>{names[entry.name]}</div>}
          <code className="muted">{entry.name}</code>
        </>
      ),
    },
    { key: 'value', head: t.value, align: 'end', cell: (entry) => <Shown {...entry} /> },
  ];
  return (
    <>
      <OfProjects limits={limits} />
      <div className="limit-groups">
        {groups.map(({ group, entries }) => (
          <Card key={group} title={titles[group] ?? group}>
            <Table caption={titles[group] ?? group} columns={columns} rows={entries} rowKey={(entry) => entry.name} />
          </Card>
        ))}
      </div>
    </>
  );
}

/** The end of its name says what a number is. */
function Shown({ name, value }: Entry) {
  const t = useSettingsText();
  const { units } = useCommon();
  if (value === null) return <span className="muted">{t.noLimit}</span>;
  if (typeof value === 'boolean') return <>{value ? t.on : t.off}</>;
  if (typeof value === 'string') return <code>{value}</code>;
  if (name.endsWith('Bytes')) return <span className="number">{formatBytes(value)}</span>;
  if (name.endsWith('Ms')) return <span className="number">{formatDuration(value, units)}</span>;
  if (name.endsWith('Usd')) return <Money usd={value} />;
  return <span className="number">{formatNumber(value)}</span>;
}

const Dollars = ({ usd }: { usd: number | null | undefined }) => {
  const t = useSettingsText();
  return usd === null ? <span className="muted">{t.noBudget}</span> : <Money usd={usd} />;
};

function OfProjects({ limits }: { limits: InForce }) {
  const t = useSettingsText();
  const r = useRecords();
  const agents = limits.projects.flatMap((project) => project.agents.map((agent) => ({ ...agent, project: project.id })));
  type Row = AgentLimits & { project: string };
  const count = (key: string, head: string): Column<Row> => ({
    key, head, align: 'end', cell: (a) => <Count value={a.limits[key]} />, sortBy: (a) => a.limits[key] ?? 0,
  });
  const time = (key: string, head: string): Column<Row> => ({ key, head, align: 'end', cell: (a) => <Duration ms={a.limits[key]} /> });
  const columns: Column<Row>[] = [
    { key: 'agent', head: r.agent, cell: (a) => <strong>{a.id}</strong> },
    { key: 'project', head: r.project, cell: (a) => a.project },
    count('maxSteps', t.maxSteps),
    count('maxOutputTokens', t.maxOutput),
    count('maxQueue', t.maxQueue),
    count('maxOutputChars', t.maxChars),
    count('maxDepth', t.maxDepth),
    time('approvalTimeoutMs', t.approvalTimeout),
    time('toolTimeoutMs', t.toolTimeout),
    { key: 'session', head: t.budget, align: 'end', cell: (a) => <Dollars usd={a.limits.budgetUsd} /> },
    { key: 'daily', head: t.daily, align: 'end', cell: (a) => <Dollars usd={a.budget?.dailyUsd} /> },
    { key: 'monthly', head: t.monthly, align: 'end', cell: (a) => <Dollars usd={a.budget?.monthlyUsd} /> },
  ];
  const budget: Column<{ id: string; budget: BudgetInForce }>[] = [
    { key: 'project', head: r.project, cell: (p) => <strong>{p.id}</strong> },
    { key: 'daily', head: t.daily, align: 'end', cell: (p) => <Dollars usd={p.budget.dailyUsd} /> },
    { key: 'monthly', head: t.monthly, align: 'end', cell: (p) => <Dollars usd={p.budget.monthlyUsd} /> },
    { key: 'alerts', head: t.alerts, align: 'end', cell: (p) => <span className="muted">{t.alertsAt(p.budget.alerts.join(', '))}</span> },
  ];
  return (
    <>
      <Card title={t.perAgent} className="limits">
        <Table caption={t.perAgent} columns={columns} rows={agents} rowKey={(a) => `${a.project}/${a.id}`} />
      </Card>
      <Card title={t.budgets}>
        <Table caption={t.budgets} columns={budget} rows={limits.projects} rowKey={(p) => p.id} />
      </Card>
    </>
  );
}

/** What agents say of themselves, where the server has no list of limits. */
function OfAgents() {
  const t = useSettingsText();
  const r = useRecords();
  const setup = useSetup();
  const columns: Column<Agent>[] = [
    { key: 'agent', head: r.agent, cell: (a) => <strong>{a.name}</strong> },
    { key: 'project', head: r.project, cell: (a) => a.projectId },
    { key: 'steps', head: t.maxSteps, align: 'end', cell: (a) => <Count value={a.limits.maxSteps} /> },
    { key: 'tokens', head: t.maxOutput, align: 'end', cell: (a) => <Count value={a.limits.maxOutputTokens} /> },
    { key: 'queue', head: t.maxQueue, align: 'end', cell: (a) => <Count value={a.limits.maxQueue} /> },
    { key: 'budget', head: t.budget, align: 'end', cell: (a) => <Dollars usd={a.limits.budgetUsd} /> },
    { key: 'approval', head: t.approvalTimeout, align: 'end', cell: (a) => <Duration ms={a.limits.approvalTimeoutMs} /> },
    { key: 'tool', head: t.toolTimeout, align: 'end', cell: (a) => <Duration ms={a.limits.toolTimeoutMs} /> },
  ];
  return (
    <>
      {setup.error !== null && <ErrorNote error={setup.error} onRetry={setup.reload} />}
      {setup.data && (
        <div className="limits">
          <Table caption={t.perAgent} columns={columns} rows={setup.data.agents} rowKey={(a) => `${a.projectId}/${a.id}`} />
        </div>
      )}
      <Note>
        <span className="note__text">{t.serverLimits}</span>
      </Note>
    </>
  );
}

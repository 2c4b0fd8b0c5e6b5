// What a project has spent: by day, by whom, and against the budgets. Every figure is the server's, or a sum of them.
import { useState } from 'react';
import { BarChart3, Download } from 'lucide-react';
import type { Period } from 'troupe-client';
import { api } from '../../api';
import { Button, Card, Count, EmptyState, ErrorNote, Field, Loading, Money, Select, Table, useAsync, type Column } from '../../ui';
import { Facts, PageFrame, ProjectField, Reload, saveFile } from '../common/parts';
import { useProject, useSetup } from '../common/useProjects';
import { Alerts } from './Alerts';
import { Budgets } from './Budgets';
import { DayChart } from './DayChart';
import { csvOf, everyDay, sumOf, type DayRow } from './figures';
import { Shares } from './Shares';
import { useSpendText } from './text';
import './spend.css';

const periods = ['day', 'week', 'month'] as const;

export default function SpendPage() {
  const t = useSpendText();
  const setup = useSetup();
  const project = useProject(setup.data);
  const [period, setPeriod] = useState<Period>('month');
  const [turn, setTurn] = useState(0);
  const days = useAsync(
    async (signal) => (project ? api.client.usage.byDay(project, period, { signal }) : undefined),
    [project, period, turn],
  );
  const error = setup.error ?? days.error;
  const again = () => (setup.error === null ? setTurn((n) => n + 1) : setup.reload());
  return (
    <PageFrame
      title={t.title}
      about={t.about}
      actions={<Reload loading={days.loading} onClick={again} />}
    >
      <div className="filters">
        <ProjectField setup={setup.data} value={project} />
        <Field label={t.period} className="spend__period">
          {(p) => (
            <Select {...p} value={period} onChange={(e) => setPeriod(e.target.value as Period)}>
              {periods.map((name) => (
                <option key={name} value={name}>
                  {t.periods[name]}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {error !== null && <ErrorNote error={error} onRetry={again} />}
      {!days.data && error === null && <Loading />}
      {days.data && (
        <Figures key={`${project} ${period}`} project={project} period={period} rows={days.data.items} report={days.data} turn={turn} />
      )}
      {setup.data && project && <Budgets agents={setup.data.agents.filter((a) => a.projectId === project)} project={project} turn={turn} isQuiet={error !== null} />}
      {project && <Alerts project={project} turn={turn} />}
    </PageFrame>
  );
}

interface Report {
  totalCost: number;
  totalTokens: number;
  totalRequests: number;
}

function Figures(props: { project: string; period: Period; rows: readonly DayRow[]; report: Report; turn: number }) {
  const { project, period, report, turn } = props;
  const t = useSpendText();
  const rows = everyDay(props.rows, period, new Date());
  const sum = sumOf(rows);
  const save = () =>
    saveFile(
      `troupe-spend-${project}-${period}.csv`,
      csvOf(['date', 'totalCostUsd', 'totalTokens', 'totalRequests'], rows.map((d) => [d.date, d.totalCost, d.totalTokens, d.totalRequests])),
      'text/csv',
    );
  const columns: Column<DayRow>[] = [
    { key: 'date', head: t.day, cell: (d) => d.date, sortBy: (d) => d.date },
    { key: 'cost', head: t.cost, align: 'end', cell: (d) => <Money usd={d.totalCost} />, sortBy: (d) => d.totalCost },
    { key: 'tokens', head: t.tokens, align: 'end', cell: (d) => <Count value={d.totalTokens} />, sortBy: (d) => d.totalTokens },
    { key: 'requests', head: t.requests, align: 'end', cell: (d) => <Count value={d.totalRequests} />, sortBy: (d) => d.totalRequests },
  ];
  return (
    <>
      <Card className="totals" label={t.totals}>
        <Facts
          facts={[
            { name: t.cost, value: <span className="big" data-total="cost" data-value={report.totalCost}><Money usd={report.totalCost} /></span> },
            { name: t.tokens, value: <span className="big" data-total="tokens" data-value={report.totalTokens}><Count value={report.totalTokens} /></span> },
            { name: t.requests, value: <span className="big" data-total="requests" data-value={report.totalRequests}><Count value={report.totalRequests} /></span> },
          ]}
        />
        {Math.abs(sum.totalCost - report.totalCost) > 1e-9 && <p className="muted">{t.moved}</p>}
      </Card>
      {report.totalRequests === 0 ? (
        <EmptyState icon={<BarChart3 size={32} aria-hidden />} title={t.nothing}>
          {t.nothingHow}
        </EmptyState>
      ) : (
        <>
          <Card
            title={t.byDay}
            actions={
              <Button size="small" icon={<Download size={14} aria-hidden />} onClick={save}>
                {t.csv}
              </Button>
            }
          >
            {rows.length > 1 && <DayChart rows={rows} />}
            <details open={rows.length === 1}>
              <summary>{t.asTable}</summary>
              <Table caption={t.byDay} columns={columns} rows={[...rows].reverse()} rowKey={(d) => d.date} />
            </details>
          </Card>
          <Shares project={project} period={period} total={report.totalCost} turn={turn} />
        </>
      )}
    </>
  );
}

// The last runs, as far as the server keeps them: until it stops, and twenty at most.
import { History as Icon } from 'lucide-react';
import type { ScenarioRunSummary } from 'troupe-client';
import { Link, useLocation } from 'wouter';
import { Badge, Count, EmptyState, ErrorNote, Loading, Table, Time, formatDuration, type Async, type Column } from '../../ui';
import { useCommon } from '../../i18n/common';
import { useRecords } from '../common/words';
import { useModeName } from './pieces';
import { useScenarioText } from './text';

const tones = { running: 'info', completed: 'ok', cancelled: 'neutral', failed: 'bad' } as const;

export function RunHistory({ runs }: { runs: Async<readonly ScenarioRunSummary[]> }) {
  const t = useScenarioText();
  const r = useRecords();
  const units = useCommon().units;
  const modeOf = useModeName();
  const [, go] = useLocation();
  const columns: Column<ScenarioRunSummary>[] = [
    {
      key: 'started',
      head: t.started,
      cell: (run) => (
        <Link href={`/scenarios/runs/${run.id}`} onClick={(e) => e.stopPropagation()}>
          <Time at={run.startedAt} style="full" />
        </Link>
      ),
      sortBy: (run) => run.startedAt,
    },
    {
      key: 'status',
      head: r.status,
      cell: (run) => (
        <Badge tone={run.status === 'completed' && run.failed > 0 ? 'bad' : tones[run.status]}>
          {run.status === 'completed' && run.failed > 0 ? t.withFailures : t.states[run.status]}
        </Badge>
      ),
    },
    { key: 'mode', head: t.mode, cell: (run) => <span className="nowrap">{modeOf(run)}</span> },
    { key: 'total', head: t.all, align: 'end', cell: (run) => <Count value={run.total} /> },
    { key: 'passed', head: r.words.passed, align: 'end', cell: (run) => <Count value={run.passed} /> },
    { key: 'failed', head: r.words.failed, align: 'end', cell: (run) => <Count value={run.failed} /> },
    { key: 'skipped', head: r.words.skipped, align: 'end', cell: (run) => <Count value={run.skipped} /> },
    {
      key: 'took',
      head: t.took,
      align: 'end',
      cell: (run) => (run.endedAt === null ? null : formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt), units)),
    },
  ];
  if (runs.error !== null) return <ErrorNote error={runs.error} onRetry={runs.reload} />;
  if (!runs.data) return <Loading />;
  if (runs.data.length === 0)
    return (
      <EmptyState icon={<Icon size={32} aria-hidden />} title={t.noRuns}>
        {t.noRunsHow}
      </EmptyState>
    );
  return (
    <div className="stack">
      <p className="muted">{t.kept}</p>
      <Table caption={t.tabs.runs} columns={columns} rows={runs.data} rowKey={(run) => run.id} onRow={(run) => go(`/scenarios/runs/${run.id}`)} />
    </div>
  );
}

import type { Agent } from 'troupe-client';
import { Count, Duration, ErrorNote, Loading, Money, Note, Table, type Column } from '../../ui';
import { useSetup } from '../common/useProjects';
import { useRecords } from '../common/words';
import { useSettingsText } from './text';

export function Limits() {
  const t = useSettingsText();
  const r = useRecords();
  const setup = useSetup();
  const columns: Column<Agent>[] = [
    { key: 'agent', head: r.agent, cell: (a) => <strong>{a.name}</strong> },
    { key: 'project', head: r.project, cell: (a) => a.projectId },
    { key: 'steps', head: t.maxSteps, align: 'end', cell: (a) => <Count value={a.limits.maxSteps} />, sortBy: (a) => a.limits.maxSteps },
    { key: 'tokens', head: t.maxOutput, align: 'end', cell: (a) => <Count value={a.limits.maxOutputTokens} />, sortBy: (a) => a.limits.maxOutputTokens },
    { key: 'queue', head: t.maxQueue, align: 'end', cell: (a) => <Count value={a.limits.maxQueue} />, sortBy: (a) => a.limits.maxQueue },
    { key: 'budget', head: t.budget, align: 'end', cell: (a) => (a.limits.budgetUsd === null ? t.noBudget : <Money usd={a.limits.budgetUsd} />) },
    { key: 'approval', head: t.approvalTimeout, align: 'end', cell: (a) => <Duration ms={a.limits.approvalTimeoutMs} /> },
    { key: 'tool', head: t.toolTimeout, align: 'end', cell: (a) => <Duration ms={a.limits.toolTimeoutMs} /> },
  ];
  return (
    <div className="stack">
      <p className="muted">{t.limitsAbout}</p>
      {setup.error !== null && <ErrorNote error={setup.error} onRetry={setup.reload} />}
      {!setup.data && setup.loading && <Loading />}
      {setup.data && (
        <div className="limits">
          <Table caption={t.tabs.limits} columns={columns} rows={setup.data.agents} rowKey={(a) => `${a.projectId}/${a.id}`} />
        </div>
      )}
      <Note>
        <span className="note__text">{t.serverLimits}</span>
      </Note>
    </div>
  );
}

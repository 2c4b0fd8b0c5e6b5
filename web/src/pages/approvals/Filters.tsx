// The filters of the inbox and of the history. The server applies them, so they hold for all there is.
import { useState } from 'react';
import type { ApprovalQuery } from 'troupe-client';
import { Field, Input } from '../../ui';
import { Pick } from '../common/parts';
import { useSetup } from '../common/useProjects';
import { useRecords } from '../common/words';
import { useApprovalText } from './text';

type Filter = Omit<ApprovalQuery, 'limit' | 'offset'>;
const spans = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000 };
type SpanName = keyof typeof spans;

export function useFilter(initial: Filter) {
  const [filter, setFilter] = useState<Filter>(initial);
  const change = (next: Filter) => setFilter((now) => ({ ...now, ...next }));
  return { filter, change };
}

export function Filters(props: { filter: Filter; onChange: (next: Filter) => void; history?: boolean }) {
  const { filter, onChange } = props;
  const t = useApprovalText();
  const r = useRecords();
  const setup = useSetup().data;
  const [since, setSince] = useState<SpanName | ''>('');
  const agents = (setup?.agents ?? []).filter((a) => !filter.projectId || a.projectId === filter.projectId);
  const tools = [...new Set(agents.flatMap((a) => a.tools))].sort();
  const pickSince = (name: SpanName | '') => {
    setSince(name);
    onChange({ since: name ? new Date(Date.now() - spans[name]).toISOString() : undefined });
  };
  return (
    <div className="filters" role="search" aria-label={t.filters}>
      {props.history && (
        <Pick
          label={r.status}
          value={filter.status ?? ''}
          onChange={(status) => onChange({ status: status || undefined })}
          options={(['approved', 'denied', 'expired', 'pending'] as const).map((id) => ({ id, name: r.words[id] }))}
        />
      )}
      {(setup?.projects.length ?? 0) > 1 && (
        <Pick
          label={r.project}
          value={filter.projectId ?? ''}
          onChange={(projectId) => onChange({ projectId: projectId || undefined, agentId: undefined })}
          options={setup?.projects ?? []}
        />
      )}
      <Pick
        label={r.agent}
        value={filter.agentId ?? ''}
        onChange={(agentId) => onChange({ agentId: agentId || undefined })}
        options={[...new Map(agents.map((a) => [a.id, a])).values()]}
      />
      <Pick
        label={r.tool}
        value={filter.tool ?? ''}
        onChange={(tool) => onChange({ tool: tool || undefined })}
        options={tools.map((id) => ({ id, name: id }))}
      />
      <Pick
        label={t.kind}
        value={filter.kind ?? ''}
        onChange={(kind) => onChange({ kind: kind || undefined })}
        options={(['tool', 'outcome_unknown', 'input'] as const).map((id) => ({ id, name: t.kinds[id] }))}
      />
      <Pick
        label={t.risk}
        value={filter.riskLevel ?? ''}
        onChange={(riskLevel) => onChange({ riskLevel: riskLevel || undefined })}
        options={(['low', 'medium', 'high'] as const).map((id) => ({ id, name: r.words[id] }))}
      />
      <Pick
        label={t.since}
        value={since}
        onChange={pickSince}
        options={(['hour', 'day', 'week'] as const).map((id) => ({ id, name: t.sinces[id] }))}
      />
      {props.history && (
        <Field label={t.decider}>
          {(p) => (
            <Input {...p} value={filter.decidedBy ?? ''} onChange={(e) => onChange({ decidedBy: e.target.value || undefined })} />
          )}
        </Field>
      )}
    </div>
  );
}

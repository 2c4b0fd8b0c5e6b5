import { useState } from 'react';
import { Workflow } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import type { Trace } from 'troupe-client';
import { api } from '../../api';
import { Button, Count, Duration, EmptyState, ErrorNote, Loading, Money, Table, Time, type Column } from '../../ui';
import { ListFoot, PageFrame, Pick, ProjectField, Reload, SessionLink, Word, shortId } from '../common/parts';
import { usePages } from '../common/usePages';
import { useSessionNames } from '../common/useSessionNames';
import { useProject, useSetup } from '../common/useProjects';
import { useRecords } from '../common/words';
import { useTraceText } from './text';

const statuses = ['running', 'parked', 'queued', 'completed', 'failed', 'cancelled'] as const;
const lengths = { second: 1_000, ten: 10_000, minute: 60_000 };
type LengthName = keyof typeof lengths;
const nothing = { items: [], total: 0, limit: 0, offset: 0 };

export function TraceList({ session }: { session?: string }) {
  const t = useTraceText();
  const r = useRecords();
  const [, go] = useLocation();
  const setup = useSetup();
  const project = useProject(setup.data);
  const pages = usePages<Trace>(
    (query, signal) =>
      session
        ? api.client.traces.ofSession(session, query, { signal })
        : project
          ? api.client.traces.ofProject(project, query, { signal })
          : Promise.resolve(nothing),
    [session, project],
    5000,
  );
  const names = useSessionNames(pages.items.map((trace) => trace.id + trace.status));
  const [status, setStatus] = useState<(typeof statuses)[number] | ''>('');
  const [agent, setAgent] = useState('');
  const [length, setLength] = useState<LengthName | ''>('');
  const [pair, setPair] = useState<readonly string[]>([]);

  // The server has no filters here: these look at what is loaded, and the foot of the list says so.
  const rows = pages.items.filter(
    (trace) =>
      (!status || trace.status === status) &&
      (!agent || trace.agentId === agent) &&
      (!length || (trace.durationMs ?? Infinity) >= lengths[length]),
  );
  const agents = [...new Set(pages.items.map((trace) => trace.agentId))].sort();
  const pick = (id: string, on: boolean) => setPair((now) => (on ? [...now.slice(-1), id] : now.filter((one) => one !== id)));
  const isReady = session ? true : project !== '';

  const columns: Column<Trace>[] = [
    {
      key: 'pick',
      head: <span className="hidden-text">{t.compare}</span>,
      cell: (trace) => (
        <span onClick={(e) => e.stopPropagation()}>
          <input
            type="checkbox"
            aria-label={t.pick(shortId(trace.id))}
            checked={pair.includes(trace.id)}
            onChange={(e) => pick(trace.id, e.target.checked)}
          />
        </span>
      ),
    },
    {
      key: 'started',
      head: t.started,
      cell: (trace) => (
        <Link href={`/traces/${trace.id}`} onClick={(e) => e.stopPropagation()} className="nowrap">
          <Time at={trace.startedAt} style="full" />
          <span className="hidden-text"> {t.openTrace(shortId(trace.id))}</span>
        </Link>
      ),
      sortBy: (trace) => trace.startedAt ?? '',
    },
    { key: 'status', head: r.status, cell: (trace) => <Word value={trace.status} /> },
    { key: 'agent', head: r.agent, cell: (trace) => trace.agentId, sortBy: (trace) => trace.agentId },
    { key: 'session', head: r.session, cell: (trace) => <SessionLink id={trace.sessionId} title={names.get(trace.sessionId)} /> },
    { key: 'took', head: t.took, align: 'end', cell: (trace) => <Duration ms={trace.durationMs} />, sortBy: (trace) => trace.durationMs ?? -1 },
    { key: 'tokens', head: t.tokens, align: 'end', cell: (trace) => <Count value={trace.totalTokens} />, sortBy: (trace) => trace.totalTokens },
    { key: 'cost', head: t.cost, align: 'end', cell: (trace) => <Money usd={trace.totalCost} />, sortBy: (trace) => trace.totalCost },
  ];

  return (
    <PageFrame
      title={session ? t.ofSession(shortId(session)) : t.title}
      about={session ? <Link href="/traces">{t.all}</Link> : t.about}
      actions={
        <>
          <Button disabled={pair.length !== 2} onClick={() => go(`/traces/compare/${pair[0]}/${pair[1]}`)} title={t.compareHint}>
            {t.compareButton(pair.length)}
          </Button>
          <Reload loading={pages.loading} onClick={pages.reload} />
        </>
      }
    >
      <div className="filters" role="search" aria-label={t.filters}>
        {!session && <ProjectField setup={setup.data} value={project} />}
        <Pick label={r.status} value={status} onChange={setStatus} options={statuses.map((id) => ({ id, name: r.words[id] }))} />
        <Pick label={r.agent} value={agent} onChange={setAgent} options={agents.map((id) => ({ id, name: id }))} />
        <Pick
          label={t.longerThan}
          value={length}
          onChange={setLength}
          options={(['second', 'ten', 'minute'] as const).map((id) => ({ id, name: t.lengths[id] }))}
        />
      </div>
      {setup.error !== null && <ErrorNote error={setup.error} onRetry={setup.reload} />}
      {(pages.total === undefined || !isReady) && pages.loading && <Loading />}
      {isReady && pages.total === 0 && (
        <EmptyState icon={<Workflow size={32} aria-hidden />} title={t.none}>
          {t.noneHow}
        </EmptyState>
      )}
      {rows.length > 0 && (
        <Table caption={t.title} columns={columns} rows={rows} rowKey={(trace) => trace.id} onRow={(trace) => go(`/traces/${trace.id}`)} />
      )}
      {isReady && <ListFoot pages={pages} shown={rows.length} />}
    </PageFrame>
  );
}

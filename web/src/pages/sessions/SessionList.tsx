import { useEffect, useState } from 'react';
import { Layers } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import type { SessionRecord, SessionStatus } from 'troupe-client';
import { api } from '../../api';
import { Badge, Checkbox, Count, EmptyState, ErrorNote, Field, Input, Loading, Money, Table, Time, useAsync, type Column } from '../../ui';
import { ListFoot, PageFrame, Pick, Reload, Word, shortId } from '../common/parts';
import { usePages } from '../common/usePages';
import { awaitsTitle } from '../common/useSessionNames';
import { useSetup } from '../common/useProjects';
import { useRecords } from '../common/words';
import { liveSessions } from './live';
import { useSessionText } from './text';

const pollMs = 5000; // of what is live

/** What is typed, once the typing has stopped for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

export const titleOf = (s: SessionRecord): string => (s.title === awaitsTitle ? '' : s.title) || s.alias || shortId(s.id);

export function SessionList() {
  const t = useSessionText();
  const r = useRecords();
  const [, go] = useLocation();
  const setup = useSetup();
  const [text, setText] = useState('');
  const q = useSettled(text.trim());
  const [project, setProject] = useState('');
  const [status, setStatus] = useState<SessionStatus | ''>('');
  const [agent, setAgent] = useState('');
  const [children, setChildren] = useState(false);
  const pages = usePages(
    (query, signal) =>
      api.client.sessions.list(
        { ...query, ...(q && { q }), ...(project && { projectId: project }), ...(status && { status }), ...(children && { includeChildren: true }) },
        { signal },
      ),
    [q, project, status, children],
  );
  const live = useAsync(
    async (signal) => liveSessions(api.client, setup.data?.projects.map((p) => p.id) ?? [], signal),
    [setup.data],
    pollMs,
  );
  const agents = [...new Set(pages.items.map((s) => s.agentId))].sort();
  // By agent the server cannot search: this looks at what is loaded, as the foot of the list says.
  const rows = pages.items.filter((s) => !agent || s.agentId === agent);

  const columns: Column<SessionRecord>[] = [
    {
      key: 'title',
      head: r.session,
      cell: (s) => (
        <div className="session-name">
          <Link href={`/sessions/${s.id}`} onClick={(e) => e.stopPropagation()} title={s.id}>
            {titleOf(s)}
          </Link>{' '}
          {live.data?.has(s.id) && <Badge tone="info">{t.live}</Badge>} {s.parentSessionId && <Badge>{t.child}</Badge>}
          {s.title && s.alias && <div className="muted mono">{s.alias}</div>}
        </div>
      ),
    },
    { key: 'status', head: r.status, cell: (s) => <Word value={live.data?.get(s.id) ?? s.status} /> },
    { key: 'agent', head: r.agent, cell: (s) => s.agentId, sortBy: (s) => s.agentId },
    { key: 'dialect', head: t.dialect, cell: (s) => s.dialect },
    { key: 'owner', head: t.owner, cell: (s) => s.owner || <span className="muted">{t.nobody}</span> },
    { key: 'messages', head: t.messages, align: 'end', cell: (s) => <Count value={s.messageCount} />, sortBy: (s) => s.messageCount },
    { key: 'cost', head: t.cost, align: 'end', cell: (s) => <Money usd={s.usage.cost} />, sortBy: (s) => s.usage.cost },
    { key: 'used', head: t.used, cell: (s) => <Time at={s.updatedAt} />, sortBy: (s) => s.updatedAt },
  ];
  return (
    <PageFrame title={t.title} about={t.about} actions={<Reload loading={pages.loading} onClick={pages.reload} />}>
      <div className="filters" role="search" aria-label={t.search}>
        <Field label={t.search} className="filters__wide">
          {(p) => <Input {...p} type="search" value={text} placeholder={t.searchHint} onChange={(e) => setText(e.target.value)} />}
        </Field>
        {(setup.data?.projects.length ?? 0) > 1 && (
          <Pick label={r.project} value={project} onChange={setProject} options={setup.data?.projects ?? []} />
        )}
        <Pick
          label={r.status}
          value={status}
          onChange={setStatus}
          options={(['active', 'paused', 'closed'] as const).map((id) => ({ id, name: r.words[id] }))}
        />
        <Pick label={r.agent} value={agent} onChange={setAgent} options={agents.map((id) => ({ id, name: id }))} />
        <Checkbox label={t.withChildren} checked={children} onChange={(e) => setChildren(e.target.checked)} />
      </div>
      {live.error !== null && <ErrorNote error={live.error} />}
      {pages.total === undefined && pages.loading && <Loading />}
      {pages.total === 0 && (
        <EmptyState icon={<Layers size={32} aria-hidden />} title={q || project || status ? t.noneFits : t.none}>
          {q || project || status ? t.noneFitsHow : t.noneHow}
        </EmptyState>
      )}
      {rows.length > 0 && (
        <Table caption={t.title} columns={columns} rows={rows} rowKey={(s) => s.id} onRow={(s) => go(`/sessions/${s.id}`)} />
      )}
      <ListFoot pages={pages} shown={rows.length} />
    </PageFrame>
  );
}

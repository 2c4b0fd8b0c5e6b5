// Every question there was, newest first, with who decided it and what they said.
import { CheckCheck } from 'lucide-react';
import type { Approval } from 'troupe-client';
import { api } from '../../api';
import { Badge, EmptyState, Loading, Table, Time, type Column } from '../../ui';
import { ListFoot, Reload, SessionLink, Word } from '../common/parts';
import { usePages } from '../common/usePages';
import { useSessionNames } from '../common/useSessionNames';
import { useRecords } from '../common/words';
import { Filters, useFilter } from './Filters';
import { Decider, People, summaryOf } from './pieces';
import { useApprovalText } from './text';

export function History({ onOpen }: { onOpen: (id: string) => void }) {
  const t = useApprovalText();
  const r = useRecords();
  const { filter, change } = useFilter({});
  const pages = usePages((query, signal) => api.client.approvals.list({ ...filter, ...query }, { signal }), [filter]);
  const names = useSessionNames(pages.items.map((a) => a.id));
  const columns: Column<Approval>[] = [
    { key: 'status', head: r.status, cell: (a) => <Word value={a.status} /> },
    {
      key: 'tool',
      head: t.asks,
      cell: (a) => (
        <>
          <button type="button" className="link" onClick={(e) => (e.stopPropagation(), onOpen(a.id))}>
            {a.toolId}
          </button>
          <div className="mono muted cut">{summaryOf(a)}</div>
          {a.editedInput !== null && a.editedInput !== undefined && <Badge tone="info">{t.edited}</Badge>} <People approval={a} />
        </>
      ),
    },
    { key: 'by', head: t.decider, cell: (a) => <Decider approval={a} />, sortBy: (a) => a.decidedBy ?? '' },
    { key: 'note', head: t.note, cell: (a) => (a.note ? <div className="cut" title={a.note}>{a.note}</div> : null) },
    { key: 'at', head: t.decidedAt, cell: (a) => (a.decidedAt ? <Time at={a.decidedAt} /> : null), sortBy: (a) => a.decidedAt ?? '' },
    { key: 'agent', head: r.agent, cell: (a) => a.agentId },
    { key: 'session', head: r.session, cell: (a) => <SessionLink id={a.sessionId} title={names.get(a.sessionId)} /> },
  ];
  return (
    <div className="stack">
      <div className="row bar">
        <div className="grow">
          <Filters filter={filter} onChange={change} history />
        </div>
        <Reload loading={pages.loading} onClick={pages.reload} />
      </div>
      {pages.total === undefined && pages.loading && <Loading />}
      {pages.total === 0 && (
        <EmptyState icon={<CheckCheck size={32} aria-hidden />} title={t.noHistory}>
          {t.nothingWaitsHow}
        </EmptyState>
      )}
      {pages.items.length > 0 && (
        <Table caption={t.tabs.history} columns={columns} rows={pages.items} rowKey={(a) => a.id} onRow={(a) => onOpen(a.id)} />
      )}
      <ListFoot pages={pages} />
    </div>
  );
}

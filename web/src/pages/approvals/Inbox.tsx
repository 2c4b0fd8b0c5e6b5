// What waits now. Read again every few seconds: an inbox over all sessions has no stream of its own.
import { useState } from 'react';
import { CheckCheck } from 'lucide-react';
import type { Approval, BulkResult } from 'troupe-client';
import { api } from '../../api';
import { approvalsChanged } from '../../layout/usePendingApprovals';
import { Button, EmptyState, Loading, Note, Table, Time, type Column } from '../../ui';
import { ListFoot, Reload, SessionLink, Word, shortId } from '../common/parts';
import { usePages } from '../common/usePages';
import { useSessionNames } from '../common/useSessionNames';
import { useRecords } from '../common/words';
import { BulkDialog } from './BulkDialog';
import { Filters, useFilter } from './Filters';
import { Left, People, summaryOf } from './pieces';
import { useApprovalText } from './text';

const pollMs = 4000;
const mostAtOnce = 100; // of POST /approvals/decide

export function Inbox({ onOpen }: { onOpen: (id: string) => void }) {
  const t = useApprovalText();
  const r = useRecords();
  const { filter, change } = useFilter({ status: 'pending' });
  const pages = usePages((query, signal) => api.client.approvals.list({ ...filter, ...query }, { signal }), [filter], pollMs);
  const names = useSessionNames(pages.items.map((a) => a.id));
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [deciding, setDeciding] = useState<'approve' | 'deny' | null>(null);
  const [failed, setFailed] = useState<readonly BulkResult[]>([]);
  const [said, setSaid] = useState('');

  // What somebody else has decided is not picked any more.
  const chosen = pages.items.filter((a) => picked.has(a.id));
  const pick = (ids: readonly string[], on: boolean) =>
    setPicked((now) => new Set(on ? [...now, ...ids] : [...now].filter((id) => !ids.includes(id))));
  const first = pages.items.slice(0, mostAtOnce).map((a) => a.id);
  const allPicked = first.length > 0 && first.every((id) => picked.has(id));

  const columns: Column<Approval>[] = [
    {
      key: 'pick',
      head: <input type="checkbox" aria-label={t.pickAll} checked={allPicked} onChange={(e) => pick(first, e.target.checked)} />,
      cell: (a) => (
        <span onClick={(e) => e.stopPropagation()}>
          <input
            type="checkbox"
            aria-label={t.pick(a.toolId, shortId(a.id))}
            checked={picked.has(a.id)}
            disabled={!picked.has(a.id) && chosen.length >= mostAtOnce}
            onChange={(e) => pick([a.id], e.target.checked)}
          />
        </span>
      ),
    },
    {
      key: 'tool',
      head: t.asks,
      cell: (a) => (
        <>
          <button type="button" className="link" onClick={(e) => (e.stopPropagation(), onOpen(a.id))}>
            {a.kind === 'tool' ? a.toolId : `${a.toolId} · ${t.kinds[a.kind]}`}
          </button>
          <div className="mono muted cut">{summaryOf(a)}</div>
          <People approval={a} />
        </>
      ),
    },
    { key: 'risk', head: t.risk, cell: (a) => <Word value={a.riskLevel} /> },
    { key: 'agent', head: r.agent, cell: (a) => a.agentId },
    { key: 'session', head: r.session, cell: (a) => <SessionLink id={a.sessionId} title={names.get(a.sessionId)} /> },
    { key: 'asked', head: t.asked, cell: (a) => <Time at={a.createdAt} />, sortBy: (a) => a.createdAt },
    { key: 'left', head: t.left, cell: (a) => <Left until={a.expiresAt} />, sortBy: (a) => a.expiresAt ?? '9' },
  ];

  const onDecided = (results: readonly BulkResult[]) => {
    const bad = results.filter((one) => one.error);
    setFailed(bad);
    setSaid(t.bulkDone(results.length - bad.length));
    setPicked(new Set(bad.map((one) => one.id)));
    setDeciding(null);
    pages.reload();
    approvalsChanged();
  };

  return (
    <div className="stack">
      <div className="row bar">
        <div className="grow">
          <Filters filter={filter} onChange={change} />
        </div>
        <Reload loading={pages.loading} onClick={pages.reload} />
      </div>
      {chosen.length > 0 && (
        <div className="row bulk" role="group" aria-label={t.bulk}>
          <strong>{t.picked(chosen.length)}</strong>
          <Button variant="primary" onClick={() => setDeciding('approve')}>
            {t.approve}
          </Button>
          <Button variant="danger" onClick={() => setDeciding('deny')}>
            {t.deny}
          </Button>
          <Button variant="quiet" onClick={() => setPicked(new Set())}>
            {t.unpick}
          </Button>
        </div>
      )}
      <div role="status">{said && <Note>{said}</Note>}</div>
      {failed.length > 0 && (
        <div role="alert" className="stack">
          {failed.map((one) => (
            <Note key={one.id} tone="bad">
              <span className="note__text">
                <span className="mono">{shortId(one.id)}</span> {one.error?.message} <span className="mono">{one.error?.code}</span>
              </span>
            </Note>
          ))}
        </div>
      )}
      {pages.total === undefined && pages.loading && <Loading />}
      {pages.total === 0 && (
        <EmptyState icon={<CheckCheck size={32} aria-hidden />} title={t.nothingWaits}>
          {t.nothingWaitsHow}
        </EmptyState>
      )}
      {pages.items.length > 0 && (
        <Table caption={t.tabs.waiting} columns={columns} rows={pages.items} rowKey={(a) => a.id} onRow={(a) => onOpen(a.id)} />
      )}
      <ListFoot pages={pages} />
      {deciding && <BulkDialog approvals={chosen} approve={deciding === 'approve'} onClose={() => setDeciding(null)} onDecided={onDecided} />}
    </div>
  );
}

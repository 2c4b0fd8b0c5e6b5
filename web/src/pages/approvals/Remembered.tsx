// Approvals that hold for later calls too, and taking them back.
import { useState } from 'react';
import { BellOff } from 'lucide-react';
import type { RememberedApproval } from 'troupe-client';
import { api } from '../../api';
import { useCommon } from '../../i18n/common';
import { Button, Checkbox, Dialog, EmptyState, ErrorNote, Loading, Table, Time, type Column } from '../../ui';
import { ListFoot, Reload, SessionLink, Word } from '../common/parts';
import { usePages } from '../common/usePages';
import { useRecords } from '../common/words';
import { useApprovalText } from './text';
import './approvals.css';

/** Tests on arguments as the server keeps them; the usual one, equal to the whole of them, in plain words. */
function When({ tests }: { tests: RememberedApproval['when'] }) {
  const t = useApprovalText();
  const [only] = tests;
  if (!only) return <>{t.whenAny}</>;
  if (tests.length > 1 || only.argument !== '' || !('equals' in only)) return <code className="wrap">{JSON.stringify(tests)}</code>;
  return (
    <>
      {t.exactly} <code className="wrap">{JSON.stringify(only.equals)}</code>
    </>
  );
}

export function Remembered() {
  const t = useApprovalText();
  const r = useRecords();
  const common = useCommon();
  const [all, setAll] = useState(false);
  const pages = usePages((query, signal) => api.client.approvals.remembered({ ...query, ...(all && { all }) }, { signal }), [all]);
  const [asking, setAsking] = useState<RememberedApproval | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const revoke = async (id: string) => {
    setBusy(true);
    setError(null);
    try {
      await api.client.approvals.revoke(id);
      setAsking(null);
      pages.reload();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const scopeOf = (g: RememberedApproval) => (
    <>
      {t.scopes[g.scope]}{' '}
      {g.scope === 'session' ? <SessionLink id={g.sessionId} /> : <code>{g.scope === 'agent' ? g.agentId : g.projectId}</code>}
    </>
  );
  const columns: Column<RememberedApproval>[] = [
    { key: 'tool', head: r.tool, cell: (g) => <strong>{g.toolId}</strong>, sortBy: (g) => g.toolId },
    { key: 'when', head: t.when, cell: (g) => <When tests={g.when} /> },
    { key: 'scope', head: t.scope, cell: scopeOf },
    { key: 'by', head: t.grantedBy, cell: (g) => g.grantedBy || <span className="muted" title={t.nobodyNamedWhy}>{t.nobodyNamed}</span> },
    { key: 'at', head: t.grantedAt, cell: (g) => <Time at={g.createdAt} />, sortBy: (g) => g.createdAt },
    { key: 'until', head: t.until, cell: (g) => (g.expiresAt ? <Time at={g.expiresAt} style="full" /> : t.forEver) },
    {
      key: 'status',
      head: r.status,
      cell: (g) =>
        g.status === 'active' ? (
          <Button size="small" variant="danger" aria-label={t.revokeOne(g.toolId)} onClick={() => setAsking(g)}>
            {t.revoke}
          </Button>
        ) : (
          <Word value={g.status} />
        ),
    },
  ];
  return (
    <div className="stack">
      <div className="row bar">
        <p className="grow muted">{t.rememberedAbout}</p>
        <Checkbox label={t.showAll} checked={all} onChange={(e) => setAll(e.target.checked)} />
        <Reload loading={pages.loading} onClick={pages.reload} />
      </div>
      {pages.total === undefined && pages.loading && <Loading />}
      {pages.total === 0 && (
        <EmptyState icon={<BellOff size={32} aria-hidden />} title={t.noneRemembered}>
          {t.noneRememberedHow}
        </EmptyState>
      )}
      {pages.items.length > 0 && <Table caption={t.tabs.remembered} columns={columns} rows={pages.items} rowKey={(g) => g.id} />}
      <ListFoot pages={pages} />
      <Dialog
        open={asking !== null}
        title={t.revokeTitle}
        onClose={() => setAsking(null)}
        actions={
          <>
            <Button onClick={() => setAsking(null)}>{common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={() => asking && void revoke(asking.id)}>
              {t.revoke}
            </Button>
          </>
        }
      >
        {asking && <p>{t.revokeAbout(asking.toolId)}</p>}
        {error !== null && <ErrorNote error={error} />}
      </Dialog>
    </div>
  );
}

// All versions of an agent, what differs between any two, and the way back to one.
import { useState } from 'react';
import type { AgentVersion } from 'troupe-client';
import { api } from '../../../api';
import { useCommon } from '../../../i18n/common';
import { Badge, Button, Dialog, EmptyState, ErrorNote, Field, Input, Loading, Note, Select, Table, Time, useAsync, type Column } from '../../../ui';
import { JsonDiff } from '../../common/JsonDiff';
import { ListFoot } from '../../common/parts';
import { usePages } from '../../common/usePages';
import { useSettingsText } from '../text';
import type { Definition } from './definition';
import { useAgentsText } from './text';

interface VersionsProps {
  project: string;
  agent: string;
  /** Another number after every change: the list is read again. */
  turn: number;
  /** What is written and not stored; null where there is nothing. */
  draft: Definition | null;
  current: number | null;
  onRestored: () => Promise<void>;
}
const unsaved = 'draft';

export function Versions({ project, agent, turn, draft, current, onRestored }: VersionsProps) {
  const t = useSettingsText();
  const e = useAgentsText();
  const pages = usePages((query, signal) => api.client.agents.versions(project, agent, query, { signal }), [project, agent, turn]);
  const [picked, setPicked] = useState<{ from?: string; to?: string }>({});
  const [restoring, setRestoring] = useState<number | null>(null);
  const numbers = pages.items.map((v) => String(v.version));
  const ids = draft === null ? numbers : [unsaved, ...numbers];
  const to = picked.to !== undefined && ids.includes(picked.to) ? picked.to : (ids[0] ?? '');
  const from = picked.from !== undefined && ids.includes(picked.from) ? picked.from : (ids[1] ?? ids[0] ?? '');
  const nameOf = (id: string) => (id === unsaved ? e.notStoredYet : e.versionNumber(Number(id)));
  const columns: Column<AgentVersion>[] = [
    {
      key: 'version',
      head: e.version,
      cell: (v) => (
        <span className="nowrap">
          {v.version} {v.version === current && <Badge tone="ok">{e.inForce}</Badge>} {v.deleted && <Badge tone="bad">{e.deleted}</Badge>}
        </span>
      ),
    },
    { key: 'at', head: e.storedAt, cell: (v) => <Time at={v.createdAt} style="full" /> },
    { key: 'by', head: e.storedBy, cell: (v) => v.createdBy || <span className="muted">{t.anonymous}</span> },
    { key: 'note', head: e.note, cell: (v) => <span className="version-note">{v.note}</span> },
    {
      key: 'do',
      head: <span className="hidden-text">{e.restore}</span>,
      align: 'end',
      cell: (v) =>
        v.version !== current &&
        !v.deleted && (
          <Button size="small" aria-label={e.restoreNumber(v.version)} onClick={() => setRestoring(v.version)}>
            {e.restore}
          </Button>
        ),
    },
  ];
  return (
    <div className="stack">
      {pages.total === undefined && pages.loading && <Loading />}
      {pages.total === 0 && <EmptyState title={e.noVersions} />}
      {pages.items.length > 0 && <Table caption={e.views.versions} columns={columns} rows={pages.items} rowKey={(v) => String(v.version)} />}
      <ListFoot pages={pages} />
      {ids.length > 1 && (
        <>
          <h3>{e.compare}</h3>
          <div className="filters">
            {(['from', 'to'] as const).map((side) => (
              <Field key={side} label={side === 'from' ? e.older : e.newer}>
                {(p) => (
                  <Select {...p} value={side === 'from' ? from : to} onChange={(event) => setPicked({ from, to, [side]: event.target.value })}>
                    {ids.map((id) => (
                      <option key={id} value={id}>
                        {nameOf(id)}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
            ))}
          </div>
          <Difference project={project} agent={agent} from={from} to={to} draft={draft} nameOf={nameOf} />
        </>
      )}
      {restoring !== null && (
        <Restore
          key={restoring}
          project={project}
          agent={agent}
          version={restoring}
          current={current}
          losesDraft={draft !== null}
          onClose={() => setRestoring(null)}
          onDone={async () => {
            await onRestored();
            setRestoring(null);
          }}
        />
      )}
    </div>
  );
}

function Difference(props: { project: string; agent: string; from: string; to: string; draft: Definition | null; nameOf: (id: string) => string }) {
  const { project, agent, from, to, draft, nameOf } = props;
  const e = useAgentsText();
  const both = useAsync(
    (signal) =>
      Promise.all(
        [from, to].map(async (id) =>
          id === unsaved ? null : (await api.client.agents.version(project, agent, Number(id), { signal })).definition,
        ),
      ),
    [project, agent, from, to],
  );
  if (both.error !== null) return <ErrorNote error={both.error} onRetry={both.reload} />;
  if (!both.data) return <Loading />;
  // A deletion has no definition.
  const [left, right] = both.data.map((definition, i) => ([from, to][i] === unsaved ? draft : definition));
  if (JSON.stringify(left) === JSON.stringify(right)) return <p className="muted">{e.noDifference}</p>;
  return <JsonDiff left={left} right={right} leftTitle={nameOf(from)} rightTitle={nameOf(to)} caption={e.compare} />;
}

/** An old definition is stored as a new version. */
function Restore(props: {
  project: string;
  agent: string;
  version: number;
  current: number | null;
  losesDraft: boolean;
  onClose: () => void;
  onDone: () => Promise<void>;
}) {
  const { project, agent, version, current, losesDraft, onClose, onDone } = props;
  const e = useAgentsText();
  const common = useCommon();
  const [note, setNote] = useState<string>(e.restoredNote(version));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const restore = async () => {
    setBusy(true);
    setError(null);
    try {
      const { definition } = await api.client.agents.version(project, agent, version);
      if (definition === null) return onClose(); // deleted there: nothing to restore, and not offered
      await api.client.agents.update(project, agent, { definition, ...(note.trim() && { note: note.trim() }), ...(current === null ? {} : { version: current }) });
      await onDone();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      title={e.restoreNumber(version)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button variant="primary" busy={busy} onClick={() => void restore()}>
            {e.restore}
          </Button>
        </>
      }
    >
      <p>{e.restoreAbout(version)}</p>
      {losesDraft && <Note tone="warn">{e.restoreLoses}</Note>}
      <Field label={e.note}>{(p) => <Input {...p} value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} />}</Field>
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

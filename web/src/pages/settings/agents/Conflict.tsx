// Somebody stored a version while this one was edited: what they changed, what would be stored, and the choice.
import { useState } from 'react';
import type { AgentVersion } from 'troupe-client';
import { api } from '../../../api';
import { Button, Dialog, ErrorNote, Loading, Time, useAsync } from '../../../ui';
import { JsonDiff } from '../../common/JsonDiff';
import { read } from './definition';
import { useAgentsText } from './text';
import type { Draft } from './useDraft';

interface ConflictProps {
  project: string;
  agent: string;
  draft: Draft;
  saving: boolean;
  onMine: (version: number | null) => Promise<unknown>;
  onTheirs: () => Promise<void>;
  onClose: () => void;
}

export function Conflict({ project, agent, draft, saving, onMine, onTheirs, onClose }: ConflictProps) {
  const e = useAgentsText();
  const [error, setError] = useState<unknown>(null);
  const now = useAsync(
    async (signal) => {
      const [record, versions] = await Promise.all([
        api.client.agents.definition(project, agent, { signal }),
        api.client.agents.versions(project, agent, { limit: 1 }, { signal }),
      ]);
      return { record, newest: versions.items[0] };
    },
    [project, agent],
  );
  const record = now.data?.record;
  const mine = read(draft.text).definition;
  return (
    <Dialog
      open
      wide
      title={e.conflictTitle}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{e.keepEditing}</Button>
          <Button disabled={!record} onClick={() => void onTheirs().catch(setError)}>
            {e.takeTheirs}
          </Button>
          <Button variant="primary" disabled={!record} busy={saving} onClick={() => void onMine(record?.version ?? null)}>
            {e.storeMine}
          </Button>
        </>
      }
    >
      {now.error !== null && <ErrorNote error={now.error} onRetry={now.reload} />}
      {error !== null && <ErrorNote error={error} />}
      {!record && now.loading && <Loading />}
      {record && (
        <>
          <p>{e.conflictAbout(draft.version ?? 0, record.version ?? 0)}</p>
          <Newest of={now.data?.newest} />
          <h3>{e.theyChanged}</h3>
          <JsonDiff
            left={draft.stored}
            right={record.definition}
            leftTitle={e.versionNumber(draft.version ?? 0)}
            rightTitle={e.versionNumber(record.version ?? 0)}
            caption={e.theyChanged}
          />
          <h3>{e.youWouldStore}</h3>
          <JsonDiff left={record.definition} right={mine} leftTitle={e.versionNumber(record.version ?? 0)} rightTitle={e.yours} caption={e.youWouldStore} />
        </>
      )}
    </Dialog>
  );
}

function Newest({ of }: { of: AgentVersion | undefined }) {
  const e = useAgentsText();
  if (!of) return null;
  return (
    <p className="muted">
      <Time at={of.createdAt} style="full" /> {of.createdBy && e.by(of.createdBy)} {of.note && <>· {of.note}</>}
    </p>
  );
}

// One approval: all that is known of it, and the decision where it waits for one.
import { Link } from 'wouter';
import type { Approval } from 'troupe-client';
import { api } from '../../api';
import { Badge, ErrorNote, Json, Loading, Note, Time, useAsync } from '../../ui';
import { JsonDiff } from '../common/JsonDiff';
import { Facts, SessionLink, Word } from '../common/parts';
import { useRecords } from '../common/words';
import { DecisionForm } from './DecisionForm';
import { Decider, Left, People } from './pieces';
import { useApprovalText } from './text';

export function Detail({ id, onDone }: { id: string; onDone: () => void }) {
  const asked = useAsync((signal) => api.client.approvals.get(id, { signal }), [id]);
  if (asked.data) return <Shown approval={asked.data} onChanged={asked.reload} onDone={onDone} />;
  return asked.error !== null ? <ErrorNote error={asked.error} onRetry={asked.reload} /> : <Loading />;
}

function Shown({ approval: a, onChanged, onDone }: { approval: Approval; onChanged: () => void; onDone: () => void }) {
  const t = useApprovalText();
  const r = useRecords();
  const isPending = a.status === 'pending';
  const isEdited = a.editedInput !== null && a.editedInput !== undefined;
  return (
    <div className="stack">
      <div className="row">
        <h3 className="mono">{a.toolId}</h3>
        <Word value={a.status} />
        <span>
          {t.risk}: <Word value={a.riskLevel} />
        </span>
        <Badge>{t.kinds[a.kind]}</Badge>
        <People approval={a} />
      </div>
      {a.message && <Note>{a.message}</Note>}
      {a.notBy && isPending && <Note tone="warn">{t.notBy(a.notBy)}</Note>}
      {isEdited ? (
        <JsonDiff left={a.action} right={a.editedInput} leftTitle={t.askedFor} rightTitle={t.editedTo} caption={t.diffCaption} />
      ) : (
        a.kind !== 'input' && (
          <div>
            <h3>{t.arguments}</h3>
            <Json value={a.action} label={t.arguments} />
          </div>
        )
      )}
      {a.answer !== null && a.answer !== undefined && (
        <div>
          <h3>{t.answer}</h3>
          <Json value={a.answer} label={t.answer} />
        </div>
      )}
      {isPending && <DecisionForm approval={a} onChanged={onChanged} onDone={onDone} />}
      <Facts
        facts={[
          !isPending && { name: t.decider, value: <Decider approval={a} /> },
          a.decidedAt !== null && { name: t.decidedAt, value: <Time at={a.decidedAt} style="full" /> },
          a.choice !== null && { name: t.choice, value: t.choices[a.choice] },
          a.note !== null && { name: t.note, value: a.note },
          { name: t.asked, value: <Time at={a.createdAt} style="full" /> },
          isPending && { name: t.left, value: <Left until={a.expiresAt} /> },
          { name: r.agent, value: a.agentId },
          { name: r.project, value: a.projectId },
          { name: r.session, value: <SessionLink id={a.sessionId} /> },
          a.originSessionId !== null && { name: t.origin, value: <SessionLink id={a.originSessionId} /> },
          { name: t.openChat, value: <Link href={`/chat/${a.sessionId}`}>{t.toChat}</Link> },
          a.argumentsHash !== null && { name: t.hash, value: <span className="mono">{a.argumentsHash.slice(0, 16)}…</span> },
        ]}
      />
    </div>
  );
}

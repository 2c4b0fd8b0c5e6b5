// Deciding one approval of any kind: with other arguments, with a note, remembered, with a choice or an answer.
import { useState } from 'react';
import type { Approval, Decision } from 'troupe-client';
import { api } from '../../api';
import { approvalsChanged } from '../../layout/usePendingApprovals';
import { Button, Checkbox, ErrorNote, Field, Note, TextArea, codeOf, toText } from '../../ui';
import { JsonDiff } from '../common/JsonDiff';
import { AnswerFields, type Answer } from './AnswerFields';
import { RememberFields, rememberOf, type RememberChoice } from './RememberFields';
import { useApprovalText } from './text';

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function DecisionForm({ approval: a, onChanged, onDone }: { approval: Approval; onChanged: () => void; onDone: () => void }) {
  const t = useApprovalText();
  const [note, setNote] = useState('');
  const [isEditing, setEditing] = useState(false);
  const [draft, setDraft] = useState(() => toText(a.action));
  const [remember, setRemember] = useState<RememberChoice>({ scope: '', exact: true, hours: '' });
  const [answer, setAnswer] = useState<Answer>({ value: {}, isReady: false });
  const [busy, setBusy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const edited = isEditing ? parseObject(draft) : null;

  const decide = async (name: string, decision: Decision) => {
    setBusy(name);
    setError(null);
    try {
      const said = note.trim();
      const after = await api.client.approvals.decide(a.id, {
        ...decision,
        ...(said && { note: said }),
        ...(a.argumentsHash && a.kind === 'tool' && { argumentsHash: a.argumentsHash }),
      });
      // Where two must approve, the first one stays and sees that it waits for another.
      approvalsChanged();
      if (after.status === 'pending') onChanged();
      else onDone();
    } catch (failure) {
      setError(failure);
      if (codeOf(failure) === 'APPROVAL_NOT_PENDING') onChanged();
    } finally {
      setBusy('');
    }
  };
  const approve = (): Decision => ({
    approved: true,
    ...(edited && { editedInput: edited }),
    ...(remember.scope && { remember: rememberOf(remember) }),
  });

  return (
    <form className="stack decision" onSubmit={(event) => event.preventDefault()} aria-label={t.decision}>
      {a.kind === 'tool' && (
        <>
          <Checkbox label={t.edit} checked={isEditing} onChange={(e) => setEditing(e.target.checked)} />
          {isEditing && (
            <>
              <Field label={t.editedArguments} error={edited ? undefined : t.notAnObject}>
                {(p) => (
                  <TextArea {...p} className="mono" rows={8} spellCheck={false} value={draft} onChange={(e) => setDraft(e.target.value)} />
                )}
              </Field>
              {edited && (
                <JsonDiff left={a.action} right={edited} leftTitle={t.askedFor} rightTitle={t.editedTo} caption={t.diffCaption} />
              )}
            </>
          )}
          <RememberFields value={remember} onChange={setRemember} />
        </>
      )}
      {a.kind === 'outcome_unknown' && <Note tone="warn">{t.unknownAbout}</Note>}
      {a.kind === 'input' && <AnswerFields schema={a.schema} onChange={setAnswer} />}
      <Field label={t.note} hint={t.noteHint}>
        {(p) => <TextArea {...p} rows={2} value={note} maxLength={2000} onChange={(e) => setNote(e.target.value)} />}
      </Field>
      {error !== null && <ErrorNote error={error} />}
      <div className="row">
        {a.kind === 'tool' && (
          <>
            <Button
              variant="primary"
              busy={busy === 'approve'}
              disabled={busy !== '' || (isEditing && !edited)}
              onClick={() => void decide('approve', approve())}
            >
              {edited ? t.approveEdited : t.approve}
            </Button>
            <Button variant="danger" busy={busy === 'deny'} disabled={busy !== ''} onClick={() => void decide('deny', { approved: false })}>
              {t.deny}
            </Button>
          </>
        )}
        {a.kind === 'outcome_unknown' &&
          (a.choices ?? []).map((choice) => (
            <Button key={choice} busy={busy === choice} disabled={busy !== ''} onClick={() => void decide(choice, { choice })}>
              {t.choices[choice]}
            </Button>
          ))}
        {a.kind === 'input' && (
          <>
            <Button
              variant="primary"
              busy={busy === 'answer'}
              disabled={busy !== '' || !answer.isReady}
              onClick={() => void decide('answer', { answer: answer.value })}
            >
              {t.sendAnswer}
            </Button>
            <Button variant="danger" busy={busy === 'deny'} disabled={busy !== ''} onClick={() => void decide('deny', { approved: false })}>
              {t.decline}
            </Button>
          </>
        )}
      </div>
    </form>
  );
}

// Several at once, after one more look at what they are.
import { useState } from 'react';
import type { Approval, BulkResult } from 'troupe-client';
import { api } from '../../api';
import { Button, Checkbox, Dialog, ErrorNote, Field, Note, TextArea } from '../../ui';
import { useCommon } from '../../i18n/common';
import { Word } from '../common/parts';
import { summaryOf } from './pieces';
import { useApprovalText } from './text';

export function BulkDialog(props: {
  approvals: readonly Approval[];
  approve: boolean;
  onClose: () => void;
  onDecided: (results: readonly BulkResult[]) => void;
}) {
  const { approvals, approve } = props;
  const t = useApprovalText();
  const common = useCommon();
  const [note, setNote] = useState('');
  const [remember, setRemember] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const questions = approvals.filter((a) => a.kind === 'input').length;
  const unknown = approvals.filter((a) => a.kind === 'outcome_unknown').length;

  const decide = async () => {
    setBusy(true);
    setError(null);
    try {
      props.onDecided(
        await api.client.approvals.decideMany(
          approvals.map((a) => a.id),
          { approved: approve, ...(note.trim() && { note: note.trim() }), ...(approve && remember && { remember: true as const }) },
        ),
      );
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Dialog
      open
      title={approve ? t.bulkApprove(approvals.length) : t.bulkDeny(approvals.length)}
      onClose={props.onClose}
      actions={
        <>
          <Button onClick={props.onClose}>{common.cancel}</Button>
          <Button variant={approve ? 'primary' : 'danger'} busy={busy} onClick={() => void decide()}>
            {approve ? t.approve : t.deny}
          </Button>
        </>
      }
    >
      <ul className="bulk__list">
        {approvals.map((a) => (
          <li key={a.id}>
            <strong>{a.toolId}</strong> <Word value={a.riskLevel} /> <code>{summaryOf(a)}</code>
          </li>
        ))}
      </ul>
      {approve && questions > 0 && <Note tone="warn">{t.bulkQuestions(questions)}</Note>}
      {unknown > 0 && <Note tone="warn">{approve ? t.bulkRetry(unknown) : t.bulkFailed(unknown)}</Note>}
      <Field label={t.note} hint={t.noteHint}>
        {(p) => <TextArea {...p} rows={2} value={note} maxLength={2000} onChange={(e) => setNote(e.target.value)} />}
      </Field>
      {approve && <Checkbox label={t.bulkRemember} checked={remember} onChange={(e) => setRemember(e.target.checked)} />}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

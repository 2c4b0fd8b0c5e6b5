import { useState, type FormEvent } from 'react';
import { useCommon } from '../../i18n/common';
import { Button, Dialog, ErrorNote, Field, Input } from '../../ui';
import { useWords } from './words';

interface Asked {
  open: boolean;
  onClose: () => void;
}

/** Does it, closes when it is done, and says where it was not. */
function useDoing(onClose: () => void) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (what: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await what();
      onClose();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}

export function RenameDialog({
  open,
  title,
  onClose,
  onSave,
}: Asked & { title: string; onSave: (title: string) => Promise<unknown> }) {
  const t = useWords();
  const common = useCommon();
  const { busy, error, run } = useDoing(onClose);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get('title') ?? '').trim();
    void run(() => onSave(text));
  };
  return (
    <Dialog open={open} title={t.toolbar.rename} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field label={t.toolbar.renameLabel}>
          {(p) => <Input {...p} name="title" defaultValue={title} maxLength={200} required autoFocus />}
        </Field>
        {error !== null && <ErrorNote error={error} />}
        <div className="row">
          <Button type="submit" variant="primary" busy={busy}>
            {t.toolbar.save}
          </Button>
          <Button onClick={onClose}>{common.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

export function ClearDialog({ open, onClose, onClear }: Asked & { onClear: () => Promise<unknown> }) {
  const t = useWords();
  const common = useCommon();
  const { busy, error, run } = useDoing(onClose);
  return (
    <Dialog
      open={open}
      title={t.toolbar.clearSure}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button variant="danger" busy={busy} onClick={() => void run(onClear)}>
            {t.toolbar.clear}
          </Button>
        </>
      }
    >
      <p>{t.toolbar.clearAbout}</p>
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

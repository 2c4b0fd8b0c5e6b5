import { useState } from 'react';
import { useLocation } from 'wouter';
import { api } from '../../../api';
import { useCommon } from '../../../i18n/common';
import { Button, Dialog, ErrorNote } from '../../../ui';
import { useAgentsText } from './text';

export function Remove(props: { project: string; agent: string; open: boolean; onClose: () => void; onRemoved: () => void }) {
  const { project, agent, open, onClose, onRemoved } = props;
  const e = useAgentsText();
  const common = useCommon();
  const [, go] = useLocation();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const close = () => {
    setError(null);
    onClose();
  };
  const remove = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.client.agents.delete(project, agent);
      onRemoved();
      go('/settings/agents');
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={open}
      title={e.removeTitle(agent)}
      onClose={close}
      actions={
        <>
          <Button onClick={close}>{common.cancel}</Button>
          <Button variant="danger" busy={busy} onClick={() => void remove()}>
            {e.remove}
          </Button>
        </>
      }
    >
      <p>{e.removeAbout(agent)}</p>
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

import { useEffect } from 'react';
import { useApprovals } from 'troupe-client/react';
import { api } from '../api';
import { createStore, useStore } from '../store';

const query = { status: 'pending', limit: 1 } as const;
const changes = createStore(0);

/** Something was asked or decided on this page: the number is read now, not a few seconds later. */
export const approvalsChanged = (): void => changes.set(changes.value() + 1);

/** How many decisions wait, in all sessions that the user may see. */
export function usePendingApprovals(): number {
  const { total, refresh } = useApprovals(api.client, query);
  const seen = useStore(changes);
  useEffect(() => {
    if (seen > 0) void refresh();
  }, [seen, refresh]);
  return total;
}

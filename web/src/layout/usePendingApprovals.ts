import { useApprovals } from 'troupe-client/react';
import { api } from '../api';

const query = { status: 'pending', limit: 1 } as const;

/** How many decisions wait, in all sessions that the user may see. */
export const usePendingApprovals = (): number => useApprovals(api.client, query).total;

// Whether one may edit the agents of a project here: asked of the server by a check of nothing, which stores nothing.
import { api } from '../../../api';
import { statusOf, useAsync, type Async } from '../../../ui';

/** `older`: the server has no interface for it. */
export type Access = 'editor' | 'reader' | 'older';

export function useAccess(project: string): Async<Access> {
  return useAsync(
    async (signal) => {
      try {
        await api.client.agents.check(project, { definition: {} }, { signal });
        return 'editor';
      } catch (error) {
        const status = statusOf(error);
        if (status === 403) return 'reader';
        if (status === 404 || status === 405) return 'older';
        if (status === 422) return 'editor';
        throw error;
      }
    },
    [project],
  );
}

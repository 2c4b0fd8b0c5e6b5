// What sessions are called, for lists that know only their ids: one request for all rows.
import { api } from '../../api';
import { useAsync } from '../../ui';

/** A session with this title gets one out of its first exchange, from the server. */
export const awaitsTitle = 'New Conversation';

const nothing: ReadonlyMap<string, string> = new Map();

/**
 * Titles (or clients' own names) by id, of the sessions used last; asked for again when `rows` change: ids of what is listed, with
 * what may go along with a new title. A session that has none, or is not among them, is missing: its id stands for it.
 */
export function useSessionNames(rows: readonly string[]): ReadonlyMap<string, string> {
  const version = rows.join('\n');
  const asked = useAsync(async (signal) => {
    if (!version) return nothing;
    const { items } = await api.client.sessions.list({ limit: 100, includeChildren: true }, { signal });
    const named = items.map((s) => [s.id, s.title || s.alias] as const);
    return new Map(named.filter(([, name]) => name !== '' && name !== awaitsTitle));
  }, [version]);
  return asked.data ?? nothing;
}

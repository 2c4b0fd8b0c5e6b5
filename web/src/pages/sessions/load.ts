// The whole log of a session, for its replay: one document where the server can make it, else the first pages of the list.
import { TroupeError, type LogEvent, type TroupeClient } from 'troupe-client';
import type { KnownTime } from './replay';

const page = 100;
const mostPages = 50;

export interface Loaded {
  events: LogEvent[];
  times: KnownTime[];
  title: string;
  agentId: string;
  /** The session is too large for one document: these are its first events. */
  isPart: boolean;
}

export async function loadLog(client: TroupeClient, id: string, signal: AbortSignal): Promise<Loaded> {
  try {
    const whole = await client.sessions.export(id, { signal });
    const times = whole.messages.map((m) => ({ seq: m.seq, at: m.createdAt })).sort((a, b) => a.seq - b.seq);
    return { events: whole.events, times, title: whole.session.title || whole.session.alias, agentId: whole.session.agentId, isPart: false };
  } catch (error) {
    if (!(error instanceof TroupeError) || error.code !== 'PAYLOAD_TOO_LARGE') throw error;
  }
  const session = await client.sessions.get(id, { signal });
  const events: LogEvent[] = [];
  for (let i = 0; i < mostPages; ++i) {
    const after = events.at(-1);
    const next = await client.sessions.events(id, { limit: page, after: after && 'seq' in after ? (after.seq ?? 0) : 0 }, { signal });
    events.push(...next.items);
    if (next.items.length < page) break;
  }
  return { events, times: [], title: session.title || session.alias, agentId: session.agentId, isPart: true };
}

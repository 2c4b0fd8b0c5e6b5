// Which sessions have a run under way. The record of a session does not tell, its newest runs do.
import type { Trace, TroupeClient } from 'troupe-client';

const looked = 100; // newest runs of a project

export type Live = ReadonlyMap<string, 'running' | 'parked' | 'queued'>;

const isLive = (trace: Trace): trace is Trace & { status: 'running' | 'parked' | 'queued' } =>
  trace.status === 'running' || trace.status === 'parked' || trace.status === 'queued';

export async function liveSessions(client: TroupeClient, projects: readonly string[], signal: AbortSignal): Promise<Live> {
  const pages = await Promise.all(projects.map((id) => client.traces.ofProject(id, { limit: looked }, { signal })));
  const out = new Map<string, 'running' | 'parked' | 'queued'>();
  // Oldest first, so that a session's newest run has the last word; one that runs is told over those that wait behind it.
  for (const trace of pages.flatMap((page) => page.items).reverse())
    if (isLive(trace) && !(trace.status === 'queued' && out.has(trace.sessionId))) out.set(trace.sessionId, trace.status);
  return out;
}

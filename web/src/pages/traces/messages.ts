// The messages of a run. Traces name no message, messages name their run: the page of the history in which the run began is
// found by halving, because a long session has thousands.
import type { MessageRecord, Trace, TroupeClient } from 'troupe-client';

const size = 100;
const mostPages = 4; // of one run

export async function findRunMessages(client: TroupeClient, run: Trace, signal: AbortSignal): Promise<MessageRecord[]> {
  const read = (page: number) => client.sessions.messages(run.sessionId, { limit: size, offset: page * size }, { signal });
  const began = run.startedAt ? Date.parse(run.startedAt) : 0;
  const first = await read(0);
  let low = 0;
  let high = Math.max(0, Math.ceil(first.total / size) - 1);
  // The last page whose first message is not younger than the run.
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { items } = await read(middle);
    if (items[0] && Date.parse(items[0].createdAt) <= began) low = middle;
    else high = middle - 1;
  }
  const out: MessageRecord[] = [];
  let before: MessageRecord | undefined;
  for (let page = Math.max(0, low - 1), read_ = 0; read_ < mostPages + 1; ++page, ++read_) {
    const { items } = page === 0 ? first : await read(page);
    for (const m of items) {
      if (m.runId === run.runId) {
        if (m.role === 'assistant' && out.length === 0 && before) out.push(before);
        out.push(m);
      }
      if (m.role === 'user' && out.length === 0) before = m;
    }
    const isPast = out.length > 0 && items.at(-1)?.runId !== run.runId;
    if (items.length < size || isPast) break;
  }
  return out;
}

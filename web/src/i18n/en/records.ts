// Words of what the server stores, shared by the pages besides the chat.
const records = {
  project: 'Project',
  agent: 'Agent',
  session: 'Session',
  tool: 'Tool',
  status: 'Status',
  user: 'User',
  any: 'Any',
  reload: 'Read again',
  more: 'Load more',
  copy: 'Copy',
  was: 'was:',
  is: 'is now:',
  shown: (shown: number, total: number) => (shown === total ? `${total} in all` : `${shown} of ${total}`),
  filtered: (fitting: number, loaded: number, total: number) => `${fitting} fit, of the ${loaded} loaded (${total} in all)`,
  openSession: (name: string) => `Session ${name}`,
  noName: 'no name',
  words: {
    running: 'running', queued: 'waits in the queue', parked: 'waits for a person', completed: 'completed', failed: 'failed', cancelled: 'stopped',
    ok: 'ok', open: 'still open', pending: 'waits', approved: 'approved', denied: 'denied', expired: 'expired', revoked: 'revoked',
    active: 'active', paused: 'paused', closed: 'closed', low: 'low', medium: 'medium', high: 'high', ready: 'ready',
    passed: 'passed', skipped: 'skipped',
    read_only: 'only reads', idempotent: 'may be repeated', once: 'at most once',
    always: 'always asks', never: 'never asks', by_effect: 'by its effect', by_rule: 'by rules', default: 'as the tool says',
  },
};
export default records;

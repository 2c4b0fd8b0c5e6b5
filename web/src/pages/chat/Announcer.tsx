// What a screen reader is told while the conversation goes on: that an answer begins, what it was once it is whole, and that a
// decision waits. The text itself streams silently: read out piece by piece nobody could follow it.
import { useEffect, useRef, useState } from 'react';
import { textOf, type SessionState } from 'troupe-client';
import { useWords } from './words';

const longest = 600;

export function Announcer({ state }: { state: SessionState }) {
  const t = useWords();
  const [said, setSaid] = useState('');
  const before = useRef<{ run: string | undefined; approvals: number }>({
    run: state.run?.runId,
    approvals: state.approvals.length,
  });
  useEffect(() => {
    const run = state.run?.runId;
    const was = before.current;
    before.current = { run, approvals: state.approvals.length };
    const asked = state.approvals.at(-1);
    if (asked && state.approvals.length > was.approvals) {
      setSaid(t.answer.announceApproval(asked.tool));
    } else if (run && run !== was.run) {
      setSaid(t.answer.announceStart);
    } else if (!run && was.run) {
      const answer = state.messages.filter((m) => m.kind === 'answer' && m.runId === was.run).at(-1);
      if (answer?.kind !== 'answer') return;
      const text =
        answer.status === 'cancelled' ? t.answer.stopped : answer.status === 'failed' ? t.answer.failed : textOf(answer);
      setSaid(t.answer.announceEnd(text.slice(0, longest)));
    }
  }, [state.run?.runId, state.approvals.length]);
  return (
    <div className="hidden-text" role="status" aria-live="polite">
      {said}
    </div>
  );
}

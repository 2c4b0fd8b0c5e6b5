// Pieces of an approval that its list and its detail share.
import type { Approval } from 'troupe-client';
import { Badge, Duration, useNow } from '../../ui';
import { useApprovalText } from './text';

/** What is asked in one line: a tool's arguments, or the question. */
export const summaryOf = (a: Approval): string => a.message ?? JSON.stringify(a.action) ?? '';

export function Left({ until }: { until: string | null }) {
  const t = useApprovalText();
  const now = useNow(1000);
  if (until === null) return <span className="muted">{t.noLimit}</span>;
  const left = Date.parse(until) - now;
  if (left <= 0) return <Badge tone="bad">{t.overdue}</Badge>;
  const text = <Duration ms={left} />;
  return left < 60_000 ? <Badge tone="warn">{text}</Badge> : text;
}

/** Where two must approve: how many have, and who. */
export function People({ approval }: { approval: Approval }) {
  const t = useApprovalText();
  if (approval.requiredApprovals <= 1) return null;
  const who = approval.endorsedBy.map((name) => name || t.nobodyNamed).join(', ');
  return (
    <Badge tone="accent">
      {t.people(approval.endorsedBy.length, approval.requiredApprovals)}
      {who && `: ${who}`}
    </Badge>
  );
}

export function Decider({ approval }: { approval: Approval }) {
  const t = useApprovalText();
  if (approval.status === 'pending') return null;
  if (approval.status === 'expired') return <span className="muted">{t.byClock}</span>;
  return approval.decidedBy ? <>{approval.decidedBy}</> : <span className="muted" title={t.nobodyNamedWhy}>{t.nobodyNamed}</span>;
}

// One run: its waterfall, and the messages it belongs to.
import { Link } from 'wouter';
import type { MessageRecord, TraceWithSpans } from 'troupe-client';
import { api } from '../../api';
import { Card, Count, Duration, ErrorNote, Loading, Money, Note, Time, useAsync } from '../../ui';
import { Facts, PageFrame, Reload, SessionLink, Word, shortId } from '../common/parts';
import { useRecords } from '../common/words';
import { findRunMessages } from './messages';
import { useTraceText } from './text';
import { Waterfall } from './Waterfall';

const pollMs = 2000;
const isOver = (status: string): boolean => ['completed', 'failed', 'cancelled'].includes(status);

export function TraceView({ id }: { id: string }) {
  const t = useTraceText();
  const isLive = (trace: TraceWithSpans | undefined) => trace !== undefined && !isOver(trace.status);
  const asked = useAsync((signal) => api.client.traces.get(id, { signal }), [id], (trace) => (isLive(trace) ? pollMs : 0));
  return (
    <PageFrame
      title={t.trace(shortId(id))}
      about={<Link href="/traces">{t.all}</Link>}
      actions={<Reload loading={asked.loading} onClick={asked.reload} />}
    >
      {asked.error !== null && <ErrorNote error={asked.error} onRetry={asked.reload} />}
      {!asked.data && asked.loading && <Loading />}
      {asked.data && <Shown trace={asked.data} live={isLive(asked.data)} />}
    </PageFrame>
  );
}

function Shown({ trace, live }: { trace: TraceWithSpans; live: boolean }) {
  const t = useTraceText();
  const r = useRecords();
  return (
    <>
      <Card>
        <Facts
          facts={[
            { name: r.status, value: <Word value={trace.status} /> },
            { name: r.agent, value: trace.agentId },
            { name: r.session, value: <SessionLink id={trace.sessionId} /> },
            { name: t.started, value: <Time at={trace.startedAt} style="full" /> },
            { name: t.took, value: <Duration ms={trace.durationMs} /> },
            { name: t.prompt, value: <Count value={trace.usage.promptTokens} /> },
            { name: t.completion, value: <Count value={trace.usage.completionTokens} /> },
            { name: t.cost, value: <Money usd={trace.totalCost} /> },
          ]}
        />
        {trace.status === 'parked' && (
          <Note tone="warn">
            <span className="note__text">{t.parked}</span>
            <Link href="/approvals">{t.toApprovals}</Link>
          </Note>
        )}
      </Card>
      <Waterfall spans={trace.spans} live={live} />
      <Messages trace={trace} />
    </>
  );
}

function Messages({ trace }: { trace: TraceWithSpans }) {
  const t = useTraceText();
  const found = useAsync((signal) => findRunMessages(api.client, trace, signal), [trace.id, trace.status]);
  // An answer is one place in Chat, however many messages it is made of: that of its run.
  const href = (m: MessageRecord) => `/chat/${trace.sessionId}/${m.role === 'user' && m.id ? m.id : trace.runId}`;
  return (
    <Card title={t.messages}>
      {found.error !== null && <ErrorNote error={found.error} onRetry={found.reload} />}
      {!found.data && found.loading && <Loading />}
      {found.data?.length === 0 && <p className="muted">{t.noMessages}</p>}
      <ol className="run-messages">
        {found.data?.map((m) => (
          <li key={`${m.id} ${m.seq}`}>
            <span className="muted">{m.role === 'user' ? t.asked : t.answered}</span>
            <Link href={href(m)}>{m.content ? m.content.slice(0, 300) : t.calls(m.toolCalls.map((c) => c.tool).join(', '))}</Link>
          </li>
        ))}
      </ol>
      <Link href={`/chat/${trace.sessionId}`}>{t.toChat}</Link>
    </Card>
  );
}

// A call of a tool: what it was given, what it says, how long it took; with the question to a person, where there is one.
import { useState } from 'react';
import { Bot, Check, CircleSlash, Hourglass, Wrench, X } from 'lucide-react';
import { Link } from 'wouter';
import type { ToolPart } from 'troupe-client';
import { api } from '../../api';
import { Badge, Button, Duration, ErrorNote, formatBytes, Json, Money, Spinner, toText, type Tone } from '../../ui';
import { ApprovalCard } from './ApprovalCard';
import { useWords } from './words';

const tones: Record<ToolPart['status'], Tone> = {
  running: 'info',
  waiting: 'warn',
  ok: 'ok',
  failed: 'bad',
  stopped: 'neutral',
};

function StatusIcon({ status }: { status: ToolPart['status'] }) {
  const shape = { size: 13, 'aria-hidden': true } as const;
  if (status === 'running') return <Spinner />;
  if (status === 'waiting') return <Hourglass {...shape} />;
  if (status === 'ok') return <Check {...shape} />;
  return status === 'failed' ? <X {...shape} /> : <CircleSlash {...shape} />;
}

/** The arguments in one line, for the head of the card. */
function inOneLine(input: unknown): string {
  if (typeof input !== 'object' || input === null) return toText(input);
  return Object.entries(input)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
    .slice(0, 200);
}

/** An output that was too long for the event is read on in parts. */
function LongOutput({ sessionId, tool }: { sessionId: string; tool: ToolPart }) {
  const t = useWords();
  const [text, setText] = useState('');
  const [next, setNext] = useState<number | null>(0);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const read = async () => {
    if (next === null) return;
    setBusy(true);
    setError(null);
    try {
      const part = await api.client.sessions.toolOutput(sessionId, tool.toolCallId, { offset: next, limit: 65_536 });
      setText((before) => before + part.text);
      setNext(part.nextOffset);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {text ? (
        <pre className="json" tabIndex={0}>
          {text}
        </pre>
      ) : (
        <Json value={tool.output} label={t.tool.output} />
      )}
      {error !== null && <ErrorNote error={error} />}
      {next !== null && (
        <div className="row">
          <span className="muted">
            {t.tool.cut(formatBytes(next || toText(tool.output).length), formatBytes(tool.outputBytes ?? 0))}
          </span>
          <Button size="small" busy={busy} onClick={() => void read()}>
            {t.tool.readAll}
          </Button>
        </div>
      )}
    </>
  );
}

function Output({ sessionId, tool }: { sessionId: string; tool: ToolPart }) {
  const t = useWords();
  if (tool.status === 'running' || tool.status === 'waiting' || (tool.status === 'stopped' && tool.output == null))
    return tool.progress ? (
      <>
        <p className="tool__label">{t.tool.live}</p>
        <pre className="json tool__live" tabIndex={0}>
          {tool.progress}
        </pre>
      </>
    ) : null;
  const isEmpty = tool.output === '' || tool.output === null || tool.output === undefined;
  return (
    <>
      <p className="tool__label">{t.tool.output}</p>
      {isEmpty ? (
        <p className="muted">{t.tool.noOutput}</p>
      ) : tool.outputBytes !== undefined && tool.outputBytes > 0 ? (
        <LongOutput sessionId={sessionId} tool={tool} />
      ) : (
        <Json value={tool.output} label={t.tool.output} />
      )}
    </>
  );
}

export function ToolCard({ sessionId, tool }: { sessionId: string; tool: ToolPart }) {
  const t = useWords();
  const [chosen, setChosen] = useState<boolean | null>(null);
  const isOpen = chosen ?? (tool.status === 'failed' || (tool.status === 'running' && tool.progress !== ''));
  const isAsking = tool.approval?.status === 'pending';
  return (
    <div
      className={`tool tool--${tool.status}`}
      role="group"
      aria-label={t.tool.label(tool.tool)}
      data-tool={tool.tool}
      data-status={tool.status}
    >
      <details open={isOpen} onToggle={(event) => event.currentTarget.open !== isOpen && setChosen(event.currentTarget.open)}>
        <summary className="tool__head">
          {tool.childSessionId ? <Bot size={16} aria-hidden /> : <Wrench size={16} aria-hidden />}
          <code className="tool__name">{tool.tool}</code>
          <span className="tool__input muted ellipsis">{inOneLine(tool.input)}</span>
          {tool.allowedBy && (
            <span title={t.tool.allowed}>
              <Badge>{t.tool.allowedShort}</Badge>
            </span>
          )}
          <Badge tone={tones[tool.status]}>
            <StatusIcon status={tool.status} /> {t.tool[tool.status]}
          </Badge>
          {tool.durationMs !== undefined && tool.status !== 'stopped' && (
            <span className="muted tool__time">
              <Duration ms={tool.durationMs} />
            </span>
          )}
        </summary>
        <div className="tool__body">
          <p className="tool__label">{t.tool.input}</p>
          <Json value={tool.input} label={t.tool.input} />
          <Output sessionId={sessionId} tool={tool} />
        </div>
      </details>
      {tool.childSessionId && (
        <div className="tool__child">
          <Link href={`/chat/${tool.childSessionId}`}>{t.tool.subagent}</Link>
          {tool.cost !== undefined && <Money usd={tool.cost} />}
        </div>
      )}
      {tool.approval && (isAsking || tool.approval.status !== 'expired' || tool.status === 'stopped') && (
        <ApprovalCard card={tool.approval} />
      )}
    </div>
  );
}

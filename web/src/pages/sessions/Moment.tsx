// What a conversation showed at one moment of its replay. Only the end of a long one: the slider shows the rest.
import { Link } from 'wouter';
import type { Answer, AnswerPart, SessionState, UserMessage } from 'troupe-client';
import { Badge, Duration, Json, Money, Note } from '../../ui';
import { Markdown } from '../../ui/Markdown';
import { Word } from '../common/parts';
import { useSessionText } from './text';

const shownMessages = 60;

export function Moment({ state }: { state: SessionState }) {
  const t = useSessionText();
  const hidden = Math.max(0, state.messages.length - shownMessages);
  return (
    <div className="stack">
      {state.messages.length === 0 && state.queue.length === 0 && <p className="muted">{t.nothingSaid}</p>}
      {hidden > 0 && <p className="muted">{t.hidden(hidden)}</p>}
      <ol className="talk">
        {state.messages.slice(hidden).map((m) => (
          <li key={`${m.kind} ${m.id}`} className={`said said--${m.kind}`} data-said={m.kind}>
            {m.kind === 'user' ? <Asked message={m} /> : <Answered answer={m} />}
          </li>
        ))}
        {state.queue.map((m) => (
          <li key={m.id} className="said said--user is-waiting" data-said="queued">
            <Asked message={m} />
            <Badge tone="warn">{t.waits}</Badge>
          </li>
        ))}
      </ol>
      {state.costAlert && (
        <Note tone="warn">
          {t.alert(Math.round(state.costAlert.percent))} <Money usd={state.costAlert.currentSpend} /> / <Money usd={state.costAlert.budget} />
        </Note>
      )}
    </div>
  );
}

function Asked({ message }: { message: UserMessage }) {
  const t = useSessionText();
  return (
    <>
      <div className="said__who">{message.authorName || message.author || t.person}</div>
      <div className="said__text">{message.content}</div>
      {message.attachments.map((file) => (
        <Badge key={file.fileId}>{file.name}</Badge>
      ))}
    </>
  );
}

function Answered({ answer }: { answer: Answer }) {
  const t = useSessionText();
  return (
    <>
      <div className="said__who">
        {t.agent} {answer.status !== 'completed' && <Word value={answer.status} />}
      </div>
      {answer.parts.map((part, i) => (
        <Part key={i} part={part} />
      ))}
      {answer.feedback?.map((f) => (
        <p key={f.by} className="muted" data-feedback={f.rating}>
          {f.by || t.person}: {t.ratings[f.rating]} {f.note && <q>{f.note}</q>}
        </p>
      ))}
      {answer.error && (
        <Note tone="bad">
          <span className="note__text">
            {answer.error.message} <span className="mono">{answer.error.code}</span>
          </span>
        </Note>
      )}
    </>
  );
}

function Part({ part }: { part: AnswerPart }) {
  const t = useSessionText();
  if (part.kind === 'text') return <Markdown text={part.text} />;
  const card = part.approval;
  return (
    <details className="call">
      <summary>
        <strong className="mono">{part.tool}</strong> <Word value={part.status === 'waiting' ? 'parked' : part.status === 'stopped' ? 'cancelled' : part.status} />{' '}
        {part.durationMs !== undefined && (
          <span className="muted">
            <Duration ms={part.durationMs} />
          </span>
        )}
        {card && (
          <span className="call__card">
            {t.approval}: <Word value={card.status} /> {card.resolvedBy} {card.note && <q>{card.note}</q>}
          </span>
        )}
      </summary>
      <Json value={part.input} label={t.input} />
      {part.progress && <Json value={part.progress} label={t.progress} />}
      {part.output !== undefined && <Json value={part.output} label={t.output} />}
      {part.childSessionId && <Link href={`/sessions/${part.childSessionId}`}>{t.toChild}</Link>}
    </details>
  );
}

// One row of the conversation: what a person said, or all that a run answered.
import { memo, useId, useState } from 'react';
import { Check, Copy, GitFork, Paperclip, Pencil, RefreshCw } from 'lucide-react';
import { Link } from 'wouter';
import {
  textOf,
  type Answer,
  type Attachment,
  type ChatMessage,
  type OutgoingMessage,
  type Reaction,
  type UserMessage,
} from 'troupe-client';
import { api } from '../../api';
import { Badge, Button, ErrorNote, formatBytes, formatNumber, IconButton, Money, Note, Spinner, Time } from '../../ui';
import { Markdown } from '../../ui/Markdown';
import { ownOf, RatingForm, Thumbs, type Rate } from './Rating';
import { ToolCard } from './ToolCard';
import { useWords } from './words';

export interface MessageActions {
  rate: (answer: Answer, ...feedback: Parameters<Rate>) => Promise<unknown>;
  regenerate: (answer: Answer) => void;
  fork: (answer: Answer) => void;
  edit: (message: UserMessage) => void;
}

function CopyButton({ text }: { text: string }) {
  const t = useWords();
  const [isDone, setDone] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(text).then(
      () => {
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      },
      () => {},
    );
  };
  return (
    <IconButton size="small" label={isDone ? t.actions.copied : t.actions.copy} onClick={copy}>
      {isDone ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
    </IconButton>
  );
}

/** What clients of other protocols have put on it. */
function Reactions({ reactions }: { reactions: readonly Reaction[] }) {
  const t = useWords();
  const emojis = [...new Set(reactions.map((r) => r.emoji))];
  return (
    <>
      {emojis.map((emoji) => {
        const who = reactions.filter((r) => r.emoji === emoji);
        return (
          <span key={emoji} title={t.actions.reacted(who.map((r) => r.username || r.userId || t.someone).join(', '))}>
            {emoji} {who.length}
          </span>
        );
      })}
    </>
  );
}

async function download(sessionId: string, file: Attachment): Promise<void> {
  const blob = await api.client.sessions.download(sessionId, file.fileId);
  saveBlob(blob, file.name);
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Attachments({ sessionId, files }: { sessionId: string; files: readonly Attachment[] }) {
  const [error, setError] = useState<unknown>(null);
  if (files.length === 0) return null;
  return (
    <div className="row">
      {files.map((file) => (
        <Button
          key={file.fileId}
          size="small"
          icon={<Paperclip size={13} aria-hidden />}
          onClick={() => void download(sessionId, file).catch(setError)}
        >
          {file.name} <span className="muted">{formatBytes(file.size)}</span>
        </Button>
      ))}
      {error !== null && <ErrorNote error={error} onClose={() => setError(null)} />}
    </div>
  );
}

function UserRow({ sessionId, message, actions }: { sessionId: string; message: UserMessage; actions: MessageActions }) {
  const t = useWords();
  return (
    <article className="message message--user" aria-label={message.authorName || t.you} data-message={message.id}>
      <div className="message__said">
        <span className="message__actions" role="group" aria-label={t.actions.label}>
          <CopyButton text={message.content} />
          <IconButton size="small" label={t.actions.edit} onClick={() => actions.edit(message)}>
            <Pencil size={14} aria-hidden />
          </IconButton>
        </span>
        <div className="bubble">
          <div className="bubble__text">{message.content}</div>
          <Attachments sessionId={sessionId} files={message.attachments} />
        </div>
      </div>
      {(message.authorName || message.createdAt) && (
        <div className="message__by">
          {message.authorName && <span>{message.authorName}</span>}
          {message.createdAt && <Time at={message.createdAt} />}
        </div>
      )}
    </article>
  );
}

function Ending({ answer }: { answer: Answer }) {
  const t = useWords();
  if (answer.status === 'failed')
    return answer.error ? <ErrorNote error={answer.error} /> : <Note tone="bad">{t.answer.failed}</Note>;
  if (answer.status === 'cancelled') return <p className="message__end">{t.answer.stopped}</p>;
  if (answer.status === 'cut') return <p className="message__end">{t.answer.cut}</p>;
  if (answer.status === 'completed' && answer.parts.length === 0) return <p className="message__end">{t.answer.empty}</p>;
  return null;
}

function AnswerFoot({ answer, me, actions }: { answer: Answer; me: string | undefined; actions: MessageActions }) {
  const t = useWords();
  const text = textOf(answer);
  const formId = useId();
  const [isRating, setRating] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const rate: Rate = (feedback) => actions.rate(answer, feedback);
  const canRate = answer.messageId !== '' && answer.parts.length > 0;
  const note = ownOf(answer, me)?.note;
  return (
    <>
      <div className="message__foot" role="group" aria-label={t.actions.label}>
        <span className="message__actions">
          {text !== '' && <CopyButton text={text} />}
          {canRate && <Thumbs answer={answer} me={me} isOpen={isRating} onOpen={setRating} formId={formId} rate={rate} onError={setError} />}
          <IconButton size="small" label={t.actions.regenerate} onClick={() => actions.regenerate(answer)}>
            <RefreshCw size={14} aria-hidden />
          </IconButton>
          <IconButton size="small" label={t.actions.fork} onClick={() => actions.fork(answer)}>
            <GitFork size={14} aria-hidden />
          </IconButton>
        </span>
        <Reactions reactions={answer.reactions} />
        {answer.usage && (
          <>
            <span>{t.answer.tokens(formatNumber(answer.usage.totalTokens))}</span>
            <Money usd={answer.usage.cost} />
          </>
        )}
        {answer.traceId && <Link href={`/traces/${answer.traceId}`}>{t.answer.trace}</Link>}
        {answer.createdAt && <Time at={answer.createdAt} />}
      </div>
      {note && !isRating && (
        <p className="rating__own">
          {t.rating.yours} <q>{note}</q>
        </p>
      )}
      {isRating && <RatingForm answer={answer} me={me} onOpen={setRating} formId={formId} rate={rate} error={error} onError={setError} />}
    </>
  );
}

function AnswerRow({
  sessionId,
  answer,
  agentName,
  me,
  actions,
}: {
  sessionId: string;
  answer: Answer;
  agentName: string;
  me: string | undefined;
  actions: MessageActions;
}) {
  const t = useWords();
  const isOver = answer.status !== 'running' && answer.status !== 'parked';
  const last = answer.parts.at(-1);
  const isThinking =
    answer.status === 'running' && (!last || (last.kind === 'tool' && last.status !== 'running' && last.status !== 'waiting'));
  return (
    <article
      className="message message--answer"
      aria-label={agentName}
      aria-busy={!isOver}
      data-message={answer.messageId}
      data-run={answer.runId}
      data-status={answer.status}
    >
      {answer.parts.map((part) =>
        part.kind === 'text' ? (
          <div
            key={`text-${part.fromSeq}`}
            className={part === last && answer.status === 'running' ? 'is-streaming' : undefined}
          >
            <Markdown text={part.text} />
          </div>
        ) : (
          <ToolCard key={`tool-${part.toolCallId}-${part.seq}`} sessionId={sessionId} tool={part} />
        ),
      )}
      {isThinking && (
        <p className="message__end">
          <Spinner /> {t.answer.thinking}
        </p>
      )}
      <Ending answer={answer} />
      {isOver && <AnswerFoot answer={answer} me={me} actions={actions} />}
    </article>
  );
}

export const Message = memo(function Message(props: {
  sessionId: string;
  message: ChatMessage;
  agentName: string;
  me: string | undefined;
  actions: MessageActions;
}) {
  const { sessionId, message, agentName, me, actions } = props;
  return message.kind === 'user' ? (
    <UserRow sessionId={sessionId} message={message} actions={actions} />
  ) : (
    <AnswerRow sessionId={sessionId} answer={message} agentName={agentName} me={me} actions={actions} />
  );
});

/** Sent from here, and not yet told by the server. */
export function Outgoing(props: { message: OutgoingMessage; isOpen: boolean; onAgain: () => void }) {
  const t = useWords();
  const { message } = props;
  return (
    <article className="message message--user message--outgoing" aria-label={t.you}>
      <div className="bubble">
        <div className="bubble__text">{message.content}</div>
      </div>
      <div className="message__foot">
        {message.error ? (
          <>
            <Badge tone="bad">{t.composer.notSent}</Badge>
            <span>{message.error.message}</span>
            <Button size="small" onClick={props.onAgain}>
              {t.composer.sendAgain}
            </Button>
          </>
        ) : (
          <span>{props.isOpen ? t.composer.sending : t.composer.offline}</span>
        )}
      </div>
    </article>
  );
}

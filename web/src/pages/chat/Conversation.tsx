// One live session: its messages, its queue, and what can be done with it.
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { Download, Eraser, GitFork, History, Pencil, Workflow } from 'lucide-react';
import { useLocation } from 'wouter';
import type { Agent, Answer, OutgoingMessage, Session, UserMessage } from 'troupe-client';
import { useSession } from 'troupe-client/react';
import { api } from '../../api';
import { approvalsChanged } from '../../layout/usePendingApprovals';
import { Button, EmptyState, ErrorNote, formatMoney, formatPercent, Loading, Note } from '../../ui';
import { useMyId } from '../common/useMe';
import { Announcer } from './Announcer';
import { Composer, type ComposerHandle } from './Composer';
import { ClearDialog, RenameDialog } from './Dialogs';
import { ApprovalCard } from './ApprovalCard';
import { drafts } from './drafts';
import { saveBlob } from './Message';
import { MessageList } from './MessageList';
import { QueueStrip } from './QueueStrip';
import { Toolbar } from './Toolbar';
import { useTyping } from './useTyping';
import { useWords } from './words';

const warnsFrom = 0.8;

interface ConversationProps {
  sessionId: string;
  place: string | undefined;
  agents: readonly Agent[];
  isListOpen: boolean;
  onList: () => void;
  /** The list of conversations shows something else now. */
  onChanged: () => void;
}

/** Sends, and returns when the server has stored it; while it is not reachable the message waits in `state.outgoing`. */
async function sendTo(session: Session, text: string, files: readonly File[]): Promise<void> {
  const attachments: string[] = [];
  for (const file of files) attachments.push((await session.upload(file, file.name)).fileId);
  session.send(text, attachments.length > 0 ? { attachments } : {});
}

export function Conversation({ sessionId, place, agents, isListOpen, onList, onChanged }: ConversationProps) {
  const t = useWords();
  const [, go] = useLocation();
  const { session, state } = useSession(api.client, sessionId);
  const composer = useRef<ComposerHandle>(null);
  const [editing, setEditing] = useState<UserMessage | null>(null);
  const [isStopping, setStopping] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [dialog, setDialog] = useState<'rename' | 'clear' | null>(null);
  const [hidesAlert, setHidesAlert] = useState(false);
  const typing = useTyping(session);
  const me = useMyId();

  const projectId = state.record?.projectId;
  const agent = agents.find((a) => a.id === state.agentId && (!projectId || a.projectId === projectId));
  const agentName = agent?.name ?? state.agentId ?? '';
  const isRunning = state.run !== null;

  useEffect(() => {
    if (!isRunning) setStopping(false);
  }, [isRunning]);
  // Titles, order and counts of the list change when a run ends.
  useEffect(onChanged, [isRunning, state.title, state.status]);
  const asked = state.approvals.map((a) => a.approvalId).join(' ');
  useEffect(approvalsChanged, [asked]);
  useEffect(() => {
    if (!window.matchMedia('(pointer: coarse)').matches) composer.current?.focus();
  }, [sessionId]);
  useEffect(() => setHidesAlert(false), [state.costAlert]);

  const attempt = useCallback((what: Promise<unknown>) => {
    setError(null);
    what.catch(setError);
  }, []);
  const fork = useCallback(
    async (atSeq: number | undefined, content?: string) => {
      const copy = await api.client.sessions.fork(sessionId, {
        ...(atSeq === undefined ? {} : { atSeq }),
        ...(content === undefined ? {} : { content }),
      });
      go(`/chat/${copy.id}`);
    },
    [sessionId, go],
  );
  /** Whole exchanges before the run that answers `message`. A run begins after its predecessor has ended. */
  const seqBefore = useCallback(
    (message: UserMessage) => {
      const answer = session
        .getState()
        .messages.find((m) => m.kind === 'answer' && m.runId !== '' && m.runId === message.runId);
      return Math.max(0, (answer?.seq ?? message.seq) - 1);
    },
    [session],
  );
  const actions = useMemo(
    () => ({
      rate: (answer: Answer, feedback: Parameters<Session['feedback']>[1]) => session.feedback(answer.messageId, feedback),
      regenerate: (answer: Answer) => {
        const asked = session.getState().messages.find((m): m is UserMessage => m.kind === 'user' && m.runId === answer.runId);
        if (asked) attempt(fork(seqBefore(asked), asked.content));
      },
      fork: (answer: Answer) => {
        const all = session.getState().messages;
        const next = all.slice(all.indexOf(answer) + 1).find((m) => m.kind === 'answer');
        attempt(fork(next ? next.seq - 1 : undefined));
      },
      edit: (message: UserMessage) => {
        setEditing(message);
        composer.current?.edit(message.content);
      },
    }),
    [session, attempt, fork, seqBefore],
  );
  const queueActions = useMemo(
    () => ({
      edit: (id: string, content: string) => session.editQueued(id, { content }),
      move: (id: string, position: number) => session.editQueued(id, { position }),
      remove: (id: string) => session.dequeue(id),
    }),
    [session],
  );
  const older = useCallback(() => session.loadOlder(), [session]);

  const send = async (text: string, files: readonly File[]) => {
    typing.stop();
    if (editing) {
      await fork(seqBefore(editing), text);
      setEditing(null);
    } else {
      await sendTo(session, text, files);
    }
  };
  const again = (message: OutgoingMessage) => {
    session.discard(message.clientMessageId);
    session.send(message.content, message.attachments.length > 0 ? { attachments: [...message.attachments] } : {});
  };
  const stop = () => {
    if (!isRunning || isStopping) return;
    setStopping(true);
    session.cancel().catch((failure: unknown) => {
      setStopping(false);
      setError(failure);
    });
  };
  const leaveEditing = () => {
    setEditing(null);
    composer.current?.edit('');
  };
  const editLast = () => {
    const last = session
      .getState()
      .messages.filter((m): m is UserMessage => m.kind === 'user')
      .at(-1);
    if (last) actions.edit(last);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    if (editing) leaveEditing();
    else stop();
  };
  const exportAll = async () => {
    const document = await api.client.sessions.export(sessionId);
    saveBlob(new Blob([JSON.stringify(document, null, 2)], { type: 'application/json' }), `session-${sessionId}.json`);
  };

  const isMissing = state.connection.status === 'closed' && state.messages.length === 0 && state.connection.error !== undefined;
  if (isMissing)
    return (
      <EmptyState
        title={state.connection.error?.code === 'NOT_FOUND' ? t.missingSession : (state.connection.error?.message ?? '')}
        action={<Button onClick={() => go('/chat')}>{t.sessions.fresh}</Button>}
      />
    );

  const budget = agent?.limits.budgetUsd ?? state.costAlert?.budget ?? null;
  const share = budget ? state.usage.cost / budget : 0;
  const warns = !hidesAlert && budget !== null && (state.costAlert !== null || share >= warnsFrom);
  const placed = new Set(
    state.messages.flatMap((m) =>
      m.kind === 'answer' ? m.parts.map((p) => (p.kind === 'tool' ? p.approval?.approvalId : '')) : [],
    ),
  );
  const loose = state.approvals.filter((a) => !placed.has(a.approvalId));
  const typists = state.typing.map((u) => u.username || u.userId || t.someone);
  const isClosed = state.status === 'closed';

  return (
    <div className="conversation" data-session={sessionId} onKeyDown={onKeyDown}>
      <Toolbar
        state={state}
        agent={agent}
        agentName={agentName}
        isListOpen={isListOpen}
        onList={onList}
        items={[
          { id: 'rename', label: t.toolbar.rename, icon: <Pencil size={15} aria-hidden />, onPick: () => setDialog('rename') },
          {
            id: 'fork',
            label: t.toolbar.fork,
            icon: <GitFork size={15} aria-hidden />,
            onPick: () => attempt(fork(undefined)),
          },
          {
            id: 'export',
            label: t.toolbar.export,
            icon: <Download size={15} aria-hidden />,
            onPick: () => attempt(exportAll()),
          },
          {
            id: 'traces',
            label: t.toolbar.trace,
            icon: <Workflow size={15} aria-hidden />,
            onPick: () => go(`/traces/session/${sessionId}`),
          },
          {
            id: 'session',
            label: t.toolbar.session,
            icon: <History size={15} aria-hidden />,
            onPick: () => go(`/sessions/${sessionId}`),
          },
          {
            id: 'clear',
            label: t.toolbar.clear,
            icon: <Eraser size={15} aria-hidden />,
            disabled: isClosed || state.messages.length === 0,
            onPick: () => setDialog('clear'),
          },
        ]}
      />
      <Announcer state={state} />
      {warns && budget !== null && (
        <div className="banner" data-alert="cost">
          <Note tone={share >= 1 ? 'bad' : 'warn'}>
            <span className="note__text">
              {t.alert(formatPercent(share), formatMoney(state.usage.cost), formatMoney(budget))} {share >= 1 && t.alertOver}
            </span>
            <Button size="small" onClick={() => setHidesAlert(true)}>
              {t.dismiss}
            </Button>
          </Note>
        </div>
      )}
      {error !== null && (
        <div className="banner">
          <ErrorNote error={error} onClose={() => setError(null)} />
        </div>
      )}
      {state.status !== 'active' && (
        <div className="banner">
          <Note tone="warn">
            <span className="note__text">{isClosed ? t.readOnlySession : t.pausedSession}</span>
            {!isClosed && (
              <Button size="small" onClick={() => attempt(api.client.sessions.setStatus(sessionId, 'active'))}>
                {t.resume}
              </Button>
            )}
          </Note>
        </div>
      )}
      {state.isLoading && state.messages.length === 0 ? (
        <Loading />
      ) : (
        <MessageList
          key={sessionId}
          sessionId={sessionId}
          messages={state.messages}
          outgoing={state.outgoing}
          hasOlder={state.hasOlder}
          isOpen={state.connection.status === 'open'}
          agentName={agentName}
          me={me}
          actions={actions}
          place={place}
          onOlder={older}
          onAgain={again}
        />
      )}
      {loose.length > 0 && (
        <div className="loose">
          {loose.map((card) => (
            <ApprovalCard key={card.approvalId} card={card} />
          ))}
        </div>
      )}
      <p className="typing muted" aria-live="polite">
        {typists.length > 1 ? t.typingMany(typists.join(', ')) : typists.length === 1 ? t.typing(typists[0]!) : ''}
      </p>
      <QueueStrip queue={state.queue} actions={queueActions} />
      <Composer
        key={`composer-${sessionId}`}
        ref={composer}
        agentName={agentName}
        disabled={state.status !== 'active'}
        isRunning={isRunning}
        isStopping={isStopping}
        isEditing={editing !== null}
        draft={drafts.get(sessionId) ?? ''}
        onDraft={(text) => void (text ? drafts.set(sessionId, text) : drafts.delete(sessionId))}
        onSend={send}
        onStop={stop}
        onEditLast={editLast}
        onLeaveEditing={leaveEditing}
        onTyping={typing.start}
      />
      <RenameDialog
        open={dialog === 'rename'}
        title={state.title}
        onClose={() => setDialog(null)}
        onSave={(title) => api.client.sessions.update(sessionId, { title })}
      />
      <ClearDialog open={dialog === 'clear'} onClose={() => setDialog(null)} onClear={() => session.clear()} />
    </div>
  );
}

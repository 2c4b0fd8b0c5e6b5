// The conversation. Only what is near the screen is in the document, so that 10,000 messages scroll like ten. It stays at the
// newest text while that is where the reader is, and stays put while somebody reads further up.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { ArrowDown } from 'lucide-react';
import type { ChatMessage, OutgoingMessage } from 'troupe-client';
import { Button, Spinner } from '../../ui';
import { Message, Outgoing, type MessageActions } from './Message';
import { useWords } from './words';

type Row =
  | { kind: 'older'; key: string }
  | { kind: 'message'; key: string; message: ChatMessage }
  | { kind: 'outgoing'; key: string; message: OutgoingMessage };

/** This near to the end counts as at the end. */
const nearPx = 80;
const guessedHeight = 120;

const isAt = (m: ChatMessage, place: string) =>
  m.id === place || m.runId === place || (m.kind === 'answer' && m.messageId === place);

interface MessageListProps {
  sessionId: string;
  messages: readonly ChatMessage[];
  outgoing: readonly OutgoingMessage[];
  hasOlder: boolean;
  isOpen: boolean;
  agentName: string;
  /** Whose feedback is one's own. */
  me: string | undefined;
  actions: MessageActions;
  /** A message or run to show, out of the address. */
  place: string | undefined;
  onOlder: () => Promise<unknown>;
  onAgain: (message: OutgoingMessage) => void;
}

export function MessageList(props: MessageListProps) {
  const { messages, outgoing, hasOlder, place, onOlder } = props;
  const t = useWords();
  const frame = useRef<HTMLDivElement>(null);
  const isStuck = useRef(!place);
  const lastTop = useRef(0);
  const [isAway, setAway] = useState(false);
  const isReading = useRef(false);

  const rows = useMemo<Row[]>(
    () => [
      ...(hasOlder ? [{ kind: 'older', key: 'older' } as const] : []),
      ...messages.map((message) => ({ kind: 'message', key: message.id, message }) as const),
      ...outgoing.map((message) => ({ kind: 'outgoing', key: `out-${message.clientMessageId}`, message }) as const),
    ],
    [messages, outgoing, hasOlder],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => guessedHeight,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 6,
  });
  const shown = virtual.getVirtualItems();
  const height = virtual.getTotalSize();

  const toEnd = () => {
    const element = frame.current;
    if (!element) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  };
  const onScroll = () => {
    const element = frame.current;
    if (!element) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    // The list itself only ever scrolls down to its end: up is the reader's wish.
    if (left < nearPx) isStuck.current = true;
    else if (element.scrollTop < lastTop.current - 1) isStuck.current = false;
    lastTop.current = element.scrollTop;
    setAway(!isStuck.current);
  };
  useLayoutEffect(() => {
    if (isStuck.current) toEnd();
  }, [rows, height]);

  // What is written here is read here.
  useEffect(() => {
    if (outgoing.length === 0) return;
    isStuck.current = true;
    toEnd();
  }, [outgoing.length]);

  // Older messages come in above what is read, which stays where it is.
  const firstKey = rows.find((r) => r.kind === 'message')?.key;
  const before = useRef<{ key: string | undefined; offset: number }>({ key: undefined, offset: 0 });
  useLayoutEffect(() => {
    const was = before.current.key;
    const at = was === undefined || was === firstKey ? -1 : rows.findIndex((r) => r.key === was);
    const offset = at > 0 ? virtual.getOffsetForIndex(at, 'start')?.[0] : undefined;
    if (offset !== undefined && !isStuck.current && frame.current) {
      frame.current.scrollTop += offset - before.current.offset;
      lastTop.current = frame.current.scrollTop;
    }
    before.current = { key: firstKey, offset: hasOlder ? (virtual.getOffsetForIndex(1, 'start')?.[0] ?? 0) : 0 };
  }, [firstKey]);
  const isTopShown = hasOlder && shown[0]?.index === 0;
  useEffect(() => {
    if (!isTopShown || isReading.current) return;
    isReading.current = true;
    onOlder()
      .catch(() => {})
      .finally(() => (isReading.current = false));
  }, [isTopShown, firstKey, onOlder]);

  // The message that the address names; further back than what is here, it is looked for in history.
  const found = place ? rows.findIndex((r) => r.kind === 'message' && isAt(r.message, place)) : -1;
  const wentTo = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!place || wentTo.current === place) return;
    if (found >= 0) {
      wentTo.current = place;
      isStuck.current = false;
      virtual.scrollToIndex(found, { align: 'start' });
    } else if (hasOlder && !isReading.current) {
      isReading.current = true;
      onOlder()
        .catch(() => (wentTo.current = place))
        .finally(() => (isReading.current = false));
    }
  }, [place, found, hasOlder, firstKey, virtual, onOlder]);

  const render = (row: Row) => {
    if (row.kind === 'older')
      return (
        <p className="message__end messages__older">
          <Spinner label={t.loadingOlder} />
        </p>
      );
    if (row.kind === 'outgoing')
      return <Outgoing message={row.message} isOpen={props.isOpen} onAgain={() => props.onAgain(row.message)} />;
    return <Message sessionId={props.sessionId} message={row.message} agentName={props.agentName} me={props.me} actions={props.actions} />;
  };

  return (
    <div className="messages">
      <div ref={frame} className="messages__frame" onScroll={onScroll} tabIndex={0} role="region" aria-label={t.log}>
        <div className="messages__rows" style={{ height }} role="list">
          {shown.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const isPlace = place !== undefined && row.kind === 'message' && isAt(row.message, place);
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                role="listitem"
                aria-setsize={hasOlder ? -1 : rows.length}
                aria-posinset={item.index + 1}
                className={`messages__row ${isPlace ? 'is-place' : ''}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {render(row)}
              </div>
            );
          })}
        </div>
      </div>
      {isAway && (
        <Button
          className="messages__latest"
          size="small"
          icon={<ArrowDown size={14} aria-hidden />}
          onClick={() => {
            isStuck.current = true;
            setAway(false);
            virtual.scrollToIndex(rows.length - 1, { align: 'end' });
            toEnd();
          }}
        >
          {t.latest}
        </Button>
      )}
    </div>
  );
}

// The conversation. Only what is near the screen is in the document, so that 10,000 messages scroll like ten. It stays at the
// newest text while that is where the reader is, and stays put while somebody reads further up.
import { defaultRangeExtractor, useVirtualizer, type Range } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { ArrowDown } from 'lucide-react';
import type { ChatMessage, OutgoingMessage } from 'troupe-client';
import { Button, Spinner } from '../../ui';
import { Message, Outgoing, type MessageActions } from './Message';
import { useFollow } from './useFollow';
import { useWords } from './words';

type Row =
  | { kind: 'message'; key: string; message: ChatMessage }
  | { kind: 'outgoing'; key: string; message: OutgoingMessage };

const guessedHeight = 120;
const overscan = 6;
/** Older messages are fetched when fewer than so many are left above, so that nobody who scrolls has to wait for them. */
const fewAbove = 24;
/** The room above the first message while older ones are fetched; message.css has it too. */
const olderPx = 44;

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
  const { isFollowing, isFollowingNow, follow, leave, pin, hands } = useFollow(frame, !place);
  const isFetching = useRef(false);

  const rows = useMemo<Row[]>(
    () => [
      ...messages.map((message) => ({ kind: 'message', key: message.id, message }) as const),
      ...outgoing.map((message) => ({ kind: 'outgoing', key: `out-${message.clientMessageId}`, message }) as const),
    ],
    [messages, outgoing],
  );
  // While the end is followed it is the end that is in the document, wherever the virtualizer last saw the frame.
  const lastRows = ({ count }: Range) => {
    let first = count;
    for (let room = virtual.scrollRect?.height ?? 0; first > 0 && room > 0; )
      room -= virtual.measurementsCache[--first]?.size ?? guessedHeight;
    first = Math.max(0, first - overscan);
    return Array.from({ length: count - first }, (_, i) => first + i);
  };
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => guessedHeight,
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    paddingStart: hasOlder ? olderPx : 0,
    overscan,
    // Older messages come in above what is read, which stays where it is.
    anchorTo: isFollowing ? 'start' : 'end',
    rangeExtractor: isFollowing ? lastRows : defaultRangeExtractor,
  });
  // What the virtualizer does without this, except that it leaves the frame alone while the end is followed.
  virtual.shouldAdjustScrollPositionOnItemSizeChange = (item, _delta, list) => {
    if (isFollowingNow.current) return false;
    const top = list.scrollOffset ?? 0;
    return list.itemSizeCache.has(item.key) ? item.end <= top && list.scrollDirection !== 'backward' : item.start < top;
  };
  const shown = virtual.getVirtualItems();
  const height = virtual.getTotalSize();

  useLayoutEffect(pin, [rows, height, isFollowing, pin]);

  // What is written here is read here.
  const waiting = useRef(outgoing.length);
  useLayoutEffect(() => {
    if (outgoing.length > waiting.current) follow();
    waiting.current = outgoing.length;
  }, [outgoing.length, follow]);

  const firstKey = rows[0]?.key;
  const isTopNear = hasOlder && (shown[0]?.index ?? fewAbove) < fewAbove;
  useEffect(() => {
    if (!isTopNear || isFetching.current) return;
    isFetching.current = true;
    onOlder()
      .catch(() => {})
      .finally(() => (isFetching.current = false));
  }, [isTopNear, firstKey, onOlder]);

  // The message that the address names; further back than what is here, it is looked for in history.
  const found = place ? rows.findIndex((r) => r.kind === 'message' && isAt(r.message, place)) : -1;
  const wentTo = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!place || wentTo.current === place) return;
    if (found >= 0) {
      wentTo.current = place;
      leave();
      virtual.scrollToIndex(found, { align: 'start' });
    } else if (hasOlder && !isFetching.current) {
      isFetching.current = true;
      onOlder()
        .catch(() => (wentTo.current = place))
        .finally(() => (isFetching.current = false));
    }
  }, [place, found, hasOlder, firstKey, virtual, onOlder, leave]);

  const render = (row: Row) => {
    if (row.kind === 'outgoing')
      return <Outgoing message={row.message} isOpen={props.isOpen} onAgain={() => props.onAgain(row.message)} />;
    return <Message sessionId={props.sessionId} message={row.message} agentName={props.agentName} me={props.me} actions={props.actions} />;
  };

  return (
    <div className="messages">
      <div ref={frame} className="messages__frame" tabIndex={0} role="region" aria-label={t.log} {...hands}>
        {hasOlder && (
          <p className="message__end messages__older">
            <Spinner label={t.loadingOlder} />
          </p>
        )}
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
      {!isFollowing && (
        <Button className="messages__latest" size="small" icon={<ArrowDown size={14} aria-hidden />} onClick={follow}>
          {t.latest}
        </Button>
      )}
    </div>
  );
}

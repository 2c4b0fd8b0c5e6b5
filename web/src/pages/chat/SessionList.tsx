// The conversations, newest first, with a search in titles and messages. Pages are read as the list is scrolled.
import { useCallback, useEffect, useRef, useState } from 'react';
import { MessageSquarePlus, Search } from 'lucide-react';
import { Link } from 'wouter';
import type { SessionRecord } from 'troupe-client';
import { api } from '../../api';
import { Badge, Button, ErrorNote, IconButton, Input, Spinner, Time } from '../../ui';
import { shortId } from '../common/parts';
import { titleOf, useWords } from './words';

const perPage = 50;
const mostPerPage = 100;
const searchDelayMs = 200;
const refreshMs = 20_000;

interface Listing {
  items: readonly SessionRecord[];
  total: number;
  busy: boolean;
  error: unknown;
}

/** `version`: another one reads the first page again, without hiding what is there. */
function useSessions(q: string, version: number) {
  const [list, setList] = useState<Listing>({ items: [], total: 0, busy: true, error: null });
  const asked = useRef(0);
  const read = useCallback(async (query: string, offset: number, known: readonly SessionRecord[], limit = perPage) => {
    const mine = ++asked.current;
    setList((before) => ({ ...before, busy: true }));
    try {
      const page = await api.client.sessions.list({ q: query, limit, offset });
      if (mine !== asked.current) return;
      const ids = new Set(known.map((s) => s.id));
      setList({ items: [...known, ...page.items.filter((s) => !ids.has(s.id))], total: page.total, busy: false, error: null });
    } catch (error) {
      if (mine === asked.current) setList((before) => ({ ...before, busy: false, error }));
    }
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => void read(q, 0, []), q ? searchDelayMs : 0);
    return () => clearTimeout(timer);
  }, [q, read]);
  // As much as is shown now, in one page.
  const shown = useRef(0);
  shown.current = list.items.length;
  const again = () => void read(q, 0, [], Math.min(mostPerPage, Math.max(perPage, shown.current)));
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (version > 0) latest.current();
  }, [version]);
  // Titles and conversations that come from elsewhere. Who has scrolled further than one page is left where he is.
  useEffect(() => {
    const look = () => document.hidden || shown.current > mostPerPage || latest.current();
    const timer = setInterval(look, refreshMs);
    window.addEventListener('focus', look);
    return () => {
      clearInterval(timer);
      window.removeEventListener('focus', look);
    };
  }, []);
  const more = () => void read(q, list.items.length, list.items);
  return { ...list, more, reload: () => void read(q, 0, []) };
}

export function SessionList(props: {
  current: string | undefined;
  version: number;
  isOpen: boolean;
  onPick: () => void;
  onFresh: () => void;
}) {
  const t = useWords();
  const [q, setQ] = useState('');
  const { items, total, busy, error, more, reload } = useSessions(q.trim(), props.version);
  return (
    <aside className={`sessions ${props.isOpen ? 'is-open' : ''}`} aria-label={t.sessions.title} id="conversations">
      <div className="sessions__head">
        <h2>{t.sessions.title}</h2>
        <IconButton label={t.sessions.fresh} variant="plain" size="small" onClick={props.onFresh}>
          <MessageSquarePlus size={16} aria-hidden />
        </IconButton>
      </div>
      <div className="sessions__search">
        <Search size={15} aria-hidden />
        <Input
          type="search"
          aria-label={t.sessions.search}
          placeholder={t.sessions.search}
          value={q}
          onChange={(e) => setQ(e.target.value)}
        />
      </div>
      {error !== null && <ErrorNote error={error} onRetry={reload} />}
      <ul className="sessions__list" hidden={items.length === 0}>
        {items.map((s) => (
          <li key={s.id}>
            <Link
              href={`/chat/${s.id}`}
              className="sessions__item"
              aria-current={s.id === props.current ? 'page' : undefined}
              onClick={props.onPick}
            >
              <span className="sessions__title ellipsis">{titleOf(s.title || s.alias, t)} {!s.title && !s.alias && <span className="mono muted">{shortId(s.id)}</span>}</span>
              <span className="sessions__about">
                <span className="ellipsis">{s.agentId}</span>
                {s.status !== 'active' && <Badge>{t.sessions[s.status]}</Badge>}
                <Time at={s.updatedAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {busy && items.length === 0 && (
        <p className="sessions__note">
          <Spinner />
        </p>
      )}
      {!busy && error === null && items.length === 0 && (
        <p className="sessions__note muted">{q ? t.sessions.noMatch : t.sessions.none}</p>
      )}
      {items.length < total && (
        <Button variant="quiet" size="small" busy={busy} onClick={more}>
          {t.sessions.more}
        </Button>
      )}
    </aside>
  );
}

// A list of the server that is read page by page, as far as the user asks.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Page } from 'troupe-client';
import { usePolling } from '../../ui';

export interface Pages<T> {
  items: readonly T[];
  /** Undefined until the first page is there. */
  total: number | undefined;
  error: unknown;
  loading: boolean;
  hasMore: boolean;
  more: () => void;
  /** Reads what is shown again; it stays until the answer is there. */
  reload: () => void;
}

export const pageSize = 100;

type Ask<T> = (query: { limit: number; offset: number }, signal: AbortSignal) => Promise<Page<T>>;

/** Asked again when `deps` change. With `refreshMs`, what is shown is read again that often while the tab is visible. */
export function usePages<T>(ask: Ask<T>, deps: readonly unknown[], refreshMs = 0): Pages<T> {
  const [state, setState] = useState<{ items: readonly T[]; total: number | undefined; error: unknown; loading: boolean }>({
    items: [], total: undefined, error: null, loading: true,
  });
  const latest = useRef(ask);
  latest.current = ask;
  const abort = useRef(new AbortController());
  const shown = useRef(0);
  const wanted = useRef(1); // pages
  const reading = useRef<AbortController | null>(null);

  const read = useCallback(async (pages: number, quietly = false) => {
    abort.current.abort();
    const mine = (reading.current = abort.current = new AbortController());
    if (!quietly) setState((s) => ({ ...s, loading: true }));
    try {
      const items: T[] = [];
      let total = 0;
      for (let i = 0; i < pages; ++i) {
        const page = await latest.current({ limit: pageSize, offset: i * pageSize }, mine.signal);
        items.push(...page.items);
        total = page.total;
        if (items.length >= total || page.items.length === 0) break;
      }
      if (mine.signal.aborted) return;
      shown.current = items.length;
      setState({ items, total, error: null, loading: false });
    } catch (error) {
      if (!mine.signal.aborted) setState((s) => ({ ...s, error, loading: false }));
    } finally {
      if (reading.current === mine) reading.current = null;
    }
  }, []);

  useEffect(() => {
    wanted.current = 1;
    void read(1);
    return () => abort.current.abort();
  }, [...deps, read]);

  const again = useCallback(() => void read(wanted.current, true), [read]);
  usePolling(again, refreshMs, reading);

  const reload = useCallback(() => void read(wanted.current), [read]);
  const more = useCallback(() => void read(++wanted.current), [read]);
  return { ...state, hasMore: state.total !== undefined && state.items.length < state.total, more, reload };
}

import { useCallback, useEffect, useRef, useState } from 'react';
import { usePolling } from './usePolling';

export interface Async<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  /** Asks again; what is shown stays until the answer is there. */
  reload: () => void;
}

/**
 * The answer to a question to the server, asked again when `deps` change, and every `everyMs` (0: not). An answer that was overtaken
 * is dropped.
 */
export function useAsync<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[],
  everyMs: number | ((data: T | undefined) => number) = 0,
): Async<T> {
  const [state, setState] = useState<{ data: T | undefined; error: unknown; loading: boolean }>({
    data: undefined,
    error: null,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const isAsking = useRef(false);
  useEffect(() => {
    const abort = new AbortController();
    isAsking.current = true;
    setState((s) => ({ ...s, loading: true }));
    const settle = (next: (before: { data: T | undefined }) => Omit<Async<T>, 'reload'>) => {
      if (abort.signal.aborted) return;
      isAsking.current = false;
      setState(next);
    };
    latest.current(abort.signal).then(
      (data) => settle(() => ({ data, error: null, loading: false })),
      (error: unknown) => settle(({ data }) => ({ data, error, loading: false })),
    );
    return () => abort.abort();
  }, [...deps, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  usePolling(reload, typeof everyMs === 'number' ? everyMs : everyMs(state.data), isAsking);
  return { ...state, reload };
}

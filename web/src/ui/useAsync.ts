import { useCallback, useEffect, useRef, useState } from 'react';

export interface Async<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  /** Asks again; what is shown stays until the answer is there. */
  reload: () => void;
}

/** The answer to a question to the server, asked again when `deps` change. An answer that was overtaken is dropped. */
export function useAsync<T>(ask: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]): Async<T> {
  const [state, setState] = useState<{ data: T | undefined; error: unknown; loading: boolean }>({
    data: undefined,
    error: null,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const abort = new AbortController();
    setState((s) => ({ ...s, loading: true }));
    latest.current(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, error: null, loading: false }),
      (error: unknown) => abort.signal.aborted || setState((s) => ({ ...s, error, loading: false })),
    );
    return () => abort.abort();
  }, [...deps, turn]);
  return { ...state, reload: useCallback(() => setTurn((n) => n + 1), []) };
}

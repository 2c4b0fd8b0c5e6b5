// One run of scenarios, read again and again while it goes on.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ScenarioRun } from 'troupe-client';
import { api } from '../../api';

const everyMs = 600;

export interface Watched {
  run: ScenarioRun | undefined;
  error: unknown;
  reload: () => void;
}

/** `onEnd` is called when a run that was seen going on has ended. */
export function useRun(id: string | null, onEnd: () => void): Watched {
  const [state, setState] = useState<{ run: ScenarioRun | undefined; error: unknown }>({ run: undefined, error: null });
  const [turn, setTurn] = useState(0);
  const active = useRef<string | null>(null);
  useEffect(() => {
    if (id === null) return setState({ run: undefined, error: null });
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      try {
        const run = await api.client.scenarios.get(id, { signal: abort.signal });
        if (abort.signal.aborted) return;
        setState({ run, error: null });
        if (run.status === 'running') {
          active.current = id;
          timer = setTimeout(read, everyMs);
        } else if (active.current === id) {
          active.current = null;
          onEnd();
        }
      } catch (error) {
        if (!abort.signal.aborted) setState((s) => ({ run: s.run?.id === id ? s.run : undefined, error }));
      }
    };
    void read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, turn, onEnd]);
  return { ...state, reload: useCallback(() => setTurn((n) => n + 1), []) };
}

// What the server would say of a definition, asked a moment after the last key.
import { useEffect, useRef, useState } from 'react';
import { api } from '../../../api';
import type { Definition, Problem } from './definition';

export interface Check {
  problems: readonly Problem[];
  state: 'checking' | 'checked' | 'failed';
  error: unknown;
}

const quietMs = 400;

/** Nothing is asked where there is no definition. */
export function useCheck(project: string, id: string, definition: Definition | null): Check {
  const [check, setCheck] = useState<Check>({ problems: [], state: 'checking', error: null });
  const latest = useRef(definition);
  latest.current = definition;
  const text = definition === null ? null : JSON.stringify(definition);
  useEffect(() => {
    if (text === null) return;
    const abort = new AbortController();
    setCheck((was) => ({ ...was, state: 'checking' }));
    const timer = setTimeout(() => {
      const asked = { ...(id === '' ? {} : { id }), definition: latest.current ?? {} };
      api.client.agents.check(project, asked, { signal: abort.signal }).then(
        ({ problems }) => abort.signal.aborted || setCheck({ problems, state: 'checked', error: null }),
        (error: unknown) => abort.signal.aborted || setCheck((was) => ({ ...was, state: 'failed', error })),
      );
    }, quietMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [project, id, text]);
  return check;
}

// What is written of an agent and not stored yet. It outlives the page, so that a look at another one costs nothing.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { AgentDefinitionRecord } from 'troupe-client';
import { isSame, read, write, type Definition } from './definition';

export interface Draft {
  id: string;
  text: string;
  note: string;
  /** What was edited: the version and its definition; both null for an agent that is new. */
  version: number | null;
  stored: Definition | null;
}

export const draftOf = ({ id, version, definition }: AgentDefinitionRecord): Draft => ({
  id,
  text: write(definition as Definition),
  note: '',
  version,
  stored: definition as Definition,
});

const kept = new Map<string, Draft>();

export const isChanged = (draft: Draft): boolean => {
  const { definition } = read(draft.text);
  return definition === null || draft.stored === null || !isSame(definition, draft.stored);
};

export function useDraft(key: string, initial: Draft) {
  const [draft, setDraft] = useState<Draft>(() => kept.get(key) ?? initial);
  const latest = useRef(draft);
  latest.current = draft;
  const change = useCallback((part: Partial<Draft>) => setDraft((was) => ({ ...was, ...part })), []);
  /** `sent` is stored now; what was written meanwhile stays, also where the agent has another place from now on. */
  const stored = useCallback(
    (sent: Draft, now: { version: number | null; stored: Definition }, place?: { key: string; id: string }) => {
      const follow = (was: Draft): Draft => ({ ...was, ...now, note: was.note === sent.note ? '' : was.note });
      if (!place) return setDraft(follow);
      kept.delete(key);
      if (latest.current.text !== sent.text) kept.set(place.key, { ...follow(latest.current), id: place.id });
    },
    [key],
  );
  useEffect(() => {
    const isUntouched = draft.text === initial.text && draft.id === initial.id;
    if ((isChanged(draft) && !isUntouched) || draft.note !== '') kept.set(key, draft);
    else kept.delete(key);
  }, [key, draft]);
  const reset = useCallback(
    (next: Draft) => {
      kept.delete(key);
      setDraft(next);
    },
    [key],
  );
  const forget = useCallback(() => void kept.delete(key), [key]);
  return { draft, change, stored, reset, forget };
}

import { useEffect, useMemo, useRef } from 'react';
import type { Session } from 'troupe-client';

const repeatMs = 3_000;
const restMs = 4_000;

/** Tells the others that somebody writes here: again every few seconds, and once when it stops. */
export function useTyping(session: Session): { start: () => void; stop: () => void } {
  const told = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typing = useMemo(() => {
    const stop = () => {
      clearTimeout(timer.current);
      if (told.current === 0) return;
      told.current = 0;
      session.typing(false);
    };
    const start = () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(stop, restMs);
      const now = Date.now();
      if (now - told.current < repeatMs) return;
      told.current = now;
      session.typing(true);
    };
    return { start, stop };
  }, [session]);
  useEffect(() => typing.stop, [typing]);
  return typing;
}

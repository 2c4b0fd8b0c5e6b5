import { useEffect, type RefObject } from 'react';

/**
 * Calls `again` every `everyMs` (0: not) while the tab is shown. An answer that takes longer is waited for: asking anew each time
 * would never show any.
 */
export function usePolling(again: () => void, everyMs: number, isAsking: RefObject<unknown>): void {
  useEffect(() => {
    if (everyMs <= 0) return;
    const timer = setInterval(() => document.hidden || isAsking.current || again(), everyMs);
    return () => clearInterval(timer);
  }, [again, everyMs, isAsking]);
}

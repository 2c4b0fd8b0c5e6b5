import { useEffect, useState } from 'react';

/** The time in milliseconds, renewed every `every` ms while the tab is shown. 0 stops it. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (every <= 0) return;
    const timer = setInterval(() => document.hidden || setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

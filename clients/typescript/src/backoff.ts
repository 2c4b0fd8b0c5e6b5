// How long to wait before the next try: longer each time, and never the same for all clients of a server that comes back.

export interface BackoffOptions {
  /** Milliseconds: the first wait at most (250). */
  firstMs?: number;
  /** Any wait at most (10 000). */
  longestMs?: number;
  /** 0 to 1; for tests. */
  random?: () => number;
}

/** Of try `attempt`, from 1: between half of the full wait and all of it, and at least `leastMs`. */
export function backoffDelay(attempt: number, options: BackoffOptions = {}, leastMs = 0): number {
  const { firstMs = 250, longestMs = 10_000, random = Math.random } = options;
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(leastMs + (leastMs > 0 ? (random() * full) / 2 : 0), full / 2 + (random() * full) / 2);
}

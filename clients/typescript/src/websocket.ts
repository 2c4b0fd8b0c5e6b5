// The WebSocket of wherever this runs: the platform's, or where there is none (Node before 22) one of ours.

/** What this client needs of a WebSocket; the platform's and those of npm packages have it. */
export interface SocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}
export type SocketConstructor = new (url: string) => SocketLike;

export const socketStates = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;

let ours: Promise<SocketConstructor> | undefined;

/** `given`, or the platform's; else a promise of ours. */
export function socketConstructor(given?: SocketConstructor): SocketConstructor | Promise<SocketConstructor> {
  const platform = (globalThis as { WebSocket?: unknown }).WebSocket as SocketConstructor | undefined;
  const known = given ?? platform;
  if (known) return known;
  // Named by a variable, so that bundlers for browsers leave it out.
  const file = "./websocket.node.js";
  ours ??= import(/* @vite-ignore */ /* webpackIgnore: true */ file).then((m: { NodeWebSocket: SocketConstructor }) => m.NodeWebSocket);
  return ours;
}

/** `ws://host/path?query` of a server's `http://host`. */
export function socketUrl(base: string, path: string, query: Record<string, string | undefined> = {}): string {
  const url = new URL(base.replace(/^http/, "ws") + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url.toString();
}

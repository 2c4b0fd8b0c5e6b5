// The client as the documents of the native protocol show it: a plain socket, and sending without one. No reconnect, no state;
// `TroupeClient` has both.
import type { NexusEvent } from "./events.js";
import { TroupeClient, type TroupeClientOptions } from "./client.js";
import type { ClientFrame } from "./frames.js";
import type { Approval, ChatReply } from "./records.js";
import { type SocketConstructor, socketConstructor, type SocketLike, socketStates } from "./websocket.js";

export interface NexusWebSocketOptions {
  /** `ws://host:port/ws` */
  url: string;
  projectId: string;
  agentId: string;
  token?: string;
  onMessage?: (event: NexusEvent) => void;
  onError?: (error: Error) => void;
  onClose?: () => void;
  WebSocket?: SocketConstructor;
}

export interface NexusWebSocket {
  /** Also before the socket is open: it is sent then. */
  send(text: string): void;
  createSession(options?: { agentId?: string; metadata?: Record<string, unknown> }): void;
  close(): void;
  /** As of a WebSocket: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
}

const mostWaiting = 100;

export function createNexusWebSocket(options: NexusWebSocketOptions): NexusWebSocket {
  const { projectId, agentId, token } = options;
  let socket: SocketLike | undefined;
  let isClosed = false;
  let waiting: ClientFrame[] = [];

  const fail = (error: Error): void => options.onError?.(error);
  const closed = (): void => {
    if (isClosed) return;
    isClosed = true;
    options.onClose?.();
  };
  const open = (constructor: SocketConstructor): void => {
    if (isClosed) return;
    const opened = (socket = new constructor(options.url));
    opened.onopen = () => {
      opened.send(JSON.stringify({ type: "auth", projectId, agentId, ...(token ? { token } : {}) }));
      for (const frame of waiting) opened.send(JSON.stringify(frame));
      waiting = [];
    };
    opened.onmessage = (event: { data: unknown }) => {
      let frame: NexusEvent;
      try {
        frame = JSON.parse(String(event.data)) as NexusEvent;
      } catch {
        return fail(new Error("A frame of the server is not JSON."));
      }
      options.onMessage?.(frame);
    };
    opened.onerror = (event: { message?: string }) => fail(new Error(event.message || `The connection to ${options.url} failed.`));
    opened.onclose = closed;
  };
  const constructor = socketConstructor(options.WebSocket);
  if (typeof constructor === "function") open(constructor);
  else
    constructor.then(open, (error: Error) => {
      fail(error);
      closed();
    });

  const say = (frame: ClientFrame): void => {
    if (socket?.readyState === socketStates.open) return socket.send(JSON.stringify(frame));
    if (isClosed || (socket && socket.readyState !== socketStates.connecting)) return fail(new Error("The connection is closed; nothing was sent."));
    if (waiting.length >= mostWaiting) return fail(new Error("Too much was sent before the connection was open."));
    waiting.push(frame);
  };
  return {
    send: (text) => say({ type: "message.send", content: text }),
    createSession: (session = {}) => say({ type: "session.create", ...session }),
    close: () => {
      if (socket) return socket.close();
      closed();
    },
    get readyState() {
      return isClosed ? socketStates.closed : (socket?.readyState ?? socketStates.connecting);
    },
  };
}

export interface NexusApi {
  /** The whole answer; with `sessionId` in that session. */
  sendMessage(projectId: string, agentId: string, text: string, sessionId?: string): Promise<ChatReply>;
  approve(approvalId: string, note?: string): Promise<Approval>;
  deny(approvalId: string, note?: string): Promise<Approval>;
}

export function createNexusApi(options: TroupeClientOptions): NexusApi {
  const client = new TroupeClient(options);
  return {
    sendMessage: (projectId, agentId, message, sessionId) => client.chat.send(projectId, agentId, { message, ...(sessionId ? { sessionId } : {}) }),
    approve: (id, note) => client.approvals.approve(id, note),
    deny: (id, note) => client.approvals.deny(id, note),
  };
}

class SharedNexusApi implements NexusApi {
  #api: NexusApi | undefined;

  /** Which server is meant, where it is not the page's own. */
  configure(options: TroupeClientOptions): void {
    this.#api = createNexusApi(options);
  }
  // As own functions, so that they may be taken off the object.
  readonly sendMessage: NexusApi["sendMessage"] = (...args) => this.#known().sendMessage(...args);
  readonly approve: NexusApi["approve"] = (...args) => this.#known().approve(...args);
  readonly deny: NexusApi["deny"] = (...args) => this.#known().deny(...args);

  #known(): NexusApi {
    const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
    if (!this.#api && !origin?.startsWith("http")) throw new Error("Call nexusApi.configure({ url }) first: there is no page whose server could be meant.");
    return (this.#api ??= createNexusApi({ url: origin! }));
  }
}

/** Of the server that this page comes from, or of the one that `configure` names. */
export const nexusApi = new SharedNexusApi();

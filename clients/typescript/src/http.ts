// One REST call: address, credentials, JSON, errors, abort. Everything under rest/ goes through here.
import { type Credentials } from "./auth.js";
import { abortReason, errorOfResponse, TroupeError } from "./errors.js";
import { readEventStream, type StreamedEvent } from "./sse.js";

export interface CallOptions {
  signal?: AbortSignal;
}
export interface WriteOptions extends CallOptions {
  /** A request with a key that was seen before returns the first result and starts nothing. */
  idempotencyKey?: string;
}

type QueryValue = string | number | boolean | undefined;
export type Query = { readonly [name: string]: QueryValue };

export interface HttpRequest extends WriteOptions {
  query?: object;
  body?: unknown;
  /** Sent as it is, with its own type; `body` is JSON. */
  raw?: BodyInit;
  headers?: Record<string, string>;
}

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** `https://host/base` without a slash at its end. */
export function baseUrl(url: string): string {
  const base = url.replace(/^ws(s?):/, "http$1:").replace(/\/+$/, "");
  if (!/^https?:\/\//.test(base)) throw new TypeError(`The url of the server must begin with http:// or https://, not "${url}".`);
  return base;
}

/** A segment of a path. */
export const part = (id: string): string => {
  if (!id) throw new TypeError("An id in a path must not be empty.");
  return encodeURIComponent(id);
};

function withQuery(path: string, query: object | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}) as [string, QueryValue | null][])
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/json/.test(response.headers.get("content-type") ?? "") || text === "") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export class Http {
  constructor(
    readonly base: string,
    readonly credentials: Credentials,
    private readonly fetchWith: Fetch = (input, init) => fetch(input, init),
  ) {}

  /** The answer's JSON. `path` begins with a slash and holds the prefix too. */
  async json<T>(method: string, path: string, request: HttpRequest = {}): Promise<T> {
    const response = await this.response(method, path, request);
    if (response.status === 204) return undefined as T;
    const body = await this.#reading(bodyOf(response), request.signal, `${method} ${path}`);
    if (typeof body !== "object" || body === null)
      throw new TroupeError({
        code: "BAD_RESPONSE", status: response.status, message: `${method} ${path}: JSON was expected; is ${this.base} a Troupe server?`,
      });
    return body as T;
  }

  /** A list without its second name. */
  async page<T extends { items: unknown[] }>(path: string, query: object | undefined, options: CallOptions = {}): Promise<T> {
    const list = await this.json<T & { data?: unknown }>("GET", path, { ...options, ...(query ? { query } : {}) });
    delete list.data;
    return list;
  }

  async *events(method: string, path: string, request: HttpRequest = {}): AsyncGenerator<StreamedEvent> {
    const response = await this.response(method, path, { ...request, headers: { accept: "text/event-stream", ...request.headers } });
    if (!response.body) return;
    try {
      yield* readEventStream(response.body);
    } catch (error) {
      throw this.#failure(error, request.signal, `${method} ${path}`);
    }
  }

  /** A good answer, unread. A refused token is replaced once. */
  async response(method: string, path: string, request: HttpRequest = {}): Promise<Response> {
    const token = await this.credentials.current();
    const first = await this.#send(method, path, request, token);
    if (first.ok) return first;
    const error = errorOfResponse(first.status, await bodyOf(first).catch(() => undefined), first.headers, `${method} ${path}`);
    if (first.status !== 401 || !this.credentials.canRefresh) throw error;
    const fresh = await this.credentials.refresh(token);
    if (fresh === undefined || fresh === token) throw error;
    const second = await this.#send(method, path, request, fresh);
    if (second.ok) return second;
    throw errorOfResponse(second.status, await bodyOf(second).catch(() => undefined), second.headers, `${method} ${path}`);
  }

  async #send(method: string, path: string, request: HttpRequest, token: string | undefined): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json", ...request.headers };
    if (token) headers.authorization = `Bearer ${token}`;
    if (request.idempotencyKey) headers["idempotency-key"] = request.idempotencyKey;
    const init: RequestInit = { method, headers };
    if (request.signal) init.signal = request.signal;
    if (request.raw !== undefined) {
      init.body = request.raw;
    } else if (request.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(request.body);
    }
    return this.#reading(this.fetchWith(this.base + withQuery(path, request.query), init), request.signal, `${method} ${path}`);
  }

  async #reading<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw this.#failure(error, signal, what);
    }
  }

  #failure(error: unknown, signal: AbortSignal | undefined, what: string): unknown {
    if (signal?.aborted) return abortReason(signal);
    if (error instanceof TroupeError) return error;
    return new TroupeError({ code: "CONNECTION_FAILED", message: `${what}: no answer from ${this.base}; is the server running?`, cause: error });
  }
}

// What goes wrong: refusals of the server, and connections that fail. One type, so that `catch` needs one question.

/** Where a server tells nothing better. */
const codeOfStatus: Record<number, string> = {
  400: "VALIDATION_ERROR",
  401: "AUTH_FAILED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  429: "RATE_LIMITED",
  502: "PROVIDER_ERROR",
  503: "STORAGE_UNAVAILABLE",
  504: "TIMEOUT",
};
const retryable = new Set([
  "BUSY", "RATE_LIMITED", "PROVIDER_ERROR", "STORAGE_UNAVAILABLE", "SHUTTING_DOWN", "TIMEOUT", "QUEUE_FULL", "CONNECTION_FAILED",
]);

export interface TroupeErrorFields {
  code: string;
  message: string;
  /** Of the HTTP answer; 0 where there was none. */
  status?: number;
  details?: Record<string, unknown>;
  /** Milliseconds, out of `Retry-After`. */
  retryAfter?: number;
  cause?: unknown;
}

/** `code` is one of docs/errors.md, or one of the client's own: CONNECTION_FAILED, BAD_RESPONSE, CLIENT_CLOSED. */
export class TroupeError extends Error {
  override readonly name = "TroupeError";
  readonly code: string;
  readonly status: number;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfter: number | undefined;

  constructor(fields: TroupeErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status ?? 0;
    this.details = fields.details;
    this.retryAfter = fields.retryAfter;
  }

  /** The same request may succeed later, unchanged. */
  get isRetryable(): boolean {
    return retryable.has(this.code);
  }

  /** Other credentials are needed. */
  get isAuth(): boolean {
    return this.code === "AUTH_FAILED" || this.code === "AUTH_REQUIRED";
  }
}

/** `Retry-After` in milliseconds: seconds or a date (RFC 9110 §10.2.3). */
export function retryAfterOf(value: string | null, now = Date.now()): number | undefined {
  if (!value) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);

/** Of an answer with a bad status: `{error: {code, message, details?}, message}`, or whatever a proxy has put in its place. */
export function errorOfResponse(status: number, body: unknown, headers: Headers, what: string): TroupeError {
  const told = isObject(body) && isObject(body.error) ? body.error : {};
  const code = typeof told.code === "string" ? told.code : (codeOfStatus[status] ?? "INTERNAL_ERROR");
  const message = typeof told.message === "string" ? told.message : `${what}: the server answered with status ${status}.`;
  // A bare list is one of what is wrong, as VALIDATION_ERROR has it under a name.
  const details = Array.isArray(told.details) ? { issues: told.details as unknown[] } : told.details;
  const retryAfter = retryAfterOf(headers.get("retry-after"));
  return new TroupeError({
    code, message, status,
    ...(isObject(details) ? { details } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** The reason of an abort, as `fetch` would throw it. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException("The operation was aborted.", "AbortError");
}

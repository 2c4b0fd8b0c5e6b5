// From an error of the client (or anything thrown) to words for a person.
interface Words {
  title: string;
  network: string;
  forbidden: string;
  busy: string;
  storage: string;
}
export interface Explained {
  text: string;
  remedy: string;
  code: string;
}

interface Shaped {
  message?: unknown;
  code?: unknown;
  status?: unknown;
}

export function codeOf(error: unknown): string {
  const code = (error as Shaped | null)?.code;
  return typeof code === 'string' ? code : '';
}
export function statusOf(error: unknown): number {
  const status = (error as Shaped | null)?.status;
  return typeof status === 'number' ? status : 0;
}

export function explain(error: unknown, words: Words): Explained {
  const message = typeof error === 'string' ? error : (error as Shaped | null)?.message;
  const said = typeof message === 'string' && message ? message : words.title;
  const code = codeOf(error);
  const status = statusOf(error);
  // The client's own code, where nobody answers; its text names a method and a path, which helps nobody here.
  if (code === 'CONNECTION_FAILED') return { text: words.title, remedy: words.network, code: '' };
  const remedy =
    status === 403 || code === 'FORBIDDEN'
      ? words.forbidden
      : status === 429 && code !== 'BUDGET_EXCEEDED'
        ? words.busy
        : code === 'STORAGE_UNAVAILABLE'
          ? words.storage
          : '';
  return { text: said, remedy, code };
}

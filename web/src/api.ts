// The one client of the server. A token is kept for this tab only; a server that refuses it gets the log-in page shown.
import { TroupeClient, TroupeError } from 'troupe-client';
import { createStore, remember, remembered, useStore } from './store';

const key = 'troupe.token';
// Beside the page itself, so that a proxy may serve it below a path.
const url = new URL('.', window.location.href).href.replace(/\/$/, '');

const token = createStore<string | null>(remembered('sessionStorage', key));
const signedOut = createStore(false);

function clientWith(own: string | null): TroupeClient {
  return new TroupeClient({
    url,
    ...(own === null ? {} : { token: own }),
    // Asked when the server refuses what there is: nobody but the user has another one.
    getToken: (reason) => {
      if (reason === 'refused') signedOut.set(true);
      return undefined;
    },
  });
}

/** `api.client` is another one after a log-in; pages are then made anew. */
export const api = { client: clientWith(token.value()) };

function keep(next: string | null): void {
  remember('sessionStorage', key, next);
  token.set(next);
  api.client = clientWith(next);
  signedOut.set(false);
}

const isRefusal = (error: unknown): boolean => error instanceof TroupeError && (error.status === 401 || error.isAuth);

/** False where the server does not know the token; other failures are thrown. */
export async function signIn(candidate: string): Promise<boolean> {
  try {
    await new TroupeClient({ url, token: candidate }).projects.list({ limit: 1 });
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
  keep(candidate);
  return true;
}

export async function signInWithPassword(username: string, password: string): Promise<boolean> {
  try {
    const { http } = new TroupeClient({ url });
    const { access_token } = await http.json<{ access_token: string }>('POST', '/auth/login', { body: { username, password } });
    return await signIn(access_token);
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

export function signOut(): void {
  keep(null);
  signedOut.set(true);
}

export const useSignedOut = (): boolean => useStore(signedOut);
export const useToken = (): string | null => useStore(token);

// As whom this browser talks to the server: to tell what is one's own from what others did.
import { api } from '../../api';
import { useAsync } from '../../ui';

export interface Me {
  id: string;
  username: string;
  roles: string[];
}

let asked: { client: typeof api.client; answer: Promise<Me> } | undefined;

/** Asked once for each set of credentials. */
function ask(): Promise<Me> {
  const { client } = api;
  if (asked?.client === client) return asked.answer;
  const answer = client.http.json<Me>('GET', '/auth/me');
  asked = { client, answer };
  // What failed is asked again by the next who wants to know.
  answer.catch(() => (asked = undefined));
  return answer;
}

/** The id that the server writes into what the caller does. Empty: it asks for no credentials, so all are the same nobody. */
export function useMyId(): string | undefined {
  const { data } = useAsync(() => ask(), []);
  return data?.id;
}

export const isMine = (by: string, me: string | undefined): boolean => by === '' || by === me;

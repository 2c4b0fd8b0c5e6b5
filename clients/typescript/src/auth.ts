// Where credentials come from. A token that the server refuses is asked for anew, once for all requests that wait for it.

export type GetToken = (reason: "first" | "refused") => string | undefined | Promise<string | undefined>;

export class Credentials {
  #token: string | undefined;
  #getToken: GetToken | undefined;
  #asked: Promise<string | undefined> | undefined;
  #hasAsked = false;

  constructor(token?: string, getToken?: GetToken) {
    this.#token = token;
    this.#getToken = getToken;
  }

  /** Whether a refused token can be replaced. */
  get canRefresh(): boolean {
    return this.#getToken !== undefined;
  }

  async current(): Promise<string | undefined> {
    if (this.#asked) return this.#asked;
    if (this.#token !== undefined || !this.#getToken || this.#hasAsked) return this.#token;
    return this.#ask("first");
  }

  /** A token in the place of `refused`; the one there is, where that was replaced already. */
  async refresh(refused: string | undefined): Promise<string | undefined> {
    if (this.#asked) return this.#asked;
    if (!this.#getToken || this.#token !== refused) return this.#token;
    return this.#ask("refused");
  }

  #ask(reason: "first" | "refused"): Promise<string | undefined> {
    const asked = (async () => {
      try {
        const token = await this.#getToken!(reason);
        this.#token = token;
        this.#hasAsked = true;
        return token;
      } finally {
        this.#asked = undefined;
      }
    })();
    this.#asked = asked;
    return asked;
  }
}

// The way in: everything that a server can do, under one object.
import { Credentials, type GetToken } from "./auth.js";
import type { BackoffOptions } from "./backoff.js";
import { baseUrl, type Fetch, Http } from "./http.js";
import { Agents } from "./rest/agents.js";
import { Approvals } from "./rest/approvals.js";
import { Projects, ServerApi, Traces, UsageApi } from "./rest/projects.js";
import { Scenarios } from "./rest/scenarios.js";
import { Chat, Sessions } from "./rest/sessions.js";
import { Session, type SessionOptions } from "./session.js";
import type { SocketConstructor } from "./websocket.js";

export interface TroupeClientOptions {
  /** `http://host:port`; in a page that the server serves, `location.origin`. */
  url: string;
  token?: string;
  /** Asked for the first token, and for another one when the server refuses it. */
  getToken?: GetToken;
  /** Of sessions that this client makes; else the server's default. */
  projectId?: string;
  agentId?: string;
  backoff?: BackoffOptions;
  /** Silence after which a connection is tested (20 000); 0: never. */
  heartbeatMs?: number;
  fetch?: Fetch;
  WebSocket?: SocketConstructor;
}

/** What a live session needs of its client. */
export interface LiveClient {
  readonly options: TroupeClientOptions;
  readonly http: Http;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
  readonly traces: Traces;
}

export class TroupeClient implements LiveClient {
  readonly http: Http;
  readonly projects: Projects;
  readonly agents: Agents;
  readonly sessions: Sessions;
  readonly chat: Chat;
  readonly approvals: Approvals;
  readonly traces: Traces;
  readonly usage: UsageApi;
  readonly server: ServerApi;
  readonly scenarios: Scenarios;

  constructor(readonly options: TroupeClientOptions) {
    this.http = new Http(baseUrl(options.url), new Credentials(options.token, options.getToken), options.fetch);
    this.projects = new Projects(this.http);
    this.agents = new Agents(this.http);
    this.sessions = new Sessions(this.http);
    this.chat = new Chat(this.http);
    this.approvals = new Approvals(this.http);
    this.traces = new Traces(this.http);
    this.usage = new UsageApi(this.http);
    this.server = new ServerApi(this.http);
    this.scenarios = new Scenarios(this.http);
  }

  /** A live session: the one with this id, or a new one, which is made when it is opened or sent to. */
  session(id?: string, options?: SessionOptions): Session {
    return new Session(this, id, options);
  }
}

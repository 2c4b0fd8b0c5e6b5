// What is configured, and what the server says of itself.
import { type CallOptions, type Http, part } from "../http.js";
import type { Health, Page, Period, Project, Readiness, Stats, Tool, Trace, TraceWithSpans, UsageReport, UsageShares } from "../records.js";
import type { BudgetAlert, Limits } from "../records.operations.js";

/** `limit` is 1 to 100 (20). */
export interface PageQuery {
  limit?: number;
  offset?: number;
}

const api = "/api/v1";

export class Projects {
  constructor(private readonly http: Http) {}
  list(query?: PageQuery, options?: CallOptions): Promise<Page<Project>> {
    return this.http.page(`${api}/projects`, query, options);
  }
  get(projectId: string, options?: CallOptions): Promise<Project> {
    return this.http.json("GET", `${api}/projects/${part(projectId)}`, options);
  }
  /** Alerts of budgets that were nearly or wholly spent, newest first. */
  alerts(projectId: string, query?: PageQuery, options?: CallOptions): Promise<Page<BudgetAlert>> {
    return this.http.page(`${api}/projects/${part(projectId)}/alerts`, query, options);
  }
}

export class Traces {
  constructor(private readonly http: Http) {}
  ofProject(projectId: string, query?: PageQuery, options?: CallOptions): Promise<Page<Trace>> {
    return this.http.page(`${api}/projects/${part(projectId)}/traces`, query, options);
  }
  ofSession(sessionId: string, query?: PageQuery, options?: CallOptions): Promise<Page<Trace>> {
    return this.http.page(`${api}/sessions/${part(sessionId)}/traces`, query, options);
  }
  get(traceId: string, options?: CallOptions): Promise<TraceWithSpans> {
    return this.http.json("GET", `${api}/traces/${part(traceId)}`, options);
  }
}

/** Spend; needs the scope `admin` where credentials are required. */
export class UsageApi {
  constructor(private readonly http: Http) {}
  async byDay(projectId: string, period: Period = "month", options?: CallOptions): Promise<UsageReport> {
    return this.http.page(this.#path(projectId), { period }, options);
  }
  async byAgent(projectId: string, period: Period = "month", query?: PageQuery, options?: CallOptions): Promise<UsageShares> {
    return this.http.page(`${this.#path(projectId)}/by-agent`, { period, ...query }, options);
  }
  async bySession(projectId: string, period: Period = "month", query?: PageQuery, options?: CallOptions): Promise<UsageShares> {
    return this.http.page(`${this.#path(projectId)}/by-session`, { period, ...query }, options);
  }
  async byUser(projectId: string, period: Period = "month", query?: PageQuery, options?: CallOptions): Promise<UsageShares> {
    return this.http.page(`${this.#path(projectId)}/by-user`, { period, ...query }, options);
  }
  /** Shares have `provider` and `model`. */
  async byModel(projectId: string, period: Period = "month", query?: PageQuery, options?: CallOptions): Promise<UsageShares> {
    return this.http.page(`${this.#path(projectId)}/by-model`, { period, ...query }, options);
  }
  #path(projectId: string): string {
    return `${api}/projects/${part(projectId)}/usage`;
  }
}

export class ServerApi {
  constructor(private readonly http: Http) {}
  tools(query?: PageQuery, options?: CallOptions): Promise<Page<Tool>> {
    return this.http.page(`${api}/tools`, query, options);
  }
  stats(options?: CallOptions): Promise<Stats> {
    return this.http.json("GET", `${api}/stats`, options);
  }
  /** What is in force; nothing of it is secret. */
  limits(options?: CallOptions): Promise<Limits> {
    return this.http.json("GET", `${api}/limits`, options);
  }
  health(options?: CallOptions): Promise<Health> {
    return this.http.json("GET", "/healthz", options);
  }
  ready(options?: CallOptions): Promise<Readiness> {
    return this.http.json("GET", "/readyz", options);
  }
  /** Prometheus text. */
  async metrics(options?: CallOptions): Promise<string> {
    const response = await this.http.response("GET", "/metrics", { ...options, headers: { accept: "text/plain" } });
    return response.text();
  }
}

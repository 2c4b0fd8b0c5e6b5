// Approvals over REST: the inbox across sessions, decisions, what is remembered.
import type { ApprovalKind } from "../events.js";
import type { Decision } from "../frames.js";
import { type CallOptions, type Http, part } from "../http.js";
import type { Approval, BulkResult, Page, RememberedApproval } from "../records.js";
import type { PageQuery } from "./projects.js";

const api = "/api/v1/approvals";

export interface ApprovalQuery extends PageQuery {
  status?: Approval["status"];
  kind?: ApprovalKind;
  riskLevel?: "low" | "medium" | "high";
  /** A time such as 2026-01-31T09:30:00Z. */
  since?: string;
  projectId?: string;
  sessionId?: string;
  agentId?: string;
  tool?: string;
  decidedBy?: string;
}

export class Approvals {
  constructor(private readonly http: Http) {}

  list(query?: ApprovalQuery, options?: CallOptions): Promise<Page<Approval>> {
    return this.http.page(api, query, options);
  }
  get(id: string, options?: CallOptions): Promise<Approval> {
    return this.http.json("GET", `${api}/${part(id)}`, options);
  }
  approve(id: string, note?: string, options?: CallOptions): Promise<Approval> {
    return this.http.json("POST", `${api}/${part(id)}/approve`, { ...options, body: note === undefined ? {} : { note } });
  }
  deny(id: string, note?: string, options?: CallOptions): Promise<Approval> {
    return this.http.json("POST", `${api}/${part(id)}/deny`, { ...options, body: note === undefined ? {} : { note } });
  }
  /** Fails with APPROVAL_NOT_PENDING when it was settled before; `details` then hold the winner. */
  decide(id: string, decision: Decision, options?: CallOptions): Promise<Approval> {
    return this.http.json("POST", `${api}/${part(id)}/decide`, { ...options, body: decision });
  }
  /** 1 to 100 of them; each has a result of its own. */
  async decideMany(ids: string[], decision: Pick<Decision, "approved" | "choice" | "note" | "remember">, options?: CallOptions): Promise<BulkResult[]> {
    return (await this.http.json<{ items: BulkResult[] }>("POST", `${api}/decide`, { ...options, body: { ids, ...decision } })).items;
  }
  /** Those that hold; with `all` also those that were revoked or have expired. */
  remembered(query?: PageQuery & { projectId?: string; all?: boolean }, options?: CallOptions): Promise<Page<RememberedApproval>> {
    return this.http.page(`${api}/remembered`, query, options);
  }
  /** Such calls ask again. */
  revoke(rememberedId: string, options?: CallOptions): Promise<void> {
    return this.http.json("DELETE", `${api}/remembered/${part(rememberedId)}`, options);
  }
}

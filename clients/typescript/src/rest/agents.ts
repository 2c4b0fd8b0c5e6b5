// Agents: those of the server's configuration file, and those that are stored over REST. All but reading needs the scope `admin`.
import { type CallOptions, type Http, part } from "../http.js";
import type { Agent, Page } from "../records.js";
import type { AgentCheck, AgentDefinition, AgentDefinitionRecord, AgentVersion, AgentVersionDetail } from "../records.agents.js";
import type { PageQuery } from "./projects.js";

export class Agents {
  constructor(private readonly http: Http) {}

  list(projectId: string, query?: PageQuery, options?: CallOptions): Promise<Page<Agent>> {
    return this.http.page(this.#path(projectId), query, options);
  }
  get(projectId: string, agentId: string, options?: CallOptions): Promise<Agent> {
    return this.http.json("GET", this.#path(projectId, agentId), options);
  }
  /** Also of the file's agents, so that one can be copied. */
  definition(projectId: string, agentId: string, options?: CallOptions): Promise<AgentDefinitionRecord> {
    return this.http.json("GET", `${this.#path(projectId, agentId)}/definition`, options);
  }
  /** Fails with AGENT_EXISTS, or INVALID_AGENT with what is wrong in `details.issues`. */
  create(projectId: string, agent: { id: string; definition: AgentDefinition; note?: string }, options?: CallOptions): Promise<Agent> {
    return this.http.json("POST", this.#path(projectId), { ...options, body: agent });
  }
  /** A new version. With `version`, the one that was edited, it fails with VERSION_CONFLICT where there is a newer one. */
  update(
    projectId: string, agentId: string, change: { definition: AgentDefinition; note?: string; version?: number }, options?: CallOptions,
  ): Promise<Agent> {
    return this.http.json("PUT", this.#path(projectId, agentId), { ...options, body: change });
  }
  /** What `create` or `update` would say; nothing is stored. */
  check(projectId: string, agent: { id?: string; definition: AgentDefinition }, options?: CallOptions): Promise<AgentCheck> {
    return this.http.json("POST", `${this.#path(projectId)}/check`, { ...options, body: agent });
  }
  /** Its versions stay. */
  delete(projectId: string, agentId: string, options?: CallOptions): Promise<void> {
    return this.http.json("DELETE", this.#path(projectId, agentId), options);
  }
  /** Newest first. */
  versions(projectId: string, agentId: string, query?: PageQuery, options?: CallOptions): Promise<Page<AgentVersion>> {
    return this.http.page(`${this.#path(projectId, agentId)}/versions`, query, options);
  }
  version(projectId: string, agentId: string, version: number, options?: CallOptions): Promise<AgentVersionDetail> {
    return this.http.json("GET", `${this.#path(projectId, agentId)}/versions/${part(String(version))}`, options);
  }

  #path(projectId: string, agentId?: string): string {
    const all = `/api/v1/projects/${part(projectId)}/agents`;
    return agentId === undefined ? all : `${all}/${part(agentId)}`;
  }
}

// Scenarios of a server that was started with a folder of them, else SCENARIOS_NOT_CONFIGURED. Needs the scope `admin`.
import { type CallOptions, type Http, part } from "../http.js";
import type { Page } from "../records.js";
import type { ScenarioList, ScenarioRun, ScenarioRunSummary } from "../records.operations.js";

const api = "/api/v1/scenarios";

/** All, where neither files nor tags are named. */
export interface ScenarioSelection {
  files?: string[];
  tags?: string[];
  restartEveryStep?: boolean;
  /** At a boundary of the journal, or at each in turn. */
  crashAt?: "every" | number;
}

export class Scenarios {
  constructor(private readonly http: Http) {}

  list(options?: CallOptions): Promise<ScenarioList> {
    return this.http.page(api, undefined, options);
  }
  /** Returns when it has started; one at a time, else SCENARIO_RUN_ACTIVE. */
  run(selection: ScenarioSelection = {}, options?: CallOptions): Promise<ScenarioRun> {
    return this.http.json("POST", `${api}/runs`, { ...options, body: selection });
  }
  /** The last ones, without their results. */
  runs(options?: CallOptions): Promise<Page<ScenarioRunSummary>> {
    return this.http.page(`${api}/runs`, undefined, options);
  }
  /** With the results so far. */
  get(runId: string, options?: CallOptions): Promise<ScenarioRun> {
    return this.http.json("GET", `${api}/runs/${part(runId)}`, options);
  }
  /** Stops it. */
  cancel(runId: string, options?: CallOptions): Promise<void> {
    return this.http.json("DELETE", `${api}/runs/${part(runId)}`, options);
  }
}

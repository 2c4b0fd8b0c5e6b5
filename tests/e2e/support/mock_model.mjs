// `troupe mock-model` for one test: port 0, its scenario in a temporary folder, an orderly end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binary, temporaryFolder } from "./server.mjs";
import { patienceMs } from "./waiting.mjs";

/** `scenario` is the name of a file, or what is to stand in it; `body(url)` runs against the server. */
export async function withMockModel(scenario, args, body) {
  const folder = temporaryFolder();
  const file = typeof scenario === "string" ? scenario : join(folder, "scenario.json");
  if (typeof scenario !== "string") writeFileSync(file, JSON.stringify(scenario));
  const child = spawn(binary(), ["mock-model", "--scenario", file, "--listen", "127.0.0.1:0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let log = "";
  child.stderr.on("data", (bytes) => (log += bytes));
  const timer = setTimeout(() => child.kill("SIGKILL"), 2 * patienceMs);
  try {
    const ended = closed.then(() => assert.fail(`mock-model ended before it listened\n${log}`));
    const [line] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
    const [, url] = line.match(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/) ?? assert.fail(`unexpected line: ${line}`);
    ended.catch(() => {});
    await body(url);
    child.kill("SIGTERM");
    assert.deepEqual(await closed, [0, null], `the end after SIGTERM\n${log}`);
    assert.equal(log, "");
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

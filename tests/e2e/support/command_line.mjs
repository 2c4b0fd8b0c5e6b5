// Running the command line: to its end, with something on stdin, on a server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { post } from "./clients.mjs";
import { binary, outcomeOf, run, withServer } from "./server.mjs";

export const plain = { NO_COLOR: "1" };
export const demo = (body, options) => withServer(null, body, options);

/** stdout of a command that must succeed. */
export async function ok(args, options) {
  const { status, stdout, stderr } = await run(args, options);
  assert.equal(status, 0, `troupe ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}
export const at = (server, ...args) => ok([...args, "--url", server.url]);
export const json = async (server, ...args) => JSON.parse(await at(server, ...args, "--json"));

/** Of what `events --json` has shown: nothing is missing its place, and nothing came twice. */
export function assertEachOnceInOrder(shown) {
  const seqs = [...shown.matchAll(/"seq":(\d+)\}/g)].map((m) => Number(m[1]));
  assert.ok(seqs.length > 0, shown);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), "each once, in order");
}

/** With something on stdin; `server` may be null. */
export function piped(server, args, input, env = {}) {
  const child = spawn(binary(), server ? [...args, "--url", server.url] : args, { env: { ...process.env, ...env } });
  child.stdin.end(input);
  return outcomeOf(child);
}

export async function session(server, ...messages) {
  const made = await post(server, "/api/v1/projects/demo/sessions");
  for (const content of messages) await post(server, `/api/v1/sessions/${made.body.id}/messages?wait=true`, { content });
  return made.body.id;
}

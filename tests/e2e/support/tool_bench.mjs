// A server whose model calls the tools that a test names: `use NAME {json}` is a call with these arguments, `then` adds more rules.
import { readdirSync, readFileSync } from "node:fs";
import { standard } from "./configuration.mjs";
import { patienceMs, until } from "./waiting.mjs";

export { until };

const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** `use`: names of tools as the model calls them. `agent` is merged into the writer, whose tools are `list`. */
export function toolConfiguration({ tools = {}, use = Object.keys(tools), list = use, rules = [], agent = {}, ...more }) {
  const configuration = standard({ tools, ...more });
  const { script } = configuration.providers.scripted;
  script.rules = [
    ...rules,
    ...use.map((name) => ({ when: { user: `^use ${literal(name)} ([^]*)$`, after: "user" }, say: [{ tool: name, arguments: "${1}" }] })),
    ...use.map((name) => ({ when: { tool: name }, say: [{ text: "Heard." }] })),
    ...script.rules,
  ];
  Object.assign(configuration.projects.demo.agents.writer, { tools: list, ...agent });
  return configuration;
}

/** One call and its result, once the run is over. */
export async function use(client, name, args = {}, limitMs = patienceMs) {
  client.send({ type: "message.send", content: `use ${name} ${typeof args === "string" ? args : JSON.stringify(args)}` });
  const done = await client.next("message.tool_complete", limitMs);
  await client.next("message.complete", limitMs);
  return done;
}

/** {pid, parent, state, name, start} of every process. */
function processes() {
  const out = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "latin1");
      const after = text.slice(text.lastIndexOf(")") + 2).split(" ");
      out.push({ pid: Number(pid), name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")),
        state: after[0], parent: Number(after[1]), start: after[19] });
    } catch {} // it has ended meanwhile
  }
  return out;
}

/** Everything below a process, however deep. */
export function descendants(pid) {
  const all = processes();
  const found = [];
  for (let parents = [pid]; parents.length; ) {
    const children = all.filter((one) => parents.includes(one.parent));
    found.push(...children);
    parents = children.map((one) => one.pid);
  }
  return found;
}

/** Those that still run; a number that was given to another process does not count. */
export function alive(known) {
  const now = processes();
  return known.filter((one) => now.some((p) => p.pid === one.pid && p.start === one.start && p.state !== "Z"));
}
export const gone = (known) => until(() => alive(known).length === 0, `the end of ${JSON.stringify(known)}`);

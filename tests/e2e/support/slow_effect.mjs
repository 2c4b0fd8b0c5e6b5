// A tool whose effect can be counted and that is under way when the server dies: `deploy` appends a line to a file, and the
// first time it is called it then takes for ever.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./server.mjs";
import { standard } from "./configuration.mjs";

// What it says comes last: then everything that the next call looks at has happened.
const script = `if [ ! -e "$FOLDER/again" ]; then touch "$FOLDER/again"; first=yes; fi
echo effect >> "$FOLDER/effects"
echo "deploying" >&2
if [ -n "$first" ]; then sleep 600; fi
echo '{"deployed": true}'`;

/** {configuration, effects()}: how often it took effect. */
export function slowEffect() {
  const folder = temporaryFolder();
  const configuration = standard();
  configuration.tools = {
    deploy: {
      kind: "program", description: "Deploys.", command: ["/bin/sh", "-c", script], environment: { FOLDER: folder },
      parameters: { type: "object", properties: { to: { type: "string" } } },
      effect: "once", approval: "never", sandbox: false, time_limit_ms: 600_000,
    },
  };
  configuration.providers.scripted.script.rules.unshift(
    { when: { tool: "deploy" }, say: [{ text: "Deployed: ${result}" }] },
    { when: { user: "deploy" }, say: [{ tool: "deploy", arguments: { to: "prod" } }] },
  );
  configuration.projects.demo.agents.writer.tools.push("deploy");
  const file = join(folder, "effects");
  const effects = () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).length : 0);
  return { configuration, folder, effects };
}

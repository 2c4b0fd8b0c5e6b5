// The examples of clients/typescript/README.md, run against the demo as they stand there: each must print what its `// →`
// lines say.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { withServer } from "./support/server.mjs";
import { packageFolder } from "../../clients/typescript/test/package.mjs";

const page = readFileSync(`${packageFolder}README.md`, "utf8");
const examples = [...page.matchAll(/^## (.*)\n|^```js\n([\s\S]*?)^```/gm)].reduce(
  ({ title, all }, [, heading, code]) => (heading ? { title: heading, all } : { title, all: [...all, { title, code }] }),
  { title: "", all: [] },
).all;

function run(args, limitMs = 60_000) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, log] = ["", ""];
    child.stdout.on("data", (bytes) => (out += bytes));
    child.stderr.on("data", (bytes) => (log += bytes));
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      if (status === 0 && log === "") resolve(out);
      else reject(new Error(`the example ended with ${status ?? signal}\n${out}${log}`));
    });
  });
}

test("there are examples", () => assert.ok(examples.length >= 5));

test("the component of React is one for the compiler", { timeout: 300_000 }, async () => {
  const [, code] = page.match(/^```tsx\n([\s\S]*?)^```/m);
  const folder = mkdtempSync(`${packageFolder}dist/readme-`);
  try {
    const file = `${folder}/example.tsx`;
    writeFileSync(file, code);
    const options = "--noEmit --strict --skipLibCheck --jsx react-jsx --target es2022 --module esnext --moduleResolution bundler".split(" ");
    await run([`${packageFolder}node_modules/typescript/bin/tsc`, ...options, file], 240_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
for (const { title, code } of examples)
  test(title, () =>
    withServer(null, async (server) => {
      // Inside the package, so that its own name leads to it.
      const folder = mkdtempSync(`${packageFolder}dist/readme-`);
      try {
        const file = `${folder}/example.mjs`;
        writeFileSync(file, code.replaceAll("127.0.0.1:8080", `127.0.0.1:${server.port}`));
        const expected = [...code.matchAll(/^\/\/ → (.*)$/gm)].map(([, line]) => line);
        assert.deepEqual((await run([file])).trimEnd().split("\n"), expected);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }));

// Completions in the shells themselves: each line, and what bash, zsh and fish make of it.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ok } from "./support/command_line.mjs";
import { binary, temporaryFolder } from "./support/server.mjs";
import { patienceMs } from "./support/waiting.mjs";

const expected = {
  "troupe s": ["serve", "sessions", "spend"],
  "troupe --v": ["--version"],
  "troupe approvals ": ["decide", "list", "remembered", "revoke"],
  "troupe approvals decide ID --ap": ["--approve"],
  "troupe approvals decide ID --approve --remember ": ["agent", "project", "session"],
  "troupe spend --by ": ["agent", "day", "model", "session", "user"],
  "troupe sessions --url http://127.0.0.1:1 --st": ["--status"],
  "troupe sessions --search spend --st": ["--status"],
  "troupe events ID --fol": ["--follow"],
  "troupe completion z": ["zsh"],
  "troupe replay mine": ["mine.json"],
  "troupe serve --config mine": ["mine.json"],
  "troupe chat mine": [],
};
const lines = Object.keys(expected);

/** `body` in a folder with `mine.json`, a home of nobody, and `troupe` in the path. */
async function inShell(shell, file, body) {
  const folder = temporaryFolder();
  try {
    const [home, work] = [join(folder, "home"), join(folder, "work")];
    for (const name of [home, work, join(folder, "bin")]) mkdirSync(name);
    symlinkSync(binary(), join(folder, "bin", "troupe"));
    writeFileSync(join(work, "mine.json"), "{}");
    const script = join(folder, file);
    writeFileSync(script, await ok(["completion", shell]));
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, LC_ALL: "C.UTF-8",
      PATH: join(folder, "bin") + delimiter + process.env.PATH };
    const run = (...args) => execFileSync(shell, args, { cwd: work, env, encoding: "utf8", timeout: patienceMs, stdio: ["ignore", "pipe", "inherit"] });
    body(run, folder, script);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const skip = (shell) => (spawnSync(shell, ["-c", "true"]).status === 0 ? false : `${shell} is not installed`);
const compare = (shell, found) => {
  for (const line of lines) assert.deepEqual(found[line], expected[line], `${shell}: ${line}`);
};
const words = (text) => text.split(/\s+/).filter(Boolean).sort();

test("completion: bash", { skip: skip("bash") }, () =>
  inShell("bash", "troupe", (run, folder, script) => {
    // As readline calls it: the words, the last of which is being typed.
    const ask = lines.map((line) => `COMP_WORDS=(${line}${line.endsWith(" ") ? " ''" : ""}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=();` +
      `_troupe troupe "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"; echo "\${COMPREPLY[@]}"`);
    const answers = run("--norc", "-c", `. '${script}'\ncomplete -p troupe >/dev/null || exit 1\n${ask.join("\n")}`).split("\n");
    compare("bash", Object.fromEntries(lines.map((line, i) => [line, words(answers[i])])));
  }));

test("completion: zsh", { skip: skip("zsh") }, () =>
  inShell("zsh", "_troupe", (run, folder) => {
    const answers = run("-f", fileURLToPath(new URL("support/complete.zsh", import.meta.url)), folder, ...lines).trimEnd().split("\n");
    compare("zsh", Object.fromEntries(answers.map((a) => a.split("=>")).map(([line, matches]) => [line, words(matches)])));
  }));

test("completion: fish", { skip: skip("fish") }, () =>
  inShell("fish", "troupe.fish", (run, folder, script) => {
    const answers = run("--no-config", "-c", `source '${script}'\n${lines.map((line) => `complete -C '${line}' | cut -f 1; echo .`).join("\n")}`).split(".\n");
    compare("fish", Object.fromEntries(lines.map((line, i) => [line, words(answers[i])])));
  }));

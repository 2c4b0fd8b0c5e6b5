// The program in a terminal: a pseudo-terminal of Python's, because one of Node's would need a compiler. What is typed goes in,
// what a person would see comes out.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { binary } from "./server.mjs";
import { patienceMs } from "./waiting.mjs";

const driver = `
import fcntl, os, pty, select, struct, sys, termios
pid, screen = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(os.environ.get("COLUMNS", "120")), 0, 0))
sources = [0, screen]
while True:
    for fd in select.select(sources, [], [])[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        if fd == 0 and data:
            os.write(screen, data)
        elif fd == 0:
            sources.remove(0)
        elif data:
            os.write(1, data)
        else:
            status = os.waitpid(pid, 0)[1]
            sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 100 + os.WTERMSIG(status))
`;

export const ctrlC = "\x03";
export const ctrlD = "\x04";

export class Terminal {
  shown = "";
  #read = 0;
  #look = () => {};

  constructor(args, env = {}) {
    const child = spawn("python3", ["-c", driver, binary(), ...args], {
      env: { ...process.env, TERM: "xterm", LC_ALL: "C.UTF-8", ...env }, stdio: ["pipe", "pipe", "inherit"] });
    this.child = child;
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => ((this.shown += text), this.#look()));
    this.ended = new Promise((resolve) => child.on("close", (status) => ((this.status = status), this.#look(), resolve(status))));
  }

  type(text) {
    this.child.stdin.write(text);
    return this;
  }
  line(text) {
    return this.type(`${text}\r`);
  }

  /** Waits for `pattern` behind what was waited for before; its match. */
  until(pattern) {
    return new Promise((resolve, reject) => {
      const done = (settle, value) => (clearTimeout(timer), (this.#look = () => {}), settle(value));
      const fail = (why) => done(reject, new Error(`${why} while waiting for ${pattern}; on the screen:\n${JSON.stringify(this.shown)}`));
      const timer = setTimeout(() => fail(`${patienceMs} ms passed`), patienceMs);
      this.#look = () => {
        const found = this.shown.slice(this.#read).match(pattern);
        if (found) {
          this.#read += found.index + found[0].length;
          return done(resolve, found);
        }
        if (this.status !== undefined) fail(`it ended with ${this.status}`);
      };
      this.#look();
    });
  }

  async end(status) {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), patienceMs);
    await this.ended;
    clearTimeout(timer);
    assert.equal(this.status, status, `its exit status; on the screen:\n${JSON.stringify(this.shown)}`);
  }
}

/** A terminal around `body`, 120 columns wide or `env.COLUMNS`; it is ended whatever happens. */
export async function inTerminal(args, body, env) {
  const terminal = new Terminal(args, env);
  try {
    await body(terminal);
  } finally {
    terminal.child.kill("SIGKILL");
    await terminal.ended;
  }
}

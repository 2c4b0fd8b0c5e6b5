// A way to the server on which reading can be made slow: one byte a second (support/trickle.py).
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("trickle.py", import.meta.url));

/** {port, url, onEnd} in the place of the server, with slow() and fast(); it ends with the server's test. */
export async function trickling(server) {
  const child = spawn("/usr/bin/python3", [program, String(server.port)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const port = await new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(Number(line)));
    ended.then((status) => reject(new Error(`trickle.py ended with ${status}`)));
  });
  server.onEnd(() => child.kill());
  const say = (word) => child.stdin.write(`${word}\n`);
  return { port, url: `http://127.0.0.1:${port}`, onEnd: server.onEnd, slow: () => say("slow"), fast: () => say("fast") };
}

// Ports for what cannot listen on port 0: other people's programs, and servers that come back where they were.
import { createServer } from "node:net";

const [lowest, count] = [20_000, 12_000]; // below what Linux gives to those who ask for any, so nobody is given it meanwhile

const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });

async function freePort() {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count);
    if (await isFree(port)) return port;
  }
}

/** `start(port)` with a port that was free a moment ago; where it fails, with another one. */
export async function onFreePort(start) {
  for (let left = 4; ; --left) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** A privileged port on which nobody listens. */
export const deadPort = 9;

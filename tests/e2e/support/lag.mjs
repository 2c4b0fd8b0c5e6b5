// A slow network, for finding tests that take the order of two connections for granted: every connection to a server goes through
// a forwarder that holds each direction back by a time of its own, drawn anew for each connection. What one connection carries stays
// in order. On with TROUPE_LAG_MS=N (the longest such time); TROUPE_LAG_SEED=N repeats the draws.
import { connect, createServer } from "node:net";

export const lagMs = Number(process.env.TROUPE_LAG_MS ?? 0);

let state = Number(process.env.TROUPE_LAG_SEED ?? Date.now()) >>> 0;
/** 0 ≤ x < 1 (mulberry32). */
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
}

/** What `from` sends and how it ends reaches `to`, late. */
function forward(from, to) {
  const late = random() < 0.3 ? 0 : random() * lagMs;
  const later = (act) => setTimeout(act, late);
  from.on("data", (bytes) => later(() => to.writable && to.write(bytes)));
  from.on("end", () => later(() => to.end()));
  // A reset behind an end that is still on its way would keep Node from ending (it waits for the end in vain).
  from.on("error", () => later(() => (to.writableEnded ? to.destroy() : to.resetAndDestroy())));
}

/** Forwards to `target` on 127.0.0.1 until `close()`: {port, close}. `port` 0: any. */
export async function laggingPort(target, port = 0) {
  const open = new Set();
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    forward(client, server);
    forward(server, client);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
  });
  await new Promise((resolve, reject) => listener.once("error", reject).listen(port, "127.0.0.1", resolve));
  return { port: listener.address().port, close: () => listener.close() };
}

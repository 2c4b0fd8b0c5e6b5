// server-everything over Streamable HTTP: a process of its own on a free port.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

export const packageFile = (path) => fileURLToPath(new URL(`../node_modules/@modelcontextprotocol/${path}`, import.meta.url));
export const everything = packageFile("server-everything/dist/index.js");

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

export async function withEverything(body) {
  const port = await freePort();
  const child = spawn(process.execPath, [everything, "streamableHttp"], { env: { ...process.env, PORT: String(port) }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  try {
    await new Promise((resolve, reject) => {
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text).includes(String(port)) && resolve());
      ended.then(() => reject(new Error(`server-everything ended: ${said}`)));
    });
    await body(`http://127.0.0.1:${port}/mcp`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

// server-everything over Streamable HTTP: a process of its own on a free port.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onFreePort } from "./ports.mjs";

export const packageFile = (path) => fileURLToPath(new URL(`../node_modules/@modelcontextprotocol/${path}`, import.meta.url));
export const everything = packageFile("server-everything/dist/index.js");

function startEverything(port) {
  const child = spawn(process.execPath, [everything, "streamableHttp"], { env: { ...process.env, PORT: String(port) }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  return new Promise((resolve, reject) => {
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => (said += text).includes(`on port ${port}`) && resolve({ child, ended, port }));
    ended.then(() => reject(new Error(`server-everything ended: ${said}`)));
  });
}

export async function withEverything(body) {
  const { child, ended, port } = await onFreePort(startEverything);
  try {
    await body(`http://127.0.0.1:${port}/mcp`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

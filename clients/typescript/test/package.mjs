// What the end-to-end tests of the client (tests/e2e/client_*.test.mjs) share: the built package, JSON Schemas of its types,
// and a proxy that stays where it is while the server behind it dies and comes back.
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";

export const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const remedy = "run npm ci and npm run build in clients/typescript";

if (!existsSync(`${packageFolder}dist/index.js`)) throw new Error(`clients/typescript is not built; ${remedy}`);
export const client = await import("../dist/index.js");
export const { TroupeClient, TroupeError } = client;

async function load(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`the npm package ${name} is missing; ${remedy}`, { cause: error });
  }
}

/** A connection that can be cut, in front of a server that may come back on another port. */
export async function withProxy(server, body) {
  const pairs = new Set();
  let cutAfter = Infinity; // bytes from the server, over all connections
  const proxy = createServer((near) => {
    const far = connect(server.port, "127.0.0.1");
    const pair = { near, far };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
    near.pipe(far);
    far.on("data", (bytes) => {
      near.write(bytes.subarray(0, Math.max(0, Math.min(bytes.length, cutAfter))));
      cutAfter -= bytes.length;
      if (cutAfter > 0) return;
      cutAfter = Infinity;
      near.end(); // what was written arrives, and then nothing: in the middle of a frame
      far.destroy();
    });
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const cut = () => [...pairs].forEach(({ near, far }) => (near.destroy(), far.destroy()));
  try {
    return await body({ url: `http://127.0.0.1:${proxy.address().port}`, cut, cutAfter: (bytes) => (cutAfter = bytes) });
  } finally {
    cut();
    await new Promise((resolve) => proxy.close(resolve));
  }
}

/** Waits until `condition(state)` holds of a session's state. */
export function until(session, condition, what = String(condition), limitMs = 60_000) {
  return new Promise((resolve, reject) => {
    let off = () => undefined;
    const done = (settle, value) => (clearTimeout(timer), off(), settle(value));
    const timer = setTimeout(
      () => done(reject, new Error(`${limitMs} ms passed while waiting for ${what}; the state is ${JSON.stringify(session.getState()).slice(0, 2000)}`)),
      limitMs,
    );
    const look = () => {
      const state = session.getState();
      const value = condition(state);
      if (value) done(resolve, state);
    };
    off = session.subscribe(look);
    look();
  });
}

let validators;
/** `check(type, value)`: throws where the value is not of the TypeScript type, unknown fields included. */
export async function schemaChecker() {
  if (validators) return validators;
  const { createGenerator } = await load("ts-json-schema-generator");
  const { default: Ajv } = await load("ajv");
  const schema = createGenerator({
    path: `${packageFolder}src/{events,records,records.*}.ts`,
    tsconfig: `${packageFolder}tsconfig.json`,
    type: "*",
    skipTypeCheck: true,
    additionalProperties: false,
    expose: "export",
    topRef: true,
  }).createSchema("*");
  const ajv = new Ajv({ strict: false, allErrors: true, discriminator: false });
  ajv.addSchema(schema, "types");
  const compiled = new Map();
  const validatorOf = (type) => {
    if (!schema.definitions[type]) throw new Error(`there is no type ${type} in src/events.ts or src/records*.ts`);
    if (!compiled.has(type)) compiled.set(type, ajv.compile({ $ref: `types#/definitions/${encodeURIComponent(type)}` }));
    return compiled.get(type);
  };
  const check = (type, value) => {
    const validate = validatorOf(type);
    if (validate(value)) return value;
    const why = validate.errors.map((e) => `${e.instancePath || "/"} ${e.message} ${JSON.stringify(e.params)}`).join("\n  ");
    throw new Error(`not a ${type}: ${JSON.stringify(value).slice(0, 1500)}\n  ${why}`);
  };
  return (validators = { check, definitions: schema.definitions });
}

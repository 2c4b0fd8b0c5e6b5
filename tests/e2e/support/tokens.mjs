// Tokens made by other code than the server's, and a server that wants them.
import { createHmac } from "node:crypto";
import { standard } from "./configuration.mjs";
import { withServer } from "./server.mjs";

const secret = "the-secret-of-the-protocol-tests-in-32-bytes-or-more";
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of `sub` for an hour, or with other claims. */
export function tokenOf(sub, claims = {}) {
  const all = { sub, username: String(sub), exp: Math.floor(Date.now() / 1000) + 3600, ...claims };
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(all)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
export const bearer = (token) => ({ authorization: `Bearer ${token}` });

export const withGuarded = (body, configuration = standard()) =>
  withServer({ ...configuration, auth: { mode: "required", ...configuration.auth } }, body, { env: { JWT_SECRET: secret } });

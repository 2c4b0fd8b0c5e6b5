// Tokens made by other code than the server's, and a server that wants them.
import { createHmac } from "node:crypto";
import { standard } from "./configuration.mjs";
import { withServer } from "./server.mjs";
import { until } from "./waiting.mjs";

const secret = "the-secret-of-the-protocol-tests-in-32-bytes-or-more";
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of `sub` for an hour, or with other claims. */
export function tokenOf(sub, claims = {}) {
  const all = { sub, username: String(sub), exp: Math.floor(Date.now() / 1000) + 3600, ...claims };
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(all)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
export const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** For servers that are made otherwise: their `changes` and `env`. */
export const guarded = { changes: { auth: { mode: "required" } }, env: { JWT_SECRET: secret } };
export const withGuarded = (body, configuration = standard(), options = {}) =>
  withServer({ ...configuration, auth: { ...guarded.changes.auth, ...configuration.auth } }, body, { env: guarded.env, ...options });

/** `use(token, exp)` with a token that ends soon; where the machine was too slow to do that before its end, again with a longer
 * one. What `use` gives. */
export async function withShortToken(make, use) {
  for (let seconds = 3; ; seconds *= 3) {
    const exp = Math.floor(Date.now() / 1000) + seconds;
    const tooLate = () => Date.now() >= (exp - 0.5) * 1000 && seconds < 60;
    try {
      const given = await use(make({ exp }), exp);
      if (!tooLate()) return given;
    } catch (error) {
      if (!tooLate()) throw error;
    }
  }
}
/** Until a token with this end is not taken any more, leeway included. */
export const untilOver = (exp) => until(() => Date.now() > (exp + 1) * 1000, "the end of a token");

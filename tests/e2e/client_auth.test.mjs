// Credentials of the TypeScript client: tokens that expire are replaced, over REST and in the middle of a live session; and
// what is somebody else's is not there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { longText, standard } from "./support/configuration.mjs";
import { tokenOf, withGuarded } from "./support/tokens.mjs";
import { client as package_, TroupeClient, until } from "../../clients/typescript/test/package.mjs";

const { textOf } = package_;
const seconds = (n) => Math.floor(Date.now() / 1000) + n;
/** A source of tokens that counts how often it is asked. */
function source(...tokens) {
  const asked = [];
  return { asked, getToken: async (reason) => (asked.push(reason), tokens[Math.min(asked.length, tokens.length) - 1]) };
}

test("without credentials, and with wrong ones: refused with the code, over REST and live", () =>
  withGuarded(async (server) => {
    for (const [options, code] of [[{}, "AUTH_REQUIRED"], [{ token: "wrong" }, "AUTH_FAILED"]]) {
      const client = new TroupeClient({ url: server.url, projectId: "demo", ...options });
      await assert.rejects(client.sessions.list(), { code, status: 401, isAuth: true });
      const session = client.session();
      await assert.rejects(session.open(), { code });
      assert.deepEqual([session.getState().connection.status, session.getState().connection.error.code], ["closed", code]);
    }
  }));

test("an expired token is replaced once, however many requests find it expired", () =>
  withGuarded(async (server) => {
    const { asked, getToken } = source(tokenOf("ana", { exp: seconds(-60) }), tokenOf("ana"));
    const client = new TroupeClient({ url: server.url, projectId: "demo", getToken });
    const lists = await Promise.all(Array.from({ length: 5 }, () => client.sessions.list()));
    assert.ok(lists.every((page) => page.total === 0));
    assert.deepEqual(asked, ["first", "refused"]);
    const session = client.session();
    assert.equal(await session.send("hello").text(), "Hello, world");
    assert.equal((await client.sessions.list()).items[0].owner, "ana");
    session.close();
    const lasting = source(tokenOf("ana", { exp: seconds(-60) }));
    const hopeless = new TroupeClient({ url: server.url, getToken: lasting.getToken });
    await assert.rejects(hopeless.sessions.list(), { code: "AUTH_FAILED" });
    await assert.rejects(hopeless.session().open(), { code: "AUTH_FAILED" });
    const broken = new TroupeClient({ url: server.url, getToken: async () => { throw new Error("the login page is down"); } });
    await assert.rejects(broken.sessions.list(), /login page is down/);
    await assert.rejects(broken.session().open(), { code: "AUTH_FAILED", message: /login page is down/ });
  }));

test("a token that expires in the middle of an answer: another one, on the same socket, nothing lost", () =>
  withGuarded(async (server) => {
    const { asked, getToken } = source(tokenOf("ana", { exp: seconds(2) }), tokenOf("ana"));
    const client = new TroupeClient({ url: server.url, projectId: "demo", getToken });
    const session = client.session();
    const errors = [];
    session.on("error", (e) => errors.push(e));
    const states = new Set();
    session.subscribe(() => states.add(session.getState().connection.status));
    // Answers of a second each, until the token has expired in one of them.
    let runs = 0;
    for (; asked.length < 2; ++runs) assert.equal(await session.send("long").text(), longText);
    assert.deepEqual(asked, ["first", "refused"]);
    assert.deepEqual(errors, []);
    assert.ok(!states.has("waiting"), [...states].join());
    const state = session.getState();
    assert.deepEqual(state.messages.filter((m) => m.kind === "answer").map(textOf), Array(runs).fill(longText));
    session.close();
  }));

test("what is somebody else's is not there; who is let in sees it live", () =>
  withGuarded(async (server) => {
    const as = (name) => new TroupeClient({ url: server.url, projectId: "demo", token: tokenOf(name) });
    const [ana, ben] = [as("ana"), as("ben")];
    const hers = ana.session();
    await hers.send("hello").text();
    await assert.rejects(ben.session(hers.id).open(), { code: "NOT_FOUND" });
    await assert.rejects(ben.sessions.messages(hers.id), { code: "NOT_FOUND", status: 404 });
    await ana.sessions.setParticipants(hers.id, ["ben"]);
    const his = ben.session(hers.id);
    await his.open();
    const { presence } = await until(hers, (s) => s.presence.length === 2);
    assert.deepEqual(presence.map((u) => u.userId).sort(), ["ana", "ben"]);
    await his.send("clock").text();
    const seen = await until(hers, (s) => s.messages.length === 4);
    assert.equal(seen.messages[2].author, "ben");
    await ana.sessions.setParticipants(hers.id, []);
    const out = await until(his, (s) => s.connection.status === "closed");
    assert.equal(out.connection.error.code, "NOT_FOUND");
    hers.close();
  }, standard()));

// What people think of answers, conversations that begin anew, what each model has cost, limits in force, alerts of budgets,
// and titles that a model writes. A kill of the server takes nothing of it back.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EventStream, get, post, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { run, temporaryFolder, withServer } from "./support/server.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { inOneDay, until } from "./support/waiting.mjs";

const nowhere = "0190a1b2-0000-7000-8000-000000000001";
const code = (answer) => [answer.status, answer.body?.error?.code];
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

/** Requests of one user; without a name, where nobody has to say who it is. */
function as(server, name, claims) {
  const headers = name ? bearer(tokenOf(name, claims)) : {};
  const call = (method) => (path, body) => request(server, method, `/api/v1${path}`, body, headers);
  return { headers, get: call("GET"), post: call("POST"), put: call("PUT"), delete: call("DELETE") };
}
const made = (answer) => (assert.ok(answer.status < 300, `${answer.status} ${answer.text}`), answer.body);
const newSession = async (who, agentId = "writer") => made(await who.post("/projects/demo/sessions", { agentId })).id;
const say = async (who, session, content) => made(await who.post(`/sessions/${session}/messages?wait=true`, { content }));
const messagesOf = async (who, session) => made(await who.get(`/sessions/${session}/messages?limit=100`)).items;
const answerOf = async (who, session) => (await messagesOf(who, session)).findLast((m) => m.role === "assistant");

test("feedback: of two people, seen by both, in the stream, the list of events and the export, and kept over a kill", () =>
  withGuarded(async (server) => {
    const ana = as(server, "ana");
    const luis = as(server, "luis");
    const eva = as(server, "eva");
    const session = await newSession(ana);
    made(await ana.put(`/sessions/${session}/participants`, { users: ["luis"] }));
    await say(ana, session, "hello");
    const answer = (await answerOf(ana, session)).id;
    const path = `/sessions/${session}/messages/${answer}/feedback`;
    const socket = await SocketClient.open(server, "/ws", { headers: luis.headers });
    socket.send({ type: "auth", projectId: "demo", sessionId: session, afterSeq: 0 });
    const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${session}/events?after=0`, undefined, ana.headers);
    await stream.next("message.complete");

    const given = await ana.put(path, { rating: "up", note: "short\nand right" });
    assert.equal(given.status, 200, given.text);
    assert.deepEqual(given.body, { messageId: answer, rating: "up", note: "short\nand right", by: "ana", at: given.body.at });
    assert.ok(!Number.isNaN(Date.parse(given.body.at)));
    made(await luis.put(path, { rating: "down" }));
    assert.deepEqual(code(await eva.put(path, { rating: "up" })), [404, "NOT_FOUND"]);

    const heard = await stream.next({ type: "message.feedback", by: "luis" });
    assert.deepEqual([heard.messageId, heard.rating, "note" in heard], [answer, "down", false]);
    const frame = await socket.next({ type: "message.feedback", by: "luis" });
    assert.deepEqual([frame.messageId, frame.rating, frame.seq], [answer, "down", heard.seq]);

    await server.kill();
    await server.start();
    const shown = (await answerOf(luis, session)).feedback;
    assert.deepEqual(shown.map((f) => [f.by, f.rating, f.note]), [["ana", "up", "short\nand right"], ["luis", "down", ""]]);
    assert.deepEqual(shown[0], given.body);
    assert.ok((await messagesOf(ana, session)).every((m) => m.id === answer || !("feedback" in m)));

    // The next word takes the place of the first; one's own is taken back, and only that.
    made(await luis.put(path, { rating: "up", note: "now I see" }));
    assert.equal((await ana.delete(path)).status, 204);
    assert.equal((await ana.delete(path)).status, 204);
    assert.deepEqual((await answerOf(ana, session)).feedback.map((f) => [f.by, f.rating, f.note]), [["luis", "up", "now I see"]]);
    const exported = made(await ana.get(`/sessions/${session}/export`));
    assert.deepEqual(exported.messages, await messagesOf(ana, session));
    const told = exported.events.filter((e) => e.type === "message.feedback");
    assert.deepEqual(told.map((e) => [e.by, e.rating]), [["ana", "up"], ["luis", "down"], ["luis", "up"], ["ana", null]]);

    // A copy begins without.
    const fork = made(await ana.post(`/sessions/${session}/fork`, {})).id;
    assert.ok((await messagesOf(ana, fork)).every((m) => !("feedback" in m)));
    await socket.close();
    stream.close();
  }));

test("feedback: on answers only, up or down, with a note of at most 2000 characters; a credential that may only read gives none", () =>
  withGuarded(async (server) => {
    const ana = as(server, "ana");
    const session = await newSession(ana);
    await say(ana, session, "hello");
    const all = await messagesOf(ana, session);
    const at = (id) => `/sessions/${session}/messages/${id}/feedback`;
    const [question, answer] = [all.find((m) => m.role === "user").id, all.findLast((m) => m.role === "assistant").id];
    assert.deepEqual(code(await ana.put(at(question), { rating: "up" })), [422, "NOT_AN_ANSWER"]);
    assert.deepEqual(code(await ana.put(at(nowhere), { rating: "up" })), [404, "NOT_FOUND"]);
    assert.deepEqual(code(await ana.put(at("x"), { rating: "up" })), [404, "NOT_FOUND"]);
    for (const body of [{}, { rating: "none" }, { rating: "great" }, { rating: 1 }, { rating: "up", note: 5 }, { rating: "up", note: "x".repeat(2001) }])
      assert.deepEqual(code(await ana.put(at(answer), body)), [400, "VALIDATION_ERROR"], JSON.stringify(body).slice(0, 80));
    assert.equal((await ana.put(at(answer), { rating: "up", note: "ñ".repeat(2000) })).status, 200);
    const reader = as(server, "ana", { permissions: ["read"] });
    assert.deepEqual(code(await reader.put(at(answer), { rating: "down" })), [403, "FORBIDDEN"]);
    assert.deepEqual(code(await reader.delete(at(answer))), [403, "FORBIDDEN"]);
    assert.equal((await answerOf(ana, session)).feedback[0].note.length, 2000);
  }));

test("clear: the conversation begins anew for people and for the model, is refused while a run goes on, and is the owner's to do", () =>
  withGuarded(async (server) => {
    const ana = as(server, "ana");
    const luis = as(server, "luis");
    const session = await newSession(ana);
    made(await ana.put(`/sessions/${session}/participants`, { users: ["luis"] }));
    await say(ana, session, "hello");
    const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${session}/events?after=0`, undefined, ana.headers);
    const path = `/sessions/${session}/messages`;
    assert.deepEqual(code(await luis.delete(path)), [403, "FORBIDDEN"]);
    assert.deepEqual(code(await as(server, "eva").delete(path)), [404, "NOT_FOUND"]);
    made(await ana.post(path, { content: "hold" }));
    await stream.next({ type: "message.content_delta", text: "Holding. " });
    assert.deepEqual(code(await ana.delete(path)), [409, "BUSY"]);
    made(await ana.post(`/sessions/${session}/cancel`));
    await stream.next("run.cancelled");
    const cleared = await ana.delete(path);
    assert.deepEqual([cleared.status, cleared.text], [204, ""]);
    await stream.next("session.cleared");
    await server.kill();
    await server.start();
    assert.deepEqual(await messagesOf(ana, session), []);
    await say(ana, session, "again");
    assert.deepEqual((await messagesOf(ana, session)).map((m) => m.content), ["again", "You said: again"]);
    stream.close();
  }));

/** Two models, so that there is something to tell apart. */
function twoModels(change = () => {}) {
  const configuration = standard();
  configuration.projects.demo.agents.other.model = "large";
  configuration.prices["scripted/large"] = { input: 10, output: 40 };
  change(configuration.projects.demo, configuration.projects.demo.agents.writer);
  return configuration;
}

test("usage by model: adds up to the usage by day", () =>
  inOneDay(() => withServer(twoModels(), async (server) => {
    const me = as(server);
    for (const agent of ["writer", "other"]) await say(me, await newSession(me, agent), "hello");
    await say(me, await newSession(me), "clock");
    for (const period of ["day", "week", "month"]) {
      const models = made(await me.get(`/projects/demo/usage/by-model?period=${period}`));
      const whole = made(await me.get(`/projects/demo/usage?period=${period}`));
      const summed = (key) => models.items.reduce((sum, item) => sum + item[key], 0);
      near(summed("totalCost"), whole.totalCost);
      assert.deepEqual([summed("totalTokens"), summed("totalRequests")], [whole.totalTokens, whole.totalRequests]);
      assert.deepEqual(models.items.map((m) => [m.key, m.provider, m.model, m.totalRequests]).sort(),
        [["scripted/large", "scripted", "large", 1], ["scripted/tiny", "scripted", "tiny", 3]]);
      assert.deepEqual([models.total, models.period, models.items[0].model], [2, period, "large"]);
    }
    assert.equal((await me.get("/projects/demo/usage/by-model?limit=1&offset=1")).body.items[0].model, "tiny");
    assert.equal((await me.get("/projects/demo/usage/by-model?period=year")).status, 400);
    assert.equal((await me.get("/projects/none/usage/by-model")).status, 404);
  })));

test("usage by model: for admins only, like the rest of the usage", () =>
  withGuarded(async (server) => {
    assert.deepEqual(code(await as(server, "ana").get("/projects/demo/usage/by-model")), [403, "FORBIDDEN"]);
    assert.equal((await as(server, "chief", { roles: ["admin"] }).get("/projects/demo/usage/by-model")).status, 200);
  }));

test("limits: what is in force, from the configuration or as it is by itself, for whoever has signed in, without secrets", () =>
  withGuarded(async (server) => {
    assert.equal((await as(server).get("/limits")).status, 401);
    const answer = await as(server, "ana").get("/limits");
    const limits = made(answer);
    assert.deepEqual([limits.transport.maxFrameBytes, limits.transport.messagesPerSecond, limits.transport.idleTimeoutMs], [65536, 1000, 300_000]);
    assert.deepEqual([limits.sessions.maxFiles, limits.sessions.maxParticipants], [7, 100]);
    assert.deepEqual(limits.auth, { required: true });
    const demo = limits.projects.find((p) => p.id === "demo");
    assert.deepEqual(demo.budget, { dailyUsd: 5, monthlyUsd: null, alerts: [50, 80, 100] });
    const writer = demo.agents.find((a) => a.id === "writer");
    assert.deepEqual([writer.limits.maxSteps, writer.limits.budgetUsd, writer.limits.maxDepth], [4, 0.25, 3]);
    assert.deepEqual(writer.budget, { dailyUsd: null, monthlyUsd: 2.5, alerts: [10] });
    assert.deepEqual(limits.projects.map((p) => p.id), ["demo", "empty"]);
    assert.ok(!/secret|instructions|Be brief/i.test(answer.text), answer.text);
  }, limited()));

function limited() {
  const configuration = twoModels((project, agent) => {
    project.budget = { daily_usd: 5 };
    agent.limits.budget_usd = 0.25;
    agent.budget = { monthly_usd: 2.5, alerts: [10] };
  });
  configuration.limits.max_files = 7;
  return configuration;
}

// A "hello" of the agent writer: 6 new tokens, 4 cached, 3 of answer; one of four budgets is spent by two of them.
const helloUsd = (6 * 1 + 4 * 0.5 + 3 * 4) / 1e6;

test("alerts: newest first, in pages, kept over a kill; of one's own sessions, and of all for admins", () =>
  inOneDay(() => withGuarded(async (server) => {
    const ana = as(server, "ana");
    const luis = as(server, "luis");
    const chief = as(server, "chief", { roles: ["admin"] });
    const first = await newSession(ana);
    await say(ana, first, "hello");
    await say(ana, first, "hello");
    const second = await newSession(luis);
    await say(luis, second, "hello");
    await server.kill();
    await server.start();
    const all = made(await chief.get("/projects/demo/alerts"));
    assert.deepEqual(all.items.map((a) => [a.scope, a.id, a.percent, a.sessionId]), [
      ["project", "demo", 75, second],
      ["agent", "writer", 50, first],
      ["session", first, 100, first],
    ]);
    near(all.items[0].spent, 3 * helloUsd);
    near(all.items[0].limit, 4 * helloUsd);
    assert.equal(all.total, 3);
    assert.ok(all.items.every((a) => !Number.isNaN(Date.parse(a.at))));
    const page = made(await chief.get("/projects/demo/alerts?limit=1&offset=1"));
    assert.deepEqual([page.items.length, page.items[0].scope, page.total], [1, "agent", 3]);
    assert.deepEqual(made(await luis.get("/projects/demo/alerts")).items, [all.items[0]]);
    assert.deepEqual(made(await ana.get("/projects/empty/alerts")).items, []);
    assert.equal((await ana.get("/projects/none/alerts")).status, 404);
  }, alerting())));

function alerting() {
  return twoModels((project, agent) => {
    project.budget = { daily_usd: 4 * helloUsd, alerts: [75] };
    agent.limits.budget_usd = 2 * helloUsd;
    agent.alerts = [100];
    agent.budget = { monthly_usd: 4 * helloUsd, alerts: [50] };
  });
}

/** Its model gives a conversation that begins with "hello" a title. */
function titled() {
  const configuration = standard();
  const { script } = configuration.providers.scripted;
  script.rules.unshift({ when: { user: "^User: hello" }, say: [{ text: '"A greeting."\n' }, { usage: { prompt: 50, completion: 5 } }] });
  configuration.projects.demo.agents.writer.titles = "model";
  delete configuration.projects.demo.agents.other.titles;
  return configuration;
}

test("titles: a model's after the first answer, paid for like any call; what a person chose stays", () =>
  withServer(titled(), async (server) => {
    const me = as(server);
    const session = await newSession(me);
    await say(me, session, "hello");
    const titleOf = async (id) => made(await me.get(`/sessions/${id}`)).title;
    await until(async () => (await titleOf(session)) === "A greeting", "the title");
    const { usage, messageCount } = made(await me.get(`/sessions/${session}`));
    assert.deepEqual([usage.promptTokens, usage.completionTokens, messageCount], [60, 8, 2]);
    const models = made(await me.get("/projects/demo/usage/by-model"));
    assert.deepEqual([models.items[0].totalRequests, models.items[0].totalTokens], [2, 68]);
    await say(me, session, "hello");
    assert.equal(made(await me.get(`/sessions/${session}`)).usage.promptTokens, 70);

    const mine = await newSession(me);
    made(await request(server, "PATCH", `/api/v1/sessions/${mine}`, { title: "Mine" }));
    await say(me, mine, "hello");
    assert.equal(made(await me.get(`/sessions/${mine}`)).usage.promptTokens, 10);
    assert.equal(await titleOf(mine), "Mine");

    const other = await newSession(me, "other");
    await say(me, other, "hello");
    assert.equal(await titleOf(other), "hello");
    await server.kill();
    await server.start();
    assert.deepEqual([await titleOf(session), await titleOf(mine)], ["A greeting", "Mine"]);
  }));

test("a session with feedback and a model's title can be recorded, and its recording is the session again", async () => {
  const folder = temporaryFolder();
  try {
    const [scenario, told] = ["rated.json", "told.json"].map((name) => join(folder, name));
    await withServer(titled(), async (server) => {
      const me = as(server);
      const session = await newSession(me);
      await say(me, session, "hello");
      await until(async () => made(await me.get(`/sessions/${session}`)).title === "A greeting", "the title");
      made(await me.put(`/sessions/${session}/messages/${(await answerOf(me, session)).id}/feedback`, { rating: "up", note: "kept out" }));
      await say(me, session, "clock");
      const overheard = await run(["record", "--session", session, "--url", server.url, "--out", told]);
      assert.equal(overheard.status, 0, overheard.stdout + overheard.stderr);
      await server.stop();
      const written = await run(["record", "--session", session, "--data", server.data, "--out", scenario]);
      assert.equal(written.status, 0, written.stdout + written.stderr);
    });
    const played = await run(["replay", scenario, told]);
    assert.equal(played.status, 0, played.stdout + played.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

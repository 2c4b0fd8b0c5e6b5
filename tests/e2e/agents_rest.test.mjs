// Agents over REST (docs/agents.md): made, used, changed with versions, deleted; durable before they are told, kept over crashes.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { get, listAll, post, request, styleA, styleB } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { bearer, tokenOf, withGuarded } from "./support/tokens.mjs";
import { inOneDay, until } from "./support/waiting.mjs";

const agents = "/api/v1/projects/demo/agents";
const poet = { provider: "scripted", model: "tiny", instructions: "Rhyme.", tools: ["clock", "delete_file", "write_file"] };

const make = async (server, id, definition = poet, more = {}) => {
  const answer = await post(server, agents, { id, definition, ...more });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
};
const change = (server, id, definition, more = {}) => request(server, "PUT", `${agents}/${id}`, { definition, ...more });
const chat = (server, id, message = "hello") => post(server, `${agents}/${id}/chat`, { message });
const codeOf = (answer) => [answer.status, answer.body?.error?.code];

/** The models that the calls of a session's runs went to, oldest run first. */
async function modelsOf(server, session) {
  const out = [];
  for (const trace of (await listAll(server, `/api/v1/sessions/${session}/traces`)).reverse()) {
    const { spans } = (await get(server, `/api/v1/traces/${trace.traceId}`)).body;
    out.push(...spans.filter(({ kind }) => kind === "model_call").map(({ name }) => name));
  }
  return out;
}

test("made, used, changed, deleted, made again: what it is and its versions, also after a restart and kill -9", () =>
  withServer(standard(), async (server) => {
    const made = await make(server, "poet", { ...poet, name: "Poet" }, { note: "first" });
    assert.deepEqual([made.source, made.version, made.updatedBy, made.name, made.isDefault], ["stored", 1, made.updatedBy, "Poet", false]);
    assert.ok(Date.parse(made.updatedAt) > 0);
    assert.equal((await chat(server, "poet")).body.response, "Hello, world");

    const fileAgent = (await get(server, `${agents}/writer`)).body;
    assert.deepEqual([fileAgent.source, fileAgent.version, fileAgent.updatedAt, fileAgent.updatedBy], ["configuration", null, null, null]);
    assert.deepEqual((await get(server, agents)).body.items.map(({ id, source }) => [id, source]),
      [["other", "configuration"], ["poet", "stored"], ["writer", "configuration"]]);
    assert.equal((await get(server, "/api/v1/projects/demo")).body.agentCount, 3);

    const second = await change(server, "poet", { ...poet, description: "Better." }, { note: "better", version: 1 });
    assert.deepEqual([second.status, second.body.version, second.body.description, second.body.name], [200, 2, "Better.", "poet"]);
    const lost = await change(server, "poet", poet, { version: 1 });
    assert.deepEqual(codeOf(lost), [409, "VERSION_CONFLICT"]);
    assert.match(lost.body.message, /Version 2 of agent poet/);

    await server.stop();
    await server.start();
    assert.deepEqual((await get(server, `${agents}/poet`)).body, second.body);
    await server.kill();
    await server.start();
    assert.deepEqual((await get(server, `${agents}/poet/definition`)).body,
      { id: "poet", source: "stored", version: 2, definition: { ...poet, description: "Better." } });
    assert.equal((await chat(server, "poet")).body.response, "Hello, world");

    assert.equal((await request(server, "DELETE", `${agents}/poet`)).status, 204);
    for (const gone of [await get(server, `${agents}/poet`), await chat(server, "poet"), await get(server, `${agents}/poet/definition`),
      await change(server, "poet", poet), await request(server, "DELETE", `${agents}/poet`)])
      assert.deepEqual(codeOf(gone), [404, "NOT_FOUND"]);
    await server.kill();
    await server.start();
    assert.equal((await get(server, `${agents}/poet`)).status, 404);
    const versions = await listAll(server, `${agents}/poet/versions`);
    assert.deepEqual(versions.map(({ version, note, deleted }) => [version, note, deleted]), [[3, "", true], [2, "better", false], [1, "first", false]]);
    assert.deepEqual(Object.keys(versions[0]).sort(), ["createdAt", "createdBy", "deleted", "note", "version"]);
    assert.equal((await get(server, `${agents}/poet/versions/3`)).body.definition, null);
    const first = (await get(server, `${agents}/poet/versions/1`)).body;
    assert.deepEqual([first.version, first.definition], [1, { ...poet, name: "Poet" }]);
    for (const none of ["4", "0", "one", "99999999999"]) assert.equal((await get(server, `${agents}/poet/versions/${none}`)).status, 404);
    assert.equal((await make(server, "poet", first.definition)).version, 4);
    assert.deepEqual(await listAll(server, `${agents}/writer/versions`), []);
    assert.equal((await get(server, `${agents}/nobody/versions`)).status, 404);
  }));

test("a run that waits for a person goes on with the version it began with, after an edit, a deletion and kill -9", () =>
  withServer(standard({ prices: {} }), async (server) => {
    await make(server, "poet", { ...poet, model: "first" });
    const client = await styleB(server, "poet");
    client.send({ type: "message.send", content: "delete one" });
    const { approvalId } = await client.next("message.approval_required");
    assert.equal((await change(server, "poet", { ...poet, model: "second", tools: [] })).status, 200);
    await server.kill();
    await server.start();
    assert.equal((await request(server, "DELETE", `${agents}/poet`)).status, 204);
    await server.kill();
    await server.start();
    assert.equal((await post(server, `/api/v1/approvals/${approvalId}/approve`)).status, 200);
    const runs = () => listAll(server, `/api/v1/sessions/${client.sessionId}/traces`);
    await until(async () => (await runs())[0].status === "completed", "the end of the run");
    assert.deepEqual(await modelsOf(server, client.sessionId), ["scripted/first", "scripted/first"]);
    const messages = await listAll(server, `/api/v1/sessions/${client.sessionId}/messages`);
    assert.match(messages.at(-1).content, /^Outcome: /);
    const refused = await post(server, `/api/v1/sessions/${client.sessionId}/messages`, { content: "hello" });
    assert.deepEqual(codeOf(refused), [404, "NOT_FOUND"]);
    await make(server, "poet", { ...poet, model: "third" });
    assert.equal((await post(server, `/api/v1/sessions/${client.sessionId}/messages?wait=true`, { content: "hello" })).status, 200);
    assert.deepEqual(await modelsOf(server, client.sessionId), ["scripted/first", "scripted/first", "scripted/third"]);
  }));

test("definitions with errors: every problem with its path, and nothing is stored; check says the same", () =>
  withServer(standard(), async (server) => {
    const cases = [
      [{ ...poet, limits: { max_steps: 0 }, temprature: 1 }, ["/limits/max_steps", "/temprature"]],
      [{ ...poet, provider: "nobody" }, ["/provider"]],
      [{ provider: "scripted", tools: ["clok"] }, ["/tools/0"]],
      [{ ...poet, delegates: ["writer", "nobody"] }, ["/delegates/1"]],
      [{ ...poet, handoffs: ["bad"] }, ["/handoffs/0"]],
      [{ ...poet, on_busy: "merge" }, ["/on_busy"]],
      [{ ...poet, model: "unpriced", budget: { daily_usd: 1 } }, ["/budget"]],
      [{ ...poet, response_schema: { type: 3 } }, ["/response_schema"]],
    ];
    for (const [definition, paths] of cases) {
      const refused = await post(server, agents, { id: "bad", definition });
      assert.deepEqual(codeOf(refused), [422, "INVALID_AGENT"], refused.text);
      assert.deepEqual(refused.body.error.details.map(({ path }) => path), paths);
      assert.ok(refused.body.error.details.every(({ message }) => message.length > 5));
      const checked = await post(server, `${agents}/check`, { id: "bad", definition });
      assert.deepEqual([checked.status, checked.body], [200, { valid: false, problems: refused.body.error.details }]);
    }
    assert.deepEqual((await post(server, `${agents}/check`, { definition: poet })).body, { valid: true, problems: [] });
    for (const id of ["", "a b", "../x", "x".repeat(65)])
      assert.ok([400, 422].includes((await post(server, agents, { id, definition: poet })).status), id);
    for (const body of [{ id: "bad" }, { id: "bad", definition: "text" }, { id: "bad", definition: poet, extra: 1 },
      { id: "bad", definition: poet, note: "n".repeat(2001) }])
      assert.deepEqual(codeOf(await post(server, agents, body)), [400, "VALIDATION_ERROR"]);
    assert.deepEqual(codeOf(await change(server, "poet", poet, { version: "1" })), [400, "VALIDATION_ERROR"]);
    assert.equal((await get(server, `${agents}/bad/versions`)).status, 404, "nothing was stored");
    assert.equal((await get(server, agents)).body.total, 2);
    assert.deepEqual(codeOf(await post(server, "/api/v1/projects/none/agents", { id: "a", definition: poet })), [404, "NOT_FOUND"]);

    // Restoring what a bad change left: the version before is still current.
    await make(server, "poet");
    assert.deepEqual(codeOf(await change(server, "poet", { ...poet, model: 3 })), [422, "INVALID_AGENT"]);
    assert.equal((await get(server, `${agents}/poet`)).body.version, 1);
  }));

test("a definition that is too large is refused by its size", () =>
  withServer(standard({ limits: { max_body_bytes: 1 << 20 } }), async (server) => {
    const tools = Array.from({ length: 900 }, (_, i) => `t${i}`.padEnd(330, "x"));
    const refused = await post(server, agents, { id: "big", definition: { ...poet, tools } });
    assert.deepEqual(codeOf(refused), [422, "INVALID_AGENT"]);
    assert.match(refused.body.message, /the most is 262144/);
  }));

test("the file's agents: not changed, not deleted, but copied", () =>
  withServer(standard(), async (server) => {
    assert.deepEqual(codeOf(await change(server, "other", poet)), [409, "AGENT_IN_CONFIGURATION"]);
    assert.deepEqual(codeOf(await request(server, "DELETE", `${agents}/other`)), [409, "AGENT_IN_CONFIGURATION"]);
    assert.deepEqual(codeOf(await request(server, "DELETE", `${agents}/writer`)), [409, "AGENT_IS_DEFAULT"]);
    assert.deepEqual(codeOf(await post(server, agents, { id: "writer", definition: poet })), [409, "AGENT_EXISTS"]);
    const { definition, source, version } = (await get(server, `${agents}/writer/definition`)).body;
    assert.deepEqual([source, version], ["configuration", null]);
    assert.deepEqual(definition, standard().projects.demo.agents.writer);
    await make(server, "copy", definition);
    assert.deepEqual(codeOf(await post(server, agents, { id: "copy", definition })), [409, "AGENT_EXISTS"]);
    const [one, other] = [(await get(server, `${agents}/copy`)).body, (await get(server, `${agents}/writer`)).body];
    for (const same of ["provider", "model", "tools", "limits", "approval", "onBusy"]) assert.deepEqual(one[same], other[same]);
  }));

test("agents that give each other work: stored and the file's; one that is named is not deleted", () => {
  const configuration = standard();
  const { script } = configuration.providers.scripted;
  script.rules.unshift(
    { when: { user: "^ask (\\w+)$", after: "user" }, say: [{ tool: "delegate", arguments: { agent: "${1}", task: "clock" } }] },
    { when: { tool: "delegate" }, say: [{ text: "It says: ${result}" }] });
  return withServer(configuration, async (server) => {
    await make(server, "helper", { provider: "scripted", model: "tiny", tools: ["clock"], description: "Knows the time." });
    await make(server, "boss", { provider: "scripted", model: "tiny", delegates: ["helper", "other"] });
    for (const whom of ["helper", "other"]) {
      const said = await chat(server, "boss", `ask ${whom}`);
      assert.match(said.body.response, /It says: .*It is /s, said.text);
    }
    const refused = await request(server, "DELETE", `${agents}/helper`);
    assert.deepEqual(codeOf(refused), [409, "AGENT_IN_USE"]);
    assert.match(refused.body.message, /boss/);
    assert.equal((await change(server, "boss", { provider: "scripted", model: "tiny", delegates: ["other"] })).status, 200);
    assert.equal((await request(server, "DELETE", `${agents}/helper`)).status, 204);
    const byAgent = (await get(server, "/api/v1/projects/demo/usage/by-agent")).body.items;
    assert.ok(byAgent.find(({ key }) => key === "helper").totalCost > 0, "its price is the file's");
  });
});

test("a budget of a stored agent holds, and is not renewed by deleting it", () =>
  inOneDay(() => withServer(standard(), async (server) => {
    const definition = { ...poet, budget: { daily_usd: 0.00001 } };
    await make(server, "poet", definition);
    assert.equal((await chat(server, "poet")).status, 200);
    const spent = await chat(server, "poet");
    assert.deepEqual(codeOf(spent), [429, "BUDGET_EXCEEDED"]);
    assert.equal((await request(server, "DELETE", `${agents}/poet`)).status, 204);
    await make(server, "poet", definition);
    assert.deepEqual(codeOf(await chat(server, "poet")), [429, "BUDGET_EXCEEDED"]);
    assert.equal((await change(server, "poet", { ...definition, budget: { daily_usd: 1 } })).status, 200);
    assert.equal((await chat(server, "poet")).status, 200);
  })));

test("only admins may see definitions and change anything", () =>
  withGuarded(async (server) => {
    const user = bearer(tokenOf("ana"));
    const admin = bearer(tokenOf("root", { roles: ["admin"] }));
    const made = await post(server, agents, { id: "poet", definition: poet }, admin);
    assert.deepEqual([made.status, made.body.updatedBy], [201, "root"]);
    assert.equal((await get(server, `${agents}/poet`, user)).body.instructions, undefined);
    const all = [["POST", "", { id: "x", definition: poet }], ["POST", "/check", { definition: poet }], ["PUT", "/poet", { definition: poet }],
      ["DELETE", "/poet"], ["GET", "/poet/definition"], ["GET", "/poet/versions"], ["GET", "/poet/versions/1"]];
    for (const [method, path, body] of all) {
      assert.deepEqual(codeOf(await request(server, method, agents + path, body, user)), [403, "FORBIDDEN"], `${method} ${path}`);
      assert.deepEqual(codeOf(await request(server, method, agents + path, body)), [401, "AUTH_REQUIRED"], `${method} ${path}`);
    }
    assert.equal((await post(server, `${agents}/poet/chat`, { message: "hello" }, user)).body.response, "Hello, world");
    assert.deepEqual((await get(server, `${agents}/poet/versions`, admin)).body.items.map(({ createdBy }) => createdBy), ["root"]);
  }));

test("changes that race: of those that edited the same version one wins, without `version` all are stored", () =>
  withServer(standard(), async (server) => {
    await make(server, "poet");
    const racing = (version) => Promise.all(Array.from({ length: 12 }, (_, i) => change(server, "poet", { ...poet, name: `n${i}` }, { version })));
    const answers = await racing(1);
    const won = answers.filter(({ status }) => status === 200);
    assert.equal(won.length, 1);
    assert.ok(answers.every((a) => a.status === 200 || codeOf(a)[1] === "VERSION_CONFLICT"));
    assert.deepEqual((await get(server, `${agents}/poet`)).body, won[0].body);
    const free = await racing(undefined);
    assert.deepEqual(free.map(({ body }) => body.version).sort((a, b) => a - b), Array.from({ length: 12 }, (_, i) => i + 3));
    const births = await Promise.all(Array.from({ length: 5 }, () => post(server, agents, { id: "twin", definition: poet })));
    assert.deepEqual(births.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
  }));

test("the lists and sockets of all dialects have a new agent at once, and lose a deleted one", () =>
  withServer(standard(), async (server) => {
    const seen = async () => ({
      stream: (await get(server, "/api/v1/agents/")).body.some(({ id }) => id === "poet"),
      room: (await get(server, "/chat/models/all")).text.includes('"poet"'),
      page: (await get(server, "/", { accept: "application/json" })).status === 200,
    });
    assert.deepEqual(await seen(), { stream: false, room: false, page: true });
    await make(server, "poet", { ...poet, name: "poet" });
    assert.deepEqual(await seen(), { stream: true, room: true, page: true });
    const client = await styleA(server, { projectId: "demo", agentId: "poet" });
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
    assert.equal((await post(server, "/api/v1/chat/", { agent_id: "poet", message: "hello" })).body.response, "Hello, world");
    assert.equal((await post(server, "/api/chat?agent=poet", { message: "hello", conversation_id: "c1" })).status, 200);
    assert.equal((await post(server, "/chat/messages", { content: "hello", model: "poet" })).status, 201);
    assert.equal((await request(server, "DELETE", `${agents}/poet`)).status, 204);
    assert.deepEqual(await seen(), { stream: false, room: false, page: true });
    assert.equal((await post(server, "/api/v1/chat/", { agent_id: "poet", message: "hello" })).status, 404);
  }));

test("what the file no longer allows is shown with its problem, and works again when it is mended; the file's own goes first", () =>
  withServer(standard(), async (server) => {
    const edit = (change) => {
      const file = join(server.folder, "troupe.json");
      const configuration = JSON.parse(readFileSync(file, "utf8"));
      change(configuration);
      writeFileSync(file, JSON.stringify(configuration));
    };
    const restart = async (change) => {
      await server.stop();
      edit(change);
      await server.start();
    };
    await restart((c) => (c.providers.spare = c.providers.scripted));
    await make(server, "poet", { ...poet, provider: "spare", name: "Poet" });
    await make(server, "fine");
    await restart((c) => delete c.providers.spare);
    const broken = (await get(server, `${agents}/poet`)).body;
    assert.deepEqual([broken.name, broken.provider, broken.version], ["Poet", "spare", 1]);
    assert.match(broken.problem, /provider: there is no provider "spare"/);
    assert.match(server.wholeLog, /stored agent demo\/poet version 1 cannot be used/);
    const { degraded } = (await get(server, "/readyz")).body;
    assert.deepEqual(degraded.map(({ kind, name }) => [kind, name]), [["agents", "demo/poet"]]);
    const refused = await chat(server, "poet");
    assert.deepEqual(codeOf(refused), [404, "NOT_FOUND"]);
    assert.match(refused.body.message, /Agent poet is stored but cannot be used: .*"spare"/);
    assert.equal((await get(server, "/api/v1/agents/")).body.some(({ id }) => id === "poet"), false);
    assert.equal((await chat(server, "fine")).status, 200);
    const mended = await change(server, "poet", poet, { version: 1 });
    assert.deepEqual([mended.status, mended.body.problem], [200, undefined]);
    assert.equal((await get(server, "/readyz")).body.degraded, undefined);
    assert.equal((await chat(server, "poet")).status, 200);

    await restart((c) => (c.projects.demo.agents.poet = { provider: "scripted", model: "of-the-file" }));
    const hidden = (await get(server, `${agents}/poet`)).body;
    assert.deepEqual([hidden.source, hidden.model], ["configuration", "of-the-file"]);
    assert.match(server.wholeLog, /stored agent demo\/poet is not shown/);
    assert.equal((await listAll(server, `${agents}/poet/versions`)).length, 2);
  }));

test("names, descriptions and notes without control characters", () =>
  withServer(standard(), async (server) => {
    const bell = String.fromCharCode(7);
    await make(server, "poet");
    const cases = [
      ["definition.name", { definition: { ...poet, name: `Po${bell}et` } }], ["definition.name", { definition: { ...poet, name: "two\nlines" } }],
      ["definition.description", { definition: { ...poet, description: `d${bell}` } }], ["definition.description", { definition: { ...poet, description: "\u007f" } }],
      ["note", { definition: poet, note: `n${String.fromCharCode(27)}[31m` }],
    ];
    for (const [path, body] of cases) {
      const { note: _, ...unnoted } = body;
      for (const refused of [await post(server, agents, { id: "new", ...body }), await request(server, "PUT", `${agents}/poet`, body),
        ...(path === "note" ? [] : [await post(server, `${agents}/check`, unnoted)])]) {
        assert.deepEqual(codeOf(refused), [400, "VALIDATION_ERROR"], refused.text);
        assert.deepEqual(refused.body.error.details.issues.map((issue) => issue.path), [path]);
      }
    }
    assert.equal((await get(server, `${agents}/poet`)).body.version, 1);
    const lines = "one\n\ttwo ñ";
    assert.equal((await change(server, "poet", { ...poet, name: "Poeta ñ 🎭", description: lines }, { note: lines })).status, 200);
    assert.equal((await get(server, `${agents}/poet/versions/2`)).body.note, lines);
  }));

test("agents that give each other work are deleted together, or not at all", () =>
  withServer(standard(), async (server) => {
    const of = (...delegates) => ({ provider: "scripted", model: "tiny", delegates });
    const remove = (id, query = "") => request(server, "DELETE", `${agents}/${id}${query}`);
    const ids = async () => (await get(server, agents)).body.items.filter(({ source }) => source === "stored").map(({ id }) => id);
    await make(server, "ann", poet);
    await make(server, "bob", of("ann"));
    await make(server, "zoe", { provider: "scripted", model: "tiny", handoffs: ["ann"] });
    assert.equal((await change(server, "ann", of("bob"))).status, 200);

    const refused = await remove("ann");
    assert.deepEqual(codeOf(refused), [409, "AGENT_IN_USE"]);
    assert.match(refused.body.message, /of: bob,zoe; .*\(\?with=bob,zoe\)/);
    assert.match((await remove("ann", "?with=bob")).body.message, /of: zoe;/);
    for (const [query, code] of [["?with=bob,zoe,nobody", "NOT_FOUND"], ["?with=bob,zoe,writer", "AGENT_IS_DEFAULT"], ["?with=bob,zoe,other", "AGENT_IN_CONFIGURATION"]])
      assert.equal((await remove("ann", query)).body.error.code, code);
    assert.deepEqual(codeOf(await remove("ann", `?with=${Array.from({ length: 101 }, (_, i) => `a${i}`)}`)), [400, "VALIDATION_ERROR"]);
    assert.deepEqual(await ids(), ["ann", "bob", "zoe"], "none of these deleted anything");

    assert.equal((await remove("ann", "?with=zoe,bob,ann,bob,")).status, 204);
    assert.deepEqual(await ids(), []);
    await server.kill();
    await server.start();
    assert.deepEqual(await ids(), []);
    for (const id of ["ann", "bob", "zoe"]) assert.equal((await get(server, `${agents}/${id}/versions`)).body.items[0].deleted, true);
  }));

test("deleted agents are listed to admins, and made again from a version", () =>
  withGuarded(async (server) => {
    const [user, admin] = [bearer(tokenOf("ana")), bearer(tokenOf("root", { roles: ["admin"] }))];
    const deleted = async (query = "") => {
      const { status, body } = await get(server, `${agents}?deleted=true${query}`, admin);
      assert.equal(status, 200);
      return body;
    };
    assert.deepEqual((await deleted()).items, []);
    for (const id of ["poet", "scout"]) assert.equal((await post(server, agents, { id, definition: { ...poet, name: `The ${id}` } }, admin)).status, 201);
    for (const id of ["poet", "scout"]) assert.equal((await request(server, "DELETE", `${agents}/${id}`, undefined, admin)).status, 204);
    const { items, total } = await deleted();
    assert.equal(total, 2);
    assert.deepEqual(items.map(({ id, version, updatedBy, source, deleted: is, problem }) => [id, version, updatedBy, source, is, problem]),
      [["poet", 2, "root", "stored", true, undefined], ["scout", 2, "root", "stored", true, undefined]]);
    assert.deepEqual((await deleted("&limit=1&offset=1")).items.map(({ id }) => id), ["scout"]);
    assert.deepEqual(codeOf(await get(server, `${agents}?deleted=true`, user)), [403, "FORBIDDEN"]);
    assert.deepEqual(codeOf(await get(server, `${agents}?deleted=perhaps`, admin)), [400, "VALIDATION_ERROR"]);
    assert.deepEqual((await get(server, `${agents}?deleted=false`, user)).body.items.map(({ deleted: is }) => is), [undefined, undefined]);

    const { definition } = (await get(server, `${agents}/poet/versions/1`, admin)).body;
    const again = await post(server, agents, { id: "poet", definition, note: "back" }, admin);
    assert.deepEqual([again.status, again.body.version, again.body.name, again.body.deleted], [201, 3, "The poet", undefined]);
    assert.deepEqual((await deleted()).items.map(({ id }) => id), ["scout"]);
  }));

test("what an actor refuses says where, as other texts do", () =>
  withServer(standard(), async (server) => {
    const { sessionId } = (await chat(server, "writer")).body;
    const path = `/api/v1/sessions/${sessionId}`;
    for (const refused of [await request(server, "PATCH", path, { title: "" }), await post(server, `${path}/messages`, { content: "" }),
      await request(server, "PUT", `${path}/participants`, { users: [""] })]) {
      assert.deepEqual(codeOf(refused), [400, "VALIDATION_ERROR"], refused.text);
      assert.ok(refused.body.error.details.issues.every((issue) => typeof issue.path === "string" && issue.message.length > 5), refused.text);
    }
  }));

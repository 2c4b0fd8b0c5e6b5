// The `agent-stream` dialect on the WebSocket and over REST (PROTOCOLS §3, §7), row by row of its table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get, post, request, SocketClient } from "./support/clients.mjs";
import { longText, standard } from "./support/configuration.mjs";
import { shape } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { until } from "./support/waiting.mjs";

const open = (server, agent = "writer", query = "") => SocketClient.open(server, `/api/v1/ws/chat/${agent}${query}`);
const text = (frames) => frames.filter((frame) => frame.type === "token").map((frame) => frame.content).join("");

/** One turn: its frames up to and with `done`. */
async function turn(client, frame) {
  const from = client.frames.length;
  client.send(typeof frame === "string" ? { message: frame } : frame);
  await client.next("done");
  return client.frames.slice(from);
}

const sessions = async (server) => (await get(server, "/api/v1/sessions?limit=100")).body.items;

test("no greeting; a turn is tokens, then done with integers", () =>
  withServer(standard(), async (server) => {
    for (const slash of ["", "/"]) {
      const client = await open(server, `writer${slash}`);
      const frames = await turn(client, "hello");
      assert.deepEqual(frames, [
        { type: "token", content: "Hel" }, { type: "token", content: "lo, " }, { type: "token", content: "world" },
        { type: "done", tokens: { prompt: 10, completion: 3, total: 13 } },
      ]);
      assert.deepEqual(client.frames, frames);
      const [{ tokens }] = (await turn(client, "long")).slice(-1);
      assert.ok([tokens.prompt, tokens.completion, tokens.total].every(Number.isInteger), JSON.stringify(tokens));
    }
  }));

test("tools: input is JSON text, result is text, tokens are summed over the turn", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    const frames = await turn(client, "clock");
    assert.deepEqual(shape(frames), ["token", "tool_start", "tool_end", "token", "done"]);
    const start = frames.find((frame) => frame.type === "tool_start");
    assert.deepEqual([Object.keys(start).sort(), start.tool, start.input], [["input", "tool", "type"], "clock", "{}"]);
    const end = frames.find((frame) => frame.type === "tool_end");
    assert.deepEqual([Object.keys(end).sort(), typeof end.result], [["result", "type"], "string"]);
    assert.deepEqual(frames.at(-1).tokens, { prompt: 50, completion: 9, total: 59 });
    const both = await turn(client, "both");
    assert.deepEqual(both.slice(0, 4).map((frame) => frame.type), ["tool_start", "tool_end", "tool_start", "tool_end"]);
    assert.equal(both[2].input, JSON.stringify({ expression: "6*7" }));
    assert.equal(both[3].result, "42");
  }));

test("a tool that fails, or that nobody knows, is a tool_end, and the turn goes on", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    const unknown = await turn(client, "unknown tool");
    assert.equal(unknown.find((frame) => frame.type === "tool_end").result, "Tool not found");
    assert.deepEqual(shape(unknown), ["tool_start", "tool_end", "token", "done"]);
    const from = client.frames.length;
    await turn(client, "delete nothing");
    const { items } = (await get(server, "/api/v1/approvals?status=pending")).body;
    await post(server, `/api/v1/approvals/${items[0].id}/approve`);
    await client.next("done");
    assert.match(client.frames.slice(from).find((frame) => frame.type === "tool_end").result, /^Error: /);
  }));

test("an unknown agent: accepted, the error, close 1000", () =>
  withServer(standard(), async (server) => {
    const client = await open(server, "nobody");
    assert.equal((await client.closing()).code, 1000);
    assert.deepEqual(client.frames, [{ type: "error", content: "Agent not found" }]);
    assert.deepEqual(await sessions(server), []);
  }));

test("a model failure: the error, close 1000, no done", () =>
  withServer(standard(), async (server) => {
    for (const content of ["fail", "cut"]) {
      const client = await open(server);
      client.send({ message: content });
      assert.equal((await client.closing()).code, 1000, content);
      assert.deepEqual(shape(client.frames), ["token", "error"], content);
      assert.ok(client.frames.at(-1).content.length > 0);
    }
  }));

test("the iteration limit ends a turn with done, not the socket", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    const frames = await turn(client, "loop");
    assert.equal(frames.filter((frame) => frame.type === "tool_end").length, 4);
    assert.deepEqual(frames.slice(-2).map((frame) => frame.type), ["token", "done"]);
    assert.equal(text(await turn(client, "hello")), "Hello, world");
  }));

test("text that is not a JSON object is the message; {} is an empty turn", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    for (const frame of ["plain words", "[1,2]", '"quoted"', "17", "null", '{"message":', '{"message":"as usual"}']) {
      const said = frame.includes("as usual") ? "as usual" : frame;
      const from = client.frames.length;
      client.send(frame);
      await client.next("done");
      assert.equal(text(client.frames.slice(from)), `You said: ${said}`);
    }
    for (const frame of ["{}", '{"message":""}', ""]) {
      const from = client.frames.length;
      client.send(frame);
      await client.next("done");
      assert.equal(text(client.frames.slice(from)), "You said: ", `for ${JSON.stringify(frame)}`);
    }
  }));

test("message null and binary frames: an error, close 1000", () =>
  withServer(standard(), async (server) => {
    for (const frame of ['{"message":null}', '{"message":7}', Buffer.from('{"message":"hello"}')]) {
      const client = await open(server);
      client.send(frame);
      assert.equal((await client.closing()).code, 1000, String(frame));
      assert.deepEqual(client.types(), ["error"]);
    }
  }));

test("reasoning comes as tokens unless include_reasoning is false, turn by turn", () => {
  const thinking = { rules: [{ when: { user: "why" }, say: [{ reasoning: "Because. " }, { text: "So." }] }], otherwise: [{ text: "?" }] };
  return withServer(standard({ providers: { scripted: { kind: "scripted", script: thinking } } }), async (server) => {
    const client = await open(server);
    assert.equal(text(await turn(client, "why")), "Because. So.");
    assert.equal(text(await turn(client, { message: "why", include_reasoning: false })), "So.");
    assert.equal(text(await turn(client, { message: "why", include_reasoning: true })), "Because. So.");
    assert.equal(text(await turn(client, { message: "why", include_reasoning: false })), "So.");
    assert.equal((await sessions(server)).length, 1);
  });
});

test("frames during a turn run afterwards, in order", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    client.send("long").send({ message: "clock" }).send("one").send({ message: "hello" });
    for (let i = 0; i < 4; ++i) await client.next("done");
    const turns = [[]];
    for (const frame of client.frames) frame.type === "done" ? turns.push([]) : turns.at(-1).push(frame);
    assert.deepEqual([text(turns[0]), text(turns[2]), text(turns[3])], [longText, "You said: one", "Hello, world"]);
    assert.deepEqual(shape(turns[1]), ["token", "tool_start", "tool_end", "token"]);
  }));

test("too many frames at once are refused with an error, and the socket stays open", () => {
  const few = standard();
  few.projects.demo.agents.writer.limits.max_queue = 2;
  return withServer(few, async (server) => {
    const client = await open(server);
    client.send("hold");
    await client.next("token");
    client.send("one").send("two").send("three");
    await client.next("error");
    await post(server, `/api/v1/sessions/${(await sessions(server))[0].id}/cancel`);
    for (let i = 0; i < 3; ++i) await client.next("done");
    assert.equal(text(client.frames).endsWith("You said: oneYou said: two"), true);
  });
});

test("each socket is a session of its own; the session knows its dialect", () =>
  withServer(standard(), async (server) => {
    const [one, two] = [await open(server), await open(server, "other")];
    assert.deepEqual(await sessions(server), []);
    await Promise.all([turn(one, "hello"), turn(two, "hello")]);
    assert.deepEqual([one.frames.length, two.frames.length], [4, 4]);
    const made = await sessions(server);
    assert.deepEqual(made.map((s) => [s.agentId, s.dialect]).sort(), [["other", "agent-stream"], ["writer", "agent-stream"]]);
  }));

test("?session= attaches: every client of the session sees every turn; an unknown one is an error, close 1000", () =>
  withServer(standard(), async (server) => {
    const one = await open(server);
    await turn(one, "hello");
    const [{ id }] = await sessions(server);
    const two = await open(server, "writer", `?session=${id}`);
    const frames = await turn(two, "clock");
    await one.next("done");
    assert.deepEqual(one.frames.slice(4), frames);
    assert.equal((await sessions(server)).length, 1);
    const missed = await open(server, "writer", `?session=${id}&afterSeq=1`);
    for (let i = 0; i < 2; ++i) await missed.next("done");
    assert.deepEqual(missed.frames, one.frames);
    const nowhere = await open(server, "writer", "?session=0190a1b2-0000-7000-8000-000000000001");
    assert.equal((await nowhere.closing()).code, 1000);
    assert.deepEqual(nowhere.types(), ["error"]);
  }));

test("a run that fails closes the socket that asked for it, not those that look on", () =>
  withServer(standard(), async (server) => {
    const one = await open(server);
    await turn(one, "hello");
    const [{ id }] = await sessions(server);
    const two = await open(server, "writer", `?session=${id}`);
    two.send("fail");
    assert.equal((await two.closing()).code, 1000);
    await one.next("error");
    assert.equal(text(await turn(one, "hello")), "Hello, world");
  }));

test("an approval: a token that says where to decide, done, no tool_end; the decision streams the rest here", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    await turn(client, "write note");
    const frames = await turn(client, "delete note");
    assert.deepEqual(shape(frames), ["token", "tool_start", "token", "done"]);
    assert.deepEqual(frames.at(-1).tokens, { prompt: 7, completion: 2, total: 9 });
    const { items } = (await get(server, "/api/v1/approvals?status=pending")).body;
    const line = frames.at(-2).content;
    assert.ok(line.includes("delete_file") && line.includes(items[0].id), line);
    const late = await open(server, "writer", `?session=${items[0].sessionId}`);
    assert.equal((await late.next("token")).content, line);
    const from = client.frames.length;
    assert.equal((await post(server, `/api/v1/approvals/${items[0].id}/approve`)).status, 200);
    await client.next("done");
    const rest = client.frames.slice(from);
    assert.deepEqual(shape(rest), ["tool_end", "token", "done"]);
    assert.match(rest[0].result, /note\.txt/);
    assert.ok(Number.isInteger(rest.at(-1).tokens.total));
  }));

test("a message behind an open approval waits for it, silently", () =>
  withServer(standard(), async (server) => {
    const client = await open(server);
    await turn(client, "delete note");
    client.send("hello");
    const { items } = (await get(server, "/api/v1/approvals?status=pending")).body;
    const before = client.frames.length;
    await post(server, `/api/v1/approvals/${items[0].id}/deny`, { note: "no" });
    await client.next("done");
    await client.next("done");
    const frames = client.frames.slice(before);
    assert.match(frames[0].result, /^Error: .*no/);
    assert.equal(text(frames.slice(-4)), "Hello, world");
  }));

test("capacity: N turns at once over all sockets, the next waits silently and is dropped if its client leaves", () =>
  withServer(standard({ limits: { ...standard().limits, agent_stream_turns: 2 } }), async (server) => {
    const busy = [await open(server), await open(server)];
    for (const client of busy) {
      client.send("hold");
      await client.next("token");
    }
    const [leaves, waits] = [await open(server), await open(server)];
    leaves.send("hello");
    waits.send("hello");
    await leaves.close();
    // A third turn would have made a session; REST is not limited.
    await post(server, "/api/v1/chat/", { agent_id: "other", message: "hello" });
    assert.deepEqual((await sessions(server)).filter((s) => s.agentId === "writer").length, 2);
    assert.deepEqual(waits.frames, []);
    const held = (await sessions(server)).find((s) => s.agentId === "writer");
    await post(server, `/api/v1/sessions/${held.id}/cancel`);
    await waits.next("done");
    assert.equal(text(waits.frames), "Hello, world");
    assert.equal((await sessions(server)).filter((s) => s.agentId === "writer").length, 3);
    // A run that waits for a person holds no slot.
    const asks = await until(() => busy.find((client) => client.types().includes("done")), "the end of the held turn");
    await turn(asks, "delete note");
    await turn(waits, "hello");
  }));

test("REST: agents, a chat, health, and errors as {detail}", () =>
  withServer(standard(), async (server) => {
    for (const slash of ["", "/"]) {
      const agents = await get(server, `/api/v1/agents${slash}`);
      assert.equal(agents.status, 200);
      assert.deepEqual(agents.body.map((a) => a.id), ["other", "writer", "empty/lonely"]);
      assert.deepEqual(agents.body[1], { id: "writer", name: "writer", system_prompt: "Be brief.", model: "tiny" });
      const health = await get(server, `/api/v1/health${slash}`);
      assert.deepEqual([health.status, health.body.api_status, health.body.database_status.ok], [200, "ok", true]);
      assert.equal(typeof health.body.database_status.message, "string");
      const chat = await post(server, `/api/v1/chat${slash}`, { agent_id: "writer", message: "hello" });
      assert.deepEqual([chat.status, chat.body], [200, { response: "Hello, world" }]);
    }
    const elsewhere = await post(server, "/api/v1/chat/", { agent_id: "empty/lonely", message: "hello" });
    assert.equal(elsewhere.body.response, "Hello, world");
    const refused = [
      [404, { agent_id: "nobody", message: "hello" }], [422, { agent_id: "writer" }], [422, { agent_id: "writer", message: 5 }],
      [422, { agent_id: [], message: "hello" }], [422, {}], [422, "{"], [502, { agent_id: "writer", message: "fail" }],
    ];
    for (const [status, body] of refused) {
      const answer = await post(server, "/api/v1/chat/", body);
      assert.deepEqual([answer.status, Object.keys(answer.body)], [status, ["detail"]], JSON.stringify(body));
    }
    assert.equal((await request(server, "DELETE", "/api/v1/agents/")).status, 405);
    const asks = await post(server, "/api/v1/chat/", { agent_id: "writer", message: "delete note" });
    assert.equal(asks.status, 202);
    assert.ok(asks.body.response.includes("delete_file"), asks.body.response);
  }));

test("one path, two dialects: the body tells, then the slash", () =>
  withServer(standard(), async (server) => {
    const nexus = await post(server, "/api/v1/chat/", { projectId: "demo", message: "hello" });
    assert.deepEqual([nexus.status, nexus.body.response], [200, "Hello, world"]);
    assert.ok("sessionId" in nexus.body);
    const bare = await post(server, "/api/v1/chat", { message: "hello" });
    assert.deepEqual([bare.status, bare.body.error.code], [400, "VALIDATION_ERROR"]);
    const slash = await post(server, "/api/v1/chat/", { message: "hello" });
    assert.deepEqual([slash.status, typeof slash.body.detail], [422, "string"]);
    const unknown = await post(server, "/api/v1/chat/", { projectId: "none", message: "hello" });
    assert.deepEqual([unknown.status, unknown.body.error.code], [404, "NOT_FOUND"]);
  }));

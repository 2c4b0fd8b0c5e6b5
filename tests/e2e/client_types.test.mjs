// The types of the TypeScript client (clients/typescript/src/events.ts) against what the server sends: every frame of the
// demo's conversations and of those that show the rest, on the socket, in event streams, in event lists and in exports. A
// field or a type that only one of both knows fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, get, post, request, SocketClient } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { schemaChecker } from "../../clients/typescript/test/package.mjs";

const { check, definitions } = await schemaChecker();

/** The `type` of every frame that a union of event types knows. */
function typesOf(name) {
  const definition = definitions[name];
  if (definition.anyOf) return definition.anyOf.flatMap((one) => typesOf(decodeURIComponent(one.$ref.replace("#/definitions/", ""))));
  return [definition.properties.type.const];
}

// What these conversations cannot bring about, and where it is checked instead.
const document = "its fields are compared with the OpenAPI document, below";
const elsewhere = {
  "message.superseded": "client_resume.test.mjs",
  "session.draining": "client_resume.test.mjs",
  "message.tool_progress": document,
  "tool.outcome_unknown": document,
  "approval.endorsed": document,
  "agent.changed": document,
  "run.stop_requested": document,
  "grant.given": "only where the server remembers approvals, below",
  "grant.revoked": "only where the server remembers approvals, below",
};
const seen = new Set();

function checked(frames, type = "NexusEvent") {
  for (const { sse, ...frame } of frames) {
    check(type, frame);
    seen.add(frame.type);
    if (sse?.event) assert.equal(sse.event, frame.type);
  }
  return frames;
}

/** A conversation; ends with the frames of its socket, stream, list and export checked. */
async function converse(server, agentId, talk) {
  const session = (await post(server, "/api/v1/projects/demo/sessions", { agentId })).body.id;
  const stream = await EventStream.open(server, "GET", `/api/v1/sessions/${session}/events?after=0`);
  const open = async () => {
    const client = await SocketClient.open(server, "/ws");
    client.send({ type: "auth", projectId: "demo", sessionId: session, afterSeq: 0 });
    await client.next("session.resumed");
    return client;
  };
  const clients = [await open(), await open()];
  await talk(clients[0], clients[1], session, stream);
  const last = Math.max(...clients.flatMap((c) => c.frames.map((f) => f.seq ?? 0)));
  await stream.until(() => stream.frames.some((f) => f.seq >= last), `event ${last} in the stream`);
  for (const client of clients) checked(client.frames);
  checked(stream.frames, "LogEvent");
  checked(await logOf(server, session), "LogEvent");
  checked((await get(server, `/api/v1/sessions/${session}/export`)).body.events, "LogEvent");
  stream.close();
}

/** The whole log; asked for as a list, else it is a stream. */
async function logOf(server, session) {
  const items = [];
  for (;;) {
    const page = await get(server, `/api/v1/sessions/${session}/events?limit=100&offset=${items.length}`, { accept: "application/json" });
    items.push(...page.body.items);
    if (items.length >= page.body.total) return items;
  }
}

async function say(client, content) {
  client.send({ type: "message.send", content });
  return client.next("message.complete");
}

test("the demo's conversations", () =>
  withServer(null, async (server) => {
    await converse(server, "guide", async (client) => {
      client.send({ type: "ping" });
      for (const content of ["help", "time", "calculate 2*21", "write a file", "read the file", "list files"]) await say(client, content);
      for (const approved of [false, true]) {
        client.send({ type: "message.send", content: "delete the file" });
        const card = await client.next("message.approval_required");
        client.send({ type: "approval.decide", approvalId: card.approvalId, approved, note: "seen" });
        await client.next("message.complete");
        client.send({ type: "approval.decide", approvalId: card.approvalId, approved });
        await client.next("approval.decided");
      }
      client.send({ type: "message.send", content: "long" });
      await client.next("message.content_delta");
      client.send({ type: "run.cancel" }).send({ type: "message.send", content: "thanks", clientMessageId: "mine-1" });
      await client.next({ type: "message.created", clientMessageId: "mine-1" });
      await client.next("message.complete");
    });
    // Sub-agents, where this demo has them.
    const agents = (await get(server, "/api/v1/projects/demo/agents")).body.items.map((a) => a.id);
    if (agents.includes("scout")) await converse(server, "guide", (client) => say(client, "ask the scout"));
  }));

test("the rest: refusals, failures, the queue, reactions, titles, clearing, people in the room", () =>
  withServer(standard(), async (server) => {
    await converse(server, "writer", async (client, other, session, stream) => {
      const path = `/api/v1/sessions/${session}`;
      client.send("no json").send({ type: "nothing" }).send({ type: "message.send" });
      for (let i = 0; i < 3; ++i) await client.next("error");
      client.send({ type: "message.send", content: "fail" });
      await client.next((f) => f.type === "error" && f.runId !== undefined);
      client.send({ type: "typing", isTyping: true });
      await other.next("typing");
      const file = (await request(server, "POST", `${path}/files?name=a.txt`, "text", { "content-type": "text/plain" })).body;
      client.send({ type: "message.send", content: "hello", attachments: [file.fileId] });
      const { messageId } = await client.next("message.complete");
      await post(server, `${path}/messages/${messageId}/reactions`, { emoji: "👍" });
      await client.next("message.reaction");
      for (const body of [{ rating: "down", note: "too short" }, null]) {
        await request(server, body ? "PUT" : "DELETE", `${path}/messages/${messageId}/feedback`, body ?? undefined);
        await client.next("message.feedback");
      }
      await request(server, "PATCH", path, { title: "A title" });
      await client.next("session.updated");
      client.send({ type: "message.send", content: "hold" });
      await client.next("message.content_delta");
      const waiting = [];
      for (const content of ["hello", "clock"]) {
        client.send({ type: "message.send", content });
        waiting.push(await client.next("message.queued"));
      }
      await request(server, "PATCH", `${path}/queue/${waiting[1].messageId}`, { content: "hello", position: 1 });
      await client.next("message.edited");
      await client.next("queue.reordered");
      client.send({ type: "message.send", content: "both" });
      const { messageId: taken } = await client.next("message.queued");
      await request(server, "DELETE", `${path}/queue/${taken}`);
      await client.next("message.dequeued");
      client.send({ type: "run.cancel" });
      for (let i = 0; i < 2; ++i) await client.next("message.complete");
      await request(server, "DELETE", `/api/v1/chats/${session}/messages`);
      await client.next("session.cleared");
      await request(server, "DELETE", path);
      await client.next({ type: "session.updated", status: "closed" });
      await stream.next("session.closed"); // of lists and streams only
    });
  }));

test("approvals that are remembered", () =>
  withServer(standard(), async (server) => {
    await converse(server, "writer", async (client, _, session) => {
      await say(client, "write note");
      client.send({ type: "message.send", content: "delete note" });
      const card = await client.next("message.approval_required");
      client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, remember: true });
      await client.next("message.complete");
      await say(client, "delete note"); // asks no more: allowedBy
      const [known] = (await get(server, `/api/v1/approvals/remembered`)).body.items;
      await request(server, "DELETE", `/api/v1/approvals/remembered/${known.id}`);
    });
    assert.ok(seen.has("grant.given") && seen.has("grant.revoked"), [...seen].join());
  }));

test("every type of events.ts was seen, or is named with the place where it is", () => {
  const missing = [...typesOf("LogEvent")].filter((type) => !seen.has(type) && !(type in elsewhere));
  assert.deepEqual(missing, []);
});

// What the document and this client call the same thing.
const records = {
  Session: "SessionRecord", ForkedSession: "ForkedSession", Participants: "Participants", SessionExport: "SessionExport", Attachment: "Attachment",
  File: "FileRecord", UploadedFile: "StoredFile", Message: "MessageRecord", MessageToolCall: "MessageToolCall", QueuedMessage: "QueuedMessage",
  Feedback: "Feedback", MessageAccepted: "AcceptedMessage", ChatReply: "ChatReply", ToolCall: "ToolCallRecord", ToolOutput: "ToolOutputPart", Approval: "Approval",
  BulkResult: "BulkResult", RememberedApproval: "RememberedApproval", Project: "Project", Agent: "Agent", Tool: "Tool", Trace: "Trace",
  TraceDetail: "TraceWithSpans", TraceSpan: "Span", Usage: "Usage", UsageDay: "UsageDay", UsageReport: "UsageReport", UsageShares: "UsageShares",
  Stats: "Stats", Health: "Health", Readiness: "Readiness", Limits: "Limits", Budget: "BudgetInForce", Alert: "BudgetAlert",
  AgentDefinition: "AgentDefinitionRecord", AgentCheck: "AgentCheck", AgentVersion: "AgentVersion", AgentVersionDetail: "AgentVersionDetail",
  Scenario: "ScenarioEntry", Scenarios: "ScenarioList", ScenarioRunSummary: "ScenarioRunSummary", ScenarioRun: "ScenarioRun",
  ScenarioResult: "ScenarioResult", ScenarioDivergence: "ScenarioDivergence",
};
// Frames of a connection, which REST does not have.
const ofSockets = ["auth.success", "pong", "session.resumed", "session.draining"];
// The second name of a list's items, which this client drops; and the seq, which frames of a connection have or not.
const dropped = new Set(["data", "seq"]);

test("the OpenAPI document and the client's types have the same events and fields", () =>
  withServer(standard(), async (server) => {
    const { status, body } = await get(server, "/api/v1/openapi.json");
    assert.equal(status, 200);
    const theirs = body.components.schemas;
    const follow = (schema, all) => (schema.$ref ? follow(all[decodeURIComponent(schema.$ref.split("/").at(-1))], all) : schema);
    /** Names of all fields, with `?` behind those that may be absent. */
    const fields = (schema, all) => {
      const own = follow(schema, all);
      const choices = (own.oneOf ?? own.anyOf)?.map((one) => fields(one, all));
      if (choices) {
        const everywhere = (field) => choices.every((fields) => fields.includes(field));
        return [...new Set(choices.flat().map((field) => (everywhere(field) ? field : `${field.replace("?", "")}?`)))].sort();
      }
      const parts = (own.allOf ?? []).flatMap((one) => fields(one, all));
      const names = Object.keys(own.properties ?? {}).filter((name) => !dropped.has(name));
      const merged = new Set([...parts, ...names.map((name) => ((own.required ?? []).includes(name) ? name : `${name}?`))]);
      return [...merged].sort();
    };
    const events = new Map();
    for (const schema of Object.values(theirs)) {
      const type = schema.properties?.type?.const ?? follow(schema, theirs).allOf?.map((p) => p.properties?.type?.const).find(Boolean);
      if (type) events.set(type, schema);
    }
    const ours = new Map(
      Object.values(definitions).filter((d) => d.properties?.type?.const?.match?.(/\.|^(presence|typing|error|pong)$/)).map((d) => [d.properties.type.const, d]),
    );
    assert.deepEqual([...events.keys()].sort(), typesOf("LogEvent").filter((type) => !ofSockets.includes(type)).sort());
    const differences = {};
    const compare = (name, their, our) => {
      const [a, b] = [fields(their, theirs), fields(our, definitions)];
      const only = { document: a.filter((f) => !b.includes(f)), client: b.filter((f) => !a.includes(f)) };
      if (only.document.length + only.client.length > 0) differences[name] = only;
    };
    for (const [type, schema] of events) compare(type, schema, ours.get(type));
    for (const [name, our] of Object.entries(records)) {
      assert.ok(theirs[name], `the document has no schema ${name} any more`);
      compare(name, theirs[name], definitions[our]);
    }
    assert.deepEqual(differences, {});
  }));

// The client as the documents of the native protocol show it: `createNexusWebSocket` and `nexusApi`, against the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "./support/inbox.mjs";
import { SocketClient } from "./support/clients.mjs";
import { WebSocket } from "./support/packages.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { client as package_ } from "../../clients/typescript/test/package.mjs";

const { createNexusApi, createNexusWebSocket, nexusApi } = package_;

function connect(server, options = {}) {
  const inbox = new Inbox();
  const errors = [];
  const ws = createNexusWebSocket({
    url: `ws://127.0.0.1:${server.port}/ws`, projectId: "demo", agentId: "writer",
    onMessage: (event) => inbox.put(event), onError: (error) => errors.push(error.message), onClose: () => inbox.end("closed"), ...options,
  });
  server.onEnd(() => ws.close());
  return { inbox, errors, ws };
}

for (const [name, options] of [["our own WebSocket, or the platform's", {}], ["npm ws", { WebSocket }]])
  test(`the socket of the documents, with ${name}`, () =>
    withServer(standard(), async (server) => {
      const { inbox, errors, ws } = connect(server, options);
      assert.equal(ws.readyState, 0);
      ws.createSession({ metadata: { source: "admin-ui" } }); // at once: they wait for the socket
      ws.send("hello");
      const { sessionId } = await inbox.next("session.created");
      assert.equal(ws.readyState, 1);
      const { usage, traceId } = await inbox.next("message.complete");
      assert.deepEqual([usage.totalTokens, typeof usage.cost, traceId.length], [13, "number", 32]);
      assert.equal(inbox.all("message.content_delta").map((e) => e.text).join(""), "Hello, world");
      assert.deepEqual(inbox.types().slice(0, 2), ["auth.success", "session.created"]);
      const { metadata } = await fetch(`${server.url}/api/v1/sessions/${sessionId}`).then((r) => r.json());
      assert.deepEqual(metadata, { source: "admin-ui" });
      ws.send("x".repeat(70_000)); // larger than the server takes
      await inbox.until(() => inbox.ended !== null || inbox.all("error").length > 0, "the refusal");
      ws.close();
      await inbox.until(() => inbox.ended !== null, "the close");
      assert.equal(ws.readyState, 3);
      ws.send("too late");
      assert.match(errors.at(-1), /nothing was sent/);
    }));

test("a server that is not there: an error, then the close", () =>
  withServer(standard(), async (server) => {
    const nowhere = { port: 9, onEnd: server.onEnd };
    const { inbox, errors, ws } = connect(nowhere);
    await inbox.until(() => inbox.ended !== null, "the close");
    assert.deepEqual([errors.length, ws.readyState], [1, 3]);
  }));

test("without a socket: nexusApi", () =>
  withServer(standard(), async (server) => {
    await assert.rejects(async () => nexusApi.sendMessage("demo", "writer", "hello"), /configure/);
    nexusApi.configure({ url: server.url });
    const { sendMessage } = nexusApi;
    const { sessionId, response } = await sendMessage("demo", "writer", "hello");
    assert.equal(response, "Hello, world");
    const api = createNexusApi({ url: server.url });
    await api.sendMessage("demo", "writer", "write note", sessionId);
    const asked = await api.sendMessage("demo", "writer", "delete note", sessionId);
    assert.deepEqual([asked.status, asked.sessionId], ["pending", sessionId]);
    assert.equal((await nexusApi.deny(asked.approvalId, "no")).status, "denied");
    const again = await api.sendMessage("demo", "writer", "delete note", sessionId);
    assert.equal((await nexusApi.approve(again.approvalId)).status, "approved");
  }));

test("our own WebSocket and npm ws see the same frames", () =>
  withServer(standard(), async (server) => {
    const { inbox, ws } = connect(server);
    await inbox.next("auth.success");
    ws.createSession();
    const { sessionId } = await inbox.next("session.created");
    const other = await SocketClient.open(server, "/ws");
    other.send({ type: "auth", projectId: "demo", sessionId, afterSeq: 0 });
    await other.next("session.resumed");
    ws.send("long");
    await inbox.next("message.complete");
    await other.next("message.complete");
    const numbered = (frames) => frames.filter((f) => f.seq !== undefined);
    assert.deepEqual(numbered(inbox.frames), numbered(other.frames));
  }));

// A client that does not read (DESIGN §9): its neighbours and the runs do not notice, and it ends with the same transcript.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketClient, styleB } from "./support/clients.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";

const messages = 12;
const piece = "0123456789".repeat(7) + " ";

const configuration = {
  default_project: "demo",
  providers: { s: { kind: "scripted", script: { rules: [], otherwise: [{ repeat: piece, times: 8000 }] } } },
  projects: { demo: { default_agent: "writer", agents: { writer: { provider: "s", model: "m" } } } },
};

const completions = (client) => client.frames.filter((frame) => frame.type === "message.complete").length;

test("a client that stops reading holds nobody up, and catches up from the log", () =>
  withServer(configuration, async (server) => {
    const fast = await styleB(server);
    const slow = await SocketClient.open(server, "/ws");
    slow.send({ type: "auth", sessionId: fast.sessionId });
    await slow.next("session.resumed");
    slow.ws._socket.pause();
    for (let i = 0; i < messages; i++) fast.send({ type: "message.send", content: `message ${i}` });
    await fast.until(() => completions(fast) === messages, "every answer", 30_000);
    assert.equal(completions(slow), 0);
    slow.ws._socket.resume();
    await slow.until(() => completions(slow) === messages, "every answer, later", 30_000);
    assert.equal(textOf(slow.frames), piece.repeat(8000 * messages));
    assert.equal(textOf(fast.frames), textOf(slow.frames));
    const seqs = slow.frames.filter((frame) => frame.type === "message.content_delta").map((frame) => frame.seq);
    assert.ok(seqs.every((seq, i) => i === 0 || seq > seqs[i - 1]), "each seq comes once");
  }));

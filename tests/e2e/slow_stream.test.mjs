// A chat answered as an event stream whose client stops reading: the run goes on and ends, and the stream does not end before
// the client has had all of it (PROTOCOLS §1.6, DESIGN §9).
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, get } from "./support/clients.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { until } from "./support/waiting.mjs";

const piece = "0123456789".repeat(7) + " ";
const times = 100_000; // more than the socket's buffers and the server's queue take

const configuration = {
  default_project: "demo",
  limits: { slow_client_timeout_ms: 600_000 },
  providers: { s: { kind: "scripted", script: { rules: [], otherwise: [{ repeat: piece, times }] } } },
  projects: { demo: { default_agent: "writer", agents: { writer: { provider: "s", model: "m" } } } },
};

test("a slow reader of a chat's stream gets the end of the run before the end of the stream", () =>
  withServer(configuration, async (server) => {
    const stream = await EventStream.open(server, "POST", "/api/v1/chat", { projectId: "demo", message: "go on" });
    const socket = stream.call.socket;
    const { sessionId } = await stream.next("session.created");
    socket.pause();
    const said = async () => (await get(server, `/api/v1/sessions/${sessionId}/messages`)).body.items.filter((m) => m.content).length;
    await until(async () => (await said()) === 2, "the run to end while its client does not read");
    assert.equal(stream.all("message.complete").length, 0);
    socket.resume();
    await stream.next("message.complete");
    assert.equal(textOf(stream.frames).length, piece.length * times);
  }, { lag: false })); // a forwarder between would read at once

// Five clients on five dialects on one session (PROTOCOLS, head): each sees the same run in its own words, an approval given
// on one closes the card on all, and people see each other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, get, SocketClient, styleA } from "./support/clients.mjs";
import { shape, textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { SocketIoClient } from "./support/socketio.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";

/** A session, and a client of every dialect that follows it. */
async function everybody(server) {
  const nexus = await styleA(server);
  nexus.send({ type: "message.send", content: "hello" });
  const { sessionId } = await nexus.next("session.created");
  await nexus.next("message.complete");
  const conversation = await SocketClient.open(server, `/ws/chat/${sessionId}`);
  await conversation.next("connected");
  const stream = await SocketClient.open(server, `/api/v1/ws/chat/writer?session=${sessionId}`);
  const room = await SocketIoClient.open(server, "/chat");
  room.emit("chat:join", { conversationId: sessionId });
  await room.next("chat:joined");
  const events = await SocketIoClient.open(server, "/");
  await events.ask("join-chat", { chatId: sessionId });
  return { sessionId, nexus, conversation, stream, room, events };
}

const chunks = (client, type, field) => client.all(type).map((frame) => frame[field]).join("");

test("five clients on one session: each sees the whole answer in its own words, once", () =>
  withServer(standard(), async (server) => {
    const { nexus, conversation, stream, room, events } = await everybody(server);
    const before = nexus.frames.length;
    nexus.send({ type: "message.send", content: "long" });
    await nexus.next("message.complete");
    await conversation.next("done");
    await stream.next("done");
    await room.next("chat:complete");
    const end = await events.next("ai-response-end");
    const text = textOf(nexus.frames.slice(before));
    assert.equal(text, longText);
    assert.equal(chunks(conversation, "message_chunk", "content"), text);
    assert.equal(conversation.all("message")[0].content, text);
    assert.equal(chunks(stream, "token", "content"), text);
    assert.equal(chunks(room, "chat:streaming", "chunk"), text);
    assert.equal(chunks(events, "ai-response-chunk", "chunk"), text);
    assert.deepEqual([end.message.content, end.message.answer], ["long", text]);
    assert.deepEqual(shape(stream.frames), ["token", "done"]);
  }));

test("five clients on one session: an approval asked on one is seen by all, given on another, and closes everywhere", () =>
  withServer(standard(), async (server) => {
    const { nexus, conversation, stream, room, events } = await everybody(server);
    stream.send({ message: "delete report" });
    const card = await nexus.next("message.approval_required");
    const question = await conversation.next("approval_required");
    assert.deepEqual([question.tool, question.tool_call_id], ["delete_file", card.toolCallId]);
    await conversation.next("done");
    const line = await stream.next((frame) => frame.type === "token" && frame.content.includes("delete_file"));
    assert.ok(line.content.length > 20, `the line says where to decide: ${line.content}`);
    await stream.next("done");
    assert.equal((await room.next("chat:approval-required")).approvalId, card.approvalId);
    assert.equal((await events.next("approval-required")).approvalId, card.approvalId);

    conversation.send({ type: "approval_response", approved: true });
    assert.equal((await nexus.next("approval.decided")).decision, "approved");
    assert.equal((await room.next("chat:approval-decided")).decision, "approved");
    assert.equal((await events.next("approval-decided")).decision, "approved");
    await nexus.next("message.tool_complete");
    await conversation.next("tool_result");
    await stream.next("tool_end");
    await room.next("chat:tool-complete");
    await nexus.next("message.complete");
    await conversation.next("done");
    await stream.next("done");
    await room.next("chat:complete");
    await events.next("ai-response-end");
    for (const [client, type] of [[nexus, "approval.decided"], [room, "chat:approval-decided"], [events, "approval-decided"]])
      assert.equal(client.all(type).length, 1, `${type} once`);
  }));

test("five clients on one session: who comes, types and goes is seen across dialects", () =>
  withServer(standard(), async (server) => {
    const { sessionId, nexus, room } = await everybody(server);
    assert.ok((await nexus.next("presence")).users.length >= 1);
    nexus.send({ type: "typing", isTyping: true });
    assert.equal((await room.next("chat:user-typing")).isTyping, true);
    room.emit("chat:typing", { conversationId: sessionId, isTyping: true });
    assert.equal((await nexus.next("typing")).isTyping, true);
    const second = await SocketIoClient.open(server, "/chat");
    second.emit("chat:join", { conversationId: sessionId });
    await second.next("chat:joined");
    await room.next("chat:user-joined");
    await nexus.next("presence");
    second.close();
    await room.next("chat:user-left");
    assert.equal(second.all("chat:user-joined").length, 0, "nobody hears of himself");
    room.emit("chat:get-active-users", { conversationId: sessionId });
    assert.ok((await room.next("chat:active-users")).activeUsers.length >= 1);
  }));

test("resume on another transport: left on a WebSocket in the middle of a message, continued as an event stream", () =>
  withHeldModel(async (server, model) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "long" });
    const { sessionId } = await client.next("session.created");
    const call = (await model.call(0)).say(...words.slice(0, 20));
    await client.until(() => textOf(client.frames) === words.slice(0, 20).join(""), "20 words");
    const seen = client.frames.filter((frame) => frame.seq !== undefined);
    client.ws.terminate();
    const last = seen.at(-1).seq;
    const rest = await EventStream.open(server, "GET", `/api/v1/sessions/${sessionId}/events`, undefined, { "last-event-id": String(last) });
    call.say(...words.slice(20)).end();
    await rest.next("message.complete");
    assert.equal(textOf([...seen, ...rest.frames]), longText);
    assert.ok(rest.frames.every((frame) => frame.seq > last));
    // And a third time, on another dialect, from the same place.
    const again = await SocketClient.open(server, `/ws/chat/${sessionId}?afterSeq=${last}`);
    await again.next("done");
    assert.equal(chunks(again, "message_chunk", "content"), words.slice(20).join(""));
    rest.close();
  }));

test("the same session by all its names: UUID, 24 hex digits, the client's own text", () =>
  withServer(standard(), async (server) => {
    const conversation = await SocketClient.open(server, "/ws/chat/my-own-name");
    await conversation.next("connected");
    conversation.send({ message: "hello" });
    await conversation.next("done");
    const [session] = (await get(server, "/api/v1/sessions")).body.items;
    const hex = session.id.replaceAll("-", "").slice(0, 24);
    for (const [rounds, name] of [session.id, hex, "my-own-name"].entries()) {
      assert.equal((await get(server, `/api/v1/sessions/${name}`)).body.id, session.id, name);
      assert.equal((await get(server, `/api/chat/${name}/history`)).body.total, 2 + 2 * rounds, name);
      const room = await SocketIoClient.open(server, "/chat");
      room.emit("chat:join", { conversationId: name });
      await room.next("chat:joined");
      const nexus = await SocketClient.open(server, "/ws");
      nexus.send({ type: "auth", sessionId: name });
      assert.equal((await nexus.next("session.resumed")).sessionId, session.id, name);
      conversation.send({ message: "hello" });
      await nexus.next("message.complete");
      await room.next("chat:complete");
      room.close();
      await nexus.close();
    }
  }));

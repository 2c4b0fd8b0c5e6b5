// A `once` call that a crash cut (PROTOCOLS §1.3): nobody knows whether it took effect, so a person says. On every dialect.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { EventStream, get, post, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { withServer } from "./support/server.mjs";
import { slowEffect } from "./support/slow_effect.mjs";
import { SocketIoClient } from "./support/socketio.mjs";

/** Runs `body` on a server that was killed after the effect and before the result, and started again. */
async function afterKill(body) {
  const { configuration, folder, effects } = slowEffect();
  try {
    await withServer(configuration, async (server) => {
      const before = await styleA(server);
      before.send({ type: "message.send", content: "deploy" });
      const { sessionId } = await before.next("session.created");
      await before.next("message.tool_start");
      const progress = await before.next("message.tool_progress");
      assert.deepEqual([progress.text.trim(), effects()], ["deploying", 1]);
      await server.kill();
      await server.start();
      await body(server, sessionId, effects);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function resumed(server, sessionId, connect = styleB) {
  const client = await connect(server);
  client.send({ type: "session.resume", sessionId });
  await client.next("session.resumed");
  return client;
}

for (const [choice, times, success] of [["retry", 2, true], ["done", 1, true], ["failed", 1, false]])
  test(`after kill -9 the card asks, and ${choice} is what happens`, () =>
    afterKill(async (server, sessionId, effects) => {
      const client = await resumed(server, sessionId);
      const card = await client.next("message.approval_required");
      assert.deepEqual([card.kind, card.tool, card.choices], ["outcome_unknown", "deploy", ["retry", "done", "failed"]]);
      client.send({ type: "approval.decide", approvalId: card.approvalId, choice: "perhaps" });
      const refused = await client.next("error");
      assert.deepEqual([refused.code, /choice/.test(refused.message)], ["VALIDATION_ERROR", true]);
      client.send({ type: "approval.decide", approvalId: card.approvalId, choice, note: "I looked" });
      const decided = await client.next("approval.decided");
      assert.deepEqual([decided.choice, decided.note], [choice, "I looked"]);
      const done = await client.next("message.tool_complete");
      assert.deepEqual([done.toolCallId, done.success, effects()], [card.toolCallId, success, times]);
      await client.next("message.complete");
      const { body } = await get(server, `/api/v1/approvals/${card.approvalId}`);
      assert.deepEqual([body.kind, body.choice, body.choices], ["outcome_unknown", choice, ["retry", "done", "failed"]]);
    }));

test("over REST: the card is listed by its kind, takes a choice and nothing else, and has one winner", () =>
  afterKill(async (server, sessionId, effects) => {
    const client = await resumed(server, sessionId, styleA);
    const { approvalId } = await client.next("message.approval_required");
    const listed = (await get(server, `/api/v1/approvals?status=pending&kind=outcome_unknown&sessionId=${sessionId}`)).body;
    assert.deepEqual(listed.items.map((item) => item.id), [approvalId]);
    assert.equal((await get(server, "/api/v1/approvals?kind=tool")).body.total, 0);
    for (const [body, path] of [[{}, "approved"], [{ choice: "undo" }, "choice"], [{ answer: {} }, "answer"],
      [{ approved: true, editedInput: {} }, "editedInput"], [{ approved: true, remember: true }, "remember"]]) {
      const answer = await post(server, `/api/v1/approvals/${approvalId}/decide`, body);
      assert.deepEqual([answer.status, answer.body.error.details.issues[0].path], [400, path]);
    }
    const answers = await Promise.all(
      ["done", "failed", "done", "failed"].map((choice) => post(server, `/api/v1/approvals/${approvalId}/decide`, { choice })),
    );
    const won = answers.filter((answer) => answer.status === 200);
    assert.equal(won.length, 1);
    for (const { status, body } of answers.filter((answer) => answer !== won[0])) {
      assert.deepEqual([status, body.error.code, body.error.details.choice], [409, "APPROVAL_NOT_PENDING", won[0].body.choice]);
      assert.match(body.error.details.resolvedAt, /^\d{4}-.*Z$/);
    }
    assert.equal((await client.next("approval.decided")).choice, won[0].body.choice);
    assert.equal(effects(), 1);
    await client.next("message.complete");
  }));

test("every dialect shows the card and takes or names the choices; a decision on one closes it on all", () =>
  afterKill(async (server, sessionId, effects) => {
    const nexus = await resumed(server, sessionId, styleA);
    const card = await nexus.next("message.approval_required");
    const conversation = await SocketClient.open(server, `/ws/chat/${sessionId}`);
    const question = await conversation.next("approval_required");
    assert.deepEqual([question.kind, question.choices, question.tool_call_id],
      ["outcome_unknown", ["retry", "done", "failed"], card.toolCallId]);
    const stream = await SocketClient.open(server, `/api/v1/ws/chat/writer?session=${sessionId}`);
    const line = await stream.next("token");
    assert.ok(line.content.includes(card.approvalId) && line.content.includes("retry, done or failed"), line.content);
    const room = await SocketIoClient.open(server, "/chat");
    room.emit("chat:join", { conversationId: sessionId });
    const inRoom = await room.next("chat:approval-required");
    const events = await SocketIoClient.open(server, "/");
    await events.ask("join-chat", { chatId: sessionId });
    const inEvents = await events.next("approval-required");
    for (const shown of [inRoom, inEvents])
      assert.deepEqual([shown.approvalId, shown.kind, shown.choices], [card.approvalId, card.kind, card.choices]);
    const log = await EventStream.open(server, "GET", `/api/v1/sessions/${sessionId}/events?after=0`);
    assert.equal((await log.next("tool.outcome_unknown")).toolCallId, card.toolCallId);
    await log.next("message.approval_required");

    conversation.send({ type: "approval_response", tool_call_id: card.toolCallId, choice: "done" });
    for (const [client, type] of [[nexus, "approval.decided"], [room, "chat:approval-decided"], [events, "approval-decided"],
      [log, "approval.decided"]])
      assert.equal((await client.next(type)).choice, "done", type);
    assert.equal((await conversation.next("tool_result")).success, true);
    await conversation.next("done");
    await stream.next("tool_end");
    await stream.next("done");
    assert.equal(effects(), 1);
    log.close();
  }));

test("chat:approve takes a choice too", () =>
  afterKill(async (server, sessionId, effects) => {
    const room = await SocketIoClient.open(server, "/chat");
    room.emit("chat:join", { conversationId: sessionId });
    const { approvalId } = await room.next("chat:approval-required");
    assert.equal((await room.ask("chat:approve", { approvalId, choice: "never" })).status, "error");
    const answer = await room.ask("chat:approve", { approvalId, choice: "retry" });
    assert.deepEqual([answer.status, answer.choice], ["ok", "retry"]);
    assert.equal((await room.next("chat:tool-complete")).success, true);
    await room.next("chat:complete");
    assert.equal(effects(), 2);
  }));

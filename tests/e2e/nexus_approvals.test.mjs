// Approvals over the native protocol (PROTOCOLS §1.4): on the socket, over REST from elsewhere, and who loses.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { get, post, styleA, styleB } from "./support/clients.mjs";
import { shape } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { standard } from "./support/configuration.mjs";

const nobody = "00000000-0000-4000-8000-000000000000";

/** A file, and a run that asks before it deletes it. */
async function parked(server, client) {
  client.send({ type: "message.send", content: "write note" });
  await client.next("message.complete");
  client.send({ type: "message.send", content: "delete note" });
  const card = await client.next("message.approval_required");
  client.sessionId ??= client.all("session.created")[0].sessionId;
  client.file = join(server.data, "workspaces", client.sessionId, "note.txt");
  assert.ok(existsSync(client.file));
  return card;
}

test("style B: message.complete comes when the run parks, the decision over the socket goes on with the same run", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    const parkedWith = await client.next("message.complete");
    assert.deepEqual([card.tool, card.action, card.kind], ["delete_file", { path: "note.txt" }, "tool"]);
    assert.ok(Date.parse(card.expiresAt) > Date.now() && /^\d{4}-.*\.\d{3}Z$/.test(card.expiresAt));
    assert.equal(card.toolCallId, client.all("message.tool_start").at(-1).toolCallId);
    assert.deepEqual([parkedWith.usage.promptTokens, parkedWith.usage.completionTokens], [7, 2]);
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, note: "go on" });
    const decided = await client.next("approval.decided");
    assert.deepEqual([decided.approvalId, decided.decision, decided.note], [card.approvalId, "approved", "go on"]);
    const done = await client.next("message.tool_complete");
    assert.deepEqual([done.success, done.toolCallId], [true, card.toolCallId]);
    const complete = await client.next("message.complete");
    assert.equal(complete.usage.totalTokens, 0); // what is new since the run parked: this step reports none
    assert.notEqual(complete.messageId, parkedWith.messageId);
    assert.deepEqual(shape(client.frames.slice(client.frames.indexOf(card))), [
      "message.approval_required", "message.complete", "approval.decided", "message.tool_complete", "message.content_delta",
      "message.complete",
    ]);
    assert.equal(client.all("run.started").length, 2);
    assert.ok(!existsSync(client.file));
  }));

test("style A: no message.complete while parked; a decision over REST is seen on every socket", () =>
  withServer(standard(), async (server) => {
    const client = await styleA(server);
    const card = await parked(server, client);
    const watcher = await styleA(server);
    watcher.send({ type: "session.resume", sessionId: client.sessionId });
    await watcher.next("session.resumed");
    const shown = await watcher.next("message.approval_required"); // who comes late is shown the open card
    assert.deepEqual({ ...shown, seq: card.seq }, card);
    const listed = (await get(server, `/api/v1/approvals?status=pending&sessionId=${client.sessionId}`)).body;
    assert.deepEqual([listed.total, listed.items[0].id, listed.items[0].toolId], [1, card.approvalId, "delete_file"]);
    assert.deepEqual([listed.items[0].action, listed.items[0].toolInput], [card.action, card.action]);

    const approval = await post(server, `/api/v1/approvals/${card.approvalId}/approve`, {});
    assert.deepEqual([approval.status, approval.body.status], [200, "approved"]);
    assert.deepEqual(approval.body.decidedAt, approval.body.resolvedAt);
    for (const socket of [client, watcher]) {
      assert.equal((await socket.next("approval.decided")).decision, "approved");
      await socket.next("message.tool_complete");
      await socket.next("message.complete");
    }
    assert.equal(client.all("message.complete").length, 2); // the written file, and this run: none in between
    assert.ok(!existsSync(client.file));
  }));

test("denied: the tool has a failed result with the refusal, and the model goes on", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    await client.next("message.complete");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: false, note: "keep it" });
    assert.equal((await client.next("approval.decided")).decision, "denied");
    const done = await client.next("message.tool_complete");
    assert.equal(done.success, false);
    assert.match(done.output, /denied.*keep it/);
    await client.next("message.complete");
    assert.match(client.all("message.content_delta").at(-1).text, /denied/);
    assert.ok(existsSync(client.file));
    const { body } = await get(server, `/api/v1/approvals/${card.approvalId}`);
    assert.deepEqual([body.status, body.note], ["denied", "keep it"]);
  }));

test("lost decision: the socket is told the winner, REST answers 409", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    await client.next("message.complete");
    assert.equal((await post(server, `/api/v1/approvals/${card.approvalId}/deny`, { note: "first" })).status, 200);
    await client.next("approval.decided");
    await client.next("message.complete");
    const late = await post(server, `/api/v1/approvals/${card.approvalId}/approve`, {});
    assert.deepEqual([late.status, late.body.error.code], [409, "APPROVAL_NOT_PENDING"]);
    assert.equal(typeof late.body.message, "string");
    assert.equal(late.body.error.details.decision, "denied");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true });
    const winner = await client.next("approval.decided");
    assert.deepEqual([winner.approvalId, winner.decision, typeof winner.resolvedBy], [card.approvalId, "denied", "string"]);
    assert.deepEqual(client.all("error"), []);
    assert.ok(existsSync(client.file));
  }));

test("racing decisions: one of many wins, all others hear the same winner, the effect happens once", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    await client.next("message.complete");
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => post(server, `/api/v1/approvals/${card.approvalId}/decide`, { approved: i % 2 === 0 })),
    );
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    const { decision } = await client.next("approval.decided");
    for (const answer of answers)
      if (answer.status === 200) assert.equal(answer.body.status, decision);
      else assert.deepEqual([answer.status, answer.body.error.details.decision], [409, decision]);
    await client.next("message.complete");
    assert.equal(client.all((frame) => frame.type === "message.tool_complete" && frame.tool === "delete_file").length, 1);
    assert.equal(existsSync(client.file), decision === "denied");
  }));

test("edited input: the call is carried out as edited; what does not fit the tool is refused", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, editedInput: { path: "absent.txt" } });
    const done = await client.next("message.tool_complete");
    assert.match(JSON.stringify(done.output), /absent\.txt/);
    assert.ok(existsSync(client.file));
    await client.next("message.complete");
  }));

test("cancel: a parked run can be stopped; its approval is no longer pending", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    await client.next("message.complete");
    client.send({ type: "run.cancel" });
    await client.next("run.cancelled");
    assert.equal(client.all("approval.decided").at(-1).decision, "denied");
    assert.equal((await post(server, `/api/v1/approvals/${card.approvalId}/approve`)).status, 409);
    assert.ok(existsSync(client.file));
    client.send({ type: "message.send", content: "hello" });
    await client.next("message.complete");
  }));

test("decisions in bulk: each id has its own result", () =>
  withServer(standard(), async (server) => {
    const clients = [await styleB(server), await styleB(server)];
    const cards = [];
    for (const client of clients) cards.push(await parked(server, client));
    const ids = [cards[0].approvalId, nobody, "no id at all", cards[1].approvalId];
    const { status, body } = await post(server, "/api/v1/approvals/decide", { ids, approved: true });
    assert.equal(status, 200);
    assert.deepEqual(body.items.map((item) => item.id), ids);
    assert.deepEqual(body.items.map((item) => item.status ?? item.error.code), ["approved", "NOT_FOUND", "NOT_FOUND", "approved"]);
    for (const client of clients) await client.next({ type: "message.tool_complete", tool: "delete_file" });
    for (const client of clients) await client.next("message.complete");
  }));

test("a message to a parked session waits for the decision", () =>
  withServer(standard(), async (server) => {
    const client = await styleB(server);
    const card = await parked(server, client);
    client.send({ type: "message.send", content: "hello" });
    assert.equal((await client.next("message.queued")).position, 1);
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: false });
    await client.next("message.tool_complete");
    await client.next("message.complete");
    await client.next("run.started");
    await client.next("message.complete");
    assert.equal(client.all("message.content_delta").at(-1).text, "world");
  }));

test("a restart: the card is still open, its decision carries the call out", () =>
  withServer(standard(), async (server) => {
    const before = await styleB(server);
    const card = await parked(server, before);
    await server.kill();
    await server.start();
    const client = await styleB(server);
    client.send({ type: "session.resume", sessionId: before.sessionId });
    await client.next("session.resumed");
    assert.equal((await client.next("message.approval_required")).approvalId, card.approvalId);
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true });
    assert.equal((await client.next("message.tool_complete")).success, true);
    await client.next("message.complete");
    assert.ok(!existsSync(before.file));
  }));

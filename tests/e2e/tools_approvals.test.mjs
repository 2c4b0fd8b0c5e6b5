// Approvals of real calls (issue 5, Approvals): rules, parallel calls, expiry while nobody looked, a model that fails, the webhook.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { get, post, styleA, styleB } from "./support/clients.mjs";
import { loadStandardWebhooks } from "./support/packages.mjs";
import { withServer } from "./support/server.mjs";
import { toolConfiguration, until, use } from "./support/tool_bench.mjs";

const shell = { run: { kind: "command", programs: ["sh", "cat"] } };
const approvals = "/api/v1/approvals";

test("rules: the first whose tests fit the arguments decides, with its risk; edits are looked at with the schema", () => {
  const rules = [{ when: [{ argument: "/program", equals: "cat" }], policy: "never" },
    { when: [{ argument: "/arguments/1", matches: "rm " }, { argument: "/input", absent: true }], risk: "high" }];
  const agent = { approval: { run: { policy: "always", risk: "low", rules } } };
  return withServer(toolConfiguration({ tools: shell, agent }), async (server) => {
    const client = await styleB(server);
    const free = await use(client, "run", { program: "cat", input: "meow" });
    assert.deepEqual([free.success, client.all("message.approval_required").length], [true, 0]);
    for (const [script, risk] of [["rm -f x", "high"], ["echo hi", "low"]]) {
      client.send({ type: "message.send", content: `use run ${JSON.stringify({ program: "sh", arguments: ["-c", script] })}` });
      const card = await client.next("message.approval_required");
      assert.equal((await get(server, `${approvals}/${card.approvalId}`)).body.riskLevel, risk);
      const bad = await post(server, `${approvals}/${card.approvalId}/decide`, { approved: true, editedInput: { program: "python3" } });
      assert.deepEqual([bad.status, bad.body.error.code], [400, "VALIDATION_ERROR"]);
      const edited = { program: "sh", arguments: ["-c", "echo edited"] };
      assert.equal((await post(server, `${approvals}/${card.approvalId}/decide`, { approved: true, editedInput: edited })).status, 200);
      assert.match((await client.next("message.tool_complete")).output, /edited/);
      await client.next((f) => f.type === "message.complete" && f.seq > card.seq && client.all("message.tool_complete").length > 0);
    }
  });
});

test("parallel calls of which one asks: the others go on, the model hears of all together and in the order it asked", () => {
  const say = (script) => ({ tool: "run", arguments: { program: "sh", arguments: ["-c", script] } });
  const rules = [
    { when: { user: "^three", after: "user" }, say: [say("while [ ! -e go ]; do sleep 0.02; done; echo slow"), { tool: "delete_file", arguments: { path: "x" } }, say("echo quick")] },
    { when: { after: "tool", result: "quick" }, say: [{ text: "The last one was quick." }] },
  ];
  const agent = { approval: { run: "never" } };
  return withServer(toolConfiguration({ tools: shell, list: ["run", "delete_file"], rules, agent }), async (server) => {
    const client = await styleA(server);
    client.send({ type: "message.send", content: "three" });
    const card = await client.next("message.approval_required");
    const { sessionId } = client.all("session.created")[0];
    await client.until(() => client.all("message.tool_complete").length === 1, "the quick one");
    assert.match(client.all("message.tool_complete")[0].output, /quick/);
    writeFileSync(join(server.data, "workspaces", sessionId, "go"), "");
    await client.until(() => client.all("message.tool_complete").length === 2, "the slow one");
    assert.deepEqual([client.all("message.content_delta").length, client.all("message.complete").length], [0, 0], "the run waits");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: false });
    await client.next("message.complete");
    assert.equal(client.all("message.content_delta").map((f) => f.text).join(""), "The last one was quick.");
    const asked = client.all("message.tool_start").map((f) => f.toolCallId);
    const { items } = (await get(server, `/api/v1/sessions/${sessionId}/tool-calls`)).body;
    assert.deepEqual(new Set(items.map((i) => i.toolCallId)), new Set(asked));
  });
});

test("expired while the server was down: a decision afterwards loses, the call was never made", () => {
  const agent = { approval: { run: "always" }, limits: { approval_timeout_ms: 1500 } };
  return withServer(toolConfiguration({ tools: shell, agent }), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: `use run ${JSON.stringify({ program: "sh", arguments: ["-c", "echo x > made"] })}` });
    const card = await client.next("message.approval_required");
    await server.kill();
    await pause(Math.max(0, Date.parse(card.expiresAt) - Date.now() + 50));
    await server.start();
    const late = await post(server, `${approvals}/${card.approvalId}/decide`, { approved: true });
    assert.deepEqual([late.status, late.body.error?.details?.decision], [409, "expired"], late.text);
    await until(async () => (await get(server, `/api/v1/sessions/${client.sessionId}/tool-calls`)).body.items[0]?.status !== "running", "the failed result");
    assert.equal((await get(server, `${approvals}/${card.approvalId}`)).body.status, "expired");
    assert.ok(!existsSync(join(server.data, "workspaces", client.sessionId, "made")));
  });
});

test("a decision survives the model's failure right after it, and a restart", () => {
  const rules = [{ when: { tool: "run" }, say: [{ error: { text: "the upstream broke", retryable: false } }] }];
  return withServer(toolConfiguration({ tools: shell, rules, agent: { approval: { run: "always" } } }), async (server) => {
    const client = await styleB(server);
    client.send({ type: "message.send", content: `use run ${JSON.stringify({ program: "sh", arguments: ["-c", "echo x >> made"] })}` });
    const card = await client.next("message.approval_required");
    client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true, note: "yes" });
    assert.equal((await client.next("message.tool_complete")).success, true);
    await client.next("error");
    await server.kill();
    await server.start();
    const kept = (await get(server, `${approvals}/${card.approvalId}`)).body;
    assert.deepEqual([kept.status, kept.note], ["approved", "yes"]);
    const again = await post(server, `${approvals}/${card.approvalId}/decide`, { approved: false });
    assert.deepEqual([again.status, again.body.error.details.decision], [409, "approved"]);
  });
});

/** What an endpoint of a customer does: verifies with the official library, and answers as `statuses` says (then `otherwise`). */
async function withReceiver(secret, statuses, body) {
  const { Webhook } = await loadStandardWebhooks();
  const heard = Object.assign([], { otherwise: 204 });
  const endpoint = createServer(async (request, response) => {
    let text = "";
    try {
      for await (const piece of request) text += piece;
    } catch {
      return; // killed in the middle of it
    }
    let event;
    try {
      event = new Webhook(secret).verify(text, request.headers);
    } catch (error) {
      event = { broken: error.message };
    }
    heard.push({ id: request.headers["webhook-id"], event, text, headers: request.headers });
    const status = statuses.shift() ?? heard.otherwise;
    if (status === "cut") return request.socket.destroy();
    return response.writeHead(status).end();
  });
  await new Promise((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  try {
    await body(`http://127.0.0.1:${endpoint.address().port}/hook`, heard);
  } finally {
    endpoint.closeAllConnections();
    await new Promise((resolve) => endpoint.close(resolve));
  }
}

const secret = `whsec_${Buffer.from("the secret of the webhook tests!").toString("base64")}`;
const told = (url) => toolConfiguration({ tools: shell, agent: { approval: { run: "always" } }, approvals: { webhook: { url, secret_env: "HOOK_SECRET" } } });
const environment = { env: { HOOK_SECRET: secret } };
async function asking(client) {
  client.send({ type: "message.send", content: `use run ${JSON.stringify({ program: "sh", arguments: ["-c", "true"] })}` });
  return client.next("message.approval_required");
}

test("webhook: a question is told once, with a signature that the official library verifies, and again after a 500", () =>
  withReceiver(secret, [500, "cut"], async (url, heard) =>
    withServer(told(url), async (server) => {
      const client = await styleB(server);
      const card = await asking(client);
      await until(() => heard.length === 3, "three attempts");
      for (const { id, event } of heard) {
        assert.equal(id, card.approvalId);
        assert.deepEqual([event.type, event.data.approvalId, event.data.sessionId, event.data.tool, event.data.kind],
          ["approval.required", card.approvalId, client.sessionId, "run", "tool"], JSON.stringify(event));
        assert.deepEqual(event.data.action, { program: "sh", arguments: ["-c", "true"] });
      }
      client.send({ type: "approval.decide", approvalId: card.approvalId, approved: true });
      await client.next("approval.decided");
      await client.next("message.tool_complete");
      await client.next("message.complete");
      const next = await asking(client);
      await until(() => heard.length === 4, "the next question");
      assert.equal(heard[3].id, next.approvalId, "the first is told no more");
      assert.ok(!server.wholeLog.includes(secret.slice(6)));
    }, environment)));

test("webhook: what could not be told before kill -9 is told after the restart, under the same id; what was decided is not", () =>
  withReceiver(secret, [], async (url, heard) =>
    withServer(told(url), async (server) => {
      heard.otherwise = 500;
      const first = await styleB(server);
      const decided = await asking(first);
      await until(() => heard.some((one) => one.id === decided.approvalId), "the first attempt");
      first.send({ type: "approval.decide", approvalId: decided.approvalId, approved: false });
      await first.next("approval.decided");
      const second = await styleB(server);
      const open = await asking(second);
      await until(() => heard.some((one) => one.id === open.approvalId), "the second question");
      await server.kill();
      const before = heard.length;
      heard.otherwise = 204;
      await server.start();
      await until(() => heard.slice(before).some((one) => one.id === open.approvalId), "the question after the restart");
      assert.ok(heard.slice(before).every((one) => one.id === open.approvalId && one.event.type === "approval.required"));
    }, environment)));

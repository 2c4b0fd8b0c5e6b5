// The head of PROTOCOLS.md, row by row where no other file has it: attaching to a session on every dialect, and what becomes of
// a connection whose credentials end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, SocketClient, styleA, styleB } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { followers } from "./support/followers.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { textOf } from "./support/inbox.mjs";
import { withServer } from "./support/server.mjs";
import { guarded, tokenOf, untilOver, withGuarded, withShortToken } from "./support/tokens.mjs";
import { until } from "./support/waiting.mjs";

test("§head attaching in mid-run without afterSeq: the rest of the live run, on every dialect", () =>
  withHeldModel(async (server, model) => {
    const owner = await styleB(server);
    owner.send({ type: "message.send", content: "hello" });
    (await model.call(0)).say("Hello").end();
    await owner.next("message.complete");
    owner.send({ type: "message.send", content: "long" });
    const call = (await model.call(1)).say(...words.slice(0, 20));
    await owner.until(() => textOf(owner.frames) === `Hello${words.slice(0, 20).join("")}`, "20 words");
    const all = Object.entries(followers);
    const clients = await Promise.all(all.map(([, how]) => how.attach(server, owner.sessionId)));
    // Not every dialect tells when it has attached: a word at a time, until everybody has heard one.
    let told = 20;
    const heard = () => all.every(([, how], i) => how.text(clients[i].frames) !== "");
    await until(() => heard() || (told < 100 && call.say(words[told++]), false), "a word for everybody");
    call.say(...words.slice(told)).end();
    for (const [i, [name, how]] of all.entries()) {
      await clients[i].next(how.end);
      const text = how.text(clients[i].frames);
      assert.ok(text.length > 0 && text.length < longText.length && longText.endsWith(text), `${name}: ${text.slice(0, 80)}`);
    }
    const conversation = clients[all.findIndex(([name]) => name === "conversation")];
    assert.equal(conversation.all("message").at(-1).content, longText, "who renders only the whole message has the whole");
  }));

test("§head attaching with afterSeq: what was missed, then the live rest, on every dialect", () =>
  withServer(standard(), async (server) => {
    const owner = await styleB(server);
    owner.send({ type: "message.send", content: "hello" });
    await owner.next("message.complete");
    owner.send({ type: "message.send", content: "long" });
    await owner.until(() => owner.all("message.content_delta").length >= 40, "40 deltas");
    const known = owner.all("message.content_delta");
    const afterSeq = known[20].seq;
    const before = textOf(known.slice(3, 21)); // the first three are of the first answer
    for (const [name, how] of Object.entries(followers)) {
      const client = await how.attach(server, owner.sessionId, { afterSeq });
      await client.next(how.end);
      assert.equal(before + how.text(client.frames), longText, name);
      const whole = await how.attach(server, owner.sessionId, { afterSeq: 0 });
      for (let i = 0; i < 2; ++i) await whole.next(how.end);
      assert.equal(how.text(whole.frames), `Hello, world${longText}`, name);
    }
    const room = await followers["chat-room"].attach(server, owner.sessionId);
    room.emit("chat:join", { conversationId: owner.sessionId, afterSeq: "soon" });
    assert.match((await room.next("exception")).message, /afterSeq/);
    const events = await followers["chat-events"].attach(server, owner.sessionId);
    assert.match((await events.ask("join-chat", { chatId: owner.sessionId, afterSeq: -1 })).message, /afterSeq/);
  }));

test("§head attaching to a parked run: the open approval card, on every dialect", () =>
  withServer(standard(), async (server) => {
    const { body } = await post(server, "/api/v1/chat", { projectId: "demo", message: "delete report" });
    assert.equal(body.status, "pending");
    const { sse, ...live } = followers;
    for (const [name, how] of Object.entries(live)) {
      const client = await how.attach(server, body.sessionId);
      const card = await client.next(how.card);
      assert.ok(JSON.stringify(card).includes(name === "conversation" ? "report.txt" : body.approvalId), `${name}: ${JSON.stringify(card)}`);
    }
    const stream = await sse.attach(server, body.sessionId, { afterSeq: 0 });
    assert.equal((await stream.next(sse.card)).approvalId, body.approvalId);
  }));

test("§head delivery stops when a token expires, on every dialect and on event streams", () =>
  withHeldModel(async (server, model) => {
    const owner = await styleA(server, { projectId: "demo", token: tokenOf("ana") });
    owner.send({ type: "message.send", content: "hello" });
    const { sessionId } = await owner.next("session.created");
    (await model.call(0)).say("Hello").end();
    await owner.next("message.complete");
    const lasting = await Promise.all(Object.values(followers).map((how) => how.attach(server, sessionId, { token: tokenOf("ana") })));
    owner.send({ type: "message.send", content: "long" });
    const call = await model.call(1);
    const [short, exp] = await withShortToken((claims) => tokenOf("ana", claims), async (token, exp) =>
      [await Promise.all(Object.values(followers).map((how) => how.attach(server, sessionId, { token }))), exp]);
    call.say(...words.slice(0, 60));
    await untilOver(exp);
    call.say(...words.slice(60)).end();
    await owner.next("message.complete");
    const whole = longText;
    for (const [i, [name, how]] of Object.entries(followers).entries()) {
      await lasting[i].next(how.end);
      assert.equal(how.text(lasting[i].frames), whole, `${name} with a valid token`);
      const seen = how.text(short[i].frames);
      assert.ok(seen.length <= words.slice(0, 60).join("").length, `${name} with the expired one has ${seen.length} of ${whole.length}`);
      assert.ok(whole.startsWith(seen), name);
      assert.equal(short[i].all(how.end).length, 0, name);
    }
  }, guarded));

test("§head an expired token may do nothing more on a socket that is open", () =>
  withGuarded(async (server) => {
    const [nexus, open] = await withShortToken((claims) => tokenOf("ana", claims), async (token) => {
      const sockets = [
        await SocketClient.open(server, `/ws/chat/mine?token=${token}`), await SocketClient.open(server, `/api/v1/ws/chat/writer?token=${token}`),
      ];
      const nexus = await styleA(server, { projectId: "demo", token });
      await nexus.next((frame) => frame.type === "auth.success" || frame.type === "error");
      assert.deepEqual(nexus.all("error"), []);
      return [nexus, sockets];
    });
    const told = (frame) => frame.type === "error" && /token|credential/i.test(JSON.stringify(frame));
    for (const client of [nexus, ...open]) {
      const sending = setInterval(() => client.ws.readyState === 1 && client.send({ type: "message.send", message: "hello", content: "hello" }), 200);
      const error = await client.next(told).finally(() => clearInterval(sending));
      if (client === nexus) assert.match(error.code, /^AUTH_(REQUIRED|FAILED)$/);
    }
    nexus.send({ type: "auth", token: tokenOf("ana") });
    await nexus.next("auth.success");
    nexus.send({ type: "message.send", content: "hello" });
    await nexus.next("message.complete");
  }));

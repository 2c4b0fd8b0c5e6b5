// Clients of `chat-events` that come back (PROTOCOLS §6, state recovery): in the middle of a message, after whole turns, after
// SIGKILL of the server, with the official Socket.IO client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chunks, ended, listen, newChat, say, screen } from "./support/chat_events.mjs";
import { get, request } from "./support/clients.mjs";
import { longText, standard, words } from "./support/configuration.mjs";
import { withHeldModel } from "./support/held_model.mjs";
import { loadSocketIo } from "./support/packages.mjs";
import { withServer } from "./support/server.mjs";

/** A client that comes back by itself. */
const stubborn = (server, options = {}) =>
  listen(server, { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50, ...options });

test("a transport that breaks in the middle of a message: the rest comes, nothing twice, nothing missing", () =>
  withServer(standard(), async (server) => {
    const whole = await listen(server);
    for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
      const client = await stubborn(server, { transports });
      const [chatId, other] = [await newChat(server), await newChat(server)];
      const sent = [say(server, chatId, "long"), say(server, other, "clock")];
      for (const seen of [5, 30, 60]) {
        await client.until(() => chunks(client, chatId).length >= seen, `${seen} chunks`);
        const back = new Promise((resolve) => client.socket.once("connect", resolve));
        client.socket.io.engine.close();
        await back;
        assert.equal(client.socket.recovered, true);
      }
      await Promise.all(sent);
      for (const id of [chatId, other]) {
        await client.until(() => client.all(ended(id)).length > 0, "the end");
        await whole.until(() => whole.all(ended(id)).length > 0, "the end");
        assert.deepEqual(client.all({ chatId: id }), whole.all({ chatId: id }), transports.join());
      }
      assert.equal(screen(client.frames, chatId).text, longText);
      client.close();
    }
  }));

test("whole turns while a client is away, of chats old and new, come when it is back", () =>
  withServer(standard(), async (server) => {
    const whole = await listen(server);
    const client = await stubborn(server, { reconnection: false });
    const chats = [await newChat(server), await newChat(server)];
    await say(server, chats[0], "hello");
    await client.next(ended(chats[0]));
    client.socket.io.engine.close();
    await say(server, chats[0], "clock");
    await say(server, chats[1], "hello");
    chats.push(await newChat(server));
    await say(server, chats[2], "hello");
    await request(server, "DELETE", `/api/v1/chats/${chats[1]}`);
    await whole.next("chat-deleted");
    client.socket.connect();
    await client.next("chat-deleted");
    await client.until(() => client.all(ended(chats[2])).length > 0, "the last end");
    assert.equal(client.socket.recovered, true);
    for (const chatId of chats) assert.deepEqual(client.all({ chatId }), whole.all({ chatId }));
    assert.equal(client.all("chat-created").length, 3);
  }));

test("after SIGKILL in the middle of a message: text that was lost is revoked, and the answer is whole", () =>
  withHeldModel(async (server, model) => {
    const client = await stubborn(server, { transports: ["websocket"] });
    const chatId = await newChat(server);
    for (const [turn, seen] of [3, 40].entries()) {
      say(server, chatId, "long").catch(() => {});
      (await model.call(2 * turn)).say(...words.slice(0, seen));
      await client.until(() => screen(client.frames, chatId).text === words.slice(0, seen).join(""), `${seen} words`);
      await server.kill();
      await server.start();
      (await model.call(2 * turn + 1)).say(...words).end();
      await client.until(() => client.all(ended(chatId)).length > turn, "the end");
      assert.equal(client.socket.recovered, true);
    }
    const shown = screen(client.frames, chatId);
    assert.deepEqual(shown.answers, [longText, longText]);
    assert.ok(shown.starts >= 4, "a second start each time");
    const stored = (await get(server, `/api/v1/chats/${chatId}/messages`)).body;
    assert.deepEqual(stored.map((m) => [m.content, m.answer]), [["long", longText], ["long", longText]]);
  }, { keepsPort: true }));

test("who joined chats is in them again after a break, and gets what it missed of each", () =>
  withServer(standard(), async (server) => {
    const whole = await listen(server);
    const client = await stubborn(server);
    const chats = [await newChat(server), await newChat(server), await newChat(server)];
    for (const chatId of chats.slice(0, 2)) await client.ask("join-chat", { chatId });
    const sent = chats.map((chatId) => say(server, chatId, "long"));
    await client.until(() => chats.slice(0, 2).every((chatId) => chunks(client, chatId).length >= 10), "chunks of both");
    const back = new Promise((resolve) => client.socket.once("connect", resolve));
    client.socket.io.engine.close();
    await back;
    await Promise.all(sent);
    for (const chatId of chats.slice(0, 2)) {
      await client.until(() => client.all(ended(chatId)).length > 0, "the end");
      await whole.until(() => whole.all(ended(chatId)).length > 0, "the end");
      assert.deepEqual(client.all({ chatId }), whole.all({ chatId }));
    }
    assert.deepEqual(client.all((f) => f.chatId === chats[2] && f.type !== "chat-created"), []);
  }));

test("an offset that is nonsense, or somebody's invention, is a fresh start", () =>
  withServer(standard(), async (server) => {
    const chatId = await newChat(server);
    await say(server, chatId, "hello");
    for (const offset of ["x", "-", "at:1", `at:${Date.now() + 1e6}`, 5, { a: 1 }, "x".repeat(10_000)]) {
      const client = await listen(server, { auth: { pid: "of nobody", offset } });
      assert.equal(client.socket.recovered, false);
      await say(server, chatId, "hello");
      await client.next(ended(chatId));
      assert.equal(screen(client.frames, chatId).ends, 1);
      client.close();
    }
  }));

test("recovery can be turned off: no private id, and no offset behind the events", () =>
  withServer(standard({ socketio: { recovery: false } }), async (server) => {
    const { io } = await loadSocketIo();
    const socket = io(server.url, { reconnection: false, forceNew: true });
    server.onEnd(() => socket.close());
    const came = new Promise((resolve) => socket.on("chat-created", (...args) => resolve(args)));
    await new Promise((resolve) => socket.on("connect", resolve));
    await newChat(server);
    assert.equal((await came).length, 1);
    assert.equal(socket._pid, undefined);
  }));

// Engine.IO and Socket.IO on the server's own port (PROTOCOLS §6): its defaults and options, and clients that misbehave. What
// the protocol suites ask for is in conformance_engineio and conformance_socketio.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { get, request } from "./support/clients.mjs";
import { Polling, Raw } from "./support/conformance.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { until, untilInOrder } from "./support/waiting.mjs";
import { SocketIoClient } from "./support/socketio.mjs";

const endpoint = (server) => `${server.url}/socket.io/`;
const withSocketIo = (socketio, body) => withServer(standard({ socketio }), body);

/** A connection in the main namespace, over WebSocket. */
async function bare(server) {
  const raw = await Raw.open(`${endpoint(server)}?EIO=4&transport=websocket`);
  raw.handshake = JSON.parse((await raw.next()).slice(1));
  return raw;
}

test("§6 open: exactly five fields with the defaults; upgrades only over polling; every number configurable", async () => {
  const told = async (server) => {
    const { sid, ...polling } = (await Polling.open(endpoint(server))).handshake;
    const { sid: other, ...websocket } = (await bare(server)).handshake;
    assert.ok(typeof sid === "string" && sid.length >= 20 && sid !== other);
    assert.deepEqual([polling.upgrades, websocket.upgrades], [["websocket"], []]);
    assert.deepEqual({ ...polling, upgrades: [] }, websocket);
    return websocket;
  };
  await withServer(standard(), async (server) =>
    assert.deepEqual(await told(server), { upgrades: [], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1000000 }));
  await withSocketIo({ ping_interval_ms: 1234, ping_timeout_ms: 567, max_payload: 20000 }, async (server) =>
    assert.deepEqual(await told(server), { upgrades: [], pingInterval: 1234, pingTimeout: 567, maxPayload: 20000 }));
});

test("§6 bad requests: 400 with {code, message}, as the reference words them", () =>
  withServer(standard(), async (server) => {
    const { sid } = (await Polling.open(endpoint(server))).handshake;
    const table = [
      ["GET", "EIO=4&transport=carrier-pigeon", 0, "Transport unknown"], ["GET", "EIO=4", 0, "Transport unknown"],
      ["GET", "EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"], ["POST", "EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"],
      ["POST", "EIO=4&transport=polling", 2, "Bad handshake method"], ["GET", "EIO=4&transport=websocket", 3, "Bad request"],
      ["PUT", `EIO=4&transport=polling&sid=${sid}`, 3, "Bad request"],
      ["GET", "EIO=3&transport=polling", 5, "Unsupported protocol version"], ["GET", "transport=polling", 5, "Unsupported protocol version"],
    ];
    for (const [method, query, code, message] of table) {
      const answer = await request(server, method, `/socket.io/?${query}`);
      assert.deepEqual([answer.status, answer.body], [400, { code, message }], `${method} ${query}`);
    }
  }));

test("§6 heartbeat and connect timeout: without a pong, or without a CONNECT, the session ends", () =>
  withSocketIo({ ping_interval_ms: 100, ping_timeout_ms: 100, connect_timeout_ms: 400 }, async (server) => {
    const silent = await bare(server);
    silent.send("40");
    await silent.end();
    assert.ok(silent.unread().includes("2"), "it was asked before");
    const idle = await bare(server);
    idle.answersPings = true;
    await idle.end();
    await untilInOrder(async () => {
      const polling = await Polling.open(endpoint(server));
      const first = (await polling.get()).text;
      const last = await until(async () => {
        const { text } = await polling.get(); // the end, whatever it is called
        return text.startsWith("{") && text;
      }, "the end of a poll");
      assert.deepEqual(JSON.parse(last), { code: 1, message: "Session ID unknown" });
      return first === "2"; // else it came after the end
    }, "a poll and its ping");
  }));

test("§6 payloads over the limit: a POST is refused, a WebSocket message closes with 1009, what fits is taken", () =>
  withSocketIo({ max_payload: 20000 }, async (server) => {
    const polling = await Polling.open(endpoint(server));
    assert.equal((await polling.post(`40${" ".repeat(30_000)}`)).status, 413);
    assert.equal((await polling.post("40")).status, 200);
    assert.match((await polling.get()).text, /^40/);
    const large = await bare(server);
    large.send("4".padEnd(20_001, "x"));
    assert.equal(await large.end(), 1009);
    const fits = await bare(server);
    fits.send("40");
    assert.match(await fits.next(), /^40/);
    fits.send(`421["anything","${"x".repeat(19_000)}"]`);
    assert.match(await fits.next(), /^431/);
  }));

test("§6 thousands of namespaces: each is refused in order, the connection and its neighbours go on, memory stays", () =>
  withServer(standard(), async (server) => {
    const client = await bare(server);
    client.answersPings = true;
    const neighbour = await SocketIoClient.open(server, "/chat");
    const resident = async () => Number((await get(server, "/metrics")).text.match(/^process_resident_memory_bytes (\d+)/m)[1]);
    const before = await resident();
    const count = 5000;
    for (let i = 0; i < count; ++i) client.send(`40/n${i},{"token":"${"t".repeat(500)}"}`);
    for (let i = 0; i < count; ++i) assert.equal(await client.next(), `44/n${i},{"message":"Invalid namespace"}`);
    assert.equal((await neighbour.ask("chat:leave", { conversationId: "x" })).status, "ok");
    client.send("40", "40/chat,");
    assert.match(await client.next(), /^40\{/);
    assert.match(await client.next(), /^40\/chat,\{/);
    assert.ok((await resident()) - before < 16 << 20, "nothing is kept of them");
    client.send(`40/${"n".repeat(100_000)},`);
    assert.match(await Promise.race([client.next().catch(String), client.end().then(String)]), /^(44|1\d{3}|Error)/);
  }));

/** A poll whose client vanishes: the request is on its way, nobody reads the answer. */
function abandonedPoll(server, sid) {
  return new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1", () =>
      socket.write(`GET /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => resolve(socket)));
    socket.on("error", () => {});
    server.onEnd(() => socket.destroy());
  });
}

/** True once the server knows this sid no more; PUT is refused either way and touches nothing. */
async function isGone(server, sid) {
  const { body } = await request(server, "PUT", `/socket.io/?EIO=4&transport=polling&sid=${sid}`);
  assert.ok([1, 3].includes(body.code), JSON.stringify(body));
  return body.code === 1;
}
const untilGone = (server, sids) =>
  until(async () => {
    const gone = await Promise.all(sids.map((sid) => isGone(server, sid)));
    sids = sids.filter((_, i) => !gone[i]);
    return sids.length === 0;
  }, "the end of the sessions");
const polls = async (server, count) => {
  const sids = (await Promise.all(Array.from({ length: count }, () => Polling.open(endpoint(server))))).map((session) => session.handshake.sid);
  return { sids, sockets: await Promise.all(sids.map((sid) => abandonedPoll(server, sid))) };
};

test("§6 half-open polls: those that are cut off end their session, those that fall silent end with the heartbeat", async () => {
  await withServer(standard(), async (server) => {
    const { sids, sockets } = await polls(server, 100);
    for (const [i, socket] of sockets.entries()) if (i % 2) socket.resetAndDestroy();
    await untilGone(server, sids.filter((_, i) => i % 2));
    for (const sid of sids.filter((_, i) => i % 2 === 0)) assert.equal(await isGone(server, sid), false);
  });
  await withSocketIo({ ping_interval_ms: 300, ping_timeout_ms: 200 }, async (server) => {
    const { sids } = await polls(server, 100);
    await untilGone(server, sids);
    await Polling.open(endpoint(server)); // the next one is let in
  });
});

test("§6 duplicate sids: a second GET at the same time closes the session; POST 1 closes it, and the pending GET gets 6", () =>
  withServer(standard(), async (server) => {
    const twice = await Polling.open(endpoint(server));
    const [one, two] = await Promise.all([twice.get(), twice.get()]);
    assert.deepEqual([one.status, two.status].sort(), [200, 400]);
    assert.equal(await isGone(server, twice.handshake.sid), true);
    await untilInOrder(async (headStartMs) => {
      const closed = await Polling.open(endpoint(server));
      await closed.post("40");
      assert.match((await closed.get()).text, /^40/);
      const pending = closed.get();
      await pause(headStartMs);
      assert.equal((await closed.post("1")).text, "ok");
      assert.equal(await isGone(server, closed.handshake.sid), true);
      const { status, text } = await pending;
      if (status === 200) assert.equal(text, "6");
      return status === 200; // else the POST was first
    }, "a GET and the end of its session");
  }));

test("§6 upgrade races: of many WebSockets on one sid one wins, and the session talks on it", () =>
  withServer(standard(), async (server) => {
    for (let round = 0; round < 5; ++round) {
      const session = await Polling.open(endpoint(server));
      await session.post("40");
      assert.match((await session.get()).text, /^40/);
      const sockets = await Promise.all(Array.from({ length: 12 }, () => session.upgrade()));
      for (const socket of sockets) socket.send("2probe");
      const answers = await Promise.all(sockets.map((socket) => socket.next().catch(() => "closed")));
      const winners = sockets.filter((_, i) => answers[i] === "3probe");
      assert.equal(winners.length, 1, answers.join());
      winners[0].send("5", '421["anything"]');
      assert.match(await winners[0].nextPacket(), /^431\[/);
      assert.equal((await session.get()).status, 400);
      for (const socket of sockets.filter((s) => s !== winners[0])) await socket.end();
      winners[0].stop();
    }
  }));

test("§6 threads: the requests of one sid may come on as many connections as they like", () =>
  withServer(standard(), async (server) => {
    const opened = await get(server, "/socket.io/?EIO=4&transport=polling"); // each of these calls has its own connection
    const path = `/socket.io/?EIO=4&transport=polling&sid=${JSON.parse(opened.text.slice(1)).sid}`;
    assert.equal((await request(server, "POST", path, "40/chat,")).text, "ok");
    assert.match((await get(server, path)).text, /^40\/chat,/);
    for (let i = 0; i < 20; ++i) {
      const poll = get(server, path);
      assert.equal((await request(server, "POST", path, `42/chat,${i}["chat:leave",{"conversationId":"x"}]`)).text, "ok");
      assert.equal((await poll).text, `43/chat,${i}[{"status":"ok"}]`);
    }
  }));

test("§6 state recovery: CONNECT answers {sid, pid}, or only {sid} where it is turned off", async () => {
  const connected = async (server) => {
    const client = await bare(server);
    client.send("40");
    return Object.keys(JSON.parse((await client.next()).slice(2)));
  };
  await withServer(standard(), async (server) => assert.deepEqual(await connected(server), ["sid", "pid"]));
  await withSocketIo({ recovery: false }, async (server) => assert.deepEqual(await connected(server), ["sid"]));
});

test("§6 socket.io-client 4.x and 3.x work unmodified on both namespaces, 2.x is refused with code 5", () =>
  withServer(standard(), async (server) => {
    for (const name of ["socket.io-client", "socket.io-client-3"])
      for (const namespace of ["/", "/chat"])
        for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
          const client = await SocketIoClient.open(server, namespace, { package: name, transports });
          const acknowledged = new Promise((resolve) => client.socket.emit("leave-chat", { chatId: "x" }, resolve));
          if (namespace === "/") assert.equal((await acknowledged).status, "error");
          client.close();
        }
    await assert.rejects(SocketIoClient.open(server, "/", { package: "socket.io-client-2" }));
  }));

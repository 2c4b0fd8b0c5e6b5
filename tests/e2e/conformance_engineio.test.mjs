// Engine.IO v4 (PROTOCOLS §6) at the level of packets: what the protocol's own suite asks for, and the races of the upgrade.
// The official client is in conformance_socketio.test.mjs.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { beating, Polling, Raw, startConformanceServer, strict, within } from "./support/conformance.mjs";
import { until, untilInOrder } from "./support/waiting.mjs";

const server = await startConformanceServer();
const endpoint = `${server}/engine.io/`;
const beatingEndpoint = `${await startConformanceServer(beating)}/engine.io/`;
const strictEndpoint = `${await startConformanceServer(strict)}/engine.io/`;

const errors = {
  transport: '{"code":0,"message":"Transport unknown"}',
  sid: '{"code":1,"message":"Session ID unknown"}',
  method: '{"code":2,"message":"Bad handshake method"}',
  request: '{"code":3,"message":"Bad request"}',
  version: '{"code":5,"message":"Unsupported protocol version"}',
};

function assertHandshake(value, upgrades) {
  const { sid, ...rest } = value;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, { upgrades, pingInterval: 25_000, pingTimeout: 60_000, maxPayload: 1_000_000 });
}

async function openWebSocket() {
  const client = await Raw.open(`${endpoint}?EIO=4&transport=websocket`);
  const open = await client.next();
  assert.equal(open[0], "0");
  assertHandshake(JSON.parse(open.slice(1)), []);
  return client;
}

async function assertGone(session) {
  const answer = await session.get();
  assert.deepEqual([answer.status, answer.text], [400, errors.sid]);
}

/** Until the session is over. PUT is refused either way and touches nothing. */
const untilGone = (session) => until(async () => (await session.get({ method: "PUT" })).text === errors.sid, "the end of the session");

/** Moves a session to WebSocket. */
async function upgraded() {
  const session = await Polling.open(endpoint);
  const socket = await session.upgrade();
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  socket.send("5", "4moved");
  assert.equal(await socket.nextPacket(), "4moved");
  return { session, socket };
}

test("handshake over polling: one open packet with exactly its fields", async () => {
  const answer = await fetch(`${endpoint}?EIO=4&transport=polling`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type"), /^text\/plain/);
  const text = await answer.text();
  assert.equal(text[0], "0");
  assertHandshake(JSON.parse(text.slice(1)), ["websocket"]);
});

test("handshake over WebSocket: no upgrades are offered", async () => (await openWebSocket()).stop());

test("handshake: every mistake over HTTP has its code", async () => {
  const mistakes = [
    ["GET", "transport=polling", errors.version],
    ["GET", "EIO=abc&transport=polling", errors.version],
    ["GET", "EIO=3&transport=polling", errors.version],
    ["GET", "EIO=4", errors.transport],
    ["GET", "EIO=4&transport=abc", errors.transport],
    ["POST", "EIO=4&transport=polling", errors.method],
    ["PUT", "EIO=4&transport=polling", errors.method],
    ["GET", "EIO=4&transport=websocket", errors.request],
    ["GET", "EIO=4&transport=polling&sid=unknown", errors.sid],
    ["POST", "EIO=4&transport=polling&sid=unknown", errors.sid],
  ];
  for (const [method, query, body] of mistakes) {
    const answer = await fetch(`${endpoint}?${query}`, { method });
    assert.deepEqual([answer.status, await answer.text()], [400, body], `${method} ${query}`);
    assert.match(answer.headers.get("content-type"), /^application\/json/);
  }
});

test("handshake: mistakes over WebSocket are refused before it opens", async () => {
  for (const query of [
    "transport=websocket",
    "EIO=abc&transport=websocket",
    "EIO=3&transport=websocket",
    "EIO=4",
    "EIO=4&transport=abc",
    "EIO=4&transport=polling",
    "EIO=4&transport=websocket&sid=unknown",
  ]) {
    const client = Raw.start(`${endpoint}?${query}`);
    await client.end();
    assert.equal(client.refused, 400, query);
  }
});

test("message over polling: packets come back as they went, in one payload", async () => {
  for (const payload of ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4", "4€ \u{1f600}", "b\x1eb/+8="]) {
    const session = await Polling.open(endpoint);
    const pushed = await session.post(payload);
    assert.deepEqual([pushed.status, pushed.text, pushed.type], [200, "ok", "text/html"]);
    const polled = await session.get();
    assert.deepEqual([polled.status, polled.text], [200, payload]);
  }
});

test("message over polling: a GET that waits gets everything of one POST", async () => {
  const session = await Polling.open(endpoint);
  const polled = session.get();
  await session.post("4a\x1e4b\x1e4c");
  assert.equal((await polled).text, "4a\x1e4b\x1e4c");
});

test("message over polling: an invalid packet closes the session", async () => {
  for (const body of ["abc", "4a\x1eabc", "", "4a\x1e", "b!!!!", "7", "2"]) {
    const session = await Polling.open(endpoint);
    assert.equal((await session.post(body)).status, 400, JSON.stringify(body));
    await assertGone(session);
  }
});

test("message over polling: text that is not UTF-8 closes the session", async () => {
  const session = await Polling.open(endpoint);
  assert.equal((await session.post(Uint8Array.from([0x34, 0xff, 0xfe]))).status, 400);
  await assertGone(session);
});

test("message over polling: more than maxPayload is refused, the session goes on", async () => {
  const session = await Polling.open(endpoint);
  assert.equal((await session.post("4".padEnd(1_000_001, "x"))).status, 413);
  const largest = "4".padEnd(1_000_000, "x");
  assert.equal((await session.post(largest)).status, 200);
  assert.equal((await session.get()).text, largest);
});

test("message over polling: answers are cut at maxPayload and keep their order", async () => {
  const session = await Polling.open(endpoint);
  const parts = ["4a".padEnd(600_000, "a"), "4b".padEnd(600_000, "b"), "4c"];
  await session.post(parts[0]);
  await session.post(`${parts[1]}\x1e${parts[2]}`);
  assert.equal((await session.get()).text, parts[0]);
  assert.equal((await session.get()).text, `${parts[1]}\x1e${parts[2]}`);
});

test("a second GET closes the session: the first gets a close packet, the second 400", async () => {
  const session = await Polling.open(endpoint);
  // Which of the two comes first is for the machine to say.
  const answers = await Promise.all([session.get(), session.get()]);
  const [first, second] = answers.sort((a, b) => a.status - b.status);
  assert.deepEqual([second.status, second.text], [400, errors.request]);
  assert.deepEqual([first.status, first.text], [200, "1"]);
  await assertGone(session);
});

test("a GET that the client cancels closes the session", async () => {
  const session = await Polling.open(endpoint);
  const { port, pathname, search } = new URL(session.url);
  const socket = connect(Number(port), "127.0.0.1");
  await new Promise((resolve) => socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\n\r\n`, resolve));
  socket.destroy();
  await untilGone(session);
});

test("message over WebSocket: text and binary come back as they went", async () => {
  const client = await openWebSocket();
  client.send("4hello", Uint8Array.from([1, 2, 3, 4]), "4", "4€", "bAQID");
  assert.equal(await client.nextPacket(), "4hello");
  assert.deepEqual(await client.nextPacket(), Buffer.from([1, 2, 3, 4]));
  assert.equal(await client.nextPacket(), "4");
  assert.equal(await client.nextPacket(), "4€");
  assert.deepEqual(await client.nextPacket(), Buffer.from([1, 2, 3]));
  client.stop();
});

test("message over WebSocket: invalid packets and pings of a client close it", async () => {
  for (const packet of ["abc", "", "7", "2", "b!"]) {
    const client = await openWebSocket();
    client.send(packet);
    assert.equal(await client.end(), 1002, JSON.stringify(packet));
  }
});

test("message over WebSocket: more than maxPayload closes with 1009", async () => {
  const client = await openWebSocket();
  const largest = "4".padEnd(1_000_000, "x");
  client.send(largest);
  assert.equal(await client.nextPacket(), largest);
  client.send(`${largest}x`);
  assert.equal(await client.end(), 1009);
});

test("heartbeat over polling: a ping each interval, answered by POST", async () => {
  const session = await Polling.open(beatingEndpoint);
  for (let i = 0; i < 3; ++i) {
    const polled = await session.get();
    assert.deepEqual([polled.status, polled.text], [200, "2"]);
    assert.equal((await session.post("3")).status, 200);
  }
});

test("heartbeat over polling: without a pong the session is closed", async () => {
  await untilGone(await Polling.open(strictEndpoint));
});

test("heartbeat over polling: a GET that waits is told of the end", () =>
  untilInOrder(async () => {
    const session = await Polling.open(strictEndpoint);
    const [ping, end] = [await session.get(), await session.get()];
    await assertGone(session);
    if (end.text === errors.sid) return false; // it came after the end
    assert.deepEqual([ping.text, end.text], ["2", "1"]);
    return true;
  }, "a GET and the end"));

test("heartbeat over WebSocket: a ping each interval, and the end without a pong", async () => {
  const before = performance.now();
  const client = await Raw.open(`${beatingEndpoint}?EIO=4&transport=websocket`);
  assert.equal((await client.next())[0], "0");
  for (let i = 0; i < 3; ++i) {
    assert.equal(await client.next(), "2");
    client.send("3");
  }
  assert.ok(performance.now() - before > 3 * 0.9 * beating.pingInterval, "pings are an interval apart");
  client.stop();
  const silent = await Raw.open(`${strictEndpoint}?EIO=4&transport=websocket`);
  await silent.end();
  assert.equal(silent.unread().at(-1), "2", "it was asked before");
});

test("close over polling: the GET that waits gets a noop", async () => {
  const session = await Polling.open(endpoint);
  const [polled, pushed] = await Promise.all([session.get(), session.post("1")]);
  assert.equal(pushed.text, "ok");
  // The POST may overtake the GET on its own connection, which then finds no session any more.
  if (polled.status === 200) assert.equal(polled.text, "6");
  else assert.equal(polled.text, errors.sid);
  await assertGone(session);
});

test("close over polling: a GET that was there first gets a noop", () =>
  untilInOrder(async (headStartMs) => {
    const session = await Polling.open(endpoint);
    const polling = session.get();
    await pause(headStartMs);
    await session.post("1");
    const polled = await polling;
    if (polled.text === errors.sid) return false;
    assert.deepEqual([polled.status, polled.text], [200, "6"]);
    return true;
  }, "a GET and the end of its session"));

test("close over WebSocket: the server closes it", async () => {
  const client = await openWebSocket();
  client.send("1");
  await client.end();
});

test("upgrade: probe, noop for the GET, upgrade, messages over WebSocket", async () => {
  const session = await Polling.open(endpoint);
  const socket = await session.upgrade();
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  const polled = await session.get();
  assert.deepEqual([polled.status, polled.text], [200, "6"]);
  socket.send("5", "4hello");
  assert.equal(await socket.nextPacket(), "4hello");
  socket.stop();
});

test("upgrade: a GET that waits is sent away by the probe", () =>
  untilInOrder(async (headStartMs) => {
    const session = await Polling.open(endpoint);
    const polling = session.get();
    await pause(headStartMs);
    const socket = await session.upgrade();
    socket.send("2probe", "5");
    assert.equal(await socket.next(), "3probe");
    const polled = await polling;
    socket.stop();
    if (polled.status === 400) return false; // it came behind the upgrade
    assert.deepEqual([polled.status, polled.text], [200, "6"]);
    return true;
  }, "a GET and the probe"));

test("upgrade: afterwards HTTP is refused and the WebSocket goes on", async () => {
  const { session, socket } = await upgraded();
  const polled = await session.get();
  assert.deepEqual([polled.status, polled.text], [400, errors.request]);
  assert.equal((await session.post("4lost")).status, 400);
  socket.send("4hello");
  assert.equal(await socket.nextPacket(), "4hello");
  socket.stop();
});

test("upgrade: a GET behind probe and upgrade is refused, however close behind", async () => {
  for (let i = 0; i < 20; ++i) {
    const session = await Polling.open(endpoint);
    const socket = await session.upgrade();
    socket.send("2probe", "5");
    const { status, text } = await session.get();
    if (status !== 400) assert.deepEqual([status, text], [200, "6"], "only where it overtook them");
    await until(async () => (await session.get()).status === 400, "the upgrade");
    socket.stop();
  }
});

test("upgrade: another WebSocket of the same session is closed", async () => {
  const { session, socket } = await upgraded();
  const second = await session.upgrade();
  assert.equal(await second.end(), 1008);
  socket.send("4hello");
  assert.equal(await socket.nextPacket(), "4hello");
  socket.stop();
});

test("upgrade: of two probes the first wins", async () => {
  const session = await Polling.open(endpoint);
  const first = await session.upgrade();
  const second = await session.upgrade();
  await second.end();
  first.send("2probe", "5", "4hello");
  assert.equal(await first.nextPacket(), "3probe");
  assert.equal(await first.nextPacket(), "4hello");
  first.stop();
});

test("upgrade: what is posted and queued while probing arrives once, in order", async () => {
  const session = await Polling.open(endpoint);
  await session.post("4one");
  const socket = await session.upgrade();
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  assert.equal((await session.post("4two\x1ebAQID")).status, 200);
  assert.equal((await session.get()).text, "4one\x1e4two\x1ebAQID");
  await session.post("4three\x1ebBAU=");
  socket.send("5", "4four");
  assert.equal(await socket.nextPacket(), "4three");
  assert.deepEqual(await socket.nextPacket(), Buffer.from([4, 5]));
  assert.equal(await socket.nextPacket(), "4four");
  socket.stop();
});

test("upgrade: a probe that says something else, or goes, leaves the session on polling", async () => {
  const session = await Polling.open(endpoint);
  const rude = await session.upgrade();
  rude.send("4hello");
  await rude.end();
  const gone = await session.upgrade();
  gone.send("2probe");
  assert.equal(await gone.next(), "3probe");
  gone.stop();
  await gone.end();
  await session.post("4still here");
  assert.equal((await session.get()).text, "4still here");
});

test("upgrade: a session that ends takes its probe with it", async () => {
  const session = await Polling.open(endpoint);
  const socket = await session.upgrade();
  await session.post("1");
  await socket.end();
});

test("paths: anything else is 404", async () => {
  for (const path of ["/", "/engine.io.js", "/engine.io/x", "/socket.iox"]) {
    assert.equal((await fetch(server + path)).status, 404, path);
    const client = Raw.start(server + path);
    await within(client.closed, "the refusal");
    assert.equal(client.refused, 404, path);
  }
});

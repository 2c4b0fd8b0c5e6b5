// Socket.IO v5 (PROTOCOLS §6): what the protocol's own suite asks for, packet by packet, and the official clients unmodified.
import assert from "node:assert/strict";
import { test } from "node:test";
import { beating, Polling, Raw, startConformanceServer, strict, within } from "./support/conformance.mjs";
import { loadSocketIo } from "./support/packages.mjs";
import { until, untilInOrder } from "./support/waiting.mjs";

const server = await startConformanceServer(beating);
const endpoint = `${server}/socket.io/`;
const calmEndpoint = `${await startConformanceServer()}/socket.io/`;
const hastyEndpoint = `${await startConformanceServer({ connectTimeout: 1000 })}/socket.io/`;
const strictServer = await startConformanceServer(strict);

// ---- Packets.

/** An Engine.IO connection that has said nothing yet. */
async function bare(at = endpoint) {
  const client = await Raw.open(`${at}?EIO=4&transport=websocket`);
  client.answersPings = true;
  assert.equal((await client.next())[0], "0");
  return client;
}

/** A connection to the main namespace. */
async function connected() {
  const client = await bare();
  client.send("40");
  assert.match(await client.nextPacket(), /^40\{"sid":"[\w-]{20,}"\}$/);
  assert.equal(await client.nextPacket(), '42["auth",{}]');
  return client;
}

test("Engine.IO underneath: handshake, heartbeat and refusals are the same", async () => {
  const session = await Polling.open(endpoint);
  const { sid, ...rest } = session.handshake;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, { upgrades: ["websocket"], ...beating, maxPayload: 1_000_000 });
  for (let i = 0; i < 2; ++i) {
    assert.equal((await session.get()).text, "2");
    assert.equal((await session.post("3")).text, "ok");
  }
  for (const query of ["transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=abc"])
    assert.equal((await fetch(`${endpoint}?${query}`)).status, 400, query);
  for (const method of ["POST", "PUT"])
    assert.equal((await fetch(`${endpoint}?EIO=4&transport=polling`, { method })).status, 400, method);
});

test("Engine.IO underneath: upgrade at once, without waiting for the probe's answer", async () => {
  const session = await Polling.open(calmEndpoint);
  const socket = await session.upgrade();
  socket.send("2probe", "5");
  await until(async () => (await session.get()).status === 400, "the upgrade");
  const second = await session.upgrade();
  await second.end();
  socket.send("40");
  assert.equal(await socket.next(), "3probe");
  assert.match(await socket.nextPacket(), /^40/);
  socket.stop();
});

test("connect: CONNECT and auth come apart, for clients that wait for one after the other", () =>
  untilInOrder(async () => {
    const client = await bare(calmEndpoint);
    const once = () => new Promise((resolve) => client.ws.once("message", (data) => resolve(String(data))));
    client.send("40");
    assert.match(await within(once(), "CONNECT"), /^40\{"sid":/);
    // A machine that was away for these 10 ms hands over both at once.
    const second = await within(once(), "auth", 2_000).catch(() => null);
    client.stop();
    if (second !== null) assert.equal(second, '42["auth",{}]');
    return second !== null;
  }, "CONNECT and auth"));

test("connect: namespaces and payloads", async () => {
  for (const [packet, answer, auth] of [
    ["40", /^40\{"sid":"[\w-]+"\}$/, '42["auth",{}]'],
    ['40{"token":"123"}', /^40\{"sid":"[\w-]+"\}$/, '42["auth",{"token":"123"}]'],
    ["40/custom", /^40\/custom,\{"sid":"[\w-]+"\}$/, '42/custom,["auth",{}]'],
    ["40/custom,", /^40\/custom,\{"sid":"[\w-]+"\}$/, '42/custom,["auth",{}]'],
    ['40/custom,{"token":"abc"}', /^40\/custom,\{"sid":"[\w-]+"\}$/, '42/custom,["auth",{"token":"abc"}]'],
  ]) {
    const client = await bare();
    client.send(packet);
    assert.match(await client.nextPacket(), answer);
    assert.equal(await client.nextPacket(), auth);
    client.stop();
  }
});

test("connect: an unknown namespace is refused, the connection stays", async () => {
  const client = await bare();
  client.send("40/random");
  assert.equal(await client.nextPacket(), '44/random,{"message":"Invalid namespace"}');
  for (let i = 0; i < 300; ++i) client.send(`40/n${i},`);
  for (let i = 0; i < 300; ++i) assert.equal(await client.nextPacket(), `44/n${i},{"message":"Invalid namespace"}`);
  client.send("40");
  assert.match(await client.nextPacket(), /^40/);
  client.stop();
});

test("connect: without one the connection is closed", async () => {
  const before = performance.now();
  const client = await bare(hastyEndpoint);
  assert.equal(await client.end(), 1002);
  assert.ok(performance.now() - before > 900, "not before its second is over");
});

test("connect: twice to the same namespace closes the connection", async () => {
  const client = await connected();
  client.send("40");
  assert.equal(await client.end(), 1002);
});

test("disconnect: the connection and its other namespaces stay", async () => {
  const client = await connected();
  client.answersPings = false;
  client.send("41");
  assert.equal(await client.next(), "2");
  client.send("3", "40/custom");
  assert.match(await client.nextPacket(), /^40\/custom,/);
  assert.equal(await client.nextPacket(), '42/custom,["auth",{}]');
  client.stop();

  const other = await connected();
  other.send("40/custom");
  assert.match(await other.nextPacket(), /^40\/custom,/);
  assert.equal(await other.nextPacket(), '42/custom,["auth",{}]');
  other.send("41/custom", '42["message","message to main namespace"]');
  assert.equal(await other.nextPacket(), '42["message-back","message to main namespace"]');
  other.stop();
});

test("message: arguments come back as they went", async () => {
  const client = await connected();
  for (const args of ['1,"2",{"3":[true]}', '"€ \u{1f600}"', "null,[],{}", '{"_placeholder":true,"num":7}']) {
    client.send(`42["message",${args}]`);
    assert.equal(await client.nextPacket(), `42["message-back",${args}]`);
  }
  client.send('42["message"]');
  assert.equal(await client.nextPacket(), '42["message-back"]');
  client.stop();
});

test("message: acknowledgements carry the arguments", async () => {
  const client = await connected();
  client.send('42456["message-with-ack",1,"2",{"3":[false]}]', '420["message-with-ack"]');
  assert.equal(await client.nextPacket(), '43456[1,"2",{"3":[false]}]');
  assert.equal(await client.nextPacket(), "430[]");
  client.stop();
});

test("message: binary attachments come back behind their packet", async () => {
  const client = await connected();
  const placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  const parts = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
  for (const [sent, back] of [
    [`452-["message",${placeholders}]`, `452-["message-back",${placeholders}]`],
    [`452-789["message-with-ack",${placeholders}]`, `462-789[${placeholders}]`],
  ]) {
    client.send(sent, ...parts);
    assert.equal(await client.nextPacket(), back);
    assert.deepEqual([await client.nextPacket(), await client.nextPacket()], parts);
  }
  client.stop();
});

test("message: what the protocol does not know closes the connection", async () => {
  const attachment = Buffer.from([1]);
  for (const packets of [
    ["4abc"],
    ["42{}"],
    ["4"],
    ["42"],
    ["42[]"],
    ["42[null]"],
    ['42abc["message-with-ack",1,"2",{"3":[false]}]'],
    ['42["message"'],
    ['42["connect"]'],
    ['42["disconnecting"]'],
    ["40[]"],
    ["40/custom,null"],
    ['41"x"'],
    ["43{}"],
    ['44{"message":"no"}'],
    ['42/custom,["message"]'],
    ["41/custom"],
    [attachment],
    ['450-["message"]'],
    ['45["message"]'],
    ['4565-["message"]'],
    ['451-["message",{"_placeholder":true,"num":1}]'],
    ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
    [`42["message",${"[".repeat(5_000)}${"]".repeat(5_000)}]`],
  ]) {
    const client = await connected();
    client.send(...packets);
    assert.equal(await client.end(), 1002, String(packets).slice(0, 60));
  }
});

test("message: over polling too, an undecodable packet closes the connection", async () => {
  const session = await Polling.open(calmEndpoint);
  await session.post("40");
  assert.match((await session.get()).text, /^40\{/);
  await session.post("42{}");
  assert.match((await session.get()).text, /(^|\x1e)1$/);
  assert.equal((await session.get()).status, 400);
});

// ---- Official clients.

const packages = { "4.x": "socket.io-client", "3.x": "socket.io-client-3" };
const ways = { polling: ["polling"], websocket: ["websocket"], upgrading: ["polling", "websocket"] };

/** A client and its way to wait: the server's heartbeat is quick, so what ends unasked shows. */
async function open(name, transports, namespace = "", options = {}, at = server) {
  const { io } = await loadSocketIo(packages[name] ?? name);
  const socket = io(at + namespace, { transports, forceNew: true, reconnection: false, ...options });
  socket.auths = [];
  socket.on("auth", (auth) => socket.auths.push(auth));
  socket.once_ = (event) =>
    within(new Promise((resolve) => socket.once(event, (...args) => resolve(args))), `${event} of ${name} over ${transports}`);
  return socket;
}

const ack = (socket, ...args) =>
  within(new Promise((resolve) => socket.emit("message-with-ack", ...args, (...answer) => resolve(answer))), "the acknowledgement");

for (const [version, name] of Object.entries(packages)) {
  for (const [way, transports] of Object.entries(ways)) {
    test(`socket.io-client ${version}, ${way}: messages, acknowledgements, binary both ways, heartbeats`, async () => {
      const socket = await open(version, transports, "", { auth: { token: "123" } });
      await socket.once_("auth");
      assert.deepEqual(socket.auths, [{ token: "123" }]);
      if (way === "upgrading" && socket.io.engine.transport.name !== "websocket")
        await within(new Promise((resolve) => socket.io.engine.once("upgrade", resolve)), "the upgrade");
      assert.equal(socket.io.engine.transport.name, way === "polling" ? "polling" : "websocket");

      let back = socket.once_("message-back");
      socket.emit("message", 1, "2", { 3: [true, 1.5, null] }, "€ \u{1f600}");
      assert.deepEqual(await back, [1, "2", { 3: [true, 1.5, null] }, "€ \u{1f600}"]);

      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      back = socket.once_("message-back");
      socket.emit("message", bytes, { deep: [bytes.subarray(0, 3)] }, Buffer.alloc(0));
      const [first, second, third] = await back;
      assert.deepEqual(Buffer.from(first), bytes);
      assert.deepEqual(Buffer.from(second.deep[0]), bytes.subarray(0, 3));
      assert.equal(Buffer.from(third).length, 0);

      assert.deepEqual(await ack(socket, "a", { b: 2 }), ["a", { b: 2 }]);
      assert.deepEqual(Buffer.from((await ack(socket, bytes))[0]), bytes);

      const text = "x".repeat(900_000);
      assert.deepEqual(await ack(socket, text), [text]);

      // Longer than a whole heartbeat.
      let pings = 0;
      const engine = socket.io.engine;
      await within(new Promise((resolve) => engine.on("packet", ({ type }) => type === "ping" && ++pings === 3 && resolve())), "3 pings");
      assert.ok(socket.connected);
      socket.close();
    });
  }

  test(`socket.io-client ${version}: namespaces share a connection, an unknown one is refused`, async () => {
    const { io } = await loadSocketIo(name);
    const main = await open(version, ways.upgrading);
    const custom = main.io.socket("/custom", { auth: { token: "abc" } });
    const unknown = main.io.socket("/unknown");
    const events = [];
    const heard = (socket, event) => within(new Promise((resolve) => socket.once(event, resolve)), event);
    custom.on("auth", (auth) => events.push(auth));
    const waits = [heard(custom, "auth"), heard(unknown, "connect_error"), heard(main, "auth")];
    custom.connect();
    unknown.connect();
    const [, error] = await Promise.all(waits);
    assert.equal(error.message, "Invalid namespace");
    assert.deepEqual(events, [{ token: "abc" }]);
    assert.notEqual(custom.id, main.id);
    custom.disconnect();
    assert.deepEqual(await ack(main, "still"), ["still"]);
    main.close();
    assert.ok(io);
  });

  test(`socket.io-client ${version}: order holds across the upgrade`, async () => {
    const socket = await open(version, ways.upgrading);
    const got = [];
    const count = 400;
    const all = within(new Promise((resolve) => socket.on("message-back", (i) => got.push(i) === count && resolve())), "all messages");
    await socket.once_("connect");
    for (let i = 0; i < count; ++i) {
      socket.emit("message", i);
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    assert.deepEqual(got, Array.from({ length: count }, (_, i) => i));
    socket.close();
  });

  test(`socket.io-client ${version}: comes back by itself after the server has closed`, async () => {
    for (const transports of Object.values(ways)) {
      const socket = await open(version, transports, "", { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 10 });
      await socket.once_("auth");
      const before = socket.id;
      const gone = socket.once_("disconnect");
      const again = socket.once_("auth");
      // A packet that the server refuses: it closes the connection, not the namespace.
      socket.io.engine.write("2{}");
      const [reason] = await gone;
      assert.ok(["transport close", "transport error"].includes(reason), reason);
      await again;
      assert.notEqual(socket.id, before);
      assert.deepEqual(await ack(socket, "back"), ["back"]);
      socket.close();
    }
  });

  test(`socket.io-client ${version}: a client that answers no ping is dropped`, async () => {
    const attempt = async (transports) => {
      const socket = await open(version, transports, "", {}, strictServer);
      const dropped = socket.once_("disconnect");
      // Dropped before that: the machine was too slow for so strict a server.
      const isConnected = await Promise.race([socket.once_("connect").then(() => true, () => false), dropped.then(() => false)]);
      if (!isConnected) return !socket.close();
      const engine = socket.io.engine;
      const method = engine._sendPacket ? "_sendPacket" : "sendPacket"; // its name depends on the version
      const send = engine[method].bind(engine);
      engine[method] = (type, ...rest) => (type === "pong" ? undefined : send(type, ...rest));
      await dropped;
      return true;
    };
    for (const transports of [ways.polling, ways.websocket]) await untilInOrder(() => attempt(transports), "a connection and its end");
  });
}

test("socket.io-client 2.x: refused with code 5", async () => {
  const io = (await loadSocketIo("socket.io-client-2")).default;
  for (const transports of [["polling"], ["websocket"]]) {
    const socket = io(server, { transports, forceNew: true, reconnection: false });
    const failed = within(new Promise((resolve) => socket.once("connect_error", resolve)), "the refusal");
    await failed;
    socket.close();
  }
  const answer = await fetch(`${endpoint}?EIO=3&transport=polling`);
  assert.deepEqual([answer.status, await answer.json()], [400, { code: 5, message: "Unsupported protocol version" }]);
});

test("engine.io-client: text and binary, polling, WebSocket and upgrading", async () => {
  const { Socket } = await import("engine.io-client");
  for (const transports of Object.values(ways)) {
    const socket = new Socket(server, { path: "/engine.io/", transports });
    socket.binaryType = "arraybuffer";
    const got = [];
    await within(new Promise((resolve) => socket.on("open", resolve)), "open");
    const all = within(new Promise((resolve) => socket.on("message", (data) => got.push(data) === 3 && resolve())), "the echo");
    socket.send("hello");
    socket.send(Uint8Array.from([0, 255]));
    socket.send("€");
    await all;
    assert.deepEqual([got[0], new Uint8Array(got[1]), got[2]], ["hello", Uint8Array.from([0, 255]), "€"]);
    socket.close();
  }
});

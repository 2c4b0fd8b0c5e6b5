// The command line over TLS: a proxy that ends TLS stands before the server, with certificates that the test makes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { get, post } from "./support/clients.mjs";
import { assertEachOnceInOrder, demo, ok, plain, session } from "./support/command_line.mjs";
import { run, temporaryFolder } from "./support/server.mjs";
import { ctrlC, ctrlD, inTerminal } from "./support/terminal.mjs";

const folder = temporaryFolder();
const at = (name) => join(folder, name);
const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });

/** An authority, and a certificate of it for `names` (a subjectAltName). */
function certificate(name, names, days = "2") {
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", `/CN=${name}`,
    "-keyout", `${name}.key`, "-out", `${name}.csr`);
  writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
  openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
    "-extfile", `${name}.ext`, "-out", `${name}.pem`);
  return { key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) };
}
for (const name of ["ca", "stranger"])
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", `/CN=${name} of a test`,
    "-days", "2", "-keyout", `${name}.key`, "-out", `${name}.pem`);
const good = certificate("good", "DNS:localhost,IP:127.0.0.1");
const other = certificate("other", "DNS:elsewhere.example");
const caFile = at("ca.pem");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** `server` behind TLS, around `body`: its URL, and what ends every connection there is. */
async function behindTls(server, certificate, body) {
  const sockets = new Set();
  const proxy = createServer(certificate, (from, to) => {
    const on = request({ host: "127.0.0.1", port: server.port, method: from.method, path: from.url, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      to.flushHeaders();
      answer.pipe(to);
      answer.on("error", () => to.destroy());
    });
    on.on("error", () => to.destroy());
    to.on("close", () => on.destroy());
    from.pipe(on);
  });
  proxy.on("connection", (socket) => (sockets.add(socket), socket.on("close", () => sockets.delete(socket))));
  proxy.on("tlsClientError", () => {});
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  try {
    await body(`https://localhost:${proxy.address().port}`, cut);
  } finally {
    proxy.close();
    cut();
  }
}
const refused = async (args, env) => {
  const { status, stderr } = await run(args, { env });
  assert.equal(status, 1, stderr);
  return stderr;
};

test("over TLS: lists, one question in a pipe, and a decision", () =>
  demo((server) => behindTls(server, good, async (url) => {
    const over = { env: { TROUPE_URL: url, TROUPE_CA_FILE: caFile } };
    const id = await session(server, "write a file");
    assert.equal(JSON.parse(await ok(["sessions", "--json"], over)).items[0].id, id);
    assert.match(await ok(["history", id], over), /write_file ok/);
    assert.match(await ok(["chat", "calculate 2*21"], over), /^The result is 42/);
    // By address too, and with the authority that OpenSSL is told of.
    assert.match(await ok(["sessions", "--url", url.replace("localhost", "127.0.0.1")], { env: { SSL_CERT_FILE: caFile } }), new RegExp(id));
  })));

test("over TLS: events are followed, also over a connection that breaks off, and a conversation in a terminal", () =>
  demo((server) => behindTls(server, good, async (url, cut) => {
    const id = await session(server);
    await inTerminal(["events", id, "--follow", "--json", "--url", url, "--ca-file", caFile], async (t) => {
      await t.until(/"type":"session.created"/);
      await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "time" });
      await t.until(/"type":"message.complete"/);
      cut();
      await post(server, `/api/v1/sessions/${id}/messages?wait=true`, { content: "list files" });
      await t.until(/"tool":"list_files"[^]*"type":"message.complete"/);
      t.type(ctrlC);
      await t.end(0);
      assertEachOnceInOrder(t.shown);
    });
    await inTerminal(["chat", "--url", url, "--ca-file", caFile], async (t) => {
      await t.until(/Guide at https:\/\/localhost[^]*you> /);
      t.line("delete the file");
      await t.until(/approve\? /);
      t.line("n");
      await t.until(/stays where it is[^]*you> /);
      t.type(ctrlD);
      await t.end(0);
    }, plain);
    assert.equal((await get(server, "/api/v1/approvals")).body.items[0].status, "denied");
  })));

test("over TLS: a certificate that nobody vouches for, or of another host, is refused, and said what to do", () =>
  demo(async (server) => {
    await behindTls(server, good, async (url) => {
      const args = ["sessions", "--url", url];
      assert.match(await refused(args), /the certificate is not trusted: .+; if its authority is your own, .*--ca-file/);
      assert.match(await refused([...args, "--ca-file", at("stranger.pem")]), /not trusted: .*--ca-file \S+stranger\.pem does not vouch/);
      assert.match(await refused(["chat", "hello", "--url", url]), /not trusted/);
      assert.match(await refused([...args, "--ca-file", at("good.key")]), /--ca-file \S+good\.key: no certificate \(PEM\)/);
      const missing = await run([...args, "--ca-file", at("nothing.pem")]);
      assert.equal(missing.status, 2);
      assert.match(missing.stderr, /--ca-file.*nothing\.pem/);
    });
    await behindTls(server, other, async (url) =>
      assert.match(await refused(["sessions", "--url", url, "--ca-file", caFile]), /the certificate is of another host/));
    assert.equal((await get(server, "/api/v1/sessions")).body.total, 0, "nothing came through");
  }));

test("over TLS: the wrong scheme is named", () =>
  demo((server) => behindTls(server, good, async (url) => {
    assert.match(await refused(["sessions", "--url", url.replace("https", "http")]), /the URL begins with https:\/\//);
    assert.match(await refused(["sessions", "--url", server.url.replace("http", "https")]), /the URL begins with http:\/\//);
  })));

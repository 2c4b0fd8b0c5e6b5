// The built TypeScript client in a browser: streaming, an approval, and an answer that goes on after the server was killed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openBrowser } from "./support/browser.mjs";
import { listAll } from "./support/clients.mjs";
import { longText, standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";
import { patienceMs } from "./support/waiting.mjs";
import { packageFolder, withProxy } from "../../clients/typescript/test/package.mjs";

test("streaming, tools and approvals, and nothing lost when the server is killed in the middle of an answer", () =>
  withServer(standard(), (server) =>
    withProxy(server, async (proxy) => {
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(patienceMs);
        const thrown = [];
        page.on("pageerror", (error) => thrown.push(error.message));
        await page.route("**/package/**", (route) =>
          route.fulfill({ contentType: "text/javascript", body: readFileSync(`${packageFolder}dist${new URL(route.request().url()).pathname.replace("/package", "")}`) }),
        );
        await page.goto(`${proxy.url}/healthz`); // any page of that origin
        const first = await page.evaluate(async () => {
          const troupe = (window.troupe = await import("/package/index.js"));
          const client = new troupe.TroupeClient({ url: location.origin, projectId: "demo", backoff: { firstMs: 20, longestMs: 200 } });
          const session = (window.session = client.session());
          await session.send("write note").text();
          const run = session.send("delete note");
          for await (const event of run) if (event.type === "message.approval_required") await session.decide(event.approvalId, { approved: true });
          const { response } = await troupe.createNexusApi({ url: location.origin }).sendMessage("demo", "writer", "hello");
          window.run = session.send("long");
          return { id: session.id, text: await run.text(), response };
        });
        assert.match(first.text, /^May I\? Outcome: /);
        assert.equal(first.response, "Hello, world");
        await page.waitForFunction(() => window.run.textSoFar.includes("w20 "));
        await server.kill();
        await page.waitForFunction(() => window.session.getState().connection.status === "waiting");
        await server.start();
        const end = await page.evaluate(async () => {
          const text = await window.run.text();
          const { messages } = window.session.getState();
          return { text, shown: window.troupe.textOf(messages.at(-1)), count: messages.length };
        });
        assert.deepEqual(end, { text: longText, shown: longText, count: 6 });
        const stored = await listAll(server, `/api/v1/sessions/${first.id}/messages`);
        assert.deepEqual([stored.at(-1).content, stored.filter((m) => m.content === "long").length], [longText, 1]);
        assert.deepEqual(thrown, []);
      } finally {
        await browser.close();
      }
    }),
  ));

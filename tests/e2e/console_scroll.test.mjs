// How smoothly a conversation of 10,000 messages scrolls (issue 6): by the wheel, while older messages come from the server and with
// all of them there. It measures and prints; everything else on the machine counts, so that it fails for gross failure only.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser } from "./support/browser.mjs";
import { ChatTab } from "./support/chat_page.mjs";
import { get, post } from "./support/clients.mjs";
import { standard } from "./support/configuration.mjs";
import { withServer } from "./support/server.mjs";

const turns = 5_000;
const atOnce = 16;
/** Pixels a second: somebody who reads across, who looks for something, who flies over it. */
const speeds = [1_200, 3_000, 10_000];
const seconds = 5;

const lines = (n, of) => Array.from({ length: n }, (_, i) => of(i)).join("\n");
/** Answers of many heights, with all that Markdown has. */
const answers = [
  "Yes.",
  "That is so, and here is why. ".repeat(12),
  `Some steps:\n\n${lines(8, (i) => `${i + 1}. Step **${i + 1}** with \`code\` and a [link](http://example.invalid/${i})`)}`,
  `A program:\n\n\`\`\`js\n${lines(14, (i) => `const value${i} = compute(${i}, "text"); // line ${i}`)}\n\`\`\`\n\nIt prints numbers.`,
  `| name | value |\n|---|---|\n${lines(6, (i) => `| row ${i} | ${i * i} |`)}`,
  "A paragraph of some length, as models write them when nobody stops them. ".repeat(30),
];

function configuration() {
  const rules = answers.map((text, i) => ({ when: { user: `question \\d*${i}\\b` }, say: [{ text: `\${user}\n\n${text}` }] }));
  const changes = standard();
  changes.providers.scripted.script = { rules, otherwise: [{ text: "${user}: no." }] };
  return changes;
}

async function longSession(server) {
  const { body } = await post(server, "/api/v1/projects/demo/sessions", { agentId: "other" });
  let next = 0;
  const ask = async (end) => {
    while (next < end) {
      const answer = await post(server, `/api/v1/sessions/${body.id}/messages?wait=true`, { content: `question ${next++}` });
      assert.equal(answer.status, 200, answer.text);
    }
  };
  // The first and the last one by themselves: those that are sent at once have no order.
  await ask(1);
  await Promise.all(Array.from({ length: atOnce }, () => ask(turns - 1)));
  await ask(turns);
  assert.equal((await get(server, `/api/v1/sessions/${body.id}/messages?limit=1`)).body.total, 2 * turns);
  return body.id;
}

/** In the page, until `seen.isOver`: the time between frames, frames that show a gap, and frames in which what is read moves the wrong way. */
function observe(direction) {
  const frame = document.querySelector(".messages__frame");
  const view = frame.getBoundingClientRect();
  const seen = (globalThis.seen = { deltas: [], gaps: 0, jumps: 0, longTasks: [] });
  new PerformanceObserver((list) => seen.longTasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
  const middle = () => document.elementFromPoint(view.left + view.width / 2, view.top + view.height / 2)?.closest(".messages__row");
  let [last, row, place] = [performance.now(), null, 0];
  const look = (now) => {
    seen.deltas.push(now - last);
    last = now;
    if (row?.isConnected && (row.getBoundingClientRect().top - place) * direction > 2) ++seen.jumps;
    row = middle();
    if (row) place = row.getBoundingClientRect().top;
    else ++seen.gaps;
    if (!seen.isOver) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

function figures({ deltas, gaps, jumps, longTasks }) {
  const sorted = deltas.slice(1).sort((a, b) => a - b);
  const round = (ms) => Math.round(ms * 10) / 10;
  const missed = sorted.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / (1000 / 60)) - 1), 0);
  return {
    frames: sorted.length, p50: round(at(sorted, 0.5)), p95: round(at(sorted, 0.95)), p99: round(at(sorted, 0.99)), longest: round(sorted.at(-1)),
    missed, missedShare: Math.round((1000 * missed) / (missed + sorted.length)) / 10, gaps, jumps, longTasks: longTasks.length, longestTask: Math.round(Math.max(0, ...longTasks)),
  };
}

/** To the first message: all pages of history are read on the way. */
const readAll = (chat) =>
  chat.page.waitForFunction(
    () => {
      document.querySelector(".messages__frame").scrollTop = 0;
      return [...document.querySelectorAll(".bubble__text")].some((e) => e.textContent === "question 0");
    },
    null,
    { polling: 50, timeout: 300_000 },
  );

/** Turns the wheel for so many pixels (down where positive), so fast; figures of the frames meanwhile, and what the page's thread did for each. */
async function scroll(chat, pixels, pixelsPerSecond) {
  const box = await chat.page.locator(".messages__frame").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const devtools = await chat.page.context().newCDPSession(chat.page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const cpuSeconds = async () => (await devtools.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
  await chat.page.evaluate(observe, Math.sign(pixels));
  const used = await cpuSeconds();
  const before = await chat.page.evaluate(() => document.querySelector(".messages__frame").scrollTop);
  await devtools.send("Input.synthesizeScrollGesture", { x, y, yDistance: -pixels, speed: pixelsPerSecond, gestureSourceType: "mouse", preventFling: true });
  const seen = await chat.page.evaluate(() => ((globalThis.seen.isOver = true), globalThis.seen));
  const moved = await chat.page.evaluate((from) => Math.round(document.querySelector(".messages__frame").scrollTop - from), before);
  const cpu = 1000 * ((await cpuSeconds()) - used);
  await devtools.detach();
  const all = figures(seen);
  return { moved, ...all, cpuPerFrame: Math.round((10 * cpu) / all.frames) / 10 };
}

test("a conversation of 10,000 messages scrolls smoothly, up and down", () =>
  withServer(configuration(), async (server) => {
    const id = await longSession(server);
    const browser = await openBrowser();
    try {
      const began = performance.now();
      const chat = await ChatTab.open(browser, server, { sessionId: id });
      await chat.page.getByText(`question ${turns - 1}`, { exact: true }).first().waitFor();
      console.log(`open after ${Math.round(performance.now() - began)} ms`);
      const told = async (what, direction, speed) => {
        const all = await scroll(chat, direction * speed * seconds, speed);
        console.log(`${what}, ${speed} px/s: ${JSON.stringify(all)}`);
        // How long a frame takes tells of the machine, too; what the page does for it does not.
        assert.ok(all.cpuPerFrame < 60, `${what}, ${speed} px/s: the page works ${all.cpuPerFrame} ms for a frame`);
        assert.ok(all.jumps <= 5 + 0.05 * all.frames, `${what}, ${speed} px/s: what is read moved the wrong way in ${all.jumps} of ${all.frames} frames`);
        assert.ok(all.gaps <= 5 + 0.2 * all.frames, `${what}, ${speed} px/s: ${all.gaps} of ${all.frames} frames had nothing in their middle`);
      };
      for (const speed of speeds) await told("up, older ones come", -1, speed);
      await readAll(chat);
      for (const speed of speeds) {
        await told("down from the first", 1, speed);
        await told("up again", -1, speed);
      }
      await chat.page.evaluate(() => document.querySelector(".messages__frame").scrollTo(0, document.querySelector(".messages__frame").scrollHeight / 2));
      for (const speed of speeds) {
        await told("up in the middle", -1, speed);
        await told("down again", 1, speed);
      }
      await chat.close();
    } finally {
      await browser.close();
    }
  }));

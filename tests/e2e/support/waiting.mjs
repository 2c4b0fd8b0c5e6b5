// Waiting in tests. A limit is only for failing: it is far above what a machine needs that runs three tests on two noisy cores,
// and far below CTest's own (../CMakeLists.txt). Nothing is concluded from how long something took.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

export const patienceMs = 60_000;

/** Looks again and again until `condition()` is so, whatever tells it; its value. */
export async function until(condition, what = String(condition), limitMs = patienceMs) {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${limitMs} ms passed while waiting for ${what}`);
    await pause(20);
  }
}

/** Reads again and again until it is `wanted`; else the difference. For what a page shows a moment later. */
export async function untilIs(wanted, read, limitMs = patienceMs) {
  const end = performance.now() + limitMs;
  for (;;) {
    const last = await read();
    try {
      return assert.deepEqual(last, wanted);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await pause(20);
  }
}

/** For what is counted by the day or the month (UTC): `attempt()`, and anew where it failed with a midnight within it. */
export async function inOneDay(attempt) {
  const today = () => new Date().toISOString().slice(0, 10);
  const began = today();
  try {
    return await attempt();
  } catch (error) {
    if (today() === began) throw error;
  }
  return attempt();
}

/** For a race of two connections whose order nobody tells: `attempt(headStartMs)` anew, with more and more of a start for what is
 * to come first, until it says that the order was the wanted one. */
export async function untilInOrder(attempt, what) {
  for (let headStartMs = 10; headStartMs < patienceMs; headStartMs *= 2) if (await attempt(headStartMs)) return;
  throw new Error(`${what}: not once in the wanted order`);
}

// Small parts by themselves: streams of events, delays, errors, where history is cut, tokens.
import { expect, test, vi } from "vitest";
import { Credentials } from "../src/auth.js";
import { backoffDelay } from "../src/backoff.js";
import { errorOfResponse, retryAfterOf, TroupeError } from "../src/errors.js";
import { cutOf } from "../src/history.js";
import { chatMessagesOf } from "../src/local.js";
import type { MessageRecord, Trace } from "../src/records.js";
import { EventStreamParser } from "../src/sse.js";
import { socketUrl } from "../src/websocket.js";

test("an event stream may be cut anywhere, and has any line ends", () => {
  const lines = ["id: 7", "event: pong", 'data: {"type":"pong"}', "", ": a comment", 'data: {"type":', 'data: "auth.success"}', ""];
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = lines.join(end) + end;
    for (let cut = 0; cut <= text.length; ++cut) {
      const parser = new EventStreamParser();
      const events = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))];
      expect(events).toEqual([{ id: "7", event: { type: "pong" } }, { id: "7", event: { type: "auth.success" } }]);
    }
    const parser = new EventStreamParser();
    expect([...text].flatMap((c) => parser.push(c))).toHaveLength(2);
  }
});

test("delays grow, are spread, have an end, and respect what the server says", () => {
  const at = (attempt: number, random: number): number => backoffDelay(attempt, { firstMs: 100, longestMs: 1000, random: () => random });
  expect([at(1, 0), at(1, 1), at(2, 1), at(3, 1), at(9, 1), at(500, 1)]).toEqual([50, 100, 200, 400, 1000, 1000]);
  expect(backoffDelay(1, { random: () => 0.5 }, 2000)).toBeGreaterThanOrEqual(2000);
});

test("errors of answers, also of what stands in between", () => {
  const headers = (values: Record<string, string> = {}): Headers => new Headers(values);
  const told = errorOfResponse(429, { error: { code: "RATE_LIMITED", message: "slower", details: { a: 1 } } }, headers({ "retry-after": "2" }), "GET /");
  expect([told.code, told.message, told.details, told.retryAfter, told.isRetryable]).toEqual(["RATE_LIMITED", "slower", { a: 1 }, 2000, true]);
  const proxy = errorOfResponse(502, "<html>", headers(), "GET /x");
  expect([proxy.code, proxy.message.includes("GET /x")]).toEqual(["PROVIDER_ERROR", true]);
  expect(errorOfResponse(418, undefined, headers(), "GET /x").code).toBe("INTERNAL_ERROR");
  expect(retryAfterOf("Sat, 21 Nov 2026 19:00:05 GMT", Date.parse("2026-11-21T19:00:00Z"))).toBe(5000);
  expect([retryAfterOf(null), retryAfterOf("soon")]).toEqual([undefined, undefined]);
  expect(new TroupeError({ code: "AUTH_FAILED", message: "" }).isAuth).toBe(true);
});

test("addresses of sockets", () => {
  expect(socketUrl("https://host/base", "/ws", { projectId: "a b", token: undefined })).toBe("wss://host/base/ws?projectId=a+b");
});

test("tokens: asked for when needed, once for all that wait, again after a failure", async () => {
  let answer = (): Promise<string> => Promise.resolve("one");
  const getToken = vi.fn(() => answer());
  const credentials = new Credentials(undefined, getToken);
  expect(await Promise.all([credentials.current(), credentials.current()])).toEqual(["one", "one"]);
  answer = () => Promise.resolve("two");
  expect(await Promise.all([credentials.refresh("one"), credentials.refresh("one"), credentials.current()])).toEqual(["two", "two", "two"]);
  expect(await credentials.refresh("one")).toBe("two"); // somebody has replaced it already
  expect(getToken.mock.calls).toEqual([["first"], ["refused"]]);
  answer = () => Promise.reject(new Error("down"));
  await expect(credentials.refresh("two")).rejects.toThrow("down");
  answer = () => Promise.resolve("three");
  expect(await credentials.refresh("two")).toBe("three");
  expect(await new Credentials("fixed").refresh("fixed")).toBe("fixed");
});

const message = (role: "user" | "assistant", runId: string | null, seq: number, more: Partial<MessageRecord> = {}): MessageRecord => ({
  id: `m${seq}`, sessionId: "s", runId, role, content: `${role} ${seq}`, author: "", authorName: "", attachments: [], reactions: [], toolCalls: [], cut: false,
  seq, createdAt: "", ...more,
});

test("history is cut before an exchange that began when nothing else went on", () => {
  const done = [message("user", "a", 2), message("assistant", "a", 9), message("user", "b", 10), message("assistant", "b", 20)];
  expect(cutOf(done, true)).toBe(9);
  // c waits while b runs: its exchange does not begin in quiet, and at first has no answer either.
  const waiting = [...done.slice(0, 3), message("user", "c", 15), message("assistant", "b", 20)];
  expect(cutOf(waiting, false)).toBe(9);
  expect(cutOf([...waiting, message("assistant", "c", 30)], false)).toBe(9);
  expect(cutOf([message("user", "a", 2)], true)).toBe(0); // it runs: from the beginning
  expect(cutOf([message("user", "a", 200)], false)).toBeUndefined();
  expect(cutOf([], true)).toBe(0);
});

test("stored messages of one run are one answer, with what its trace knows", () => {
  const call = { toolCallId: "c", tool: "clock", input: {}, success: true, output: "o", durationMs: 1 };
  const usage = { totalTokens: 5 } as Trace["usage"];
  const [user, answer, stray] = chatMessagesOf(
    [message("user", "a", 2), message("assistant", "a", 5, { content: "", toolCalls: [call] }), message("assistant", "a", 9, { cut: true }), message("assistant", null, 12)],
    [{ runId: "a", traceId: "t", status: "failed", usage } as Trace],
  );
  expect(user).toMatchObject({ kind: "user", content: "user 2" });
  expect(answer).toMatchObject({ id: "m5", messageId: "m9", status: "failed", traceId: "t", usage, parts: [{ kind: "tool", status: "ok" }, { text: "assistant 9" }] });
  expect(stray).toMatchObject({ kind: "answer", status: "completed" });
});

// @vitest-environment happy-dom
// The hooks in a page: what is drawn, how often, and that nothing is left open.
import { act, type ReactElement, StrictMode, useRef } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TroupeClient } from "../src/client.js";
import { TroupeError } from "../src/errors.js";
import { useApprovals, useSession, useSessionState } from "../src/react.js";
import type { Approval } from "../src/records.js";
import type { Session } from "../src/session.js";
import { SessionStore } from "../src/store.js";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
let root: Root;
let page: HTMLElement;
beforeEach(() => {
  page = document.body.appendChild(document.createElement("div"));
  root = createRoot(page);
});
afterEach(async () => {
  vi.useRealTimers();
  await act(async () => root.unmount());
  page.remove();
});

function fakeSession(): { session: Session; store: SessionStore; calls: string[] } {
  const store = new SessionStore(0);
  const calls: string[] = [];
  const session = {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    open: () => (calls.push("open"), Promise.reject(new TroupeError({ code: "NOT_FOUND", message: "" }))),
    close: () => void calls.push("close"),
  };
  return { session: session as unknown as Session, store, calls };
}
const created = (n: number) => ({ type: "message.created" as const, messageId: `m${n}`, role: "user" as const, content: `text ${n}`, author: "", seq: n });
const draw = (element: ReactElement | null): Promise<void> => act(async () => root.render(element));

test("a session is opened while it is shown, and drawn as it changes; in strict mode too", async () => {
  const { session, store, calls } = fakeSession();
  const client = { session: () => session } as unknown as TroupeClient;
  const Chat = (): ReactElement => <p>{useSession(client, "s1").state.messages.map((m) => m.id).join()}</p>;
  await draw(
    <StrictMode>
      <Chat />
    </StrictMode>,
  );
  expect(calls).toEqual(["open", "close", "open"]);
  await act(async () => {
    store.put(created(1));
    store.put(created(2));
    store.flush();
  });
  expect(page.textContent).toBe("m1,m2");
  await draw(null);
  expect(calls.at(-1)).toBe("close");
});

test("a part that has not changed is not drawn again, even where it is made anew each time", async () => {
  const { session, store } = fakeSession();
  const drawn = { cost: 0, ids: 0 };
  const same = (a: string[], b: string[]): boolean => a.join() === b.join();
  const Cost = (): ReactElement => {
    drawn.cost += 1;
    return <b>{useSessionState(session, (s) => s.usage.cost)}</b>;
  };
  const Ids = (): ReactElement => {
    drawn.ids += 1;
    const list = useSessionState(session, (s) => s.messages.map((m) => m.id), same);
    const first = useRef(list);
    return <i>{`${list.length} ${first.current === list ? "same" : "new"}`}</i>;
  };
  await draw(
    <>
      <Cost />
      <Ids />
    </>,
  );
  await act(async () => {
    store.put(created(1));
    store.flush();
  });
  expect(drawn).toEqual({ cost: 1, ids: 2 });
  await act(async () => {
    store.put({ type: "typing", userId: "u", username: "U", isTyping: true });
    store.flush();
  });
  expect(drawn).toEqual({ cost: 1, ids: 2 });
});

test("many events between two frames are drawn once", async () => {
  const { session, store } = fakeSession();
  let drawn = 0;
  const All = (): ReactElement => {
    drawn += 1;
    return <p>{useSessionState(session).messages.length}</p>;
  };
  await draw(<All />);
  const told = new Promise<void>((resolve) => store.subscribe(resolve));
  await act(async () => {
    for (let i = 1; i <= 500; ++i) store.put(created(i));
    await told;
  });
  expect([page.textContent, drawn]).toEqual(["500", 2]);
});

test("the inbox: read at once and every interval, decided, told of failures; quiet when nobody looks", async () => {
  vi.useFakeTimers();
  const approval = (id: string): Approval => ({ id, status: "pending" }) as Approval;
  let items = [approval("a"), approval("b")];
  let failure: Error | undefined;
  const list = vi.fn(async () => {
    if (failure) throw failure;
    return { items: items.map((a) => ({ ...a })), total: items.length, limit: 100, offset: 0 };
  });
  const decide = vi.fn(async (id: string) => {
    items = items.filter((a) => a.id !== id);
    return approval(id);
  });
  const client = { approvals: { list, decide } } as unknown as TroupeClient;
  let drawn = 0;
  let inbox!: ReturnType<typeof useApprovals>;
  const Inbox = (): ReactElement => {
    drawn += 1;
    inbox = useApprovals(client, { status: "pending" }, 1000);
    return <p>{inbox.isLoading ? "loading" : inbox.error ? inbox.error.message : inbox.approvals.map((a) => a.id).join()}</p>;
  };
  await draw(<Inbox />);
  expect(page.textContent).toBe("a,b");
  const [before, drawnBefore] = [inbox.approvals, drawn];
  await act(() => vi.advanceTimersByTimeAsync(3000));
  expect(list).toHaveBeenCalledTimes(4);
  expect(inbox.approvals).toBe(before);
  expect(drawn).toBe(drawnBefore);
  await act(async () => void (await inbox.decide("a", { approved: true })));
  expect(page.textContent).toBe("b");
  expect(inbox.approvals[0]).toBe(before[1]);
  failure = new Error("no answer");
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(page.textContent).toBe("no answer");
  failure = undefined;
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(page.textContent).toBe("b");
  await draw(null);
  const calls = list.mock.calls.length;
  await vi.advanceTimersByTimeAsync(5000);
  expect(list).toHaveBeenCalledTimes(calls);
});

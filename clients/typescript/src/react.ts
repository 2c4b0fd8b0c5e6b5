// React hooks, for React 18 and later. They only subscribe: state and logic are in `Session` and `ApprovalInbox`.
import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { TroupeClient } from "./client.js";
import { ApprovalInbox, type ApprovalInboxState } from "./inbox.js";
import type { ApprovalQuery } from "./rest/approvals.js";
import type { Session, SessionOptions } from "./session.js";
import type { SessionState } from "./state.js";

/** A part of a session's state; draws again only when that part is another one (`Object.is`, or `isEqual`). */
export function useSessionState<T = SessionState>(
  session: Session,
  select: (state: SessionState) => T = (state) => state as unknown as T,
  isEqual: (a: T, b: T) => boolean = Object.is,
): T {
  const last = useRef<{ state: SessionState; select: unknown; value: T } | undefined>(undefined);
  const getSnapshot = (): T => {
    const state = session.getSnapshot();
    const before = last.current;
    if (before && before.state === state && before.select === select) return before.value;
    const value = select(state);
    const kept = before && isEqual(before.value, value) ? before.value : value;
    last.current = { state, select, value: kept };
    return kept;
  };
  return useSyncExternalStore(session.subscribe, getSnapshot, getSnapshot);
}

export interface UseSession {
  session: Session;
  state: SessionState;
}

/**
 * The live session with this id, or a new one without; opened while the component is mounted. For parts of a large screen
 * hand `session` on and use `useSessionState` there.
 */
export function useSession(client: TroupeClient, id?: string, options?: SessionOptions): UseSession {
  const session = useMemo(
    () => client.session(id, options),
    // Other options mean another session only where they name another one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [client, id, options?.projectId, options?.agentId],
  );
  useEffect(() => {
    // Why it fails is in `state.connection.error`.
    if (id !== undefined) session.open().catch(() => undefined);
    return () => session.close();
  }, [session, id]);
  return { session, state: useSessionState(session) };
}

export interface UseApprovals extends ApprovalInboxState {
  refresh: ApprovalInbox["refresh"];
  decide: ApprovalInbox["decide"];
  decideMany: ApprovalInbox["decideMany"];
}

/** Approvals of all sessions, those that wait where nothing else is asked for; asks again every `intervalMs` (5000). */
export function useApprovals(client: TroupeClient, query?: ApprovalQuery, intervalMs?: number): UseApprovals {
  const key = JSON.stringify(query ?? null);
  const inbox = useMemo(
    () => new ApprovalInbox(client.approvals, query, intervalMs),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [client, key, intervalMs],
  );
  const state = useSyncExternalStore(inbox.subscribe, inbox.getSnapshot, inbox.getSnapshot);
  return useMemo(() => ({ ...state, refresh: inbox.refresh, decide: inbox.decide, decideMany: inbox.decideMany }), [state, inbox]);
}

// The same session on every dialect and transport: how a client of each attaches to it, and the answer's text as it shows it.
import { EventStream, SocketClient } from "./clients.mjs";
import { SocketIoClient } from "./socketio.mjs";

const query = (entries) => {
  const given = Object.entries(entries).filter(([, value]) => value !== undefined);
  return given.length ? `?${given.map(([key, value]) => `${key}=${value}`).join("&")}` : "";
};

/** name → {attach(server, sessionId, {afterSeq?, token?, …options}), end: the type of a turn's last frame, text(frames), card}. */
export const followers = {
  nexus: {
    async attach(server, sessionId, { afterSeq, token } = {}) {
      const client = await SocketClient.open(server, "/ws");
      client.send({ type: "auth", sessionId, afterSeq, token });
      await client.next("session.resumed");
      return client;
    },
    end: "message.complete",
    card: "message.approval_required",
    text: (frames) => pieces(frames, "message.content_delta", "text"),
  },
  conversation: {
    async attach(server, sessionId, { afterSeq, token } = {}) {
      const client = await SocketClient.open(server, `/ws/chat/${sessionId}${query({ afterSeq, token })}`);
      await client.next("connected");
      return client;
    },
    end: "done",
    card: "approval_required",
    text: (frames) => pieces(frames, "message_chunk", "content"),
  },
  "agent-stream": {
    attach: (server, session, { afterSeq, token } = {}) =>
      SocketClient.open(server, `/api/v1/ws/chat/writer${query({ session, afterSeq, token })}`),
    end: "done",
    card: (frame) => frame.type === "token" && frame.content.includes("delete_file"),
    text: (frames) => pieces(frames, "token", "content"),
  },
  "chat-room": {
    async attach(server, conversationId, { afterSeq, token, ...options } = {}) {
      const client = await SocketIoClient.open(server, "/chat", { auth: { token }, ...options });
      client.emit("chat:join", { conversationId, afterSeq });
      await client.next("chat:joined");
      return client;
    },
    end: "chat:complete",
    card: "chat:approval-required",
    text: (frames) => pieces(frames, "chat:streaming", "chunk"),
  },
  "chat-events": {
    async attach(server, chatId, { afterSeq, token, ...options } = {}) {
      const client = await SocketIoClient.open(server, "/", { auth: { token }, ...options });
      const answer = await client.ask("join-chat", { chatId, afterSeq });
      if (answer.status !== "ok") throw new Error(`join-chat: ${JSON.stringify(answer)}`);
      return client;
    },
    end: "ai-response-end",
    card: "approval-required",
    text: (frames) => pieces(frames, "ai-response-chunk", "chunk"),
  },
  sse: {
    attach: (server, sessionId, { afterSeq, token } = {}) =>
      EventStream.open(server, "GET", `/api/v1/sessions/${sessionId}/events${query({ after: afterSeq, token })}`),
    end: "message.complete",
    card: "message.approval_required",
    text: (frames) => pieces(frames, "message.content_delta", "text"),
  },
};

const pieces = (frames, type, field) => frames.filter((frame) => frame.type === type).map((frame) => frame[field]).join("");

// A peer for bench/run: the `chat-room` dialect's turn on the official npm package `socket.io`. One turn is the same events as
// ours with the same fields and sizes, to everybody in the conversation's room: a tool call and 64 deltas at once, or 400 deltas,
// one every 50 ms (`paced`). In its favour: it stores nothing, has no state recovery (the offset behind each payload is only
// text), and no model, queue or second step.
//   node socketio_server.mjs [--direct]     --direct: to the sender's own socket alone, without a room
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";

const direct = process.argv.includes("--direct");
const deltas = Array.from({ length: 64 }, () => "tok ");
const anonymous = { userId: "anonymous", username: "Anonymous" };

const http = createServer((request, response) => {
  request.resume();
  if (request.method !== "POST" || request.url !== "/chat/conversations") return response.writeHead(404).end();
  response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ id: randomUUID() }));
});
const io = new Server(http, { perMessageDeflate: false, httpCompression: false, serveClient: false });
const chat = io.of("/chat");
const seqs = new Map();

const burst = (say, done) => {
  for (const chunk of deltas) say(chunk);
  done();
};
// By the clock, as setInterval does not: a late delta makes no later one late.
const paced = (say, done) => {
  const begin = performance.now();
  const next = (k) => {
    say("five.");
    if (k < 400) setTimeout(next, begin + (k + 1) * 50 - performance.now(), k + 1);
    else done();
  };
  setTimeout(next, 50, 1);
};

function turn(to, conversationId, content) {
  let seq = seqs.get(conversationId) ?? 2;
  let answer = "";
  const emit = (name, fields) => to.emit(name, { conversationId, ...fields }, `${conversationId}:${++seq}`);
  const message = (id, role, text, mcpToolCalls, who) => ({
    id, role, content: text, metadata: {}, mcpToolCalls, createdAt: new Date().toISOString(), conversationId, ...who,
  });
  const toolCallId = `call_${seq}_1`;
  const output = new Date().toISOString();
  const messageId = randomUUID();
  emit("chat:message", { message: message(randomUUID(), "user", content, null, anonymous) });
  emit("chat:thinking", { status: "processing" });
  emit("chat:tool-start", { toolCallId, tool: "clock", input: {} });
  emit("chat:tool-complete", { toolCallId, tool: "clock", success: true, output, durationMs: 0 });
  const say = (chunk) => {
    answer += chunk;
    emit("chat:streaming", { messageId, chunk, isComplete: false });
  };
  const done = () => {
    to.emit("chat:streaming", { conversationId, messageId, chunk: "", isComplete: true });
    const calls = [{ toolCallId, tool: "clock", input: {}, success: true, output, durationMs: 0 }];
    emit("chat:message", { message: message(messageId, "assistant", answer, calls, { userId: null, username: "AI" }) });
    emit("chat:complete", { messageId });
    seqs.set(conversationId, seq);
  };
  (content === "paced" ? paced : burst)(say, done);
}

chat.on("connection", (socket) => {
  socket.on("chat:join", ({ conversationId }) => {
    socket.join(conversationId);
    socket.emit("chat:joined", { conversationId, activeUsers: [anonymous] });
  });
  socket.on("chat:send", ({ conversationId, content }) => {
    if (direct) return turn(socket, conversationId, content);
    socket.join(conversationId);
    turn(chat.to(conversationId), conversationId, content);
  });
});

http.listen(0, "127.0.0.1", 4096, () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
process.on("SIGTERM", () => process.exit(0));

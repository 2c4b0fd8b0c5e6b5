// A peer for bench/run: the `conversation` dialect on the npm package `ws`, as fast as it goes. One turn is the same frames as
// ours, a tool call and 64 deltas, written while the socket is corked: one system call. It stores nothing, which ours does.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const deltas = Array.from({ length: 64 }, () => "tok ");
const http = createServer((request, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });

function turn(socket, call) {
  const send = (frame) => socket.send(JSON.stringify(frame));
  const time = new Date().toISOString();
  send({ type: "thinking", iteration: 1, message: "Pensando… (iteración 1)", content: "" });
  send({ type: "tool_call", tool: "clock", arguments: {}, tool_call_id: call });
  send({ type: "tool_result", tool: "clock", tool_call_id: call, success: true, result: time, error: null, arguments: {} });
  send({ type: "thinking", iteration: 2, message: "Pensando… (iteración 2)", content: "" });
  for (const content of deltas) send({ type: "message_chunk", content });
  send({ type: "message", content: deltas.join("") });
  send({ type: "done", iterations: 2 });
}

sockets.on("connection", (socket, request) => {
  let turns = 0;
  socket.on("error", () => socket.terminate());
  socket.on("message", (bytes) => {
    const { message } = JSON.parse(bytes);
    if (!message) return socket.send(JSON.stringify({ type: "error", error: "message is empty", message: "message is empty" }));
    const tcp = socket._socket;
    tcp.cork();
    turn(socket, `call_${++turns}_1`);
    process.nextTick(() => tcp.uncork());
  });
  const conversation_id = decodeURIComponent(request.url.split("/").at(-1));
  socket.send(JSON.stringify({ type: "connected", conversation_id, message: "Conexión establecida" }));
});

http.listen(0, "127.0.0.1", 4096, () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
process.on("SIGTERM", () => process.exit(0));

// A Socket.IO client (the official one) that keeps what it received in an Inbox as {type: event name, ...payload}.
import { Inbox } from "./inbox.mjs";
import { loadSocketIo } from "./packages.mjs";
import { patienceMs } from "./waiting.mjs";

export class SocketIoClient extends Inbox {
  /** Resolves when it is connected. `options` are the client's own, `package` names another version of it. */
  static async open(server, namespace = "/", { package: name, ...options } = {}) {
    const { io } = await loadSocketIo(name);
    const client = new SocketIoClient();
    client.socket = io(`${server.url}${namespace}`, { reconnection: false, forceNew: true, timeout: patienceMs, ...options });
    server.onEnd?.(() => client.socket.close());
    client.socket.onAny((type, payload) => client.put({ type, ...payload }));
    client.socket.on("disconnect", (reason) => {
      client.reasons.push(reason);
      client.put({ type: "(disconnect)", reason });
    });
    await new Promise((resolve, reject) => client.socket.once("connect", resolve).once("connect_error", reject));
    return client;
  }

  reasons = [];

  emit(name, ...args) {
    this.socket.emit(name, ...args);
    return this;
  }

  /** Emits and waits for the acknowledgement. */
  ask(name, payload) {
    return this.socket.timeout(patienceMs).emitWithAck(name, payload);
  }

  close() {
    this.socket.close();
  }
}

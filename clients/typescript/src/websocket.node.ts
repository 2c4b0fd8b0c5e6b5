// A WebSocket client for Node before 22, which has none (RFC 6455): text messages, no extensions. The interface is that of
// browsers as far as this package uses it. Bounds: 16 MiB for a message.
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { SocketLike } from "./websocket.js";
import { FrameReader, frameOf, opcode } from "./websocket.frames.js";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const closeLimitMs = 5000;

export class NodeWebSocket implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readyState = 0;

  #socket: Duplex | undefined;
  #closeTold = { code: 1006, reason: "" };
  #timer: NodeJS.Timeout | undefined;
  readonly #abort: () => void;

  constructor(url: string) {
    const target = new URL(url);
    const key = randomBytes(16).toString("base64");
    const call = (target.protocol === "wss:" ? httpsRequest : httpRequest)({
      hostname: target.hostname.replace(/^\[|\]$/g, ""),
      port: target.port || (target.protocol === "wss:" ? 443 : 80),
      path: target.pathname + target.search,
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": key },
      agent: false,
    });
    this.#abort = () => call.destroy();
    call.on("upgrade", (response, socket, head) => this.#start(key, response, socket, head));
    call.on("response", (response) => {
      response.resume();
      call.destroy();
      this.#fail(`the server answered with status ${response.statusCode}`);
    });
    call.on("error", (error) => this.#fail(error.message));
    call.end();
  }

  send(text: string): void {
    if (this.readyState === 0) throw new DOMException("The WebSocket is still connecting.", "InvalidStateError");
    if (this.readyState === 1) this.#socket!.write(frameOf(opcode.text, Buffer.from(text)));
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState >= 2) return;
    const isOpen = this.readyState === 1;
    this.readyState = 2;
    if (!isOpen) {
      this.#abort();
      return this.#end();
    }
    const body = Buffer.alloc(2 + Buffer.byteLength(reason));
    body.writeUInt16BE(code);
    body.write(reason, 2);
    this.#socket!.write(frameOf(opcode.close, body));
    this.#timer = setTimeout(() => this.#socket!.destroy(), closeLimitMs);
    this.#timer.unref();
  }

  #start(key: string, response: IncomingMessage, socket: Duplex, head: Buffer): void {
    const expected = createHash("sha1").update(key + guid).digest("base64");
    if (this.readyState !== 0 || response.headers["sec-websocket-accept"] !== expected) {
      socket.destroy();
      return this.#fail("the answer to the handshake is not that of a WebSocket server");
    }
    this.#socket = socket;
    const reader = new FrameReader();
    const take = (bytes: Buffer): void => {
      try {
        for (const message of reader.push(bytes)) this.#take(message.opcode, message.data);
      } catch (error) {
        this.#closeTold = { code: 1002, reason: (error as Error).message };
        socket.destroy();
      }
    };
    socket.on("data", take);
    socket.on("end", () => socket.end());
    socket.on("error", () => undefined); // `close` follows
    socket.on("close", () => this.#end());
    this.readyState = 1;
    this.#tell(this.onopen, { type: "open" });
    if (head.length > 0) take(head);
  }

  #take(kind: number, data: Buffer): void {
    if (kind === opcode.ping) this.#socket!.write(frameOf(opcode.pong, data));
    if (kind === opcode.text && this.readyState === 1) this.#tell(this.onmessage, { type: "message", data: data.toString("utf8") });
    if (kind !== opcode.close) return;
    this.#closeTold = data.length >= 2 ? { code: data.readUInt16BE(0), reason: data.toString("utf8", 2) } : { code: 1005, reason: "" };
    if (this.readyState === 1) this.#socket!.write(frameOf(opcode.close, data.subarray(0, 2)));
    this.readyState = 2;
    this.#socket!.end();
  }

  #fail(message: string): void {
    if (this.readyState === 3) return;
    this.#tell(this.onerror, { type: "error", message });
    this.#end();
  }

  #end(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    clearTimeout(this.#timer);
    const { code, reason } = this.#closeTold;
    this.#tell(this.onclose, { type: "close", code, reason, wasClean: code !== 1006 && code !== 1002 });
  }

  #tell(handler: ((event: never) => void) | null, event: object): void {
    handler?.(event as never);
  }
}

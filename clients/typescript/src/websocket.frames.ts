// Frames of RFC 6455 §5, as a client writes and reads them.
import { randomBytes } from "node:crypto";

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const largestMessage = 16 << 20;

/** Masked, as those of clients must be. */
export function frameOf(kind: number, data: Buffer): Buffer {
  const size = data.length;
  const extended = size < 126 ? 0 : size < 65536 ? 2 : 8;
  const out = Buffer.allocUnsafe(2 + extended + 4 + size);
  out[0] = 0x80 | kind;
  out[1] = 0x80 | (extended === 0 ? size : extended === 2 ? 126 : 127);
  if (extended === 2) out.writeUInt16BE(size, 2);
  if (extended === 8) out.writeBigUInt64BE(BigInt(size), 2);
  const mask = randomBytes(4);
  const at = 2 + extended + 4;
  mask.copy(out, at - 4);
  for (let i = 0; i < size; ++i) out[at + i] = data[i]! ^ mask[i & 3]!;
  return out;
}

export interface Message {
  opcode: number;
  data: Buffer;
}

/** Takes bytes in any pieces and gives whole messages; throws where they are not those of a WebSocket server. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = 2; // bytes before looking is of any use
  #parts: Buffer[] = [];
  #partsSize = 0;
  #kind = -1;

  push(bytes: Buffer): Message[] {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    const out: Message[] = [];
    while (this.#size >= this.#needed) {
      const buffer = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      const end = this.#frame(buffer, out);
      const rest = buffer.subarray(end);
      this.#chunks = [rest];
      this.#size = rest.length;
      if (end === 0) break;
    }
    return out;
  }

  /** Where the frame at the beginning of `b` ends; 0 where it is not whole. */
  #frame(b: Buffer, out: Message[]): number {
    const want = (size: number): boolean => {
      this.#needed = size;
      return b.length >= size;
    };
    if (!want(2)) return 0;
    const [first, second] = [b[0]!, b[1]!];
    if (first & 0x70) throw new Error("a frame uses an extension that was not agreed on");
    if (second & 0x80) throw new Error("a frame of the server is masked");
    let size = second & 0x7f;
    let at = 2;
    if (size === 126) {
      if (!want(4)) return 0;
      [size, at] = [b.readUInt16BE(2), 4];
    } else if (size === 127) {
      if (!want(10)) return 0;
      const large = b.readBigUInt64BE(2);
      if (large > BigInt(largestMessage)) throw new Error("a message is too large");
      [size, at] = [Number(large), 10];
    }
    if (!want(at + size)) return 0;
    this.#needed = 2;
    this.#take(first & 0x0f, (first & 0x80) !== 0, b.subarray(at, at + size), out);
    return at + size;
  }

  #take(kind: number, isLast: boolean, data: Buffer, out: Message[]): void {
    if (kind >= 8) {
      out.push({ opcode: kind, data });
      return;
    }
    if ((kind === opcode.continuation) === (this.#kind < 0)) throw new Error("the frames of a message are out of order");
    if (kind !== opcode.continuation) this.#kind = kind;
    this.#parts.push(data);
    this.#partsSize += data.length;
    if (this.#partsSize > largestMessage) throw new Error("a message is too large");
    if (!isLast) return;
    out.push({ opcode: this.#kind, data: this.#parts.length === 1 ? data : Buffer.concat(this.#parts) });
    [this.#parts, this.#partsSize, this.#kind] = [[], 0, -1];
  }
}

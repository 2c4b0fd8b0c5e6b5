// Event streams (WHATWG HTML §9.2), as far as the server sends them: `id`, `event`, `data`, comments.
import type { LogEvent } from "./events.js";

export interface StreamedEvent {
  /** The last `id` that came: the seq of the last stored event. */
  id: string | undefined;
  event: LogEvent;
}

/** Takes text in any pieces and gives the events that are whole. */
export class EventStreamParser {
  #rest = "";
  #data: string[] = [];
  #id: string | undefined;
  #isAfterReturn = false;

  push(text: string): StreamedEvent[] {
    const out: StreamedEvent[] = [];
    // A line may end with \r\n whose halves come apart.
    if (this.#isAfterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") this.#isAfterReturn = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.#line(line);
      if (event) out.push(event);
    }
    return out;
  }

  #line(line: string): StreamedEvent | undefined {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return undefined;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #dispatch(): StreamedEvent | undefined {
    if (this.#data.length === 0) return undefined;
    const text = this.#data.join("\n");
    this.#data = [];
    return { id: this.#id, event: JSON.parse(text) as LogEvent };
  }
}

export async function* readEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamedEvent> {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isOver = done;
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Who stops reading leaves: the connection must not stay open behind him.
    if (!isOver) await reader.cancel().catch(() => undefined);
  }
}

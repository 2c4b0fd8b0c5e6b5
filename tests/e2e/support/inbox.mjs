// What one client has received, in order, and waiting for what is still to come. Every wait has a limit and a failure
// shows the frames so far.
import { setTimeout as arm } from "node:timers";
import { patienceMs } from "./waiting.mjs";

export const defaultLimitMs = patienceMs;

const short = (frame) => {
  const text = typeof frame === "string" ? frame : JSON.stringify(frame);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};

function asPredicate(wanted) {
  if (typeof wanted === "function") return wanted;
  if (typeof wanted === "string") return (frame) => frame.type === wanted;
  return (frame) => Object.entries(wanted).every(([key, value]) => frame[key] === value);
}

export class Inbox {
  frames = [];
  ended = null; // why no more frames come
  #read = 0; // frames before it were taken by next()
  #waiters = new Set();

  put(frame) {
    this.frames.push(frame);
    this.#wake();
  }

  end(reason) {
    this.ended ??= reason;
    this.#wake();
  }

  #wake() {
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** The next frame that fits: a type, fields that it has, or a predicate. The ones before it are passed over. */
  next(wanted, limitMs = defaultLimitMs) {
    const fits = asPredicate(wanted);
    return this.until(
      () => {
        for (; this.#read < this.frames.length; ++this.#read)
          if (fits(this.frames[this.#read])) return this.frames[this.#read++];
        return undefined;
      },
      `frame ${typeof wanted === "function" ? wanted : JSON.stringify(wanted)}`,
      limitMs,
    );
  }

  /** Waits until `condition()` is neither undefined nor false, looked at after every frame. */
  until(condition, what = String(condition), limitMs = defaultLimitMs) {
    return new Promise((resolve, reject) => {
      let timer;
      const done = (settle, value) => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        settle(value);
      };
      const fail = (why) => done(reject, new Error(`${why} while waiting for ${what}; ${this.describe()}`));
      const look = () => {
        const value = condition();
        if (value !== undefined && value !== false) return done(resolve, value);
        if (this.ended !== null) fail(`the connection ended (${this.ended})`);
      };
      timer = arm(() => fail(`${limitMs} ms passed`), limitMs);
      this.#waiters.add(look);
      look();
    });
  }

  /** Frames of one type so far. */
  all(wanted) {
    return this.frames.filter(asPredicate(wanted));
  }

  types() {
    return this.frames.map((frame) => frame.type);
  }

  describe() {
    const last = this.frames.slice(-40).map((frame) => `  ${short(frame)}`);
    const skipped = this.frames.length - last.length;
    return `${this.frames.length} frames so far:\n${skipped ? `  (${skipped} earlier)\n` : ""}${last.join("\n")}`;
  }
}

/** Types in a row, repeats as one: `a b b b c` is `a b c`. */
export function shape(frames) {
  return frames.map((frame) => frame.type).filter((type, i, all) => type !== all[i - 1]);
}

/** The text of a run's deltas, without what was superseded. */
export function textOf(frames) {
  let pieces = [];
  for (const frame of frames) {
    if (frame.type === "message.content_delta") pieces.push(frame);
    if (frame.type === "message.superseded") pieces = pieces.filter((piece) => piece.seq < frame.fromSeq);
  }
  return pieces.map((piece) => piece.text).join("");
}

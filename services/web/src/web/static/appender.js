/** A SourceBuffer with its bounded queue: one append at a time, the old taken out. */

/** Bytes that may wait: more means that the element has stopped taking them. */
const MOST = 4 << 20;
/** Seconds kept behind the playhead, and how much is gathered before they are taken out. */
const KEEP = 2;
const GATHER = 8;

export class Appender {
  #source;
  #queue = [];
  #bytes = 0;
  #offset = null;
  #on;

  /** `on`: appended(), overflow() when everything waiting was thrown away, failed(reason). */
  constructor(source, on) {
    this.#source = source;
    this.#on = on;
    source.mode = "segments";
    source.addEventListener("updateend", () => {
      on.appended();
      this.#pump();
    });
    source.addEventListener("error", () => on.failed("the browser refused the stream"));
  }

  get buffered() {
    return this.#source.buffered;
  }

  /** What to add to the stream's times, which count from the station's boot; nothing is appended before. */
  set offset(seconds) {
    this.#offset = seconds;
    this.#pump();
  }

  append(data) {
    if (this.#bytes + data.byteLength > MOST) {
      this.#clear();
      this.#on.overflow();
      return;
    }
    this.#queue.push(data);
    this.#bytes += data.byteLength;
    this.#pump();
  }

  /** Take out what lies well behind the playhead. */
  trim(current) {
    const { buffered } = this.#source;
    if (this.#source.updating || buffered.length === 0) return;
    if (buffered.start(0) < current - GATHER) this.#source.remove(0, current - KEEP);
  }

  #clear() {
    this.#queue = [];
    this.#bytes = 0;
  }

  #pump() {
    if (this.#offset === null || this.#source.updating || this.#queue.length === 0) return;
    if (this.#source.timestampOffset !== this.#offset) this.#source.timestampOffset = this.#offset;
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const data of this.#queue) {
      all.set(new Uint8Array(data), at);
      at += data.byteLength;
    }
    this.#clear();
    try {
      this.#source.appendBuffer(all);
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      this.#makeRoom();
    }
  }

  #makeRoom() {
    const { buffered } = this.#source;
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    this.#source.remove(0, Math.max(0.001, end - 0.001));
    this.#on.overflow();
  }
}

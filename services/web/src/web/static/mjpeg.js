/** The last resort that still moves: JPEGs over plain HTTP, read as a stream so that each is known. */

import { Multipart } from "./multipart.js";

export class MjpegRung {
  element = document.createElement("img");
  #on;
  #stop = new AbortController();
  #count = 0;
  #shownUrl = null;
  #busy = false;
  #closed = false;

  /** `on` as in player.js. */
  constructor({ url, on }) {
    this.#on = on;
    this.element.alt = "";
    this.#run(url);
  }

  get picture() {
    const { naturalWidth: width, naturalHeight: height } = this.element;
    return { source: this.element, width, height };
  }

  close() {
    this.#closed = true;
    this.#stop.abort();
    if (this.#shownUrl) URL.revokeObjectURL(this.#shownUrl);
  }

  async #run(url) {
    try {
      await this.#read(url);
      this.#fail("the pictures have ended");
    } catch (error) {
      this.#fail(error instanceof TypeError ? "the station cannot be reached" : error.message);
    }
  }

  #fail(reason) {
    if (!this.#closed) this.#on.failed(reason, false);
  }

  async #read(url) {
    const answer = await fetch(url, { cache: "no-store", signal: this.#stop.signal });
    if (!answer.ok) throw new RangeError(await reason(answer));
    const parts = new Multipart((head, body) => this.#show(head, body));
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parts.feed(value);
    }
  }

  /** A picture that comes while the one before is being decoded is one too many. */
  async #show(head, body) {
    const seq = ++this.#count;
    this.#on.received({ seq }, false);
    if (this.#busy) {
      this.#on.dropped(1);
      return;
    }
    this.#busy = true;
    const next = URL.createObjectURL(new Blob([body], { type: "image/jpeg" }));
    const decoded = await decode(next);
    this.#busy = false;
    if (this.#closed || !decoded) URL.revokeObjectURL(next);
    else this.#swap(next, decoded, { seq, capture: Number(head["x-timestamp"]) || null });
  }

  #swap(next, decoded, info) {
    this.element.src = next;
    if (this.#shownUrl) URL.revokeObjectURL(this.#shownUrl);
    this.#shownUrl = next;
    this.#on.size(decoded.naturalWidth, decoded.naturalHeight);
    requestAnimationFrame((moment) => this.#closed || this.#on.shown({ ...info, moment }));
  }
}

async function decode(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(
    () => image,
    () => null,
  );
}

/** The station's own words for why it refuses, where it gives them. */
export async function reason(answer) {
  const body = await answer.json().catch(() => null);
  return typeof body?.detail === "string" ? body.detail : `the station answered ${answer.status}`;
}

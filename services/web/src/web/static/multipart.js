/** A stream of JPEGs (multipart/x-mixed-replace), taken apart as it comes. */

const MOST = 8 << 20;
const HEAD_MOST = 1024;

/** Feed it bytes; `part(head, body)` is called for each part: its header fields, lower case, and its bytes. */
export class Multipart {
  #bytes = new Uint8Array(0);
  #part;

  constructor(part) {
    this.#part = part;
  }

  /** Throws RangeError for what can be no such stream. */
  feed(chunk) {
    const all = new Uint8Array(this.#bytes.length + chunk.length);
    all.set(this.#bytes);
    all.set(chunk, this.#bytes.length);
    this.#bytes = all;
    while (this.#take());
  }

  #take() {
    const end = emptyLine(this.#bytes);
    if (end === null) {
      if (this.#bytes.length > HEAD_MOST) throw new RangeError("no header where one should be");
      return false;
    }
    const head = fields(new TextDecoder().decode(this.#bytes.subarray(0, end)));
    const length = Number(head["content-length"]);
    if (!(length > 0 && length <= MOST)) throw new RangeError("a part without its length");
    if (this.#bytes.length < end + length) return false;
    this.#part(head, this.#bytes.slice(end, end + length));
    this.#bytes = this.#bytes.slice(end + length);
    return true;
  }
}

function emptyLine(bytes) {
  const most = Math.min(bytes.length, HEAD_MOST) - 3;
  for (let i = 0; i < most; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) {
      return i + 4;
    }
  }
  return null;
}

function fields(text) {
  const found = {};
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) found[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return found;
}

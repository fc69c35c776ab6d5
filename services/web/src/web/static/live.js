/** One viewer's connection to one camera: fragments in, acknowledgements out. */

import { AUDIO_TRACK, VIDEO_TRACK, boxName, readFragment, readInit } from "./cmaf.js";
import { Replay, Resync } from "./resync.js";

const ACK_MS = 100;
/** Close codes after which trying again at once, or on another rung, changes nothing. */
const FINAL = {
  4404: "the station does not know this camera",
  4503: "the station has as many viewers as it can serve",
};

export class LiveSocket {
  #on;
  #socket;
  #track = null;
  #inits = {};
  #resync = new Resync();
  #replay = new Replay();
  #received = null;
  #acknowledged = null;
  #timer;
  #opened = false;

  /** `on`: init(header, bytes), video(fragment, bytes, {replayed, decodable}), audio(fragment, bytes),
   *  waiting(reason), streaming(), closed(reason, final). */
  constructor(url, on) {
    this.#on = on;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => (this.#opened = true);
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onclose = (event) => this.#closed(event);
    this.#timer = setInterval(() => this.#acknowledge(), ACK_MS);
  }

  /** Ask for the sound, or no longer. */
  sound(on) {
    this.#send({ type: "audio", on });
  }

  /** Nothing more is decodable until the next key frame. */
  dropToKey() {
    this.#resync.drop();
  }

  /** Fragments that never came. */
  get lost() {
    return this.#resync.lost;
  }

  close() {
    clearInterval(this.#timer);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #send(message) {
    const say = () => this.#socket.send(JSON.stringify(message));
    if (this.#socket.readyState === WebSocket.OPEN) say();
    else this.#socket.addEventListener("open", say, { once: true });
  }

  #acknowledge() {
    if (this.#received === this.#acknowledged) return;
    this.#acknowledged = this.#received;
    this.#send({ type: "ack", seq: this.#received });
  }

  #closed(event) {
    clearInterval(this.#timer);
    const final = FINAL[event.code];
    const reason = this.#opened ? "the connection was lost" : "no WebSocket to the station";
    this.#on.closed(final ?? (event.reason || reason), final !== undefined);
  }

  #receive(data) {
    if (typeof data === "string") this.#note(JSON.parse(data));
    else if (boxName(new Uint8Array(data, 0, 8)) === "ftyp") this.#begin(data);
    else this.#fragment(data);
  }

  #note(message) {
    if (message.type === "track") this.#track = message;
    else if (message.type !== "state") return;
    else if (message.state === "waiting") this.#on.waiting(message.reason || "no picture yet");
    else this.#on.streaming();
  }

  #begin(data) {
    const header = readInit(data);
    if (header === null) return;
    this.#inits[header.kind] = header;
    if (header.kind === "video") this.#resync.restart();
    this.#on.init({ ...header, session: this.#track?.session }, data);
  }

  #fragment(data) {
    const fragment = readFragment(data);
    if (fragment === null) return;
    if (fragment.track === VIDEO_TRACK && this.#inits.video) this.#video(fragment, data);
    else if (fragment.track === AUDIO_TRACK && this.#inits.audio) this.#on.audio(fragment, data);
  }

  #video(fragment, data) {
    this.#received = fragment.seq;
    const { timescale } = this.#inits.video;
    const media = fragment.tfdt / timescale;
    const now = performance.now() / 1000;
    const replayed = this.#replay.holds(media, fragment.duration / timescale, now);
    const decodable = this.#resync.admit(fragment);
    this.#on.video(fragment, data, { replayed, decodable });
  }
}

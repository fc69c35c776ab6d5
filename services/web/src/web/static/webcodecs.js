/** The fastest way to watch: H.264 from the WebSocket, decoded by WebCodecs, drawn on a canvas. */

import { LiveSocket } from "./live.js";
import { Painter } from "./painter.js";
import { Sound } from "./sound.js";

/** Frames that may wait in the decoder of a caught-up player before it skips to the next key. */
const BACKLOG = 8;
const ERRORS_ALLOWED = 3;
/** Milliseconds that the picture may be ahead of its sound, and that it waits for it at most. */
const AHEAD = 35;
const WAIT_MOST = 200;

/** Why this browser cannot do it on this page, in words; null when it can. */
export function webcodecsUnfit() {
  if (!globalThis.isSecureContext) return "WebCodecs needs https or localhost";
  if (!("VideoDecoder" in globalThis)) return "this browser has no WebCodecs";
  return null;
}

export class WebcodecsRung {
  element = document.createElement("canvas");
  #on;
  #live;
  #painter;
  #decoder = null;
  #config = null;
  #timescale = 0;
  #infos = new Map();
  #caughtUp = false;
  #errors = 0;
  #sound = null;
  #muted = true;

  /** `on` as in player.js. */
  constructor({ url, on, sound }) {
    this.#on = on;
    this.#painter = new Painter(this.element, {
      shown: (info, moment) => on.shown({ ...info, moment }),
      dropped: () => on.dropped(1),
    });
    this.#live = new LiveSocket(url, {
      init: (header) => this.#init(header),
      video: (...fragment) => this.#video(...fragment),
      audio: (fragment) => this.#sound?.play(fragment),
      waiting: on.waiting,
      streaming: on.streaming,
      closed: on.failed,
    });
    if (sound) this.sound(true);
  }

  /** What a snapshot is made of. */
  get picture() {
    return { source: this.element, width: this.element.width, height: this.element.height };
  }

  /** Milliseconds that the sound is heard after its capture; null without sound. */
  get soundLatency() {
    return this.#sound?.latency ?? null;
  }

  /** Sound on or off; call it from a click, or the browser keeps it silent. */
  sound(on) {
    if (on !== this.#muted) return;
    this.#muted = !on;
    if (on) this.#sound = new Sound(this.#on);
    else this.#silence();
    this.#live.sound(on);
  }

  close() {
    this.#live.close();
    this.#silence();
    this.#painter.close();
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
  }

  #silence() {
    this.#sound?.close();
    this.#sound = null;
  }

  async #init(header) {
    if (header.kind === "audio") {
      this.#sound?.configure(header);
      return;
    }
    const { codec, description, timescale, width, height } = header;
    this.#timescale = timescale;
    this.#config = { codec, description, optimizeForLatency: true };
    this.#on.size(width, height);
    this.#configure();
    const { supported } = await VideoDecoder.isConfigSupported(this.#config);
    if (!supported) this.#on.failed(`WebCodecs here cannot decode ${codec}`, false);
  }

  #configure() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#infos.clear();
    this.#caughtUp = false;
    const decoder = new VideoDecoder({
      output: (frame) => this.#output(frame),
      error: (error) => decoder === this.#decoder && this.#failed(error),
    });
    this.#decoder = decoder;
    decoder.configure(this.#config);
  }

  #failed(error) {
    this.#errors += 1;
    if (this.#errors > ERRORS_ALLOWED) {
      this.#on.failed(`WebCodecs gave up: ${error.message}`, false);
      return;
    }
    this.#live.dropToKey();
    this.#configure();
  }

  #video(fragment, _bytes, { replayed, decodable }) {
    this.#on.received(fragment, replayed);
    if (!decodable || this.#decoder?.state !== "configured" || this.#overloaded()) {
      if (!replayed) this.#on.dropped(1);
      return;
    }
    const timestamp = Math.round((fragment.tfdt / this.#timescale) * 1e6);
    const { seq, capture, key, data } = fragment;
    this.#infos.set(timestamp, { seq, capture, replayed });
    this.#decoder.decode(new EncodedVideoChunk({ type: key ? "key" : "delta", timestamp, data }));
  }

  #overloaded() {
    const waiting = this.#decoder.decodeQueueSize;
    if (waiting <= 1) this.#caughtUp = true;
    if (!this.#caughtUp || waiting <= BACKLOG) return false;
    this.#live.dropToKey();
    return true;
  }

  #output(frame) {
    const info = this.#infos.get(frame.timestamp);
    for (const timestamp of this.#infos.keys()) {
      if (timestamp > frame.timestamp) break;
      this.#infos.delete(timestamp);
    }
    this.#errors = 0;
    const stillReplaying = info?.replayed && this.#infos.size > 0;
    if (!info || stillReplaying) frame.close();
    else this.#paint(frame, info);
  }

  /** Sound takes longer from the microphone to the ear: the picture waits until both belong together. */
  #paint(frame, info) {
    const now = this.#on.clock.now();
    const due = this.soundLatency === null ? 0 : this.soundLatency - AHEAD;
    const wait = now === null ? 0 : due - (now - info.capture) * 1000;
    if (wait < 4) this.#painter.offer(frame, info);
    else setTimeout(() => this.#painter.offer(frame, info), Math.min(wait, WAIT_MOST));
  }
}

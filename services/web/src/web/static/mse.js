/** H.264 from the WebSocket through a media element (Media Source Extensions), close to its live edge. */

import { Appender } from "./appender.js";
import { LiveEdge } from "./liveedge.js";
import { LiveSocket } from "./live.js";
import { InFlight, watchPresentation } from "./presentation.js";

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
const SAMPLE_CODEC = "avc1.42C01F";
/** Milliseconds to wait for the sound's header before the picture goes on without it. */
const SOUND_WAIT = 1500;

const mime = ({ kind, codec }) => `${kind}/mp4; codecs="${codec}"`;

/** Why this browser cannot do it, in words; null when it can. */
export function mseUnfit() {
  if (!Source) return "this browser has no Media Source Extensions";
  const takes = Source.isTypeSupported(mime({ kind: "video", codec: SAMPLE_CODEC }));
  return takes ? null : "this browser cannot play H.264";
}

export class MseRung {
  element = document.createElement("video");
  #on;
  #live;
  #source = new Source();
  #url = URL.createObjectURL(this.#source);
  #edge;
  #appenders = {};
  #inits = {};
  #held = [];
  #wanted;
  #origin = null;
  #inFlight = new InFlight();
  #stopWatching;
  #waitForSound = null;

  /** `on` as in player.js. Sound needs an element of its own kind: for a change, open another rung. */
  constructor({ url, on, sound }) {
    this.#on = on;
    this.#wanted = sound ? ["video", "audio"] : ["video"];
    this.#edge = new LiveEdge(sound);
    this.#prepare(sound);
    this.#live = new LiveSocket(url, {
      init: (header, data) => this.#init(header, data),
      video: (...fragment) => this.#video(...fragment),
      audio: (fragment, data) => this.#audio(fragment, data),
      waiting: on.waiting,
      streaming: on.streaming,
      closed: on.failed,
    });
    if (!sound) return;
    this.#live.sound(true);
    this.#waitForSound = setTimeout(() => this.#withoutSound(), SOUND_WAIT);
  }

  get picture() {
    const { videoWidth: width, videoHeight: height } = this.element;
    return { source: this.element, width, height };
  }

  close() {
    clearTimeout(this.#waitForSound);
    this.#live.close();
    this.#stopWatching();
    this.element.removeAttribute("src");
    this.element.load();
    URL.revokeObjectURL(this.#url);
  }

  #prepare(sound) {
    const video = this.element;
    video.muted = !sound;
    video.playsInline = true;
    video.disableRemotePlayback = true;
    video.addEventListener("waiting", () => this.#dry());
    video.addEventListener("error", () => this.#on.failed(`the browser: ${video.error?.message}`));
    this.#source.addEventListener("sourceopen", () => this.#begin(), { once: true });
    this.#stopWatching = watchPresentation(video, (frame) => this.#shown(frame));
    video.src = this.#url;
  }

  #withoutSound() {
    this.#wanted = ["video"];
    this.#on.soundFailed("the camera sends no sound at the moment");
    this.#begin();
  }

  #init(header, data) {
    if (header.kind === "video") this.#on.size(header.width, header.height);
    const appender = this.#appenders[header.kind];
    this.#inits[header.kind] = { header, data };
    if (appender) appender.append(data);
    else this.#begin();
  }

  /** All buffers before the first byte: Chromium takes no further one later. */
  #begin() {
    const ready = this.#wanted.every((kind) => this.#inits[kind]);
    if (!ready || this.#source.readyState !== "open" || this.#appenders.video) return;
    for (const kind of this.#wanted) {
      const { header, data } = this.#inits[kind];
      if (!Source.isTypeSupported(mime(header))) {
        this.#on.failed(`this browser cannot play ${header.codec} with Media Source Extensions`);
        return;
      }
      this.#appenders[kind] = this.#appender(kind, mime(header));
      this.#appenders[kind].append(data);
    }
    for (const fragment of this.#held.splice(0)) this.#append(...fragment);
  }

  #appender(kind, type) {
    return new Appender(this.#source.addSourceBuffer(type), {
      appended: () => kind === "video" && this.#appended(),
      overflow: () => this.#live.dropToKey(),
      failed: this.#on.failed,
    });
  }

  #video(fragment, data, { replayed, decodable }) {
    this.#on.received(fragment, replayed);
    if (!decodable) {
      if (!replayed) this.#on.dropped(1);
      return;
    }
    if (this.#appenders.video) this.#append(fragment, data, replayed);
    else this.#held.push([fragment, data, replayed]);
  }

  #append({ tfdt, seq, capture }, data, replayed) {
    const time = tfdt / this.#inits.video.header.timescale;
    if (this.#origin === null) {
      this.#origin = time;
      for (const appender of Object.values(this.#appenders)) appender.offset = -time;
    }
    this.#inFlight.add(time - this.#origin, { seq, capture, replayed });
    if (!replayed && !this.element.paused) this.#steer(performance.now() / 1000);
    this.#appenders.video.append(data);
  }

  #audio({ tfdt }, data) {
    const before = this.#origin === null || tfdt / 48000 < this.#origin;
    if (!before) this.#appenders.audio?.append(data);
  }

  #end() {
    const { buffered } = this.#appenders.video;
    return buffered.length ? buffered.end(buffered.length - 1) : null;
  }

  #appended() {
    const end = this.#end();
    if (end === null || this.#origin === null) return;
    const video = this.element;
    if (video.paused) this.#play(end);
    else this.#leap(end);
    for (const appender of Object.values(this.#appenders)) appender.trim(video.currentTime);
  }

  #play(end) {
    this.element.currentTime = this.#target(end);
    this.element.play().catch((error) => {
      if (error.name !== "AbortError") this.#on.failed(`the browser does not start: ${error.message}`);
    });
  }

  /** The last picture but the margin; never before the range that it is in. */
  #target(end) {
    const { buffered } = this.#appenders.video;
    return Math.max(buffered.start(buffered.length - 1), end - this.#edge.margin - 0.02);
  }

  #steer(now) {
    const end = this.#end();
    if (end === null || this.element.seeking) return;
    const { rate, far } = this.#edge.step(end - this.element.currentTime, now);
    if (far) this.#seek(this.#target(end));
    else if (this.element.playbackRate !== rate) this.element.playbackRate = rate;
  }

  /** Frames were lost: playback stands before the hole and would for ever. */
  #leap(end) {
    const { buffered } = this.#appenders.video;
    const start = buffered.start(buffered.length - 1);
    if (this.element.currentTime < start && !this.element.seeking) this.#seek(this.#target(end));
  }

  #seek(time) {
    this.#edge.moved();
    this.element.playbackRate = 1;
    this.element.currentTime = time;
    this.#on.seek();
  }

  #dry() {
    if (this.#origin === null || this.element.seeking) return;
    this.#edge.dry(performance.now() / 1000);
    this.#on.dry();
  }

  #shown({ media, moment, count }) {
    const info = this.#inFlight.find(media);
    if (info) this.#on.shown({ ...info, moment, count });
  }
}

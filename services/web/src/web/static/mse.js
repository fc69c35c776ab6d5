/** H.264 from the WebSocket through a media element (Media Source Extensions), close to its live edge. */

import { Appender } from "./appender.js";
import { setDuration } from "./cmaf.js";
import { LiveSocket } from "./live.js";
import { Playhead } from "./playhead.js";
import { InFlight, watchPresentation } from "./presentation.js";
import { SILENCE_TYPE, silence, silenceInit } from "./silence.js";

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
const SAMPLE_CODEC = "avc1.42C01F";
/** Milliseconds to wait for the sound's header before the picture goes on without it. */
const SOUND_WAIT = 1500;
/** Seconds that each frame is said to last: Media Source takes a pause of twice that for a break, and
 *  would throw away everything up to the next key frame. */
const LASTS = 1;
/** Seconds of silence appended at once, and how many lie ahead at least. */
const SILENCE = 20;
const SILENCE_AHEAD = 10;

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
  #head;
  #appenders = {};
  #inits = {};
  #held = [];
  #wanted;
  #origin = null;
  #inFlight = new InFlight();
  #stopWatching;
  #waitForSound = null;
  #silentUntil = 0;

  /** `on` as in player.js. Sound needs an element of its own kind: for a change, open another rung. */
  constructor({ url, on, sound }) {
    this.#on = on;
    this.#wanted = sound ? ["video", "audio"] : ["video"];
    this.#head = new Playhead(this.element, sound, on);
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
    video.addEventListener("error", () => this.#on.failed(`the browser: ${video.error?.message}`));
    this.#source.addEventListener("sourceopen", () => this.#begin(), { once: true });
    this.#stopWatching = watchPresentation(video, (frame) => this.#shown(frame));
    video.src = this.#url;
  }

  #withoutSound() {
    if (this.#appenders.video) return;
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
    if (!this.#appenders.audio && Source.isTypeSupported(SILENCE_TYPE)) this.#beSilent();
    for (const fragment of this.#held.splice(0)) this.#append(...fragment);
  }

  #beSilent() {
    this.#appenders.silence = this.#appender("silence", SILENCE_TYPE);
    this.#appenders.silence.offset = 0;
    this.#appenders.silence.append(silenceInit());
    this.#moreSilence();
  }

  #moreSilence() {
    if (this.#silentUntil - this.element.currentTime > SILENCE_AHEAD) return;
    this.#appenders.silence?.append(silence(this.#silentUntil, SILENCE));
    this.#silentUntil += SILENCE;
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

  #append({ tfdt, duration, seq, capture }, data, replayed) {
    const { timescale } = this.#inits.video.header;
    const time = tfdt / timescale;
    if (this.#origin === null) {
      this.#origin = time;
      this.#appenders.video.offset = -time;
      if (this.#appenders.audio) this.#appenders.audio.offset = -time;
    }
    const interval = duration / timescale;
    this.#inFlight.add(time - this.#origin, { seq, capture, replayed, interval });
    if (!replayed) this.#head.steer(performance.now() / 1000);
    this.#head.end = time - this.#origin + interval;
    setDuration(data, Math.max(duration, LASTS * timescale));
    this.#appenders.video.append(data);
  }

  #audio({ tfdt, duration }, data) {
    if (this.#origin === null || !this.#appenders.audio) return;
    const { timescale } = this.#inits.audio.header;
    const time = tfdt / timescale - this.#origin;
    if (time < 0) return;
    this.#head.soundEnd = time + duration / timescale;
    this.#appenders.audio.append(data);
  }

  #appended() {
    const { buffered } = this.#appenders.video;
    if (this.#origin === null || buffered.length === 0) return;
    this.#head.advance(buffered);
    this.#moreSilence();
    for (const appender of Object.values(this.#appenders)) appender.trim(this.element.currentTime);
  }

  #shown({ media, moment, count }) {
    const info = this.#inFlight.find(media);
    if (info === null) return;
    this.#head.presented(media, info.interval);
    this.#on.shown({ ...info, moment, count });
  }
}

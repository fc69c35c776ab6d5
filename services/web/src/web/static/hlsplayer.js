/** HLS over plain HTTP: it passes every proxy and cache, a second late. */

import { watchPresentation } from "./presentation.js";

const LIBRARY = "./vendor/hls.mjs";
const TYPE = "application/vnd.apple.mpegurl";
const SAMPLE_TYPE = 'video/mp4; codecs="avc1.42C01F"';
const OPUS = 'audio/mp4; codecs="opus"';
const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
/** Apple's own player saves battery; Chromium's knows nothing of low latency. */
const isApple = globalThis.navigator?.vendor?.startsWith("Apple") ?? false;
/** Seconds behind the aim from which it hurries, and from which it jumps; and how much it hurries. */
const LATE = 0.1;
const FAR = 3;
/** After a stall hls.js aims further back: seconds without one, after which the aim comes nearer again,
 *  and by how much each time. */
const CALM = 10;
const NEARER = 0.02;
const HURRY = 1.1;
const STEER = 250;

const native = () => Boolean(globalThis.document?.createElement("video").canPlayType(TYPE));
const extensions = () => Boolean(Source?.isTypeSupported?.(SAMPLE_TYPE));

/** Why this browser cannot do it, in words; null when it can. */
export function hlsUnfit() {
  return extensions() || native() ? null : "this browser plays neither HLS nor H.264";
}

export class HlsRung {
  element = document.createElement("video");
  #on;
  #url;
  #sound;
  #hls = null;
  #steering = null;
  #dryAt = -Infinity;
  #stopWatching;
  #closed = false;

  /** `url` of the multivariant playlist, `on` as in player.js. For a change of sound open another. */
  constructor({ url, on, sound }) {
    this.#on = on;
    this.#sound = sound;
    this.#url = sound ? url : `${url}?sound=false`;
    this.#prepare();
    this.#start();
  }

  get picture() {
    const { videoWidth: width, videoHeight: height } = this.element;
    return { source: this.element, width, height };
  }

  close() {
    this.#closed = true;
    clearInterval(this.#steering);
    this.#stopWatching();
    this.#hls?.destroy();
    this.element.removeAttribute("src");
    this.element.load();
  }

  #prepare() {
    const video = this.element;
    video.muted = !this.#sound;
    video.playsInline = video.autoplay = true;
    video.addEventListener("resize", () => this.#on.size(video.videoWidth, video.videoHeight));
    video.addEventListener("waiting", () => this.#dry());
    video.addEventListener("seeked", () => this.#on.seek());
    this.#stopWatching = watchPresentation(video, (frame) => this.#shown(frame));
  }

  async #start() {
    try {
      if (isApple && native()) this.#playNatively();
      else await this.#playWithLibrary();
    } catch (error) {
      this.#fail(error.message);
    }
  }

  #playNatively() {
    const video = this.element;
    video.addEventListener("error", () => this.#fail(`the browser: ${video.error?.message}`));
    video.src = this.#url;
    this.#play();
  }

  async #playWithLibrary() {
    const { default: Hls } = await import(LIBRARY).catch(async () => {
      throw new Error(await missing());
    });
    if (this.#closed) return;
    const hls = (this.#hls = new Hls(settings(this.#sound)));
    hls.on(Hls.Events.ERROR, (_, { fatal, details, response }) => {
      if (fatal) this.#fail(explain(details, response));
    });
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.#play());
    hls.loadSource(this.#url);
    hls.attachMedia(this.element);
    this.#steering = setInterval(() => this.#steer(), STEER);
  }

  /** hls.js hurries only from a second behind its aim on; a camera's viewer sees less than that. */
  #steer() {
    const { latency, targetLatency: aim, latestLevelDetails: details } = this.#hls;
    const video = this.element;
    if (!aim || !latency || video.paused || video.seeking) return;
    const nearest = details?.partHoldBack ?? aim;
    if (aim > nearest && performance.now() / 1000 - this.#dryAt > CALM) {
      this.#hls.targetLatency = Math.max(nearest, aim - NEARER);
    }
    const late = latency - aim;
    if (late > FAR && this.#hls.liveSyncPosition) video.currentTime = this.#hls.liveSyncPosition;
    const rate = late > LATE ? HURRY : late < LATE / 4 ? 1 : video.playbackRate;
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  #dry() {
    this.#dryAt = performance.now() / 1000;
    this.#on.dry();
  }

  #play() {
    if (!this.element.paused) return;
    this.element.play().catch((error) => {
      if (error.name !== "AbortError") this.#fail(`the browser does not start: ${error.message}`);
    });
  }

  #shown({ media, moment, count }) {
    const capture = this.#captured(media);
    for (let i = 0; i < count; i++) this.#on.received({ capture: null }, false);
    this.#on.shown({ capture, moment, count });
  }

  /** Unix seconds at which the picture of a media time was captured: EXT-X-PROGRAM-DATE-TIME. */
  #captured(media) {
    const start = this.element.getStartDate?.().getTime();
    if (start) return start / 1000 + media;
    return captureIn(this.#hls?.latestLevelDetails?.fragments ?? [], media);
  }

  #fail(reason) {
    if (!this.#closed) this.#on.failed(reason, false);
  }
}

/** The capture time by the fragment that holds the media time; null when none does. */
export function captureIn(fragments, media) {
  const found = fragments.findLast(({ start }) => start <= media);
  const began = found?.programDateTime;
  return began ? began / 1000 + media - found.start : null;
}

function settings(sound) {
  return {
    lowLatencyMode: true,
    // What it does on the way is to pass fragments on: a worker would only copy them once more.
    enableWorker: false,
    backBufferLength: 10,
    maxBufferLength: 10,
    liveDurationInfinity: true,
    liveSyncOnStallIncrease: 0.2,
    maxLiveSyncPlaybackRate: 1,
    liveSyncMode: "edge",
    startFragPrefetch: true,
    audioPreference: sound ? { audioCodec: Source?.isTypeSupported(OPUS) ? "opus" : "mp4a" } : undefined,
  };
}

/** The station's words for why the library is not there. */
async function missing() {
  const answer = await fetch(new URL(LIBRARY, import.meta.url)).catch(() => null);
  if (answer === null) return "the station cannot be reached";
  const body = await answer.json().catch(() => null);
  return body?.detail ?? "hls.js does not run in this browser";
}

function explain(details, response) {
  if (response?.code === 503) return "the station has no HLS of this camera at the moment";
  if (response?.code) return `the station answered ${response.code}`;
  return `HLS: ${details}`;
}

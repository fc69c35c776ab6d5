/** H.264 over WebRTC, straight from the camera's encoder; signalled by WHEP. */

import { watchPresentation } from "./presentation.js";
import { Whep, mediaClock } from "./whep.js";

const VIDEO_RATE = 90_000;
/** Milliseconds after the answer in which a network that lets UDP through has connected. */
const CONNECT = 1000;
const POLL = 1000;
/** Ticks between two pictures that are hurried through at the beginning, and not live, at most. */
const HURRIED = 1200;
/** Seconds that the two ways of telling a picture's age may differ: above, a clock has been set. */
const DISAGREE = 0.5;
/** Milliseconds that a picture waits at least where there is sound: the browser's buffer for sound is
 *  never shorter, and it would take ten seconds to bring the picture there by itself. */
const BESIDE_SOUND = 60;
const NTP_UNIX = 2_208_988_800;

function delay(receiver, ms) {
  receiver.jitterBufferTarget = ms;
  receiver.playoutDelayHint = ms / 1000;
}

/** Why this browser cannot do it, in words; null when it can. */
export function webrtcUnfit() {
  if (!("RTCPeerConnection" in globalThis)) return "this browser has no WebRTC";
  const { codecs } = globalThis.RTCRtpReceiver?.getCapabilities?.("video") ?? {};
  const plays = codecs?.some(({ mimeType }) => mimeType.toLowerCase() === "video/h264") ?? true;
  return plays ? null : "this browser cannot play H.264 over WebRTC";
}

export class WebrtcRung {
  element = document.createElement("video");
  /** Milliseconds from capture to ear, as the browser estimates it; null without sound. */
  soundLatency = null;
  #on;
  #peer;
  #whep;
  #captureAt = () => null;
  #last = null;
  #hurried = true;
  #latency = null;
  #shift = 0;
  #counted = { received: 0, dropped: 0 };
  #stopWatching;
  #answered = Infinity;
  #poll;
  #closed = false;

  /** `on` as in player.js; `iceServers`: RTCIceServer[]. Sound is asked for only at the beginning. */
  constructor({ url, iceServers, on, sound }) {
    this.#on = on;
    this.#peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#whep = new Whep(url, this.#peer);
    this.#prepare(sound);
    this.#listen();
    this.#connect();
  }

  get picture() {
    const { videoWidth: width, videoHeight: height } = this.element;
    return { source: this.element, width, height };
  }

  /** Why there is no picture, for a ladder that waits no longer; null when it cannot be told. */
  get excuse() {
    const { connectionState } = this.#peer;
    if (connectionState === "connected" || performance.now() - this.#answered < CONNECT) return null;
    return Number.isFinite(this.#answered) ? this.#whyUnconnected() : null;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#poll);
    removeEventListener("pagehide", this.#leave);
    this.#stopWatching();
    this.#leave();
    this.#peer.close();
    this.element.srcObject = null;
  }

  #leave = () => this.#whep.end();

  #prepare(sound) {
    const video = this.element;
    video.muted = !sound;
    video.playsInline = video.autoplay = true;
    video.disableRemotePlayback = true;
    const stream = new MediaStream();
    for (const kind of sound ? ["video", "audio"] : ["video"]) {
      const { receiver } = this.#peer.addTransceiver(kind, { direction: "recvonly" });
      if (kind === "video") delay(receiver, sound ? BESIDE_SOUND : 0);
      stream.addTrack(receiver.track);
    }
    video.srcObject = stream;
    video.addEventListener("resize", () => this.#on.size(video.videoWidth, video.videoHeight));
    this.#stopWatching = watchPresentation(video, (frame) => this.#shown(frame));
    video.play().catch((error) => {
      if (error.name !== "AbortError") this.#fail(`the browser does not start: ${error.message}`);
    });
  }

  #listen() {
    const peer = this.#peer;
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "failed") this.#fail(this.#whyUnconnected());
      else if (peer.connectionState === "closed") this.#fail("the station ended the connection");
    });
    addEventListener("pagehide", this.#leave);
    this.#poll = setInterval(() => this.#count(), POLL);
  }

  async #connect() {
    try {
      const answer = await this.#whep.offer();
      this.#captureAt = mediaClock(answer, VIDEO_RATE);
    } catch (error) {
      this.#fail(error.message);
      return;
    }
    this.#answered = performance.now();
    if (this.#closed) this.#whep.end();
  }

  #whyUnconnected() {
    const { iceConnectionState: ice } = this.#peer;
    if (this.#last !== null) return "the connection was lost";
    if (ice !== "connected" && ice !== "completed") return "your network blocks UDP";
    return "the WebRTC connection could not be secured";
  }

  #fail(reason) {
    if (!this.#closed) this.#on.failed(reason, false);
  }

  #shown({ rtp, moment, count }) {
    const at = this.#on.clock.now();
    let capture = rtp === undefined || at === null ? null : this.#captureAt(rtp, at);
    if (capture === null && this.#latency !== null) capture = at - this.#latency;
    else if (capture !== null) capture += this.#shift;
    const replayed = this.#isHurried(rtp);
    this.#last = { rtp, latency: capture === null ? null : this.#on.clock.at(moment) - capture };
    this.#on.shown({ capture, moment, count, replayed });
  }

  /** The group of pictures at the beginning comes in milliseconds, whatever it took to film it. */
  #isHurried(rtp) {
    const step = this.#last === null || rtp === undefined ? 0 : (rtp - this.#last.rtp) >>> 0;
    this.#hurried &&= rtp !== undefined && step < HURRIED;
    return this.#hurried;
  }

  async #count() {
    for (const report of (await this.#peer.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      const now = this.#on.clock.now();
      const { estimatedPlayoutTimestamp: playout } = report;
      const latency = playout && now !== null ? now - playout / 1000 + NTP_UNIX : null;
      if (report.kind === "audio") this.soundLatency = latency === null ? null : latency * 1000;
      else this.#countVideo(report, latency);
    }
  }

  #countVideo({ framesReceived, framesDropped }, latency) {
    const { received, dropped } = this.#counted;
    for (let i = received; i < framesReceived; i++) this.#on.received({ capture: null }, false);
    if (framesDropped > dropped) this.#on.dropped(framesDropped - dropped);
    this.#counted = { received: framesReceived, dropped: framesDropped };
    this.#latency = latency;
    const own = this.#last?.latency ?? null;
    const isFlowing = framesReceived > received && received > 0;
    if (!isFlowing || own === null || latency === null) return;
    // The camera's clock has been set since the answer: sender reports know it.
    if (Math.abs(latency - own) > DISAGREE) this.#shift += own - latency;
  }
}

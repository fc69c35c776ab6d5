/** H.264 from a LiveKit server that a relay publishes to: its client is loaded only when it is used. */

import { reason } from "./mjpeg.js";
import { watchPresentation } from "./presentation.js";

const CLIENT = "./vendor/livekit.mjs";
const POLL = 1000;
const NTP_UNIX = 2_208_988_800;
/** Seconds of latency that can be meant: another value is a clock that nobody has set. */
const PLAUSIBLE = 10;

/** Why this browser cannot do it, in words; null when it can. */
export function livekitUnfit() {
  return "RTCPeerConnection" in globalThis ? null : "this browser has no WebRTC";
}

export class LivekitRung {
  element = document.createElement("video");
  /** What is still being waited for: why there was no picture in time. */
  excuse = "LiveKit's client has not come in time";
  /** Milliseconds from capture to ear: LiveKit does not tell. */
  soundLatency = null;
  #on;
  #sound;
  #room = null;
  #video = null;
  #latency = null;
  #counted = { received: 0, dropped: 0 };
  #stopWatching;
  #poll;
  #closed = false;

  /** `on` as in player.js; `url`: where the station gives tokens; `iceServers`: RTCIceServer[]. Sound
   *  is asked for only at the beginning. */
  constructor({ url, iceServers, on, sound }) {
    this.#on = on;
    this.#sound = sound;
    const video = this.element;
    video.muted = !sound;
    video.playsInline = video.autoplay = true;
    video.disableRemotePlayback = true;
    video.addEventListener("resize", () => on.size(video.videoWidth, video.videoHeight));
    this.#stopWatching = watchPresentation(video, (frame) => this.#shown(frame));
    this.#poll = setInterval(() => this.#count(), POLL);
    this.#run(url, iceServers);
  }

  get picture() {
    const { videoWidth: width, videoHeight: height } = this.element;
    return { source: this.element, width, height };
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#poll);
    this.#stopWatching();
    this.#room?.disconnect();
    this.element.srcObject = null;
  }

  async #run(url, iceServers) {
    try {
      const [client, ticket] = await Promise.all([load(), ask(url)]);
      if (!this.#closed) await this.#join(client, ticket, iceServers);
    } catch (error) {
      this.#fail(error.message);
    }
  }

  async #join({ Room, RoomEvent, setLogLevel }, { host, token }, iceServers) {
    setLogLevel("silent");
    this.excuse = "LiveKit cannot be reached";
    const room = new Room({ adaptiveStream: false, dynacast: false });
    this.#room = room;
    room.on(RoomEvent.TrackPublished, (track) => this.#take(track));
    room.on(RoomEvent.TrackSubscribed, (track) => this.#attach(track));
    room.on(RoomEvent.TrackUnsubscribed, (track) => this.#gone(track));
    room.on(RoomEvent.Disconnected, () => this.#fail("LiveKit ended the connection"));
    const how = { autoSubscribe: false, maxRetries: 0, rtcConfig: { iceServers } };
    await room.connect(host, token, how).catch(() => {
      throw new Error("LiveKit cannot be reached");
    });
    if (this.#closed) return room.disconnect();
    this.excuse = "LiveKit has no picture of this camera";
    for (const participant of room.remoteParticipants.values()) {
      for (const track of participant.trackPublications.values()) this.#take(track);
    }
  }

  #take(publication) {
    if (publication.kind === "video" || this.#sound) publication.setSubscribed(true);
  }

  #attach(track) {
    if (this.#closed || (track.kind === "video" && this.#video)) return;
    if (track.kind === "video") {
      this.#video = track;
      this.excuse = "LiveKit sends no picture";
      // Else the browser holds pictures back until it has seen how unevenly they come.
      track.setPlayoutDelay(0);
    }
    track.attach(this.element);
  }

  #gone(track) {
    if (track === this.#video) this.#fail("the camera has left LiveKit");
  }

  #fail(why) {
    if (!this.#closed) this.#on.failed(why, false);
  }

  #shown({ moment, count }) {
    const now = this.#on.clock.now();
    const capture = now === null || this.#latency === null ? null : now - this.#latency;
    this.#on.shown({ capture, moment, count, replayed: false });
  }

  async #count() {
    const reports = await this.#video?.getRTCStatsReport();
    for (const report of reports?.values() ?? []) {
      if (report.type === "inbound-rtp" && report.kind === "video") this.#countVideo(report);
    }
  }

  #countVideo({ framesReceived, framesDropped, estimatedPlayoutTimestamp: playout }) {
    const { received, dropped } = this.#counted;
    for (let i = received; i < framesReceived; i++) this.#on.received({ capture: null }, false);
    if (framesDropped > dropped) this.#on.dropped(framesDropped - dropped);
    this.#counted = { received: framesReceived, dropped: framesDropped };
    const now = this.#on.clock.now();
    const latency = playout && now !== null ? now - playout / 1000 + NTP_UNIX : null;
    this.#latency = latency !== null && Math.abs(latency) < PLAUSIBLE ? latency : null;
  }
}

async function load() {
  try {
    return await import(CLIENT);
  } catch {
    throw new Error("the station has no LiveKit client: install npm there, then call make");
  }
}

async function ask(url) {
  const answer = await fetch(url, { cache: "no-store" }).catch(() => {
    throw new Error("no answer from the station");
  });
  if (!answer.ok) throw new Error(await reason(answer));
  return answer.json();
}

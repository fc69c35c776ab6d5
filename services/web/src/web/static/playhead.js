/** Where a media element plays: close to the newest frame, and never before a hole for ever. */

import { LiveEdge } from "./liveedge.js";

/** Seconds beyond its end at which a picture is still shown without anything being wrong, and the
 *  pictures in a row after which something is. */
const LINGERS = 0.02;
const LINGERING = 5;
const KICK = 1.01;

export class Playhead {
  #video;
  #on;
  #edge;
  #range = null;
  #lingering = 0;
  /** Media times (s) at which the newest frame, and the newest sound beside it, really end. */
  end = null;
  soundEnd = Infinity;

  /** `on`: seek(), dry(), failed(reason). */
  constructor(video, withSound, on) {
    this.#video = video;
    this.#on = on;
    this.#edge = new LiveEdge(withSound);
    video.addEventListener("waiting", () => this.#dry());
  }

  /** A live frame is about to be appended: set the speed by what is left. */
  steer(now) {
    if (this.end === null || this.#video.paused || this.#video.seeking) return;
    const { rate, far } = this.#edge.step(this.#newest, this.#video.currentTime, now);
    if (far) this.#seek();
    else if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
  }

  /** A picture of media time `media` and `interval` seconds is shown. Chromium's choice of pictures for
   *  the refreshes of the screen can stay one picture behind until the speed changes. */
  presented(media, interval) {
    const late = this.#video.currentTime - media > interval + LINGERS;
    this.#lingering = late ? this.#lingering + 1 : 0;
    if (this.#lingering < LINGERING) return;
    this.#lingering = 0;
    this.#video.playbackRate = this.#video.playbackRate === 1 ? KICK : 1;
  }

  /** Something was appended to the ranges `buffered`: start, or get over a hole. */
  advance(buffered) {
    const start = buffered.start(buffered.length - 1);
    const isNew = start !== this.#range;
    const behindHole = this.#range !== null && start > this.#video.currentTime - 1;
    this.#range = start;
    if (this.#video.paused) this.#play();
    else if (isNew && behindHole) this.#seek();
  }

  get #newest() {
    return Math.min(this.end, this.soundEnd);
  }

  /** The last picture but the margin; never before the range that it is in. */
  get #target() {
    return Math.max(this.#range, this.#newest - this.#edge.margin - 0.02);
  }

  #play() {
    this.#video.currentTime = this.#target;
    this.#video.play().catch((error) => {
      if (error.name !== "AbortError") this.#on.failed(`the browser does not start: ${error.message}`);
    });
  }

  #seek() {
    this.#video.playbackRate = 1;
    this.#video.currentTime = this.#target;
    this.#on.seek();
  }

  #dry() {
    if (this.end === null || this.#video.seeking) return;
    this.#edge.dry(performance.now() / 1000);
    this.#on.dry();
  }
}

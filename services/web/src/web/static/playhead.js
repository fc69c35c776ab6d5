/** Where a media element plays: close to the newest frame, and never before a hole for ever. */

import { LiveEdge } from "./liveedge.js";

export class Playhead {
  #video;
  #on;
  #edge;
  #range = null;
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
    const { rate, far } = this.#edge.step(this.#newest - this.#video.currentTime, now);
    if (far) this.#seek();
    else if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
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
    this.#edge.moved();
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

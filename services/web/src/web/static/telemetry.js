/** What a player has measured of itself; `window.beeper.players[name]` and the page's statistics. */

import { Freshness } from "./freshness.js";

const KEPT = 5000;

/** All counts are since the page was opened, whatever rung was in use.
 *  - rung: name of the rung in use, or null; element: its canvas, video or img
 *  - frames: live frames received (the group of pictures replayed to a joiner is `replayed`)
 *  - shown, dropped: frames that reached the screen, and that were received and did not
 *  - seeks, dry: jumps of a media element, and times it ran out of pictures; stalls: reconnections
 *  - latencyMs: the last samples {t, seq, latency}: performance.now() at which a frame reached the
 *    screen, its number, and milliseconds since its capture by the station's clock
 *  - soundLatencyMs: the same for the newest sound, null without; firstPictureMs: since navigation */
export class Telemetry {
  /** Of this rung's pictures, at their arrival and on the screen. */
  arrived = new Freshness();
  fresh = new Freshness();
  rung = null;
  element = null;
  width = null;
  height = null;
  frames = 0;
  replayed = 0;
  shown = 0;
  dropped = 0;
  seeks = 0;
  dry = 0;
  stalls = 0;
  latencyMs = [];
  soundLatencyMs = null;
  firstPictureMs = null;
  /** The newest picture on the screen: {seq, capture, moment}. */
  picture = null;

  /** Another rung's pictures, in another element, are shown from now on. */
  turn(rung, element) {
    this.rung = rung;
    this.element = element;
    this.arrived.reset();
    this.fresh.reset();
  }

  /** A picture captured at `capture` (null if unknown) has come from the network. */
  received(capture, replayed, clock) {
    if (replayed) this.replayed += 1;
    else this.frames += 1;
    const now = clock.now();
    if (!replayed && capture && now !== null) this.arrived.take(capture, now);
  }

  /** A picture reached the screen at `moment`; `clock` tells the station's time. */
  show({ seq, capture, moment, count = 1, replayed = false }, clock) {
    this.firstPictureMs ??= moment;
    this.picture = { seq, capture, moment };
    if (replayed) return;
    this.shown += count;
    const then = clock.at(moment);
    if (then === null || !capture) return;
    this.fresh.take(capture, then);
    this.latencyMs.push({ t: moment, seq, latency: (then - capture) * 1000 });
    if (this.latencyMs.length > KEPT) this.latencyMs.splice(0, this.latencyMs.length - KEPT);
  }

  /** Median latency in ms of the last `seconds`; null when nothing was shown in them. */
  median(now, seconds = 1) {
    const recent = [];
    for (let i = this.latencyMs.length - 1; i >= 0; i--) {
      if (this.latencyMs[i].t < now - seconds * 1000) break;
      recent.push(this.latencyMs[i].latency);
    }
    return quantile(recent, 0.5);
  }

  /** The p-quantile of the last minute's latencies in ms, or null. */
  quantile(p, now) {
    const recent = this.latencyMs.filter(({ t }) => t > now - 60_000);
    return quantile(
      recent.map(({ latency }) => latency),
      p,
    );
  }

  /** Pictures a second over the last two. */
  rate(now) {
    let count = 0;
    for (let i = this.latencyMs.length - 1; i >= 0 && this.latencyMs[i].t > now - 2000; i--) count++;
    return count / 2;
  }
}

/** The p-quantile of numbers in any order; null for none. */
export function quantile(numbers, p) {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
}

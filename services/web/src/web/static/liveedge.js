/** How a media element stays close to the newest frame: by its speed, and by a seek only when lost. */

import { quantile } from "./telemetry.js";

/** Seconds that a frame should come before it is due; video alone, and with sound in the element. */
const MARGIN = { video: 0.012, sound: 0.15 };
const MARGIN_MOST = { video: 0.12, sound: 0.25 };
const MARGIN_STEP = 0.012;
/** Seconds of margin given back for each second without running dry. */
const MARGIN_DECAY = 0.0005;
/** Seconds behind that no playback rate makes good soon. */
const FAR = { video: 0.6, sound: 1.2 };
const FASTEST = 1.1;
const SLOWEST = 0.97;
const WINDOW = 3;
const ENOUGH = 12;
/** The part of frames that may be later than the margin: a late one is shown late, and stops nothing. */
const LATE = 0.1;
/** Seconds after the start in which bursts come and pipelines fill: then one seek puts it right. */
const SETTLE = 0.4;
const SETTLED_WITHIN = 0.04;
const TOLERANCE = 0.006;

export class LiveEdge {
  #kind;
  #margin;
  #arrivals = [];
  #rate = 1;
  #decayed = null;
  #raised = -Infinity;
  #settling = null;
  #settled = false;

  constructor(withSound = false) {
    this.#kind = withSound ? "sound" : "video";
    this.#margin = MARGIN[this.#kind];
  }

  /** The margin aimed at, in seconds. */
  get margin() {
    return this.#margin;
  }

  /** The element ran dry: keep further from the edge. Once for each event, whatever repeats it. */
  dry(now) {
    if (!this.#settled || now - this.#raised < 0.5) return;
    this.#raised = now;
    this.#margin = Math.min(MARGIN_MOST[this.#kind], this.#margin + MARGIN_STEP);
  }

  /** Just before a live frame is appended: what was buffered ends at `end`, the playhead is at
   *  `current` (media s), and it is `now` (s). What comes when is remembered apart from the playhead,
   *  or each correction would go on until the frames before it were forgotten. → {rate, far} */
  step(end, current, now) {
    if (!this.#settled) return this.#settle(end - current, now);
    this.#decay(now);
    this.#arrivals.push({ lead: end - now, now });
    while (this.#arrivals[0].now < now - WINDOW) this.#arrivals.shift();
    const leads = this.#arrivals.map(({ lead }) => lead);
    const part = this.#kind === "sound" ? 0 : LATE;
    const left = quantile(leads, leads.length < ENOUGH ? 0.5 : part) + now - current;
    if (left > FAR[this.#kind]) return { rate: 1, far: true };
    this.#rate = this.#choose(left - this.#margin);
    return { rate: this.#rate, far: false };
  }

  #settle(left, now) {
    this.#settling ??= now;
    this.#settled = now - this.#settling > SETTLE;
    return { rate: 1, far: this.#settled && left > this.#margin + SETTLED_WITHIN };
  }

  #choose(excess) {
    const near = this.#rate === 1 ? TOLERANCE : TOLERANCE / 3;
    if (Math.abs(excess) < near) return 1;
    if (excess < 0) return excess < -0.5 * this.#margin ? SLOWEST : 1;
    return Math.min(FASTEST, Math.round((1.01 + excess) * 100) / 100);
  }

  #decay(now) {
    if (this.#decayed !== null) {
      const less = this.#margin - MARGIN_DECAY * (now - this.#decayed);
      this.#margin = Math.max(MARGIN[this.#kind], less);
    }
    this.#decayed = now;
  }
}

/** The panel of numbers below a picture: what the player has measured. */

import { make, say } from "./dom.js";
import { UNKNOWN, number } from "./words.js";

const ms = (value) => (value === null ? UNKNOWN : `${number(value)} ms`);

/** Label → how it is read from the telemetry, at a performance.now(). */
const LINES = {
  "Latency, median": (t, now) => ms(t.median(now, 60)),
  "Latency, 95 of 100": (t, now) => ms(t.quantile(0.95, now)),
  "Sound latency": (t) => ms(t.soundLatencyMs),
  "First picture after": (t) => ms(t.firstPictureMs),
  "Pictures a second": (t, now) => number(t.rate(now), 1),
  Size: (t) => (t.width ? `${t.width} × ${t.height}` : UNKNOWN),
  "Frames received": (t) => number(t.frames),
  "Frames shown": (t) => number(t.shown),
  "Frames dropped": (t) => number(t.dropped),
  "Seeks, dry, stalls": (t) => `${t.seeks}, ${t.dry}, ${t.stalls}`,
};

export class Statistics {
  element;
  #values = new Map();
  #shownAt = 0;

  constructor() {
    const list = make("dl", { class: "facts" });
    for (const label of Object.keys(LINES)) {
      const value = make("dd", { text: UNKNOWN });
      this.#values.set(label, value);
      list.append(make("div", {}, make("dt", { text: label }), value));
    }
    this.element = make("details", {}, make("summary", { text: "Video statistics" }), list);
  }

  /** Once a second while it is open. */
  show(telemetry, now) {
    if (!this.element.open || now - this.#shownAt < 1000) return;
    this.#shownAt = now;
    for (const [label, read] of Object.entries(LINES)) {
      say(this.#values.get(label), read(telemetry, now));
    }
  }
}

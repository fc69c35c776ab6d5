/** The corner of a picture: whether it is live, how it comes, how late it is, and why not faster. */

import { make, mark, say } from "./dom.js";
import { UNKNOWN, number } from "./words.js";

const STATES = { live: "Live", dark: "Live, dark", same: "Unchanging", frozen: "Frozen", lost: "Lost" };

export class Badge {
  #state = make("span", { class: "live" });
  #protocol = make("span", { class: "protocol" });
  #latency = make("span", { class: "latency" });
  #reason = make("span", { class: "reason" });
  element;

  constructor() {
    const line = make("span", { class: "line" }, this.#state, " ", this.#protocol, " ", this.#latency);
    this.element = make("p", { class: "badge", hidden: true }, line, " ", this.#reason);
  }

  /** `kind` as in condition.js; `rung` as in rungs.js, `why` not a better one: each may be null. */
  show(kind, rung, why, telemetry) {
    const moving = kind === "live" || kind === "dark" || kind === "same";
    const latency = moving ? telemetry.median(performance.now()) : null;
    this.element.hidden = rung === null || !(kind in STATES);
    mark(this.element, "data-kind", kind);
    say(this.#state, STATES[kind] ?? "");
    say(this.#protocol, rung?.label ?? "");
    say(this.#latency, latency === null ? UNKNOWN : `${number(latency)} ms`);
    this.#latency.hidden = !moving;
    say(this.#reason, why ?? "");
    this.#reason.hidden = !why;
  }
}

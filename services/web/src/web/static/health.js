/** How a camera and every relay of it are doing, in their own words, each with its age. */

import { make, mark, say } from "./dom.js";
import { STALE_AFTER } from "./readings.js";
import { bytes, number, span } from "./words.js";

const LEVELS = { streaming: "good", starting: "warning", backoff: "bad", stopped: "warning" };
/** Seconds between two words of a relay, where its message does not say. */
const EVERY = 10;

/** What to say of a camera: {name, state, level, facts, trouble, age, stale}; `now` null if unknown. */
export function cameraHealth(message, now) {
  const { width, height, fps, bitrate_kbps: rate, driver, encoding, restarts } = message;
  const facts = [
    width && height ? `${width} × ${height}` : null,
    fps == null ? null : `${number(fps, 1)} fps`,
    rate == null ? null : `${number(rate)} kbit/s`,
    [driver, encoding].filter(Boolean).join(", ") || null,
    restarted(restarts),
  ];
  const trouble = message.error ?? message.warning ?? null;
  return { name: "Camera", ...common(message, now), facts: facts.filter(Boolean), trouble };
}

/** The same of a relay. */
export function relayHealth(relay, message, now) {
  const sent = bytes(message.bytes_sent).join(" ");
  const facts = [`to ${message.target}`, `${sent} sent`, restarted(message.restarts)];
  const trouble = message.error ?? null;
  return { name: `Relay ${relay}`, ...common(message, now), facts: facts.filter(Boolean), trouble };
}

function common({ state, timestamp, interval }, now) {
  const age = now === null ? null : Math.max(0, now - timestamp);
  const stale = age !== null && age > STALE_AFTER * (interval ?? EVERY);
  return { state, level: stale ? "warning" : (LEVELS[state] ?? "warning"), age, stale };
}

function restarted(count) {
  return count > 0 ? `${count} restart${count === 1 ? "" : "s"}` : null;
}

export class Health {
  element = make("ul", { class: "health", "aria-label": "Health" });
  #lines = new Map();

  /** Everything there is to say, in order; what is not named any more disappears. */
  show(found) {
    const names = new Set(found.map(({ name }) => name));
    for (const [name, line] of this.#lines) {
      if (names.has(name)) continue;
      line.element.remove();
      this.#lines.delete(name);
    }
    for (const about of found) this.#line(about.name).show(about);
  }

  #line(name) {
    if (!this.#lines.has(name)) {
      const line = new Line(name);
      this.#lines.set(name, line);
      this.element.append(line.element);
    }
    return this.#lines.get(name);
  }
}

class Line {
  element;
  #state = make("span", { class: "state" });
  #age = make("span", { class: "age" });
  #facts = make("span", { class: "facts-line" });
  #trouble = make("span", { class: "trouble" });

  constructor(name) {
    const label = make("span", { class: "label", text: name });
    const parts = [label, this.#state, this.#age, this.#facts, this.#trouble];
    this.element = make("li", {}, ...parts.flatMap((part) => [part, " "]));
  }

  show({ state, level, facts, trouble, age, stale }) {
    mark(this.element, "data-level", level);
    mark(this.element, "data-stale", stale ? "yes" : null);
    say(this.#state, state);
    say(this.#age, age === null ? "" : stale ? `stale, ${span(age)} old` : span(age));
    say(this.#facts, facts.join("  ·  "));
    say(this.#trouble, trouble ?? "");
    this.#trouble.hidden = trouble === null;
  }
}

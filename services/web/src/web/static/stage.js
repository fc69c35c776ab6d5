/** Where a camera's picture stands: the element of a rung, or its last picture, or a despairing chicken. */

import { Badge } from "./badge.js";
import { make, mark, say } from "./dom.js";

export class Stage {
  element;
  #camera;
  #frame = make("div", { class: "frame" });
  #still = make("canvas", { class: "still", hidden: true, "aria-hidden": "true" });
  #overlay = make("p", { class: "overlay", hidden: true });
  #reason = make("p", { class: "reason" });
  #chicken = chicken(this.#reason);
  #badge = new Badge();

  /** `camera`: its name. */
  constructor(camera) {
    this.#camera = camera;
    const parts = [this.#still, this.#frame, this.#chicken, this.#overlay, this.#badge.element];
    this.element = make("div", { class: "stage" }, ...parts);
  }

  /** Put the element of a rung on the stage. */
  mount(element) {
    mark(element, "aria-label", `Live picture of camera ${this.#camera}`);
    if (!(element instanceof HTMLVideoElement)) mark(element, "role", "img");
    this.#frame.replaceChildren(element);
    this.#still.hidden = true;
  }

  /** Keep the last picture, dimmed, while there is no newer one. */
  keepStill({ source, width, height }) {
    if (width) {
      Object.assign(this.#still, { width, height });
      this.#still.getContext("2d").drawImage(source, 0, 0, width, height);
      this.#still.hidden = false;
    }
    this.#frame.replaceChildren();
  }

  /** `kind`, `words`, `reason` as in condition.js; the others as the player's. */
  show({ kind, words, reason, failing, hidden, rung, why, telemetry }) {
    const moving = kind === "live" || kind === "dark" || kind === "same";
    mark(this.element, "data-live", moving ? "yes" : "no");
    mark(this.element, "data-kind", kind);
    this.#overlay.hidden = words === null;
    say(this.#overlay, words ?? "");
    this.#chicken.hidden = kind === "none" ? !failing : moving || !hidden;
    say(this.#reason, reason ?? "The picture no longer changes.");
    this.#badge.show(kind, rung, why, telemetry);
  }

  /** Fill the screen with it, or no longer. */
  fullscreen() {
    const video = this.#frame.querySelector("video");
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.element.requestFullscreen) this.element.requestFullscreen();
    else video?.webkitEnterFullscreen?.();
  }
}

function chicken(reason) {
  const image = make("img", { src: "static/chicken.svg", alt: "A despairing chicken" });
  return make("div", { class: "chicken", hidden: true }, image, reason);
}

/** The card of one camera: its picture, what there is to say about it, and its controls. */

import { make, mark, say } from "./dom.js";
import { RUNGS } from "./rungs.js";
import { Snapshot } from "./snapshot.js";
import { Statistics } from "./statistics.js";
import { UNKNOWN, number, span } from "./words.js";

const STATES = {
  opening: "Connecting",
  reconnecting: "Reconnecting",
  waiting: "No picture",
  resting: "No picture",
};

const button = (text, about = {}) => make("button", { type: "button", text, ...about });

export class VideoCard {
  element;
  #camera;
  #on;
  #frame = make("div", { class: "frame" });
  #still = make("canvas", { class: "still", hidden: true, "aria-hidden": "true" });
  #badge = make("p", { class: "badge" });
  #protocol = make("span", { class: "protocol" });
  #latency = make("span", { class: "latency" });
  #why = make("p", { class: "why" });
  #overlay = make("p", { class: "overlay", hidden: true });
  #chicken = chicken();
  #facts = make("p", { class: "facts-line" });
  #trouble = make("p", { class: "trouble", hidden: true });
  #simulated = make("span", { class: "pill simulated", text: "simulated", hidden: true });
  #said = make("p", { class: "unseen", role: "status" });
  #sound = button("Unmute", { class: "sound", hidden: true, "aria-pressed": "false" });
  #rungs = rungChoice();
  #statistics = new Statistics();
  #snapshot;
  #stage;
  #stateSaid = "";

  /** `on`: pin(name or null), sound(on), picture() → what is on the screen, or null. */
  constructor(camera, pinned, on) {
    this.#camera = camera;
    this.#on = on;
    this.#snapshot = new Snapshot(camera, on.picture, (text) => this.#tell(text));
    this.#rungs.value = pinned ?? "";
    this.#badge.append(this.#protocol, this.#latency);
    const { frame, still, chicken: bird, overlay, badge } = this.#parts();
    this.#stage = make("div", { class: "stage" }, still, frame, bird.element, overlay, badge);
    this.element = make("article", { class: "card video", "aria-label": `Camera ${camera.name}` });
    this.element.append(this.#head(), this.#stage, this.#foot(), this.#said);
    this.#listen();
  }

  /** Put the element of a rung on the stage. */
  mount(element) {
    mark(element, "aria-label", `Live picture of camera ${this.#camera.name}`);
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

  soundFailed(reason) {
    this.#tell(`No sound: ${reason}`);
    this.#setSound(false);
  }

  /** The camera's own word of its health; null when it has never been heard. */
  status(message) {
    if (message === null) return;
    const { width, height, fps, bitrate_kbps: rate, driver, encoding } = message;
    const size = width && height ? `${width} × ${height}` : null;
    const facts = [
      size,
      fps == null ? null : `${number(fps, 1)} fps`,
      rate == null ? null : `${number(rate)} kbit/s`,
      [driver, encoding].filter(Boolean).join(", "),
    ];
    say(this.#facts, facts.filter(Boolean).join("  ·  "));
    say(this.#trouble, message.error ?? message.warning ?? "");
    this.#trouble.hidden = !(message.error ?? message.warning);
    this.#simulated.hidden = message.simulated !== true;
    this.#sound.hidden = !message.audio_codec;
  }

  /** What the player has to say, as often as it likes. */
  show({ phase, reason, age, frozen, hidden, rung, why, telemetry }) {
    const live = phase === "playing" && !frozen;
    mark(this.#stage, "data-live", live ? "yes" : "no");
    this.#overlay.hidden = live;
    if (!live) say(this.#overlay, overlayText(phase, age, frozen));
    const failing = phase === "waiting" || phase === "resting";
    const never = age === Infinity && failing;
    this.#chicken.element.hidden = !(hidden && age !== Infinity) && !never;
    say(this.#chicken.reason, reason ?? "The picture no longer changes.");
    this.#showBadge(rung, why, live, telemetry);
    this.#announce(live, phase, reason, rung);
    this.#statistics.show(telemetry, performance.now());
  }

  #parts() {
    return {
      frame: this.#frame,
      still: this.#still,
      chicken: this.#chicken,
      overlay: this.#overlay,
      badge: this.#badge,
    };
  }

  #head() {
    const title = make("h2", { text: this.#camera.name });
    return make("header", {}, title, this.#simulated, this.#facts);
  }

  #foot() {
    const full = button("Fullscreen", { class: "full" });
    full.addEventListener("click", () => this.#fullscreen());
    const label = make("label", { class: "rung" }, make("span", { text: "Player" }), this.#rungs);
    const { element: snapshot } = this.#snapshot;
    const controls = make("div", { class: "controls" }, this.#sound, snapshot, full, label);
    return make("footer", {}, this.#trouble, controls, this.#why, this.#statistics.element);
  }

  #listen() {
    this.#rungs.addEventListener("change", () => this.#on.pin(this.#rungs.value || null));
    this.#sound.addEventListener("click", () => {
      this.#setSound(this.#sound.getAttribute("aria-pressed") !== "true");
    });
  }

  #setSound(on) {
    mark(this.#sound, "aria-pressed", String(on));
    say(this.#sound, on ? "Mute" : "Unmute");
    this.#on.sound(on);
  }

  #showBadge(rung, why, live, telemetry) {
    const latency = telemetry.median(performance.now());
    this.#badge.hidden = rung === null;
    say(this.#protocol, rung?.label ?? "");
    say(this.#latency, latency === null ? UNKNOWN : `${number(latency)} ms`);
    this.#latency.hidden = !live;
    say(this.#why, rung ? `${rung.about}: ${why}.` : "");
  }

  #announce(live, phase, reason, rung) {
    const state = live ? `playing with ${rung.label}` : (STATES[phase] ?? "frozen");
    if (state === this.#stateSaid) return;
    this.#stateSaid = state;
    this.#tell(reason && !live ? `${state}: ${reason}` : state);
  }

  #tell(text) {
    say(this.#said, `Camera ${this.#camera.name}: ${text}`);
  }

  #fullscreen() {
    const video = this.#frame.querySelector("video");
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#stage.requestFullscreen) this.#stage.requestFullscreen();
    else video?.webkitEnterFullscreen?.();
  }
}

function overlayText(phase, age, frozen) {
  const state = frozen && phase === "playing" ? "Frozen" : (STATES[phase] ?? "Frozen");
  return age === Infinity ? `${state} …` : `${state} — last picture ${span(age)} old`;
}

function chicken() {
  const image = make("img", { src: "static/chicken.svg", alt: "A despairing chicken" });
  const reason = make("p", { class: "reason" });
  return { reason, element: make("div", { class: "chicken", hidden: true }, image, reason) };
}

function rungChoice() {
  const choice = make("select", {}, make("option", { value: "", text: "Best" }));
  for (const { name, label, unfit } of RUNGS) {
    const about = { value: name, text: label, disabled: unfit !== null, title: unfit };
    choice.append(make("option", about));
  }
  return choice;
}

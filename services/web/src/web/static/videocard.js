/** The card of one camera: its picture, what there is to say about it, and its controls. */

import { make, mark, say } from "./dom.js";
import { Health, cameraHealth, relayHealth } from "./health.js";
import { RUNGS, rungsFor } from "./rungs.js";
import { Snapshot } from "./snapshot.js";
import { Stage } from "./stage.js";
import { Statistics } from "./statistics.js";

const button = (text, about = {}) => make("button", { type: "button", text, ...about });

export class VideoCard {
  element;
  #camera;
  #on;
  #stage;
  #why = make("p", { class: "why" });
  #simulated = make("span", { class: "pill simulated", text: "simulated", hidden: true });
  #title = make("h2");
  #said = make("p", { class: "unseen", role: "status" });
  #sound = button("Unmute", { class: "sound", hidden: true, "aria-pressed": "false" });
  #large = button("Large", { class: "large" });
  #full = button("Fullscreen", { class: "full" });
  #rungs = make("select", {}, make("option", { value: "", text: "Best" }));
  #health = new Health();
  #statistics = new Statistics();
  #snapshot;
  #stateSaid = "";

  /** `on`: pin(name or null), sound(on), large(), picture() → what is on the screen, or null. */
  constructor(camera, pinned, on) {
    this.#camera = camera;
    this.#on = on;
    this.#stage = new Stage(camera.name);
    this.#snapshot = new Snapshot(camera, on.picture, (text) => this.#tell(text));
    for (const { name, label } of RUNGS) this.#rungs.append(make("option", { value: name, text: label }));
    this.offer(camera);
    this.#rungs.value = pinned ?? "";
    const head = make("header", {}, this.#title, this.#simulated);
    this.element = make("article", { class: "card video" }, head, this.#stage.element, this.#foot(), this.#said);
    this.#name(camera.title);
    this.#listen();
  }

  mount(element) {
    this.#stage.mount(element);
  }

  keepStill(picture) {
    this.#stage.keepStill(picture);
  }

  /** The station has come to offer other ways of watching. */
  offer(camera) {
    rungsFor(camera).forEach(({ unfit }, i) => {
      const option = this.#rungs.options[i + 1];
      option.disabled = unfit !== null;
      option.title = unfit ?? RUNGS[i].about;
    });
  }

  soundFailed(reason) {
    this.#tell(`No sound: ${reason}`);
    this.#setSound(false);
  }

  /** The camera's own word of its health (null when it has never been heard), and [name, message] of
   *  each of its relays. */
  status(message, relays, now) {
    if (message) this.#name(message.title);
    const camera = message === null ? [] : [cameraHealth(message, now)];
    this.#health.show([...camera, ...relays.map(([name, said]) => relayHealth(name, said, now))]);
    this.#simulated.hidden = message?.simulated !== true;
    this.#sound.hidden = !message?.audio_codec;
  }

  /** What the player has to say, as often as it likes. */
  show(about) {
    const { kind, words, reason, rung, why, telemetry } = about;
    this.#stage.show(about);
    say(this.#why, rung ? `${rung.about}: ${why ?? "the fastest that this browser has"}.` : "");
    this.#announce(kind, words, reason, rung);
    this.#statistics.show(telemetry, performance.now());
  }

  /** Whether it is the large one; `choice`: whether there is another camera to choose. */
  setLarge(large, choice) {
    mark(this.element, "data-large", large ? "yes" : null);
    say(this.#large, large ? "Side by side" : "Large");
    this.#large.hidden = !choice;
  }

  fullscreen() {
    this.#stage.fullscreen();
  }

  snapshot() {
    this.#snapshot.element.click();
  }

  /** Sound on where it is off, and the other way round; nothing where there is none. */
  turnSound() {
    if (!this.#sound.hidden) this.#setSound(this.#sound.getAttribute("aria-pressed") !== "true");
  }

  #foot() {
    const label = make("label", { class: "rung" }, make("span", { text: "Player" }), this.#rungs);
    const { element: snapshot } = this.#snapshot;
    const parts = [this.#sound, snapshot, this.#full, this.#large, label];
    const controls = make("div", { class: "controls" }, ...parts);
    return make("footer", {}, controls, this.#why, this.#health.element, this.#statistics.element);
  }

  #listen() {
    this.#rungs.addEventListener("change", () => this.#on.pin(this.#rungs.value || null));
    this.#sound.addEventListener("click", () => this.turnSound());
    this.#full.addEventListener("click", () => this.fullscreen());
    this.#large.addEventListener("click", () => this.#on.large());
  }

  #name(title) {
    const name = title ?? this.#camera.name;
    say(this.#title, name);
    mark(this.element, "aria-label", `Camera ${name}`);
  }

  #setSound(on) {
    mark(this.#sound, "aria-pressed", String(on));
    say(this.#sound, on ? "Mute" : "Unmute");
    this.#on.sound(on);
  }

  #announce(kind, words, reason, rung) {
    const [state] = (words ?? `playing with ${rung?.label}`).split(/ — |:|\d/);
    if (state === this.#stateSaid) return;
    this.#stateSaid = state;
    this.#tell(reason && kind !== "live" ? `${state}: ${reason}` : (words ?? state));
  }

  #tell(text) {
    say(this.#said, `Camera ${this.#title.textContent}: ${text}`);
  }
}

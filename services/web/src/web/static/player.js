/** Plays one camera: does what the ladder decides, and tells the card what there is to see. */

import { Ladder } from "./ladder.js";
import { RUNGS, explain, rungNamed } from "./rungs.js";
import { Telemetry } from "./telemetry.js";

const TICK_MS = 250;
/** Seconds without a new picture after which it is called frozen, and after which it is hidden. */
export const FROZEN = 1.5;
export const HIDDEN = 10;

const seconds = () => performance.now() / 1000;

export class Player {
  telemetry = new Telemetry();
  #camera;
  #clock;
  #view;
  #ladder;
  #open = new Map();
  #sound = false;
  #spare = null;
  #playing = false;

  /** `camera` as in api/cameras, `view` a VideoCard, `pinned` a rung's name or null. */
  constructor({ camera, clock, view, pinned }) {
    this.#camera = camera;
    this.#clock = clock;
    this.#view = view;
    this.#ladder = new Ladder(RUNGS, { pinned });
    document.addEventListener("visibilitychange", () => this.#visibility());
    setInterval(() => this.#tick(), TICK_MS);
    this.#visibility();
  }

  /** Use this rung only; null = the best that works. */
  pin(name) {
    this.#do(this.#ladder.pin(name, seconds()));
  }

  /** The station is back: try at once. */
  nudge() {
    if (this.#playing) this.#do(this.#ladder.nudge(seconds()));
  }

  get sound() {
    return this.#sound;
  }

  /** Sound on or off; call it from a click. */
  setSound(on) {
    this.#sound = on;
    const how = rungNamed(this.#ladder.rung)?.sound;
    if (how === "switch") this.#active?.sound(on);
    else if (how === "reopen") this.#reopen();
  }

  /** What is on the screen now, for a snapshot; null when it is not fresh. */
  get picture() {
    const picture = this.#active?.picture;
    return this.#age() < FROZEN && picture?.width ? picture : null;
  }

  get #active() {
    return this.#open.get(this.#ladder.rung);
  }

  #visibility() {
    const watched = document.visibilityState === "visible";
    if (watched === this.#playing) return;
    this.#playing = watched;
    if (!watched) this.#dropSpare();
    this.#do(watched ? this.#ladder.start(seconds()) : this.#ladder.stop());
  }

  #do(commands) {
    for (const { do: what, rung } of commands) {
      if (what === "open" || what === "try") this.#start(rung);
      else if (what === "promote") this.#adopt(rung);
      else this.#end(rung);
    }
    this.#show();
  }

  #start(name) {
    this.#end(name);
    const rung = rungNamed(name).open(this.#camera, {
      on: this.#handlers(name, () => this.#open.get(name) === rung),
      sound: this.#sound,
    });
    this.#open.set(name, rung);
  }

  #end(name) {
    const rung = this.#open.get(name);
    if (!rung) return;
    this.#open.delete(name);
    if (rung.element === this.telemetry.element) this.#view.keepStill(rung.picture);
    rung.close();
  }

  /** Its first picture is there: only now does it take the place of what was shown before. */
  #adopt(name) {
    const rung = this.#open.get(name);
    this.telemetry.rung = name;
    this.telemetry.element = rung.element;
    this.#view.mount(rung.element);
  }

  /** A media element takes sound only from its beginning: open a second one and swap. */
  #reopen() {
    this.#dropSpare();
    const name = this.#ladder.rung;
    const spare = rungNamed(name).open(this.#camera, {
      on: this.#handlers(name, () => this.#open.get(name) === spare, () => this.#swap(name, spare)),
      sound: this.#sound,
    });
    this.#spare = spare;
  }

  #swap(name, spare) {
    if (this.#spare !== spare || this.#ladder.rung !== name) return;
    this.#spare = null;
    this.#open.get(name)?.close();
    this.#open.set(name, spare);
    this.#adopt(name);
  }

  #dropSpare() {
    this.#spare?.close();
    this.#spare = null;
  }

  #handlers(name, current, first = () => {}) {
    const measured = () => current() && name === this.#ladder.rung;
    const decide = (event, ...about) => current() && this.#do(this.#ladder[event](name, ...about));
    return {
      clock: this.#clock,
      received: (_fragment, replayed) => measured() && this.telemetry.received(replayed),
      dropped: (count) => measured() && (this.telemetry.dropped += count),
      seek: () => measured() && (this.telemetry.seeks += 1),
      dry: () => measured() && (this.telemetry.dry += 1),
      size: (width, height) => Object.assign(this.telemetry, { width, height }),
      shown: (picture) => {
        if (!current()) first();
        if (current()) this.#shown(name, picture);
      },
      waiting: (reason) => decide("waiting", reason),
      streaming: () => decide("streaming", seconds()),
      failed: (reason, final) => decide("failed", reason, final, seconds()),
      soundFailed: (reason) => current() && this.#view.soundFailed(reason),
    };
  }

  #shown(name, picture) {
    const before = this.#ladder.phase;
    const commands = this.#ladder.picture(name, seconds());
    if (commands.length > 0) this.#do(commands);
    if (name !== this.#ladder.rung) return;
    if (this.#active.element !== this.telemetry.element) this.#adopt(name);
    this.telemetry.show(picture, this.#clock);
    if (before !== "playing") this.#show();
  }

  #tick() {
    if (!this.#playing) return;
    this.#do(this.#ladder.tick(seconds()));
  }

  /** Seconds since the last new picture; Infinity before the first. */
  #age() {
    const { picture } = this.telemetry;
    return picture ? seconds() - picture.moment / 1000 : Infinity;
  }

  #show() {
    const { phase, reason, rung, left, pinned } = this.#ladder;
    this.telemetry.stalls = this.#ladder.stalls;
    this.telemetry.soundLatencyMs = this.#active?.soundLatency ?? null;
    const age = this.#age();
    this.#view.show({
      phase,
      reason,
      age,
      frozen: age > FROZEN,
      hidden: age > HIDDEN || ((phase === "waiting" || phase === "resting") && age > FROZEN),
      rung: rung && rungNamed(rung),
      why: rung && explain(rung, left, pinned),
      telemetry: this.telemetry,
    });
  }
}

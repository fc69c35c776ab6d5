/** Plays one camera: does what the ladder decides, and tells the card what there is to see. */

import { FROZEN, HIDDEN, condition } from "./condition.js";
import { Judge } from "./judge.js";
import { Ladder } from "./ladder.js";
import { explain, rungNamed, rungsFor } from "./rungs.js";
import { Telemetry } from "./telemetry.js";

const TICK_MS = 250;
/** What stands in for a rung that could not even be opened. */
const UNOPENED = { sound() {}, close() {} };

const seconds = () => performance.now() / 1000;

export class Player {
  telemetry = new Telemetry();
  #camera;
  #clock;
  #station;
  #view;
  #ladder;
  #judge;
  #active = null;
  #next = null;
  #sound = false;

  /** `camera` as in api/cameras, `station` as in station.js, `view` a VideoCard, `pinned` a rung's name
   *  or null. */
  constructor({ camera, clock, station, view, pinned }) {
    this.#camera = camera;
    this.#clock = clock;
    this.#station = station;
    this.#view = view;
    this.#judge = new Judge(this.telemetry, clock);
    const excuse = (slot) => (slot === "active" ? this.#active : this.#next)?.rung.excuse ?? null;
    this.#ladder = new Ladder(rungsFor(camera), { pinned, excuse });
    document.addEventListener("visibilitychange", () => this.#visibility());
    setInterval(() => this.#tick(), TICK_MS);
    this.#visibility();
  }

  /** The station has come to offer other ways of watching. */
  offer(camera) {
    this.#camera = camera;
    this.#do(this.#ladder.offer(rungsFor(camera), seconds()));
  }

  /** Use this rung only; null = the best that works. */
  pin(name) {
    this.#do(this.#ladder.pin(name, seconds()));
  }

  /** The station is back: try at once. */
  nudge() {
    if (this.#watched) this.#do(this.#ladder.nudge(seconds()));
  }

  /** Sound on or off; call it from a click. */
  setSound(on) {
    this.#sound = on;
    const { rung, candidate } = this.#ladder;
    const [active, next] = [rung, candidate].map((name) => rungNamed(name)?.sound);
    if (active === "switch") this.#active?.rung.sound(on);
    // The candidate too, or it would take over with the sound of before; renew drops it.
    if (active === "reopen") this.#do(this.#ladder.renew(seconds()));
    else if (next === "switch") this.#next.rung.sound(on);
    else if (next === "reopen") this.#do(this.#ladder.renewCandidate(seconds()));
  }

  /** What is on the screen now, for a snapshot; null when it is not fresh. */
  get picture() {
    const picture = this.#active?.rung.picture;
    return this.#age() < FROZEN && picture?.width ? picture : null;
  }

  get #watched() {
    return this.#ladder.phase !== "stopped";
  }

  #visibility() {
    const visible = document.visibilityState === "visible";
    if (visible === this.#watched) return;
    this.#do(visible ? this.#ladder.resume(seconds()) : this.#ladder.stop());
  }

  #do(commands) {
    for (const { do: what, rung } of commands) {
      if (what === "open") this.#active = this.#open(rung);
      else if (what === "try") this.#next = this.#open(rung);
      else if (what === "promote") this.#promote();
      else if (what === "drop") this.#drop();
      else this.#close();
    }
    this.#show();
  }

  #open(name) {
    const one = { name, rung: null };
    const on = this.#handlers(one);
    try {
      one.rung = rungNamed(name).open(this.#camera, { on, sound: this.#sound });
    } catch (error) {
      // Such as over an ICE server that this browser refuses; told once it stands in its slot.
      one.rung = UNOPENED;
      queueMicrotask(() => on.failed(error.message));
    }
    return one;
  }

  #close() {
    const { rung } = this.#active;
    this.#active = null;
    if (rung.element === this.telemetry.element) this.#view.keepStill(rung.picture);
    rung.close();
  }

  #drop() {
    const { rung } = this.#next;
    this.#next = null;
    rung.close();
  }

  /** Its first picture is there: only now does it take the place of what was shown before. */
  #promote() {
    const loser = this.#active;
    this.#active = this.#next;
    this.#next = null;
    this.#adopt();
    loser?.rung.close();
  }

  #adopt() {
    const { name, rung } = this.#active;
    this.telemetry.turn(name, rung.element);
    this.#view.mount(rung.element);
  }

  #slot(one) {
    if (one === this.#active) return "active";
    return one === this.#next ? "candidate" : null;
  }

  /** What a rung tells; of one that is closed nothing counts any more. */
  #handlers(one) {
    const active = () => one === this.#active;
    const { telemetry } = this;
    const decide = (event, ...about) => {
      const slot = this.#slot(one);
      if (slot) this.#do(this.#ladder[event](slot, ...about));
    };
    return {
      clock: this.#clock,
      received: (fragment, replayed) => {
        if (active()) telemetry.received(fragment?.capture ?? null, replayed, this.#clock);
      },
      dropped: (count) => active() && (telemetry.dropped += count),
      seek: () => active() && (telemetry.seeks += 1),
      dry: () => active() && (telemetry.dry += 1),
      size: (width, height) => Object.assign(telemetry, { width, height }),
      shown: (picture) => this.#shown(one, picture),
      waiting: (reason) => decide("waiting", reason),
      streaming: () => decide("streaming", seconds()),
      failed: (reason, final = false) => decide("failed", reason, final, seconds()),
      soundFailed: (reason) => this.#slot(one) && this.#view.soundFailed(reason),
    };
  }

  #shown(one, picture) {
    const slot = this.#slot(one);
    if (slot === null) return;
    const before = this.#ladder.phase;
    const commands = this.#ladder.picture(slot, seconds());
    if (commands.length > 0) this.#do(commands);
    if (one.rung.element !== this.telemetry.element) this.#adopt();
    this.telemetry.show(picture, this.#clock);
    if (before !== "playing") this.#show();
  }

  #tick() {
    if (!this.#watched) return;
    this.#do(this.#ladder.tick(seconds()));
    this.#judge.tick(this.picture, this.#ladder, TICK_MS, performance.now());
  }

  /** Seconds since the last new picture; Infinity before the first. */
  #age() {
    const { picture } = this.telemetry;
    return picture ? Math.max(0, seconds() - picture.moment / 1000) : Infinity;
  }

  #show() {
    const { phase, reason, rung, left, pinned, stalls } = this.#ladder;
    this.telemetry.stalls = stalls;
    this.telemetry.soundLatencyMs = this.#active?.rung.soundLatency ?? null;
    const age = this.#age();
    const about = this.#station.camera(this.#camera.name, this.#clock.now());
    const found = condition({ phase, reason, age, same: this.#judge.same, ...about });
    this.#view.show({
      ...found,
      failing: phase === "waiting" || phase === "resting",
      hidden: age > HIDDEN || (age > FROZEN && (phase === "waiting" || phase === "resting")),
      rung: rung && rungNamed(rung),
      why: rung && explain(rung, left, pinned, this.#judge.verdict),
      telemetry: this.telemetry,
    });
  }
}

/** Which way of watching to use, decided from what happened: no sockets, timers or pictures here. */

import { backoff } from "./backoff.js";

/** Seconds: to the first picture of a rung, without a new one, and before stepping down. */
export const FIRST_PICTURE = 4;
export const STALL = 3;
const RECONNECT = { first: 0.25, most: 2 };
const BETTER = { first: 2, most: 30 };
const REST = { first: 1, most: 30 };

/** Phases: opening (no picture yet), playing, waiting (the station says why there is none),
 *  reconnecting, resting (nothing works; from the top again later). Times in seconds of one clock.
 *  Every event returns what is to be done: {do: open | close | try | promote | drop, rung}. */
export class Ladder {
  phase = "resting";
  /** Name of the rung in use; null while resting. */
  rung = null;
  candidate = null;
  /** Why there is no picture, and why each rung that was left was left. */
  reason = null;
  left = {};
  stalls = 0;
  #rungs;
  #pinned;
  #random;
  #deadline = Infinity;
  #candidateDeadline = Infinity;
  #retryAt = Infinity;
  #pictureAt = null;
  #attempts = 0;
  #climbs = 0;
  #rests = 0;

  /** `rungs`: best first, {name, unfit: null or why this browser cannot}. */
  constructor(rungs, { pinned = null, random = Math.random } = {}) {
    this.#rungs = rungs;
    this.#pinned = pinned;
    this.#random = random;
  }

  get pinned() {
    return this.#pinned;
  }

  /** The rungs that may be used, best first. */
  get usable() {
    const chosen = this.#pinned ? this.#rungs.filter((r) => r.name === this.#pinned) : this.#rungs;
    return chosen.filter((r) => r.unfit === null).map((r) => r.name);
  }

  start(now) {
    const done = this.stop();
    this.left = Object.fromEntries(this.#rungs.filter((r) => r.unfit).map((r) => [r.name, r.unfit]));
    this.#rests = 0;
    return [...done, ...this.#fromTop(now)];
  }

  stop() {
    const done = [...this.#dropCandidate(), ...this.#closeActive()];
    this.phase = "resting";
    this.#retryAt = Infinity;
    return done;
  }

  pin(name, now) {
    this.#pinned = name;
    return this.start(now);
  }

  /** A new picture of this rung is on the screen. */
  picture(rung, now) {
    if (rung === this.candidate) return this.#promote(now);
    if (rung !== this.rung) return [];
    if (this.phase !== "playing") this.#settle(now);
    this.#pictureAt = now;
    return [];
  }

  /** The station says that it has nothing to send: no other rung would change that. */
  waiting(rung, reason) {
    if (rung !== this.rung) return [];
    this.phase = "waiting";
    this.reason = reason;
    return [];
  }

  streaming(rung, now) {
    if (rung !== this.rung || this.phase !== "waiting") return [];
    this.#open(rung, now);
    return [];
  }

  /** A rung ended by itself. `final`: the station refuses, and would on any rung. */
  failed(rung, reason, final, now) {
    if (rung === this.candidate) return this.#candidateFailed(reason, now);
    if (rung !== this.rung) return [];
    const done = this.#closeActive();
    this.reason = reason;
    if (final) return [...done, ...this.#rest(now)];
    const since = now - (this.#pictureAt ?? -Infinity);
    if (since < FIRST_PICTURE) return [...done, ...this.#reconnect(rung, now)];
    return [...done, ...this.#down(rung, reason, now)];
  }

  /** Something has come back: do not wait for the next attempt, and begin with the best again. */
  nudge(now) {
    this.#climbs = 0;
    return this.phase === "playing" ? this.#scheduleBetter(now) : this.start(now);
  }

  tick(now) {
    if (this.candidate && now >= this.#candidateDeadline) {
      return this.#candidateFailed(`no picture within ${FIRST_PICTURE} s`, now);
    }
    if (this.phase === "playing") return this.#watchPlaying(now);
    if (this.phase === "waiting" || now < this.#deadline) return [];
    if (this.phase === "resting") return this.#fromTop(now);
    if (this.phase === "reconnecting") return this.#again(now);
    const slow = `no picture within ${FIRST_PICTURE} s`;
    const { rung } = this;
    return [...this.#closeActive(), ...this.#down(rung, slow, now)];
  }

  #watchPlaying(now) {
    if (now - this.#pictureAt > STALL) {
      this.stalls += 1;
      this.reason = `no new picture for ${STALL} s`;
      return this.#again(now);
    }
    if (now < this.#retryAt || this.candidate) return [];
    const better = this.#better();
    this.candidate = better[this.#climbs % better.length];
    this.#candidateDeadline = now + FIRST_PICTURE;
    this.#retryAt = Infinity;
    return [{ do: "try", rung: this.candidate }];
  }

  #better() {
    return this.usable.slice(0, this.usable.indexOf(this.rung));
  }

  #settle(now) {
    this.phase = "playing";
    this.reason = null;
    this.#attempts = this.#rests = 0;
    this.#scheduleBetter(now);
  }

  #scheduleBetter(now) {
    if (this.phase === "playing" && this.#better().length > 0 && !this.candidate) {
      this.#retryAt = now + backoff(this.#climbs, { ...BETTER, random: this.#random });
    }
    return [];
  }

  #promote(now) {
    const { rung, candidate } = this;
    this.rung = candidate;
    this.candidate = null;
    this.#retryAt = Infinity;
    this.#climbs = 0;
    delete this.left[candidate];
    this.#settle(now);
    this.#pictureAt = now;
    return [...(rung ? [{ do: "close", rung }] : []), { do: "promote", rung: candidate }];
  }

  #candidateFailed(reason, now) {
    this.left[this.candidate] = reason;
    const done = this.#dropCandidate();
    this.#climbs += 1;
    return [...done, ...this.#scheduleBetter(now)];
  }

  #dropCandidate() {
    if (this.candidate === null) return [];
    const rung = this.candidate;
    this.candidate = null;
    return [{ do: "drop", rung }];
  }

  #closeActive() {
    if (this.rung === null) return [];
    const { rung } = this;
    const open = this.phase !== "reconnecting";
    this.rung = null;
    return open ? [{ do: "close", rung }] : [];
  }

  #open(rung, now) {
    this.rung = rung;
    this.phase = "opening";
    this.#deadline = now + FIRST_PICTURE;
  }

  #reconnect(rung, now) {
    this.rung = rung;
    this.phase = "reconnecting";
    const wait = backoff(this.#attempts++, { ...RECONNECT, random: this.#random });
    this.#deadline = now + wait;
    return [];
  }

  #again(now) {
    const { rung } = this;
    return [...this.#closeActive(), ...this.#reopenRung(rung, now)];
  }

  #reopenRung(rung, now) {
    this.#open(rung, now);
    return [{ do: "open", rung }];
  }

  #fromTop(now) {
    const [best] = this.usable;
    if (best) return this.#reopenRung(best, now);
    this.reason = this.#unfitReason();
    this.phase = "resting";
    this.#deadline = Infinity;
    return [];
  }

  #unfitReason() {
    const pinned = this.#rungs.find((r) => r.name === this.#pinned);
    return pinned?.unfit ?? "this browser can play none of the streams";
  }

  #down(rung, reason, now) {
    this.left[rung] = reason;
    this.reason = reason;
    const below = this.usable[this.usable.indexOf(rung) + 1];
    if (!below) return this.#rest(now);
    return this.#reopenRung(below, now);
  }

  #rest(now) {
    const done = this.#dropCandidate();
    this.phase = "resting";
    this.#deadline = now + backoff(this.#rests++, { ...REST, random: this.#random });
    return done;
  }
}

/** Which way of watching to use, decided from what happened: no sockets, timers or pictures here. */

import { Backoff } from "./backoff.js";
import { FIRST_PICTURE, Order } from "./order.js";

/** Seconds without a new picture. */
export const STALL = 3;
const RECONNECT = { first: 0.25, most: 2 };
const BETTER = { first: 2, most: 30 };
const REST = { first: 1, most: 30 };

/** One rung is in use (`rung`), and at most one other (`candidate`) is tried beside it; what happens
 *  is told of either by its `slot`: "active" or "candidate". Times in seconds of one clock.
 *  Every event returns what is to be done: {do: open | close} for the active one, {do: try | drop |
 *  promote} for the candidate, which takes the other's place when it is promoted; with `rung`.
 *  Phases: stopped, opening (no picture yet), playing, waiting (the station says why there is none),
 *  reconnecting, resting (nothing works; from the top again later). */
export class Ladder {
  phase = "stopped";
  rung = null;
  candidate = null;
  /** Why there is no picture. */
  reason = null;
  stalls = 0;
  #order;
  #excuse;
  #last = null;
  #deadline = Infinity;
  #candidateDeadline = Infinity;
  #retryAt = Infinity;
  #pictureAt = -Infinity;
  #reconnects;
  #climbs;
  #rests;

  /** `rungs` as in order.js; `excuse(slot)`: why a rung gave no picture in time, null if unknown. */
  constructor(rungs, { pinned = null, random = Math.random, excuse = () => null } = {}) {
    this.#order = new Order(rungs, pinned);
    this.#excuse = excuse;
    this.#reconnects = new Backoff({ ...RECONNECT, random });
    this.#climbs = new Backoff({ ...BETTER, random });
    this.#rests = new Backoff({ ...REST, random });
  }

  /** Why each rung that was left, or cannot be used, was. */
  get left() {
    return this.#order.left;
  }

  get pinned() {
    return this.#order.pinned;
  }

  get preferred() {
    return this.#order.preferred;
  }

  /** The rungs that may be used, best first. */
  get usable() {
    return this.#order.usable;
  }

  /** Begin with the best rung. */
  start(now) {
    const done = this.stop();
    this.#order.forget();
    this.#rests.reset();
    return [...done, ...this.#fromTop(now)];
  }

  /** Go on after `stop` with the rung that played, and look for better ones from there. */
  resume(now) {
    this.#climbs.reset();
    return this.#order.has(this.#last) ? this.#open(this.#last, now) : this.start(now);
  }

  stop() {
    const done = [...this.#dropCandidate(), ...this.#closeActive()];
    this.phase = "stopped";
    return done;
  }

  /** Use this rung only; null = the best that works. */
  pin(name, now) {
    this.#order.pinned = name;
    return this.phase === "stopped" ? [] : this.start(now);
  }

  /** The station has come to offer other rungs. */
  offer(rungs, now) {
    const news = this.#order.change(rungs);
    const open = this.phase === "playing" || this.phase === "resting";
    return news && open ? this.nudge(now) : [];
  }

  /** This rung is the best here, whatever the order; null = the order holds. */
  prefer(name, now) {
    this.#order.preferred = name;
    this.#climbs.reset();
    this.#retryAt = now;
  }

  /** Open the same rung beside itself to take its own place, for what only its beginning can change. */
  renew(now) {
    if (this.rung === null) return [];
    const done = this.#dropCandidate();
    return [...done, ...(this.phase === "playing" ? this.#try(this.rung, now) : this.#again(now))];
  }

  /** The same for the candidate, which has no picture yet: it begins anew. */
  renewCandidate(now) {
    const { candidate } = this;
    return candidate === null ? [] : [...this.#dropCandidate(), ...this.#try(candidate, now)];
  }

  /** A new picture is there. */
  picture(slot, now) {
    this.#pictureAt = now;
    if (slot === "candidate") return this.#promote(now);
    if (this.phase !== "playing") this.#settle(now);
    return [];
  }

  /** The station says that it has nothing to send: no other rung would change that. */
  waiting(slot, reason) {
    if (slot === "candidate") return [];
    this.phase = "waiting";
    this.reason = reason;
    return [];
  }

  streaming(slot, now) {
    if (slot === "active" && this.phase === "waiting") this.#expect(now);
    return [];
  }

  /** A rung ended by itself. `final`: the station refuses, and would on any rung. */
  failed(slot, reason, final, now) {
    if (slot === "candidate") return this.#candidateFailed(reason, now);
    const { rung } = this;
    const done = this.#closeActive();
    this.reason = reason;
    if (final) return [...done, ...this.#rest(now)];
    const recent = now - this.#pictureAt < FIRST_PICTURE;
    if (recent && this.#order.has(rung)) return [...done, ...this.#reconnect(rung, now)];
    return [...done, ...this.#down(rung, reason, now)];
  }

  /** Something has come back: do not wait for the next attempt, and begin with the best again. */
  nudge(now) {
    this.#climbs.reset();
    if (this.phase !== "playing") return this.start(now);
    this.#scheduleBetter(now);
    return [];
  }

  tick(now) {
    if (this.candidate && now >= this.#candidateDeadline) {
      return this.#candidateFailed(this.#slow("candidate", this.candidate), now);
    }
    if (this.phase === "playing") return this.#watchPlaying(now);
    if (this.phase === "waiting" || this.phase === "stopped" || now < this.#deadline) return [];
    if (this.phase === "resting") return this.#fromTop(now);
    if (this.phase === "reconnecting") return this.#again(now);
    const { rung } = this;
    const why = this.#slow("active", rung);
    return [...this.#closeActive(), ...this.#down(rung, why, now)];
  }

  #watchPlaying(now) {
    if (now - this.#pictureAt > STALL) {
      this.stalls += 1;
      this.reason = `no new picture for ${STALL} s`;
      return this.#again(now);
    }
    const better = this.#order.better(this.rung);
    if (now < this.#retryAt || this.candidate || better.length === 0) return [];
    return this.#try(better[Math.max(0, this.#climbs.count - 1) % better.length], now);
  }

  #slow(slot, name) {
    return this.#excuse(slot) ?? `no picture within ${this.#order.patience(name)} s`;
  }

  #settle(now) {
    this.phase = "playing";
    this.#last = this.rung;
    this.reason = null;
    delete this.left[this.rung];
    this.#reconnects.reset();
    this.#rests.reset();
    this.#scheduleBetter(now);
  }

  #scheduleBetter(now) {
    const better = this.#order.better(this.rung);
    this.#retryAt = better.length > 0 ? now + this.#climbs.next() : Infinity;
  }

  #try(name, now) {
    this.candidate = name;
    this.#candidateDeadline = now + this.#order.patience(name);
    this.#retryAt = Infinity;
    return [{ do: "try", rung: name }];
  }

  #promote(now) {
    if (this.rung !== this.candidate) this.#climbs.reset();
    this.rung = this.candidate;
    this.candidate = null;
    this.#settle(now);
    return [{ do: "promote", rung: this.rung }];
  }

  #candidateFailed(reason, now) {
    if (this.candidate !== this.rung) this.left[this.candidate] = reason;
    const done = this.#dropCandidate();
    this.#scheduleBetter(now);
    return done;
  }

  #dropCandidate() {
    if (this.candidate === null) return [];
    const rung = this.candidate;
    this.candidate = null;
    return [{ do: "drop", rung }];
  }

  #closeActive() {
    const { rung, phase } = this;
    this.rung = null;
    return rung !== null && phase !== "reconnecting" ? [{ do: "close", rung }] : [];
  }

  #expect(now) {
    this.phase = "opening";
    this.#deadline = now + this.#order.patience(this.rung);
  }

  #open(rung, now) {
    this.rung = rung;
    this.#expect(now);
    return [{ do: "open", rung }];
  }

  #reconnect(rung, now) {
    this.rung = rung;
    this.phase = "reconnecting";
    this.#deadline = now + this.#reconnects.next();
    return [];
  }

  #again(now) {
    const { rung } = this;
    const done = this.#closeActive();
    return [...done, ...(this.#order.has(rung) ? this.#open(rung, now) : this.#fromTop(now))];
  }

  #fromTop(now) {
    const [best] = this.usable;
    if (best) return this.#open(best, now);
    this.reason = this.#order.unfit;
    this.phase = "resting";
    this.#deadline = Infinity;
    return [];
  }

  #down(rung, reason, now) {
    this.left[rung] = this.reason = reason;
    const below = this.#order.below(rung);
    return below ? this.#open(below, now) : this.#rest(now);
  }

  #rest(now) {
    const done = this.#dropCandidate();
    this.phase = "resting";
    this.#deadline = now + this.#rests.next();
    return done;
  }
}

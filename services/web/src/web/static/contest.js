/** Which of the two fast ways shows the fresher picture on this network: measured, not guessed. */

import { Backoff } from "./backoff.js";

/** Seconds over which is measured, that a stream gets before it counts, and to its first picture. */
export const WINDOW = 10;
export const SETTLE = 3;
const OPENS = 6;
/** Pictures in a window that are enough to judge by. */
const ENOUGH = 10;
/** Milliseconds of spread that need no explanation, and how much better the better one must be. */
const SPREAD = 40;
const BETTER = 0.9;
/** Seconds until a loser may try again. */
const AGAIN = { first: 20, most: 600, jitter: 0 };

/** Whether pictures come more unevenly than their interval and the network's distance explain, as they
 *  do where TCP repeats what was lost. `arrived` as from freshness.js, the others in ms. */
export function lossy(arrived, interval, roundTrip) {
  if (arrived === null || arrived.count < ENOUGH) return false;
  return arrived.p95 - arrived.p10 > interval + (roundTrip ?? 0) + SPREAD;
}

/** The champion plays. When it looks worse than it should, or lost its first place long ago, the other
 *  one takes over for as long as it takes to measure it, and the better of both stays. */
export class Contest {
  /** Which rung it has put before the natural one, with what was measured of both:
   *  {rung, mine, other} in ms, the mean age of the picture; null when none. */
  verdict = null;
  #rungs;
  #trial = null;
  #playing = null;
  #since = 0;
  #again = new Backoff(AGAIN);
  #notBefore = 0;

  /** `rungs`: the names of the two; the first is the natural choice. */
  constructor(rungs) {
    this.#rungs = rungs;
  }

  /** What to prefer from now on: a rung, or null for the natural order; undefined for no change.
   *  `playing`: the rung whose pictures are shown, null if none; `fit`: the usable rungs; `arrived`
   *  and `shown` as from freshness.js over WINDOW; `interval`, `roundTrip` in ms; `now` in s. */
  judge({ playing, fit, arrived, shown, interval, roundTrip }, now) {
    if (playing !== this.#playing) {
      this.#playing = playing;
      this.#since = now;
    }
    if (!this.#rungs.every((rung) => fit.includes(rung))) return this.#forget();
    if (this.#trial) return this.#decide(shown, now);
    if (!this.#rungs.includes(playing) || now < this.#notBefore) return undefined;
    if (now - this.#since < SETTLE + WINDOW || shown === null) return undefined;
    const natural = playing === this.#rungs[0];
    if (natural && !lossy(arrived, interval, roundTrip)) return undefined;
    const challenger = this.#rungs.find((rung) => rung !== playing);
    this.#trial = { champion: playing, challenger, before: shown.mean, began: now };
    return challenger;
  }

  #forget() {
    const decided = this.#trial !== null || this.verdict !== null;
    this.#trial = this.verdict = null;
    return decided ? null : undefined;
  }

  #decide(shown, now) {
    const { champion, challenger, before, began } = this.#trial;
    if (this.#playing !== challenger) {
      return now - began < OPENS ? undefined : this.#end(champion, null, now);
    }
    if (now - this.#since < SETTLE + WINDOW) return undefined;
    const after = shown === null || shown.count < ENOUGH ? Infinity : shown.mean;
    return this.#end(after < before * BETTER ? challenger : champion, { before, after }, now);
  }

  #end(winner, measured, now) {
    const { champion, challenger } = this.#trial;
    const [natural] = this.#rungs;
    if (winner === challenger) this.#again.reset();
    this.#trial = null;
    this.#notBefore = now + this.#again.next();
    if (winner === natural) this.verdict = null;
    else if (measured) {
      const { before, after } = measured;
      const [mine, other] = winner === challenger ? [after, before] : [before, after];
      this.verdict = { rung: winner, mine, other };
    }
    return winner === natural ? null : winner;
  }
}

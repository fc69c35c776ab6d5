/** An estimate of the station's clock, so that ages and latencies are right on a device whose clock is not. */

const KEPT = 10;
/** Seconds beyond what the round trips explain, by which the station's clock was set, not measured. */
const JUMP = 1;

export class ServerClock {
  #samples = [];
  #best = null;

  /** Told (seconds, offset) when the station's clock was set: by how much, and what to add to
   *  performance.now() / 1000 before. */
  onJump = () => {};

  /** One round trip: `sent` and `received` as performance.now() in ms, `serverTime` in Unix seconds. */
  sample(sent, received, serverTime) {
    if (![sent, received, serverTime].every(Number.isFinite) || received < sent) return;
    const one = { roundTrip: received - sent, offset: serverTime - (sent + received) / 2000 };
    const before = this.#best;
    const jump = before && this.#samples.length > 0;
    if (jump && Math.abs(one.offset - before.offset) > JUMP + (one.roundTrip + before.roundTrip) / 2000) {
      this.#samples = [one];
      this.#best = one;
      this.onJump(one.offset - before.offset, before.offset);
      return;
    }
    this.#samples.push(one);
    if (this.#samples.length > KEPT) this.#samples.shift();
    this.#best = this.#samples.reduce((a, b) => (b.roundTrip <= a.roundTrip ? b : a));
  }

  /** A new connection may lead to another machine, or come after a sleep: old samples say nothing. */
  reset() {
    this.#samples = [];
  }

  /** Unix seconds on the station's clock at a performance.now() in ms; null while it is not known. */
  at(moment) {
    return this.#best && moment / 1000 + this.#best.offset;
  }

  now() {
    return this.at(performance.now());
  }

  /** The smallest round trip of the last ones in ms, twice the largest error; null when not known. */
  get roundTrip() {
    return this.#best && this.#best.roundTrip;
  }
}

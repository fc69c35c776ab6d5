/** An estimate of the station's clock, so that ages and latencies are right on a device whose clock is not. */

const KEPT = 10;

export class ServerClock {
  #samples = [];
  #best = null;

  /** One round trip: `sent` and `received` as performance.now() in ms, `serverTime` in Unix seconds. */
  sample(sent, received, serverTime) {
    if (![sent, received, serverTime].every(Number.isFinite) || received < sent) return;
    this.#samples.push({
      roundTrip: received - sent,
      offset: serverTime - (sent + received) / 2000,
    });
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

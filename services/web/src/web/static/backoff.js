/** How long to wait before trying again. */

/** Seconds before attempt n (0 = the first repeat): first × 1.7ⁿ, at most `most`, spread by jitter. */
export function backoff(n, { first = 0.5, most = 10, jitter = 0.3, random = Math.random } = {}) {
  const wait = Math.min(most, first * 1.7 ** Math.min(n, 40));
  return wait * (1 - jitter * random());
}

/** The same with the attempts counted; `count` is theirs since the last success. */
export class Backoff {
  count = 0;
  #settings;

  constructor(settings) {
    this.#settings = settings;
  }

  /** Seconds until the next attempt, which is one more. */
  next() {
    return backoff(this.count++, this.#settings);
  }

  reset() {
    this.count = 0;
  }
}

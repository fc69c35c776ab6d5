/** Which fragments of a live stream can be decoded, and which of them are the replay for a joiner. */

const WRAP = 2 ** 32;

/** Lets nothing pass between a gap and the next key frame. */
export class Resync {
  #last = null;
  #broken = true;
  /** Fragments that never came. */
  lost = 0;

  /** Whether this fragment can be decoded. */
  admit({ seq, key }) {
    if (this.#last !== null) {
      const missing = (seq - this.#last - 1 + WRAP) % WRAP;
      if (missing !== 0) this.#broken = true;
      if (missing < WRAP / 2) this.lost += missing;
    }
    this.#last = seq;
    if (key) this.#broken = false;
    return !this.#broken;
  }

  /** Wait for the next key: the decoder has failed, or is too far behind. */
  drop() {
    this.#broken = true;
  }

  /** Another session: counting starts anew. */
  restart() {
    this.#last = null;
    this.#broken = true;
  }
}

/** Tells the cached group of pictures, which comes at once, from the live frames, which come in time. */
export class Replay {
  #lead = null;
  #first = null;

  /** Whether a fragment belongs to the replay. `media` and `arrival` in seconds. */
  holds(media, duration, arrival) {
    this.#first ??= { media, arrival };
    const lead = media - this.#first.media - (arrival - this.#first.arrival);
    const gained = this.#lead === null ? Infinity : lead - this.#lead;
    this.#lead = lead;
    if (gained > duration / 2) return true;
    this.holds = () => false;
    return false;
  }
}

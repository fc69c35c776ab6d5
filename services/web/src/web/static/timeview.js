/** The piece of time that a chart shows: it follows the present until somebody moves it. */

export const SPANS = { hour: 3600, day: 86_400, week: 604_800, month: 2_592_000 };
const LEAST = 30;
const MOST = 2 * 366 * 86_400;

export class TimeView {
  length = SPANS.day;
  /** Unix seconds of its end; null while it ends now. */
  #end = null;

  get follows() {
    return this.#end === null;
  }

  /** The last so many seconds, from now on. */
  last(length) {
    this.length = length;
    this.#end = null;
  }

  from(now) {
    return this.to(now) - this.length;
  }

  to(now) {
    return this.#end ?? now;
  }

  /** Move by a part of what is shown: 0.5 is half of it into the future, which ends now. */
  pan(part, now) {
    this.#set(this.to(now) + part * this.length, now);
  }

  /** Show a longer or shorter time; what is at this part of it (0 = left, 1 = right) stays there. */
  zoom(factor, at, now) {
    const length = Math.min(MOST, Math.max(LEAST, this.length * factor));
    const held = this.from(now) + at * this.length;
    const follows = this.follows && at === 1;
    this.length = length;
    if (!follows) this.#set(held + (1 - at) * length, now);
  }

  #set(end, now) {
    this.#end = end >= now ? null : Math.max(end, this.length);
  }
}

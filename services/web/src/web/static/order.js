/** The rungs of a camera in the order in which they are to be used, and why some are not. */

/** Seconds to the first picture of a rung that names no patience of its own. */
export const FIRST_PICTURE = 4;

export class Order {
  /** The name of the only rung to use, and of one that is best here whatever the order; or null. */
  pinned;
  preferred = null;
  /** Why each rung that was left, or cannot be used, was. */
  left = {};
  #rungs;

  /** `rungs`: best first, {name, unfit: null or why not, patience: s to its first picture}. */
  constructor(rungs, pinned) {
    this.#rungs = rungs;
    this.pinned = pinned;
    this.forget();
  }

  /** The names of the rungs that may be used, best first. */
  get usable() {
    const fit = this.#rungs.filter((rung) => rung.unfit === null).map((rung) => rung.name);
    if (this.pinned) return fit.filter((name) => name === this.pinned);
    const preferred = fit.filter((name) => name === this.preferred);
    return [...preferred, ...fit.filter((name) => name !== this.preferred)];
  }

  /** Why there is nothing to use. */
  get unfit() {
    const pinned = this.#rungs.find((rung) => rung.name === this.pinned);
    return pinned?.unfit ?? "this browser can play none of the streams";
  }

  has(name) {
    return this.usable.includes(name);
  }

  better(name) {
    const { usable } = this;
    return usable.slice(0, Math.max(0, usable.indexOf(name)));
  }

  /** The next one down; undefined below the last. */
  below(name) {
    const { usable } = this;
    return usable[usable.indexOf(name) + 1];
  }

  patience(name) {
    return this.#rungs.find((rung) => rung.name === name)?.patience ?? FIRST_PICTURE;
  }

  /** What happened counts no longer; what cannot be used still cannot. */
  forget() {
    const unfit = this.#rungs.filter((rung) => rung.unfit);
    this.left = Object.fromEntries(unfit.map((rung) => [rung.name, rung.unfit]));
  }

  /** Other rungs from now on; whether one can be used that could not before. */
  change(rungs) {
    const before = this.usable;
    const unfit = new Set(this.#rungs.filter((rung) => rung.unfit).map((rung) => rung.name));
    this.#rungs = rungs;
    for (const rung of rungs) {
      if (rung.unfit) this.left[rung.name] = rung.unfit;
      else if (unfit.has(rung.name)) delete this.left[rung.name];
    }
    return this.usable.some((name) => !before.includes(name));
  }
}

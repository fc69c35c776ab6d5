/** How old the picture gets before the next one takes its place: delay, gaps and drops in one measure. */

const KEPT = 30;

export class Freshness {
  #samples = [];
  #before = null;

  /** The picture captured at `capture` is there at `now`; Unix seconds of the station's clock. */
  take(capture, now) {
    if (this.#before !== null) {
      const lasted = Math.max(0, now - this.#before.now);
      this.#samples.push({ now, lasted, age: (now - this.#before.capture) * 1000 });
    }
    this.#before = { capture, now };
    while (this.#samples[0]?.now < now - KEPT) this.#samples.shift();
  }

  /** Another stream: what was measured says nothing of it. */
  reset() {
    this.#samples = [];
    this.#before = null;
  }

  /** {count, mean, p10, p95} of the last `seconds`: the age in ms that a picture comes to before the
   *  next, on average over the time, and below which it stays for that part of the time; null while
   *  nothing is known. Without `now` they end with the newest picture. */
  over(seconds, now = this.#before?.now) {
    const recent = this.#samples.filter((sample) => sample.now > now - seconds);
    if (recent.length === 0) return null;
    recent.sort((a, b) => a.age - b.age);
    const whole = recent.reduce((sum, { lasted }) => sum + lasted, 0);
    const mean = recent.reduce((sum, { lasted, age }) => sum + lasted * age, 0) / whole;
    return { count: recent.length, mean, p10: below(recent, 0.1 * whole), p95: below(recent, 0.95 * whole) };
  }
}

function below(sorted, left) {
  for (const { lasted, age } of sorted) {
    left -= lasted;
    if (left <= 0) return age;
  }
  return sorted.at(-1).age;
}

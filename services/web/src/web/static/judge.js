/** Looks at the pictures of a player: whether they still differ, and whether another way is better. */

import { Contest, WINDOW } from "./contest.js";
import { CONTENDERS } from "./rungs.js";
import { Stillness } from "./stillness.js";

/** Milliseconds between two looks, and the lateness of a tick that shows a browser too busy to judge
 *  the network by. */
const LOOK_MS = 1000;
const BUSY_MS = 60;

export class Judge {
  /** For how many seconds the pictures that came were all the same. */
  same = 0;
  #telemetry;
  #clock;
  #contest = new Contest(CONTENDERS);
  #stillness = new Stillness();
  #ticked = null;
  #busyAt = -Infinity;
  #lookedAt = 0;

  /** `telemetry` of the player, `clock` the station's. */
  constructor(telemetry, clock) {
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  /** As in contest.js. */
  get verdict() {
    return this.#contest.verdict;
  }

  /** Call it every `interval` ms with what is on the screen, or null: a late call tells of a busy
   *  browser. `ladder` is told what to prefer. `now` in ms. */
  tick(picture, ladder, interval, now) {
    if (this.#ticked !== null && now - this.#ticked > interval + BUSY_MS) this.#busyAt = now;
    this.#ticked = now;
    if (now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    if (picture) this.same = this.#stillness.look(picture, now / 1000);
    if (now - this.#busyAt < WINDOW * 1000 || ladder.pinned) return;
    const preferred = this.#contest.judge(this.#measured(ladder), now / 1000);
    if (preferred !== undefined) ladder.prefer(preferred, now / 1000);
  }

  #measured(ladder) {
    const { arrived, fresh } = this.#telemetry;
    const now = this.#clock.now();
    const fps = this.#telemetry.rate(performance.now());
    return {
      playing: ladder.phase === "playing" ? ladder.rung : null,
      fit: ladder.usable,
      arrived: now && arrived.over(WINDOW, now),
      shown: now && fresh.over(WINDOW, now),
      interval: fps ? 1000 / fps : 0,
      roundTrip: this.#clock.roundTrip,
    };
  }
}

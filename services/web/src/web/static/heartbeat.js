/** This tab says that it is there, and when it goes. */

import { http } from "./address.js";
import { newId } from "./outbox.js";

const EVERY_MS = 30_000;

export class Heartbeat {
  #send;
  #session = newId();
  #left = false;

  /** `send(message)`: over the events socket. */
  constructor(send) {
    this.#send = send;
    setInterval(() => this.beat(), EVERY_MS);
    document.addEventListener("visibilitychange", () => this.beat());
    addEventListener("pagehide", () => this.#leave());
    // A page that comes back out of the browser's memory has been said to be gone.
    addEventListener("pageshow", (event) => {
      this.#left = false;
      if (event.persisted) this.beat();
    });
  }

  /** Say it now: whether anybody looks at this tab. */
  beat() {
    if (this.#left) return;
    const state = document.hidden ? "away" : "viewing";
    this.#send({ type: "heartbeat", session: this.#session, state });
  }

  /** The tab is hidden after it is left: that must not call it back. */
  #leave() {
    this.#left = true;
    navigator.sendBeacon(http("api/user_left"), JSON.stringify({ session: this.#session }));
  }
}

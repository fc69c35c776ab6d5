/** Who the station takes this viewer for: the name in the header, and the way to another one. */

import { http } from "./address.js";
import { make } from "./dom.js";

const AGAIN_MS = 5000;
const REFUSED = [401, 403];

/** The words of an answer of api/me, and the link behind them: [words, link text, address]. */
export function introduce({ name, operator, sign_in: signIn }) {
  return [operator ? `${name} (operator)` : name, signIn ? "Sign in" : null, signIn];
}

export class Me {
  #element;
  #asked = -Infinity;

  constructor(element) {
    this.#element = element;
  }

  /** Ask who this is; not more often than the answer can change. */
  async ask() {
    const now = performance.now();
    if (now - this.#asked < AGAIN_MS) return;
    this.#asked = now;
    try {
      // Cloudflare Access sends who is signed out to another origin, which no script may follow.
      const answer = await fetch(http("api/me"), { cache: "no-store", redirect: "manual" });
      if (answer.ok) this.#show(...introduce(await answer.json()));
      else if (answer.type === "opaqueredirect" || REFUSED.includes(answer.status)) {
        this.#show("signed out", "Sign in again", "");
      }
    } catch {
      // The connection is gone: the events socket says so, and asks again when it is back.
    }
  }

  #show(words, link, address) {
    const parts = [make("span", { class: "who", text: words })];
    if (link) parts.push(make("a", { text: link, href: http(address) }));
    this.#element.replaceChildren(...parts);
  }
}

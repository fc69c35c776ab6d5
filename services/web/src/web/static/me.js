/** Who the station takes this viewer for: the name in the header, and the ways in and out. */

import { http } from "./address.js";
import { make } from "./dom.js";

const AGAIN_MS = 5000;
const REFUSED = [401, 403];

/** The words of an answer of api/me, and the link behind them: [words, link text, address]. */
export function introduce({ name, operator, sign_in: signIn }) {
  return [operator ? `${name} (operator)` : name, signIn ? "Sign in" : null, signIn];
}

/** Where and how to sign out: null when nobody has signed in; `post` tells a request from a page. */
export function wayOut({ way, sign_out: address }) {
  return address ? { address, post: way === "password" } : null;
}

/** Sign out on the station; an Error says in words why that failed. */
export async function signOut(address, ask = fetch) {
  let answer;
  try {
    answer = await ask(address, { method: "POST", cache: "no-store" });
  } catch {
    throw new Error("no answer from the station");
  }
  if (!answer.ok) throw new Error(`the station answers ${answer.status}`);
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
      if (answer.ok) this.#introduce(await answer.json());
      else if (answer.type === "opaqueredirect" || REFUSED.includes(answer.status)) {
        this.#show("signed out", "Sign in again", "");
      }
    } catch {
      // The connection is gone: the events socket says so, and asks again when it is back.
    }
  }

  #introduce(me) {
    this.#show(...introduce(me));
    const out = wayOut(me);
    if (out?.post) this.#element.append(this.#button(http(out.address)));
    else if (out) this.#element.append(make("a", { text: "Sign out", href: out.address }));
  }

  #button(address) {
    const button = make("button", { type: "button", text: "Sign out" });
    button.onclick = async () => {
      button.disabled = true;
      try {
        await signOut(address);
        location.reload();
      } catch (error) {
        button.disabled = false;
        this.#element.append(make("span", { role: "alert", text: `Not signed out: ${error.message}` }));
      }
    };
    return button;
  }

  #show(words, link, address) {
    const parts = [make("span", { class: "who", text: words })];
    if (link) parts.push(make("a", { text: link, href: http(address) }));
    this.#element.replaceChildren(...parts);
  }
}

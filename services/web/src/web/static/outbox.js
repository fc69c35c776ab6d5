/** What this tab has said and not yet seen: kept over a reload, repeated until it is answered. */

import { backoff } from "./backoff.js";

const KEPT = "beeper.chat.outbox";
const ANSWER_MS = 5000;
const RETRY = { first: 1, most: 15 };
/** Refusals that pass by themselves; every other one is for its author to decide. */
const PASSING = new Set(["too_fast", "busy", "away", "unstored"]);

/** A UUID in effect: crypto.randomUUID is missing on plain http. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  /** [{id, text, state: "waiting" | "sent" | "failed", reason}], in the order of saying. */
  items;
  #send;
  #changed;
  #storage;
  #due = 0;
  #attempt = 0;

  /** `send(message)`: false while there is no connection; `storage`: like sessionStorage, or null. */
  constructor(send, changed, storage) {
    this.#send = send;
    this.#changed = changed;
    this.#storage = storage;
    this.items = load(storage).map((item) => ({ ...item, state: "waiting", reason: "" }));
  }

  /** Say something; `now` here and below: performance.now() in ms. */
  add(text, now) {
    this.items.push({ id: newId(), text, state: "waiting", reason: "" });
    this.#keep();
    this.tick(now);
  }

  /** The connection is there again: what went out over the old one may be lost. */
  reconnected(now) {
    this.#due = 0;
    this.tick(now);
  }

  /** Send the first that waits, if it is time; one at a time, so that their order stays. */
  tick(now) {
    const item = this.items.find(({ state }) => state !== "failed");
    if (!item || now < this.#due) return;
    if (!this.#send({ type: "say", id: item.id, message: item.text })) return;
    this.#due = now + ANSWER_MS;
    if (item.state !== "sent") this.#set(item, "sent", item.reason);
  }

  /** The station's answer to one of them. */
  answer({ id, accepted, refusal, reason, wait_seconds: wait }, now) {
    const item = this.items.find((one) => one.id === id);
    if (!item) return;
    if (accepted) {
      this.seen([id], now);
    } else if (PASSING.has(refusal)) {
      this.#due = now + 1000 * (wait ?? backoff(this.#attempt++, RETRY));
      this.#set(item, "waiting", reason);
    } else {
      this.#due = 0;
      this.#set(item, "failed", reason);
      this.tick(now);
    }
  }

  /** These stand in the conversation: they are no longer ours to repeat. */
  seen(ids, now) {
    const left = this.items.filter(({ id }) => !ids.includes(id));
    if (left.length === this.items.length) return;
    this.items = left;
    this.#due = this.#attempt = 0;
    this.#keep();
    this.tick(now);
  }

  /** Take a failed one back; its text. */
  withdraw(id) {
    const item = this.items.find((one) => one.id === id);
    this.items = this.items.filter((one) => one !== item);
    this.#keep();
    return item?.text ?? "";
  }

  #set(item, state, reason) {
    item.state = state;
    item.reason = reason ?? "";
    this.#changed();
  }

  #keep() {
    const kept = this.items.map(({ id, text }) => ({ id, text }));
    try {
      this.#storage?.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // Without room it lasts as long as the page.
    }
    this.#changed();
  }
}

function load(storage) {
  try {
    const kept = JSON.parse(storage?.getItem(KEPT) ?? "[]");
    return kept.filter(({ id, text }) => typeof id === "string" && typeof text === "string");
  } catch {
    return [];
  }
}

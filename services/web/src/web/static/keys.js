/** Single keys for whoever has a keyboard, and the page that lists them. */

import { make } from "./dom.js";
import { recall, remember } from "./memory.js";

const KEPT = "keys";
const TYPING = "input, textarea, select, [contenteditable]";

/** Whether a key is meant for the page and not for what has the focus, the browser, or the system. */
export function meant({ ctrlKey, altKey, metaKey, repeat, isComposing, defaultPrevented, target }) {
  if (ctrlKey || altKey || metaKey || repeat || isComposing || defaultPrevented) return false;
  return !target?.closest?.(TYPING);
}

export class Keys {
  /** The button that opens the list. */
  button = make("button", { type: "button", text: "Keys", class: "help", "aria-haspopup": "dialog" });
  #actions;
  #used = make("input", { type: "checkbox" });
  #dialog;

  /** `actions`: [{key, does: what it does in words, act()}]; a key is as KeyboardEvent says it, and
   *  "1–9" stands for the digits, whose act gets the number. */
  constructor(actions) {
    this.#actions = actions;
    this.#used.checked = recall(KEPT) !== "off";
    this.#dialog = this.#makeDialog();
    this.button.addEventListener("click", () => this.#dialog.showModal());
    this.#used.addEventListener("change", () => remember(KEPT, this.#used.checked ? null : "off"));
    document.body.append(this.#dialog);
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  #press(event) {
    if (!meant(event)) return;
    if (this.#dialog.open) {
      if (event.key === "?") this.#dialog.close();
      return;
    }
    if (event.key === "?") this.#dialog.showModal();
    else if (this.#used.checked) this.#act(event.key);
  }

  #act(key) {
    const digit = /^[1-9]$/.test(key);
    const wanted = digit ? "1–9" : key.toLowerCase();
    this.#actions.find((action) => action.key === wanted)?.act(digit ? Number(key) : undefined);
  }

  #makeDialog() {
    const title = make("h2", { id: "keys-title", text: "Keys" });
    const lines = [...this.#actions, { key: "?", does: "this list" }].map(({ key, does }) =>
      make("div", {}, make("dt", {}, make("kbd", { text: key })), make("dd", { text: does })),
    );
    const used = make("label", { class: "used" }, this.#used, "Use these keys");
    const close = make("button", { text: "Close" });
    const form = make("form", { method: "dialog" }, used, close);
    const about = "They are for the camera that has the focus, or else the large one, or the first.";
    const note = make("p", { class: "note", text: about });
    const list = make("dl", {}, ...lines);
    const parts = [title, note, list, form];
    return make("dialog", { class: "keys", "aria-labelledby": title.id }, ...parts);
  }
}

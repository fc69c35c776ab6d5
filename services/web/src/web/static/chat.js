/** The chat card: what is said, what waits to be said, and the box to say it in. */

import { ChatLog } from "./chatlog.js";
import { make, mark, say } from "./dom.js";
import { Outbox } from "./outbox.js";

const LONGEST = 500;
const NEAR = 50;
const DRAFT = "beeper.chat.draft";
const STATES = { waiting: "waiting", sent: "sending …", failed: "not sent" };

export class ChatCard {
  element;
  #log;
  #outbox;
  #storage = storage();
  #send;
  #pending = make("ul", { class: "pending", "aria-label": "Not sent yet", hidden: true });
  #text;
  #counter = make("span", { class: "counter", id: "chat-counter" });
  #button = make("button", { type: "submit", class: "send", text: "Send" });
  #trouble = make("p", { class: "trouble", role: "status" });

  /** `send(message)`: over the events socket; false while it is not there. */
  constructor(send) {
    this.#send = send;
    this.#log = new ChatLog({ delete: (id) => this.#delete(id), unread: (n) => this.#title(n) });
    this.#outbox = new Outbox(send, () => this.#showPending(), this.#storage);
    const hint = "Enter sends, Shift and Enter begin a new line";
    const about = { id: "chat-text", rows: "2", placeholder: "Say something …", title: hint };
    this.#text = make("textarea", { ...about, "aria-describedby": "chat-counter", autocomplete: "off" });
    const label = make("label", { class: "unseen", for: "chat-text", text: `Message. ${hint}.` });
    const row = make("div", { class: "row" }, this.#counter, this.#button);
    const form = make("form", {}, label, this.#text, row);
    const title = make("h2", { id: "chat-title", text: "Chat" });
    const parts = [make("header", {}, title), this.#log.element, this.#pending, this.#trouble, form];
    this.element = make("section", { class: "card chat", "aria-labelledby": title.id }, ...parts);
    this.#text.value = this.#storage?.getItem(DRAFT) ?? "";
    this.#listen(form);
    this.#count();
    this.#showPending();
  }

  /** The connection is there; `you`: {name, operator} of whoever sits here. */
  hello(you, now) {
    this.#log.setYou(you);
    this.#outbox.reconnected(now);
  }

  /** Messages have come or gone. */
  take(change, now) {
    this.#log.take(change);
    this.#outbox.seen(change.messages.map(({ id }) => id), now);
  }

  /** What became of something that was said here. */
  said(answer, now) {
    if (answer.said) {
      this.#log.take({ known: true, whole: false, messages: [answer.said], deleted: [] });
    }
    this.#outbox.answer(answer, now);
  }

  /** What became of an order to delete. */
  deleted({ accepted, reason }) {
    say(this.#trouble, accepted ? "" : (reason ?? ""));
  }

  /** Repeat what is due. */
  tick(now) {
    this.#outbox.tick(now);
  }

  #listen(form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say();
    });
    this.#text.addEventListener("input", () => {
      this.#count();
      this.#draft();
    });
  }

  #say() {
    const text = this.#text.value.trim();
    if (text === "" || length(text) > LONGEST) return;
    this.#text.value = "";
    say(this.#trouble, "");
    this.#draft();
    this.#count();
    this.#outbox.add(text, performance.now());
    this.#log.toEnd();
  }

  #delete(id) {
    if (!this.#send({ type: "delete", id })) say(this.#trouble, "Not now: the connection is lost.");
  }

  #draft() {
    try {
      this.#storage?.setItem(DRAFT, this.#text.value);
    } catch {
      // Without room it lasts as long as the page.
    }
  }

  #count() {
    const left = LONGEST - length(this.#text.value.trim());
    say(this.#counter, left < 0 ? `${-left} characters too many` : `${left} left`);
    mark(this.#counter, "data-level", left < 0 ? "bad" : left < NEAR ? "warning" : null);
    this.#button.disabled = left < 0;
  }

  #showPending() {
    const items = this.#outbox.items.map((item) => this.#item(item));
    this.#pending.replaceChildren(...items);
    this.#pending.hidden = items.length === 0;
  }

  #item({ id, text, state, reason }) {
    const words = [STATES[state], reason].filter(Boolean).join(": ");
    const line = make("p", { class: "text", dir: "auto", text });
    const item = make("li", { "data-state": state }, line, make("p", { class: "state", text: words }));
    if (state === "failed") item.append(this.#withdraw(id, "Change", true), this.#withdraw(id, "Discard", false));
    return item;
  }

  #withdraw(id, label, keep) {
    const button = make("button", { type: "button", text: label });
    button.addEventListener("click", () => {
      const text = this.#outbox.withdraw(id);
      if (keep) this.#text.value = [text, this.#text.value].filter(Boolean).join("\n");
      this.#count();
      this.#draft();
      this.#text.focus();
    });
    return button;
  }

  /** A page in the background says in its title that there is something to read. */
  #title(unread) {
    const bare = document.title.replace(/^\(\d+\) /, "");
    document.title = unread > 0 ? `(${unread}) ${bare}` : bare;
  }
}

/** Characters as the station counts them. */
const length = (text) => [...text].length;

/** This tab's own storage; null where storage is forbidden. */
function storage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

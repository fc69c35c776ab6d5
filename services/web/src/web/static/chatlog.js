/** The conversation as it is read: new messages below, and the reader's place kept. */

import { make } from "./dom.js";
import { UNKNOWN, clockTime } from "./words.js";

const MOST = 50;
const AT_END = 24;
const SURE_MS = 4000;

export class ChatLog {
  element;
  /** Messages that came while nobody looked at the end. */
  unread = 0;
  #list;
  #button = make("button", { type: "button", class: "newer", hidden: true });
  #marker = make("li", { class: "unread", text: "New" });
  #missing = make("p", { class: "missing" });
  #items = new Map();
  #you = { name: null, operator: false };
  #on;

  /** `on`: delete(id), unread(count). */
  constructor(on) {
    this.#on = on;
    // Silent until the first snapshot is there: nobody wants fifty messages read out.
    const about = { role: "log", "aria-live": "off", "aria-label": "Messages", tabindex: "0" };
    this.#list = make("ol", { class: "log", ...about });
    this.element = make("div", { class: "log-frame" }, this.#list, this.#missing, this.#button);
    this.#list.addEventListener("scroll", () => this.#look());
    document.addEventListener("visibilitychange", () => this.#look());
    this.#button.addEventListener("click", () => this.toEnd());
  }

  /** Who reads: whether messages are theirs, and whether they may delete. */
  setYou(you) {
    this.#you = you;
    for (const item of this.#items.values()) this.#decorate(item);
  }

  /** Take what the station says: all of it, or what is new and what is gone. */
  take({ known, whole, messages, deleted }) {
    const had = this.#atEnd;
    const first = this.#list.getAttribute("aria-live") === "off";
    const gone = whole ? this.#except(messages) : deleted;
    for (const id of gone) this.#remove(id);
    for (const message of messages) this.#add(message, had, first);
    while (this.#items.size > MOST) this.#remove(this.#oldest);
    this.#missing.hidden = this.#items.size > 0;
    this.#missing.textContent = known ? "Nobody has said anything yet." : "The chat has not been heard yet.";
    if (had) this.toEnd();
    if (first && known) requestAnimationFrame(() => this.#list.setAttribute("aria-live", "polite"));
  }

  /** Whether a message stands here. */
  has(id) {
    return this.#items.has(id);
  }

  toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#look();
  }

  get #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < AT_END;
  }

  get #oldest() {
    return [...this.#items].reduce((a, b) => (b[1].number < a[1].number ? b : a))[0];
  }

  #except(messages) {
    const ids = new Set(messages.map(({ id }) => id));
    return [...this.#items.keys()].filter((id) => !ids.has(id));
  }

  #add(message, atEnd, first) {
    if (this.#items.has(message.id)) return this.#retime(this.#items.get(message.id), message);
    const item = this.#make(message);
    const numbers = [...this.#items.values()];
    const later = numbers.filter(({ number }) => number > message.number);
    const next = later.reduce((a, b) => (a && a.number < b.number ? a : b), null);
    this.#items.set(message.id, item);
    this.#list.insertBefore(item.element, next?.element ?? null);
    if (item.own) this.#marker.remove();
    else if (!first && !next && (!atEnd || document.hidden)) this.#miss(item);
  }

  /** The station's clock was not known when it was said, and is by now. */
  #retime(item, message) {
    const time = timeOf(message);
    if (time.title !== item.time.title) item.time.replaceWith((item.time = time));
  }

  /** The first that was not seen gets the marker. */
  #miss(item) {
    if (this.unread === 0) this.#list.insertBefore(this.#marker, item.element);
    this.#count(this.unread + 1);
  }

  #look() {
    if (this.unread > 0 && !document.hidden && this.#atEnd) this.#count(0);
  }

  #count(unread) {
    this.unread = unread;
    this.#button.hidden = unread === 0;
    this.#button.textContent = `${unread} new ${unread === 1 ? "message" : "messages"} ↓`;
    this.#on.unread(unread);
  }

  #remove(id) {
    this.#items.get(id)?.element.remove();
    this.#items.delete(id);
  }

  #make({ id, number, username, message, ...about }) {
    const time = timeOf(about);
    const head = make("p", { class: "by" }, make("bdi", { class: "name", text: username }), " ", time);
    const text = make("p", { class: "text", dir: "auto", text: message });
    const item = { id, number, username, head, time, element: make("li", {}, head, text), button: null };
    this.#decorate(item);
    return item;
  }

  #decorate(item) {
    item.own = item.username === this.#you.name;
    item.element.classList.toggle("own", item.own);
    if (this.#you.operator && !item.button) item.head.append((item.button = this.#deleter(item)));
    if (!this.#you.operator && item.button) {
      item.button.remove();
      item.button = null;
    }
  }

  /** Two presses, since nothing brings a message back. */
  #deleter({ id, username }) {
    const label = `Delete the message of ${username}`;
    const button = make("button", { type: "button", class: "delete", text: "Delete", "aria-label": label });
    let sure = null;
    button.addEventListener("click", () => {
      if (sure !== null) return this.#on.delete(id);
      button.textContent = "Really?";
      button.setAttribute("aria-label", `Really delete the message of ${username}?`);
      sure = setTimeout(() => {
        sure = null;
        button.textContent = "Delete";
        button.setAttribute("aria-label", label);
      }, SURE_MS);
    });
    return button;
  }
}

const shortDay = (when) => when.toLocaleDateString([], { day: "numeric", month: "short" });

/** When a message was said; nothing is made up while the station's clock is not set. */
function timeOf({ timestamp, boot_time: since }) {
  if (since?.state === "unset") {
    return make("span", { class: "time", title: "The station’s clock was not set.", text: UNKNOWN });
  }
  const when = new Date(timestamp * 1000);
  const day = when.toDateString() === new Date().toDateString() ? "" : `${shortDay(when)} `;
  const time = make("time", { datetime: when.toISOString(), title: when.toLocaleString() });
  time.textContent = day + clockTime(timestamp).replace(/:\d\d$/, "");
  return time;
}

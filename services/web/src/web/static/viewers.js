/** The card of who is watching: everybody once, however many tabs they have. */

import { make, say } from "./dom.js";
import { span } from "./words.js";

const SHOWN = 100;
const EMPTY = { known: false, viewers: [], left: [], count: 0 };

export class ViewersCard {
  element;
  #viewers = new Map();
  #count = 0;
  #known = false;
  #you = null;
  #missing = make("p", { class: "missing" });
  #groups = { viewing: new Group("Viewing"), away: new Group("Away") };

  constructor() {
    const title = make("h2", { id: "viewers-title", text: "Who is watching" });
    const { viewing, away } = this.#groups;
    const parts = [make("header", {}, title), this.#missing, viewing.element, away.element];
    this.element = make("section", { class: "card viewers", "aria-labelledby": title.id }, ...parts);
    this.take({ ...EMPTY, whole: true }, null);
  }

  setYou(name) {
    this.#you = name;
  }

  /** Take the whole roster, or what has changed of it. */
  take({ known, whole, viewers, left, count }, now) {
    if (whole) this.#viewers.clear();
    for (const name of left) this.#viewers.delete(name);
    for (const viewer of viewers) this.#viewers.set(viewer.name, viewer);
    this.#known = known;
    this.#count = count;
    this.#show(now);
  }

  /** Let the times grow. */
  age(now) {
    for (const group of Object.values(this.#groups)) group.age(now);
  }

  #show(now) {
    const sorted = [...this.#viewers.values()].sort((a, b) => order(a, b, this.#you));
    const unlisted = this.#count - sorted.length;
    for (const [state, group] of Object.entries(this.#groups)) {
      const theirs = sorted.filter((viewer) => viewer.state === state);
      group.show(theirs, state === "viewing" ? unlisted : 0, this.#you);
    }
    this.#missing.hidden = this.#count > 0;
    say(this.#missing, this.#known ? "Nobody is watching." : "It is not known who is watching.");
    this.age(now);
  }
}

/** Oneself first, then by name. */
function order(a, b, you) {
  if ((a.name === you) !== (b.name === you)) return a.name === you ? -1 : 1;
  return a.name.localeCompare(b.name);
}

class Group {
  element;
  #label;
  #title = make("h3");
  #list = make("ul", { class: "people-list" });
  #more = make("p", { class: "note" });
  #items = new Map();

  constructor(label) {
    this.#label = label;
    this.element = make("div", { class: "people-group", hidden: true }, this.#title, this.#list, this.#more);
  }

  show(viewers, unlisted, you) {
    const shown = viewers.slice(0, SHOWN);
    const count = viewers.length + unlisted;
    this.element.hidden = count === 0;
    say(this.#title, `${this.#label} (${count})`);
    say(this.#more, count > shown.length ? `and ${count - shown.length} more` : "");
    const items = shown.map((viewer) => this.#item(viewer, you));
    this.#items = new Map(items.map((item) => [item.name, item]));
    this.#list.replaceChildren(...items.map(({ element }) => element));
  }

  age(now) {
    for (const { since, time } of this.#items.values()) {
      say(time, now === null ? "" : span(now - since));
    }
  }

  #item({ name, since }, you) {
    const known = this.#items.get(name);
    if (known && known.since === since) return known;
    const time = make("span", { class: "age" });
    const label = make("span", { class: "label" }, make("bdi", { text: name }));
    if (name === you) label.append(make("span", { class: "note-inline", text: " (you)" }));
    return { name, since, time, element: make("li", {}, label, " ", time) };
  }
}

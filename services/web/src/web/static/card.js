/** A card of measurements: each reading with its value, what that is worth, and its age. */

import { make, mark, say } from "./dom.js";
import { UNKNOWN, span } from "./words.js";

export class Card {
  element;
  #station;
  #card;
  #missing;
  #groups = new Map();

  constructor(station, card) {
    this.#station = station;
    this.#card = card;
    this.#missing = make("p", { class: "missing", text: card.missing });
    const title = make("h2", { id: `${card.id}-title`, text: card.title });
    const about = { class: `card metric ${card.id}`, "aria-labelledby": title.id };
    this.element = make("section", about, make("header", {}, title), this.#missing);
  }

  /** Show a message if it is for this card. */
  take(topic) {
    const about = this.#card.groups.find((group) => matches(group.topic, topic));
    if (about === undefined) return;
    if (!this.#groups.has(topic)) this.#add(topic, about);
    this.#groups.get(topic).update(this.#station.messages.get(topic));
  }

  /** Let the ages grow. */
  age(now) {
    for (const [topic, group] of this.#groups) group.age(this.#station.freshness(topic, now));
  }

  #add(topic, about) {
    const named = about.topic.includes("*") ? topic.split("/")[1] : null;
    const group = new Group(this.#station, topic, about, named);
    this.#groups.set(topic, group);
    this.#missing.hidden = true;
    group.order = `${this.#card.groups.indexOf(about)} ${topic}`;
    const later = [...this.#groups.values()].filter((other) => other.order > group.order);
    const [next] = later.sort((a, b) => (a.order < b.order ? -1 : 1));
    this.element.insertBefore(group.element, next?.element ?? null);
  }
}

const matches = (pattern, topic) =>
  pattern.split("/").every((level, i) => level === "*" || level === topic.split("/")[i]) &&
  pattern.split("/").length === topic.split("/").length;

class Group {
  element = make("div", { class: "group" });
  /** Sorts the groups of a card. */
  order = "";
  #station;
  #topic;
  #about;
  #rows;
  #simulated = make("span", { class: "pill simulated", text: "simulated", hidden: true });
  #meter = null;

  constructor(station, topic, about, named) {
    this.#station = station;
    this.#topic = topic;
    this.#about = about;
    this.#rows = about.rows.map((row) => new Row(row));
    const head = make("div", { class: "group-head" });
    if (named) head.append(make("h3", { text: named }));
    head.append(this.#simulated);
    const list = make("ul", { class: "readings" }, ...this.#rows.map((row) => row.element));
    this.element.append(head);
    if (about.meter) this.#addMeter();
    this.element.append(list);
  }

  update(message) {
    this.#simulated.hidden = message.simulated !== true;
    for (const row of this.#rows) {
      const { field } = row;
      row.update(message, field && this.#station.judge(this.#topic, field, message[field]));
    }
    if (this.#meter) this.#turn(message);
  }

  age({ age, stale }) {
    for (const row of this.#rows) row.age(age, stale);
    mark(this.element, "data-stale", stale ? "yes" : null);
  }

  #addMeter() {
    this.#meter = make("div", { class: "bar" });
    this.element.append(make("div", { class: "meter", "aria-hidden": "true" }, this.#meter));
  }

  #turn(message) {
    const { field, from, to } = this.#about.meter;
    const part = Math.max(0, Math.min(1, (message[field] - from) / (to - from)));
    this.#meter.style.transform = `scaleX(${part.toFixed(3)})`;
    mark(this.#meter, "data-level", this.#station.judge(this.#topic, field, message[field]));
  }
}

class Row {
  #about;
  #value = make("span", { class: "number" });
  #unit = make("span", { class: "unit" });
  #note = make("span", { class: "note" });
  #state = make("span", { class: "state" });
  #age = make("span", { class: "age" });
  element;

  constructor(about) {
    this.#about = about;
    const label = make("span", { class: "label", text: about.label });
    const value = make("span", { class: "value" }, this.#value, " ", this.#unit);
    const worth = make("span", { class: "worth" }, this.#state, " ", this.#age);
    const name = make("span", { class: "name" }, label, " ", this.#note);
    this.element = make("li", { class: "reading" }, name, " ", value, " ", worth);
  }

  get field() {
    return this.#about.field;
  }

  update(message, judged) {
    const { value, unit = "", note = "", level = judged, long } = this.#about.read(message);
    const known = value !== null && value !== UNKNOWN;
    say(this.#value, known ? value : UNKNOWN);
    say(this.#unit, known ? unit : "");
    say(this.#note, note ?? "");
    say(this.#state, (known && level) || "");
    mark(this.element, "data-level", known ? (level ?? null) : null);
    mark(this.element, "data-long", long ? "yes" : null);
  }

  age(age, stale) {
    const text = age === null ? "" : stale ? `stale, ${span(age)} old` : span(age);
    say(this.#age, text);
    mark(this.element, "data-stale", stale ? "yes" : null);
  }
}

/** The card of the station itself: connection, services with their problems. */

import { make, mark, say } from "./dom.js";
import { UNKNOWN, span } from "./words.js";

const LEVELS = { online: "good", offline: "warning", lost: "bad" };
const BUS = { connected: "connected", lost: "not there", silent: "not answering" };
const LINKS = { open: "live", silent: "not answering", down: "lost", connecting: "connecting" };

/** What is wrong with a service, one line each. */
export function complaints(station, name, now) {
  const { state, since } = station.service(name, now);
  const ago = now === null || since === null ? "" : ` ${span(now - since)} ago`;
  if (state === "lost") return [`died or fell silent${ago}: its log says why`];
  if (state === "offline") return [`was stopped${ago}: start it again if you want it`];
  const { problems } = station.messages.get(`service/${name}/status`);
  return Object.entries(problems ?? {}).map(([part, what]) => `${part}: ${what}`);
}

export class StationCard {
  element;
  #station;
  #clock;
  #facts = make("dl", { class: "facts" });
  #values = new Map();
  #list = make("ul", { class: "services" });
  #items = new Map();
  #missing = make("p", { class: "missing", text: "No service has spoken yet." });

  constructor(station, clock) {
    this.#station = station;
    this.#clock = clock;
    const title = make("h2", { id: "station-title", text: "Station and services" });
    const about = { class: "card metric station", "aria-labelledby": title.id };
    const head = make("header", {}, title);
    this.element = make("section", about, head, this.#facts, this.#list, this.#missing);
    for (const name of ["Station", "Version", "Page", "Bus", "Round trip"]) this.#fact(name);
  }

  #fact(name) {
    const value = make("dd", { text: UNKNOWN });
    this.#values.set(name, value);
    this.#facts.append(make("div", {}, make("dt", { text: name }), value));
  }

  age(now) {
    const { name, version, bus, link } = this.#station;
    const trip = this.#clock.roundTrip;
    const live = link.state === "open";
    this.#say("Station", name || "this one");
    this.#say("Version", version ?? UNKNOWN);
    this.#say("Page", LINKS[link.state], live ? "good" : "bad");
    this.#say("Bus", live ? BUS[bus.state] : UNKNOWN, bus.state === "connected" ? "good" : "bad");
    this.#say("Round trip", trip === null || !live ? UNKNOWN : `${Math.max(1, Math.round(trip))} ms`);
    this.#services(now);
  }

  #say(name, text, level = null) {
    const value = this.#values.get(name);
    say(value, text);
    mark(value, "data-level", text === UNKNOWN ? null : level);
  }

  #services(now) {
    const present = new Set();
    for (const [name, message] of this.#station.each("service", "status")) {
      const { state } = this.#station.service(name, now);
      const lines = complaints(this.#station, name, now);
      const level = state === "online" && lines.length > 0 ? "warning" : LEVELS[state];
      this.#item(present, name, level, state, lines, now - message.timestamp);
    }
    for (const [name, item] of this.#items) {
      if (present.has(name)) continue;
      item.element.remove();
      this.#items.delete(name);
    }
    this.#missing.hidden = present.size > 0;
  }

  #item(present, name, level, state, lines, age) {
    present.add(name);
    const item = this.#items.get(name) ?? this.#newItem(name);
    mark(item.element, "data-level", level);
    say(item.state, state);
    say(item.age, Number.isFinite(age) ? span(age) : "");
    say(item.lines, lines.join("\n"));
  }

  #newItem(name) {
    const item = {
      state: make("span", { class: "state" }),
      age: make("span", { class: "age" }),
      lines: make("p", { class: "problems" }),
    };
    const label = make("span", { class: "label", text: name });
    item.element = make("li", {}, label, " ", item.state, " ", item.age, " ", item.lines);
    this.#items.set(name, item);
    const names = [...this.#items.keys()].sort();
    const next = this.#items.get(names[names.indexOf(name) + 1]);
    this.#list.insertBefore(item.element, next?.element ?? null);
    return item;
  }
}

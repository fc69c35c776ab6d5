/** The list of a hub: every station, how it is, and the way to its page. */

import { http } from "./address.js";
import { make, mark, say } from "./dom.js";
import { span } from "./words.js";

const EVERY_MS = 2000;
const LEVELS = { online: "good", degraded: "warning", lost: "bad" };

/** What is wrong with a station, one line each. */
export function complaints(station) {
  if (station.state !== "lost") return station.degraded;
  return [`nothing heard for ${span(station.age_seconds)}: it is off, or its link is cut`];
}

/** What is known of it, in one line; nothing of a lost one. */
export function facts(station) {
  if (station.state === "lost") return "";
  const cameras = Object.entries(station.cameras).map(([name, state]) => `${name} ${state}`);
  const readings = [
    station.temperature === null ? null : `${station.temperature.toFixed(1)} °C`,
    station.humidity === null ? null : `${station.humidity.toFixed(0)} %RH`,
    station.cpu_temp === null ? null : `processor ${station.cpu_temp.toFixed(0)} °C`,
  ];
  return [...readings, ...cameras].filter(Boolean).join(" · ");
}

export class StationList {
  #list;
  #items = new Map();

  constructor(list) {
    this.#list = list;
  }

  show(stations) {
    for (const station of stations) this.#show(this.#item(station), station);
    const present = new Set(stations.map((station) => station.name));
    for (const [name, item] of this.#items) {
      if (present.has(name)) continue;
      item.element.remove();
      this.#items.delete(name);
    }
  }

  #show(item, station) {
    mark(item.element, "data-level", LEVELS[station.state]);
    say(item.state, station.state);
    say(item.age, span(station.age_seconds));
    say(item.facts, facts(station));
    say(item.lines, complaints(station).join("\n"));
  }

  #item({ name, path }) {
    const known = this.#items.get(name);
    if (known) return known;
    const item = {
      state: make("span", { class: "state" }),
      age: make("span", { class: "age" }),
      facts: make("p", { class: "note" }),
      lines: make("p", { class: "problems" }),
    };
    const link = make("a", { class: "label", href: path, text: name });
    const parts = [item.state, item.age, item.facts, item.lines].flatMap((part) => [" ", part]);
    item.element = make("li", {}, link, ...parts);
    this.#items.set(name, item);
    const names = [...this.#items.keys()].sort();
    const next = this.#items.get(names[names.indexOf(name) + 1]);
    this.#list.insertBefore(item.element, next?.element ?? null);
    return item;
  }
}

/** Ask again and again, and say when nobody answers: a list that stands still must not look alive. */
async function keep(list) {
  const trouble = document.getElementById("trouble");
  try {
    const answer = await fetch(http("api/stations"));
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail);
    list.show(body.stations);
    document.getElementById("none").hidden = body.stations.length > 0;
    trouble.hidden = true;
  } catch (error) {
    say(trouble, `The hub does not answer, and what stands here is old: ${error.message}`);
    trouble.hidden = false;
  }
  setTimeout(keep, EVERY_MS, list);
}

if (globalThis.document) keep(new StationList(document.getElementById("stations")));

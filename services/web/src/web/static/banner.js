/** What is missing at the moment, since when, and what to do about it, at the top of the page. */

import { make, say } from "./dom.js";
import { complaints } from "./services.js";
import { clockTime, span } from "./words.js";

const LINK = {
  down: "The connection to the station is lost; the page keeps trying.",
  silent: "The station’s web service does not answer.",
};
const BUS = {
  lost: "The message bus is not there: is Mosquitto running?",
  silent: "The message bus has stopped answering: is Mosquitto stopped or overloaded?",
};

/** Everything missing: [{what, since}], since in Unix seconds or null. What lies behind a lost
 *  connection or bus is not blamed as well. */
export function missing(station, now) {
  const { link, bus } = station;
  if (link.state in LINK) return [{ what: LINK[link.state], since: link.since }];
  if (link.state !== "open") return [];
  if (bus.state in BUS) return [{ what: BUS[bus.state], since: bus.since }];
  const found = [];
  for (const [name] of station.each("service", "status")) {
    const { state, since } = station.service(name, now);
    if (state === "lost") found.push({ what: `Service ${name} has died or fallen silent.`, since });
    if (state === "offline") found.push({ what: `Service ${name} was stopped.`, since });
    if (state !== "online") continue;
    for (const line of complaints(station, name, now)) {
      found.push({ what: `${name}: ${line}`, since: null });
    }
  }
  return found;
}

export class Banner {
  #element;
  #list = make("ul");
  #shown = "";
  #ages = [];

  /** `element`: a live region, which is told a change and not every second that passes. */
  constructor(element) {
    this.#element = element;
    element.append(this.#list);
  }

  show(found, now) {
    const key = JSON.stringify(found.map(({ what, since }) => [what, since && Math.round(since)]));
    if (key !== this.#shown) this.#rebuild(found, key);
    found.forEach(({ since }, i) => {
      const known = since !== null && now !== null;
      say(this.#ages[i], known ? span(now - since) : "");
    });
  }

  #rebuild(found, key) {
    this.#shown = key;
    this.#ages = found.map(() => make("span", { class: "age", "aria-hidden": "true" }));
    const items = found.map(({ what, since }, i) => {
      const when = since === null ? "" : `Since ${clockTime(since)}`;
      const told = make("span", { class: "when", text: when });
      return make("li", {}, make("span", { text: what }), " ", told, " ", this.#ages[i]);
    });
    this.#list.replaceChildren(...items);
    this.#element.hidden = found.length === 0;
  }
}

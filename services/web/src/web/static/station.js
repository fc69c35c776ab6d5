/** Everything the page knows of the station, as it came over the events socket. */

import { freshness, interval, judge } from "./readings.js";

/** Seconds after which a service counts as lost, whatever it last said. */
export const LOST_AFTER = 30;

export class Station {
  name = "";
  version = null;
  bus = { state: "connected", since: null };
  /** "connecting" before the first word, then as events.js says; with the moment of the change. */
  link = { state: "connecting", since: null };
  messages = new Map();
  #limits = new Map();
  #intervals = {};

  /** What the page knew is kept: until the snapshot replaces it, it is shown with its growing age. */
  hello({ version, station, limits, intervals }) {
    this.version = version;
    this.name = station;
    this.#limits = new Map(limits.map((limit) => [limit.field, limit]));
    this.#intervals = intervals;
  }

  judge(topic, field, value) {
    return judge(this.#limits.get(`${topic}:${field}`), value);
  }

  freshness(topic, now) {
    const message = this.messages.get(topic);
    return freshness(message, interval(topic, message, this.#intervals), now);
  }

  /** Topics of the form `kind/<name>/last` that have spoken: [name, message], sorted by name. */
  each(kind, last) {
    const found = [];
    for (const [topic, message] of this.messages) {
      const [first, name, third, ...rest] = topic.split("/");
      if (first === kind && third === last && rest.length === 0) found.push([name, message]);
    }
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** How a service is, in one word, and since when that is known. */
export function serviceState(message, now) {
  const silent = now !== null && now - message.timestamp > LOST_AFTER;
  if (message.state === "online" && silent) return { state: "lost", since: message.timestamp };
  return { state: message.state, since: message.timestamp };
}

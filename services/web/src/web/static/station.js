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
  #heard = new Map();
  #changed = new Map();
  #limits = new Map();
  #intervals = {};

  /** What the page knew is kept: until the snapshot replaces it, it is shown with its growing age. */
  hello({ version, station, limits, intervals }) {
    this.version = version;
    this.name = station;
    this.#limits = new Map(limits.map((limit) => [limit.field, limit]));
    this.#intervals = intervals;
  }

  /** Take a message. `now`: the station's clock, null while it is not known. */
  take(topic, message, now) {
    const before = this.messages.get(topic);
    if (before && before.state !== message.state) this.#changed.set(topic, now);
    this.messages.set(topic, message);
    this.#heard.set(topic, performance.now() / 1000);
  }

  /** The station's clock was set by so many seconds; `offset`: what it was ahead of performance.now()
   *  before. What was said by the old time keeps its age. */
  shift(seconds, offset) {
    for (const [topic, message] of this.messages) {
      const age = this.#heard.get(topic) + offset - message.timestamp;
      if (!(Math.abs(age) < Math.abs(age + seconds))) continue;
      this.messages.set(topic, { ...message, timestamp: message.timestamp + seconds });
    }
    const moved = (since) => (since === null ? null : since + seconds);
    for (const [topic, since] of this.#changed) this.#changed.set(topic, moved(since));
    this.link = { ...this.link, since: moved(this.link.since) };
    this.bus = { ...this.bus, since: moved(this.bus.since) };
  }

  /** The connection of this page has changed; trouble that changes its kind began with the first. */
  setLink(state, now) {
    const going = this.link.state === "silent" && state === "down";
    this.link = { state, since: going ? this.link.since : now };
  }

  setBus({ state, since }) {
    const going = this.bus.state !== "connected" && state !== "connected";
    this.bus = { state, since: going ? (this.bus.since ?? since) : since };
  }

  /** How a service is, in one word, and since when (null when that is not known). */
  service(name, now) {
    const topic = `service/${name}/status`;
    const message = this.messages.get(topic);
    const silent = now !== null && now - message.timestamp > LOST_AFTER;
    if (message.state === "online" && silent) return { state: "lost", since: message.timestamp };
    // A last will carries the time at which the connection began, not that of the death.
    const will = message.state === "lost";
    return { state: message.state, since: will ? (this.#changed.get(topic) ?? null) : message.timestamp };
  }

  judge(topic, field, value) {
    return judge(this.#limits.get(`${topic}:${field}`), value);
  }

  freshness(topic, now) {
    const message = this.messages.get(topic);
    return freshness(message, interval(topic, message, this.#intervals), now);
  }

  /** What is known of a camera, for condition.js: link, bus, status, and metadata while it is fresh. */
  camera(name, now) {
    const topic = `camera/${name}/metadata`;
    const fresh = this.messages.has(topic) && now !== null && !this.freshness(topic, now).stale;
    return {
      link: this.link.state,
      bus: this.bus.state,
      status: this.messages.get(`camera/${name}/status`) ?? null,
      metadata: fresh ? this.messages.get(topic) : null,
    };
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

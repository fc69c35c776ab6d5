/** The page's one connection for readings: it comes back by itself and says when it is gone. */

import { backoff } from "./backoff.js";

const BURST = 5;
const PING_MS = 5000;
const QUIET_MS = 1000;
const SILENT_MS = 2200;
const GIVE_UP_MS = 6000;
const FIRST_ANSWER_MS = 4000;
/** Short, because people watch: the station must be whole again within seconds of its return. */
const RETRY = { first: 0.3, most: 3 };
const TOLD = new Set(["viewers", "chat", "said", "deleted", "offers"]);

export class EventsSocket {
  #url;
  #clock;
  #on;
  #socket = null;
  #attempt = 0;
  #pings = new Map();
  #id = 0;
  #burst = 0;
  #opened = 0;
  #heard = 0;
  #pinged = 0;
  #timer = null;
  #link = null;

  /** `on`: hello(message), message(topic, payload), bus(message), link("open"|"silent"|"down"), and
   *  viewers, chat, said, deleted, offers with their messages. */
  constructor(url, clock, on) {
    this.#url = url;
    this.#clock = clock;
    this.#on = on;
    setInterval(() => this.#watch(performance.now()), 250);
    this.#connect();
  }

  /** Try at once instead of waiting for the next attempt. */
  nudge() {
    if (this.#timer !== null) this.#connect();
  }

  /** Say something to the server; false when it cannot hear. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#opened = this.#heard = performance.now();
    this.#pings.clear();
    this.#clock.reset();
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = (event) => socket === this.#socket && this.#receive(event.data);
    socket.onclose = () => socket === this.#socket && this.#lost();
  }

  #lost() {
    const socket = this.#socket;
    this.#socket = null;
    socket.close();
    this.#say("down");
    this.#timer = setTimeout(() => this.#connect(), backoff(this.#attempt++, RETRY) * 1000);
  }

  #say(link) {
    if (link === this.#link) return;
    this.#link = link;
    this.#on.link(link);
  }

  #receive(data) {
    const now = performance.now();
    this.#heard = now;
    const message = JSON.parse(data);
    if (message.type === "hello") this.#greet(message, now);
    else if (message.type === "message") this.#on.message(message.topic, message.message);
    else if (message.type === "bus") this.#on.bus(message);
    else if (message.type === "clock") this.#askClock(now);
    else if (message.type === "pong") this.#answer(message, now);
    else if (TOLD.has(message.type)) this.#on[message.type](message);
    if (this.#attempt === 0) this.#say("open");
  }

  #greet(message, now) {
    this.#attempt = 0;
    this.#clock.sample(this.#opened, now, message.server_time);
    this.#burst = BURST;
    this.#ping(now);
    this.#on.hello(message);
  }

  /** The station's clock was set. */
  #askClock(now) {
    this.#burst = BURST;
    this.#ping(now);
  }

  #answer(message, now) {
    const sent = this.#pings.get(message.id);
    this.#pings.delete(message.id);
    if (sent !== undefined) this.#clock.sample(sent, now, message.server_time);
    if (this.#burst > 0) this.#ping(now);
  }

  #ping(now) {
    if (!this.send({ type: "ping", id: this.#id + 1 })) return;
    this.#pinged = now;
    this.#burst = Math.max(0, this.#burst - 1);
    this.#pings.set(++this.#id, now);
  }

  /** A server that has stopped in place leaves its sockets open: only its silence tells. */
  #watch(now) {
    if (this.#socket === null) return;
    const quiet = now - this.#heard;
    if (this.#socket.readyState !== WebSocket.OPEN) {
      if (quiet > FIRST_ANSWER_MS) this.#lost();
      return;
    }
    if (quiet > GIVE_UP_MS) this.#lost();
    else if (quiet > SILENT_MS) this.#say("silent");
    const due = quiet > QUIET_MS ? QUIET_MS : PING_MS;
    if (this.#socket && now - this.#pinged >= due) this.#ping(now);
  }
}

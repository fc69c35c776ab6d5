/** The cameras of the page: asked for at its start, and again whenever what they offer may have changed. */

import { http } from "./address.js";
import { recall, remember } from "./memory.js";
import { Player } from "./player.js";
import { rungNamed } from "./rungs.js";
import { VideoCard } from "./videocard.js";

const stored = (name) => `player.${name}`;

export class Cameras {
  /** Name → Telemetry. */
  players = {};
  #layout;
  #missing;
  #clock;
  #station;
  #cameras = new Map();
  #asking = false;
  #again = false;

  /** `layout`: where the cards go; `missing`: shown while there is none. */
  constructor(layout, missing, clock, station) {
    this.#layout = layout;
    this.#missing = missing;
    this.#clock = clock;
    this.#station = station;
  }

  /** Ask the station what it has. It is asked again after hello when it does not answer. */
  async ask() {
    this.#again = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    try {
      const answer = await fetch(http("api/cameras"), { cache: "no-store" });
      if (answer.ok) this.#know((await answer.json()).cameras);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    } finally {
      this.#asking = false;
    }
    if (this.#again) await this.ask();
  }

  /** The station is back. */
  nudge() {
    this.ask();
    for (const { player } of this.#cameras.values()) player.nudge();
  }

  /** A message has come: of a camera that is not known, or of a service that has come or gone. */
  take(topic, before, message) {
    const [kind, name, last] = topic.split("/");
    if (last !== "status") return;
    if (kind === "camera" && !this.#cameras.has(name)) this.ask();
    if (kind === "service" && before?.state !== message.state && this.#cameras.size > 0) this.ask();
  }

  /** Let what is said of their health be as old as it is. */
  age(now) {
    const relays = this.#station.each("relay", "status");
    for (const [name, { card, camera }] of this.#cameras) {
      const status = this.#station.messages.get(`camera/${name}/status`) ?? camera.status;
      const own = relays.filter(([, message]) => message.camera === name);
      card.status(status, own, now);
    }
  }

  #know(found) {
    for (const camera of found) {
      const known = this.#cameras.get(camera.name);
      if (known) this.#offer(known, camera);
      else this.#add(camera);
    }
    this.#missing.hidden = this.#cameras.size > 0;
  }

  #offer(known, camera) {
    known.camera = camera;
    known.card.offer(camera);
    known.player.offer(camera);
  }

  #add(camera) {
    const { name } = camera;
    const pinned = pinnedRung(name);
    const known = { camera, card: null, player: null };
    const card = new VideoCard(camera, pinned, {
      pin: (rung) => this.#pin(name, rung),
      sound: (on) => known.player.setSound(on),
      picture: () => known.player.picture,
      large: () => this.#layout.turn(name),
    });
    known.card = card;
    this.#cameras.set(name, known);
    this.#layout.add(name, card);
    const [clock, station] = [this.#clock, this.#station];
    known.player = new Player({ camera, clock, station, view: card, pinned });
    this.players[name] = known.player.telemetry;
    this.age(this.#clock.now());
  }

  #pin(name, rung) {
    remember(stored(name), rung);
    this.#cameras.get(name).player.pin(rung);
  }
}

/** The rung that the address or an earlier visit asks for; null for the best. */
function pinnedRung(name) {
  const asked = new URLSearchParams(location.search).get("player") ?? recall(stored(name));
  return rungNamed(asked)?.name ?? null;
}

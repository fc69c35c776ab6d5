/** The cameras of the page: asked for once, and again when the bus names one that is not known. */

import { http } from "./address.js";
import { Player } from "./player.js";
import { rungNamed } from "./rungs.js";
import { VideoCard } from "./videocard.js";

const STORED = "beeper.player.";

export class Cameras {
  /** Name → Telemetry. */
  players = {};
  #place;
  #missing;
  #clock;
  #station;
  #cameras = new Map();
  #asking = false;

  /** `place`: where the cards go; `missing`: shown while there is none. */
  constructor(place, missing, clock, station) {
    this.#place = place;
    this.#missing = missing;
    this.#clock = clock;
    this.#station = station;
  }

  /** Ask the station what it has. It is asked again after hello when it does not answer. */
  async ask() {
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
  }

  /** The station is back. */
  nudge() {
    if (this.#cameras.size === 0) this.ask();
    for (const { player } of this.#cameras.values()) player.nudge();
  }

  /** A camera's status has come over the events socket. */
  take(name, message) {
    const camera = this.#cameras.get(name);
    if (camera) camera.card.status(message);
    else this.ask();
  }

  #know(found) {
    for (const camera of found) if (!this.#cameras.has(camera.name)) this.#add(camera);
    this.#missing.hidden = this.#cameras.size > 0;
  }

  #add(camera) {
    const { name } = camera;
    const pinned = pinnedRung(name);
    const known = { card: null, player: null };
    known.card = new VideoCard(camera, pinned, {
      pin: (rung) => this.#pin(name, rung),
      sound: (on) => known.player.setSound(on),
      picture: () => known.player.picture,
    });
    this.#cameras.set(name, known);
    this.#place.append(known.card.element);
    known.player = new Player({ camera, clock: this.#clock, view: known.card, pinned });
    this.players[name] = known.player.telemetry;
    known.card.status(this.#station.messages.get(`camera/${name}/status`) ?? camera.status);
  }

  #pin(name, rung) {
    remember(name, rung);
    this.#cameras.get(name).player.pin(rung);
  }
}

/** The rung that the address or an earlier visit asks for; null for the best. */
function pinnedRung(name) {
  const asked = new URLSearchParams(location.search).get("player") ?? recall(name);
  return rungNamed(asked)?.name ?? null;
}

/** Where storage is forbidden the choice lasts as long as the page. */
function recall(name) {
  try {
    return localStorage.getItem(STORED + name);
  } catch {
    return null;
  }
}

function remember(name, rung) {
  try {
    if (rung === null) localStorage.removeItem(STORED + name);
    else localStorage.setItem(STORED + name, rung);
  } catch {
    return;
  }
}

/** Wires the page: one socket for readings, a player for each camera, and what the viewer is told. */

import { websocket } from "./address.js";
import { Banner, missing } from "./banner.js";
import { Cameras } from "./cameras.js";
import { Card } from "./card.js";
import { ServerClock } from "./clock.js";
import { mark, say } from "./dom.js";
import { EventsSocket } from "./events.js";
import { CARDS } from "./fields.js";
import { StationCard } from "./services.js";
import { Station } from "./station.js";

const AGE_MS = 500;
const CONNECTION = {
  connecting: ["connecting", "warning"],
  open: ["live", "good"],
  silent: ["not answering", "bad"],
  down: ["connection lost", "bad"],
};

const find = (id) => document.getElementById(id);
const clock = new ServerClock();
const station = new Station();
const banner = new Banner(find("banner"));
const cameras = new Cameras(find("cameras"), find("no-cameras"), clock, station);
const cards = CARDS.map((card) => new Card(station, card));
const stationCard = new StationCard(station, clock);

function showConnection() {
  const onBus = station.link.state === "open" && station.bus.state !== "connected";
  const [words, level] = onBus ? ["bus missing", "bad"] : CONNECTION[station.link.state];
  say(find("connection"), words);
  mark(find("connection"), "data-level", level);
}

function showAges() {
  const now = clock.now();
  banner.show(missing(station, now), now);
  for (const card of cards) card.age(now);
  stationCard.age(now);
}

function take(topic, message) {
  station.take(topic, message, clock.now());
  for (const card of cards) card.take(topic);
  const [kind, name, last] = topic.split("/");
  if (kind === "camera" && last === "status") cameras.take(name, message);
}

new EventsSocket(websocket("events"), clock, {
  hello(message) {
    station.hello(message);
    say(find("name"), station.name || "Beeper Keeper");
    if (station.link.state !== "connecting") cameras.nudge();
  },
  message: take,
  bus(bus) {
    const back = bus.state === "connected" && station.bus.state !== "connected";
    station.setBus(bus);
    if (back) cameras.nudge();
    showConnection();
    showAges();
  },
  link(state) {
    station.setLink(state, clock.now());
    showConnection();
    showAges();
  },
});

find("metrics").append(...cards.map((card) => card.element), stationCard.element);
cameras.ask();
showConnection();
showAges();
setInterval(showAges, AGE_MS);

/** What each player measures, by the camera's name: see telemetry.js. */
window.beeper = { players: cameras.players };

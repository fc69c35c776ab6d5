/** Wires the page: one socket for readings, a player for each camera, and what the viewer is told. */

import { websocket } from "./address.js";
import { Banner, missing } from "./banner.js";
import { Cameras } from "./cameras.js";
import { Card } from "./card.js";
import { ChatCard } from "./chat.js";
import { ServerClock } from "./clock.js";
import { mark, say } from "./dom.js";
import { EventsSocket } from "./events.js";
import { CARDS } from "./fields.js";
import { Heartbeat } from "./heartbeat.js";
import { HistoryCard } from "./history.js";
import { Keys } from "./keys.js";
import { Layout } from "./layout.js";
import { Me } from "./me.js";
import { StationCard } from "./services.js";
import { Station } from "./station.js";
import { StepperCard } from "./stepper.js";
import { ViewersCard } from "./viewers.js";

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
clock.onJump = (seconds, offset) => station.shift(seconds, offset);
const banner = new Banner(find("banner"));
const layout = new Layout(find("cameras"));
const cameras = new Cameras(layout, find("no-cameras"), clock, station);
const cards = CARDS.map((card) => new Card(station, card));
const me = new Me(find("me"));
const send = (message) => socket.send(message);
const stationCard = new StationCard(station, clock);
const stepper = new StepperCard(station, send);
const history = new HistoryCard(clock);
const chat = new ChatCard(send);
const viewers = new ViewersCard();
const heartbeat = new Heartbeat(send);

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
  stepper.age(now);
  viewers.age(now);
  chat.tick(performance.now());
  cameras.age(now);
}

function take(topic, message) {
  const before = station.messages.get(topic);
  station.take(topic, message, clock.now());
  for (const card of cards) card.take(topic);
  cameras.take(topic, before, message);
  stepper.take(topic);
}

/** What to do with the card that keys are for. */
const current = (act) => () => layout.current && act(layout.card(layout.current), layout.current);

const keys = new Keys([
  { key: "f", does: "fullscreen", act: current((card) => card.fullscreen()) },
  { key: "s", does: "snapshot", act: current((card) => card.snapshot()) },
  { key: "m", does: "sound on or off", act: current((card) => card.turnSound()) },
  { key: "l", does: "large, or side by side", act: current((_, name) => layout.turn(name)) },
  {
    key: "1–9",
    does: "this camera large, or side by side",
    act: (digit) => layout.names[digit - 1] && layout.turn(layout.names[digit - 1]),
  },
]);

const socket = new EventsSocket(websocket("events"), clock, {
  hello(message) {
    station.hello(message);
    viewers.setYou(message.you.name);
    heartbeat.beat();
    chat.hello(message.you, performance.now());
    say(find("name"), station.name || "Beeper Keeper");
    me.ask();
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
  viewers: (message) => viewers.take(message, clock.now()),
  chat: (message) => chat.take(message, performance.now()),
  said: (message) => chat.said(message, performance.now()),
  deleted: (message) => chat.deleted(message),
  offers: () => cameras.ask(),
  link(state) {
    station.setLink(state, clock.now());
    if (state === "down") me.ask();
    showConnection();
    showAges();
  },
});

document.querySelector(".top").append(keys.button);
find("metrics").append(...cards.map((card) => card.element), stepper.element, history.element, stationCard.element);
find("people").append(chat.element, viewers.element);
cameras.ask();
showConnection();
showAges();
setInterval(showAges, AGE_MS);

/** What each player measures, by the camera's name: see telemetry.js. */
window.beeper = { players: cameras.players };

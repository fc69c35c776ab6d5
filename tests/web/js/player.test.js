import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

globalThis.document = {
  visibilityState: "visible",
  addEventListener() {},
  createElement: () => ({ canPlayType: () => "" }),
};
const { Player } = await import(at("player"));
const { RUNGS, rungNamed } = await import(at("rungs"));

const REFUSED = "Failed to construct 'RTCPeerConnection'";
const PROTOCOLS = ["websocket", "webrtc", "mjpeg"];
const station = { camera: () => ({ link: "open", bus: "connected", status: null, metadata: null }) };
const clock = { now: () => null, at: () => null };
const TICK = 250;

let now = 0;
let tick;
performance.now = () => now;
globalThis.setInterval = (each) => (tick = each);

/** A player whose rungs only remember what they were told; those of `refused` cannot be opened. */
function setUp({ protocols = PROTOCOLS, refused = [] } = {}) {
  const opened = [];
  for (const rung of RUNGS) {
    rung.unfit = null;
    rung.open = (_camera, { on, sound }) => {
      if (refused.includes(rung.name)) throw new Error(REFUSED);
      const one = { name: rung.name, on, heard: sound, closed: false, element: {}, picture: { width: 0 } };
      one.sound = (wanted) => (one.heard = wanted);
      one.close = () => (one.closed = true);
      opened.push(one);
      return one;
    };
  }
  const view = { shown: null, mount() {}, keepStill() {}, show: (about) => (view.shown = about) };
  const player = new Player({ camera: { name: "csi", protocols }, clock, station, view, pinned: null });
  return { player, view, opened };
}

const picture = ({ on }) => on.shown({ seq: 1, capture: null, moment: now });

/** MJPEG plays, because all that is better broke. */
function lowest() {
  const it = setUp();
  while (it.opened.at(-1).name !== "mjpeg") it.opened.at(-1).on.failed("broken");
  return { ...it, shown: it.opened.at(-1) };
}

/** The next rung that is tried beside the one that is `shown`. */
function candidate({ opened, shown }) {
  const before = opened.length;
  for (let i = 0; i < 200 && opened.length === before; i++) {
    picture(shown);
    now += TICK;
    tick();
  }
  assert.equal(opened.length, before + 1, "nothing better is tried");
  return opened.at(-1);
}

test("a rung that the browser refuses to open is left, with the browser's reason", async () => {
  const { view, opened } = setUp({ protocols: ["webrtc", "mjpeg"], refused: ["webrtc"] });
  await null;
  assert.deepEqual(opened.map(({ name }) => name), ["mjpeg"]);
  picture(opened[0]);
  assert.equal(view.shown.rung.name, "mjpeg");
  assert.ok(view.shown.why.includes(REFUSED), view.shown.why);
});

test("a candidate that the browser refuses to open changes nothing", async () => {
  const refused = ["webrtc"];
  const it = setUp({ protocols: ["webrtc", "mjpeg"], refused });
  await null;
  const [shown] = it.opened;
  picture(shown);
  for (let i = 0; i < 20; i++) {
    now += TICK;
    tick();
    await null;
    picture(shown);
  }
  assert.equal(shown.closed, false);
  refused.pop();
  assert.equal(candidate({ ...it, shown }).name, "webrtc");
});

test("sound on and off reaches a rung that is just being tried, where it can switch", () => {
  const it = lowest();
  const tried = candidate(it);
  assert.equal(rungNamed(tried.name).sound, "switch");
  it.player.setSound(true);
  assert.equal(tried.heard, true);
  it.player.setSound(false);
  assert.deepEqual([tried.heard, tried.closed], [false, false]);
});

test("one that cannot is opened anew with the sound that is wanted", () => {
  const it = lowest();
  candidate(it).on.failed("broken");
  const tried = candidate(it);
  assert.equal(rungNamed(tried.name).sound, "reopen");
  it.player.setSound(true);
  const anew = it.opened.at(-1);
  assert.deepEqual([tried.closed, anew.name, anew.heard], [true, tried.name, true]);
  picture(anew);
  assert.deepEqual([it.view.shown.rung.name, it.shown.closed], [anew.name, true]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { condition, darkness } = await import(at("condition"));
const { cameraHealth, relayHealth } = await import(at("health"));
const { meant } = await import(at("keys"));

const well = {
  phase: "playing",
  reason: null,
  age: 0.1,
  same: 0,
  link: "open",
  bus: "connected",
  status: { state: "streaming", error: null },
  metadata: { Lux: 120, ExposureTime: 10_000 },
};
const seen = (about) => condition({ ...well, ...about });

test("a picture that moves is live", () => {
  assert.deepEqual(seen({}), { kind: "live", words: null, reason: null });
  assert.equal(seen({ metadata: null, status: null }).kind, "live");
});

test("a dark picture is no trouble, and says how dark it is", () => {
  const found = seen({ metadata: { Lux: 0.3, ExposureTime: 66_000 } });
  assert.deepEqual(found, { kind: "dark", words: "dark: 0.3 lx, exposed 66 ms", reason: null });
  assert.equal(darkness({ Lux: 0.04 }), "dark: 0.04 lx");
  assert.equal(darkness({ Lux: 5 }), null);
  assert.equal(darkness({ ExposureTime: 66_000 }), null);
});

test("a picture that stands still is frozen, with its age, also in the dark", () => {
  const found = seen({ age: 2.4, metadata: { Lux: 0.3 } });
  assert.equal(found.kind, "frozen");
  assert.equal(found.words, "Frozen — last picture 2 s old");
  const stalled = seen({ age: 4, status: { state: "backoff", error: "no frame for 3 s" } });
  assert.equal(stalled.reason, "no frame for 3 s");
  assert.equal(seen({ age: 4, bus: "lost" }).reason, "the message bus does not answer");
});

test("without a connection the picture is lost, with its age", () => {
  const found = seen({ age: 5, phase: "reconnecting", reason: "the connection was lost", link: "down" });
  const words = "Connection lost — last picture 5 s old";
  assert.deepEqual(found, { kind: "lost", words, reason: "the station cannot be reached" });
});

test("pictures that are all the same are told from live ones", () => {
  assert.equal(seen({ same: 9 }).kind, "live");
  assert.deepEqual([seen({ same: 31 }).kind, seen({ same: 31 }).words], ["same", "Not changing for 31 s"]);
});

test("before the first picture nothing is said to be old", () => {
  const found = seen({ age: Infinity, phase: "waiting", reason: "camera csi: no device" });
  assert.deepEqual(found, { kind: "none", words: "No picture …", reason: "camera csi: no device" });
  assert.equal(seen({ age: Infinity, phase: "opening" }).words, "Connecting …");
});

test("a relay says what it has sent, and is stale after three intervals", () => {
  const message = {
    camera: "csi",
    target: "rtsp://127.0.0.1:8554/csi_camera",
    state: "streaming",
    bytes_sent: 1_234_567,
    restarts: 1,
    error: null,
    timestamp: 1000,
  };
  const fresh = relayHealth("mediamtx", message, 1030);
  assert.deepEqual([fresh.name, fresh.level, fresh.stale], ["Relay mediamtx", "good", false]);
  assert.deepEqual(fresh.facts, ["to rtsp://127.0.0.1:8554/csi_camera", "1.2 MB sent", "1 restart"]);
  const old = relayHealth("mediamtx", message, 1031);
  assert.deepEqual([old.level, old.stale, old.age], ["warning", true, 31]);
  assert.equal(relayHealth("mediamtx", { ...message, interval: 1 }, 1004).stale, true);
  assert.equal(relayHealth("mediamtx", message, null).stale, false);
});

test("a camera says how it does, and what is wrong", () => {
  const message = { state: "backoff", error: "no device", driver: "v4l2", restarts: 4, timestamp: 1 };
  const found = cameraHealth(message, 3);
  assert.deepEqual([found.level, found.trouble, found.age], ["bad", "no device", 2]);
  assert.deepEqual(found.facts, ["v4l2", "4 restarts"]);
});

test("keys do nothing while somebody types, or means the browser", () => {
  const input = { closest: (selector) => selector.includes("input") };
  const plain = { closest: () => null };
  assert.equal(meant({ key: "f", target: plain }), true);
  assert.equal(meant({ key: "f", target: input }), false);
  for (const modifier of ["ctrlKey", "altKey", "metaKey", "repeat", "isComposing"]) {
    assert.equal(meant({ key: "f", target: plain, [modifier]: true }), false);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { SPANS, TimeView } = await import(at("timeview"));
const { chosen, named, offered } = await import(at("metrics"));
const { marks, short, summary } = await import(at("past"));
const { keyed } = await import(at("gestures"));

const NOW = 1_800_000_000;

test("a view follows the present until it is moved, and again when it comes to it", () => {
  const view = new TimeView();
  assert.deepEqual([view.from(NOW), view.to(NOW), view.follows], [NOW - SPANS.day, NOW, true]);
  view.pan(-0.5, NOW);
  assert.deepEqual([view.to(NOW), view.to(NOW + 60), view.follows], [NOW - SPANS.day / 2, NOW - SPANS.day / 2, false]);
  view.pan(2, NOW);
  assert.deepEqual([view.to(NOW + 60), view.follows], [NOW + 60, true]);
  view.last(SPANS.hour);
  assert.equal(view.from(NOW), NOW - 3600);
});

test("coming closer holds what is below the pointer", () => {
  const view = new TimeView();
  view.pan(-3, NOW);
  const held = view.from(NOW) + 0.25 * view.length;
  view.zoom(0.5, 0.25, NOW);
  assert.equal(view.length, SPANS.day / 2);
  assert.ok(Math.abs(view.from(NOW) + 0.25 * view.length - held) < 1e-6);
  view.zoom(1e-9, 0.5, NOW);
  assert.equal(view.length, 30);
  view.zoom(1e12, 0.5, NOW);
  assert.ok(view.length <= 2 * 366 * 86_400 && view.to(NOW) <= NOW);
});

test("at the present, coming closer stays there", () => {
  const view = new TimeView();
  keyed("+")(view, NOW);
  assert.ok(view.follows && view.length < SPANS.day);
  keyed("-")(view, NOW);
  assert.equal(Math.round(view.length), SPANS.day);
  keyed("ArrowLeft")(view, NOW, true);
  assert.equal(view.follows, false);
  keyed("End")(view, NOW);
  assert.equal(view.follows, true);
  assert.equal(keyed("x"), undefined);
});

test("what is offered has words, the rooms first, and nothing that only says when", () => {
  const groups = offered([
    { topic: "service/web/status", fields: ["started_at", "invalid_messages"] },
    { topic: "camera/csi/metadata", fields: ["Lux", "SensorTimestamp"] },
    { topic: "sensors/bme680/all", fields: ["simulated", "temperature", "humidity"] },
  ]);
  assert.deepEqual([...groups.keys()], ["Environment", "Camera csi", "Service web"]);
  assert.deepEqual(groups.get("Environment").map(({ label, unit }) => [label, unit]), [
    ["Temperature", "°C"],
    ["Humidity", "%RH"],
  ]);
  assert.deepEqual(groups.get("Camera csi").map(({ metric }) => metric), ["camera/csi/metadata:Lux"]);
  assert.equal(named("service/web/status:invalid_messages").label, "Invalid messages");
  assert.deepEqual(chosen(groups, ["gone:x"]), ["sensors/bme680/all:temperature"]);
  assert.deepEqual(chosen(groups, ["camera/csi/metadata:Lux", "gone:x"]), ["camera/csi/metadata:Lux"]);
  assert.deepEqual(chosen(new Map(), []), []);
});

test("a line is summed up without its gaps", () => {
  const line = { mean: [1, null, 3], min: [0, null, 2], max: [2, null, 5] };
  assert.deepEqual(summary(line), { last: 3, least: 0, most: 5, mean: 2 });
  assert.equal(summary({ mean: [null], min: [null], max: [null] }), null);
  assert.deepEqual([1234567, 21.456, 0.123, -7.5, 0].map(short), ["1.23 M", "21.5", "0.12", "−7.5", "0"]);
});

test("the marks of a scale read differently, however close they are", () => {
  assert.deepEqual(marks([23.41, 23.415, null, 23.42], 0.005), ["23.410", "23.415", "", "23.420"]);
  assert.deepEqual(marks([-0.25, 0, 0.25], 0.25), ["−0.25", "0.00", "0.25"]);
  assert.deepEqual(marks([0, 20, 40], 20), ["0", "20", "40"]);
  assert.deepEqual(marks([1_000_000, 1_500_000], 500_000), ["1 M", "1.5 M"]);
});

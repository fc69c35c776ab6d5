import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { Station } = await import(at("station"));
const { missing } = await import(at("banner"));
const { complaints } = await import(at("services"));
const { ServerClock } = await import(at("clock"));
const { Telemetry } = await import(at("telemetry"));
const { backoff } = await import(at("backoff"));
const { websocket } = await import(at("address"));
const { bytes, number, span } = await import(at("words"));
const { throttleWords } = await import(at("throttle"));
const { CARDS } = await import(at("fields"));

const AIR = "sensors/bme680/all";

function station() {
  const it = new Station();
  it.hello({
    version: "1",
    station: "coop",
    limits: [{ field: `${AIR}:temperature`, bad_below: 5, warn_below: 10, warn_above: 28, bad_above: null }],
    intervals: { [AIR]: 10, "camera/{camera}/metadata": 1 },
  });
  it.setLink("open", 100);
  return it;
}

const online = (timestamp, about = {}) => ({ state: "online", timestamp, problems: {}, ...about });

test("a value on a bound belongs to the better side, and what is unknown is not judged", () => {
  const it = station();
  const judged = [4.9, 5, 10, 28, 28.1, 1000].map((value) => it.judge(AIR, "temperature", value));
  assert.deepEqual(judged, ["bad", "warning", "good", "good", "warning", "warning"]);
  assert.equal(it.judge(AIR, "temperature", null), null);
  assert.equal(it.judge(AIR, "humidity", 50), null);
});

test("a reading is stale after three of its intervals, its own word before the contract's", () => {
  const it = station();
  it.take(AIR, { timestamp: 100 }, 100);
  assert.deepEqual(it.freshness(AIR, 130), { age: 30, stale: false });
  assert.deepEqual(it.freshness(AIR, 130.5), { age: 30.5, stale: true });
  it.take(AIR, { timestamp: 100, interval: 60 }, 100);
  assert.equal(it.freshness(AIR, 170).stale, false);
  it.take("camera/csi/metadata", { timestamp: 100 }, 100);
  assert.equal(it.freshness("camera/csi/metadata", 103.5).stale, true);
});

test("without a clock no age is made up, and a future reading has none below zero", () => {
  const it = station();
  it.take(AIR, { timestamp: 100 }, null);
  assert.deepEqual(it.freshness(AIR, null), { age: null, stale: false });
  assert.equal(it.freshness(AIR, 90).age, 0);
});

test("an online service that is silent for 30 s is lost", () => {
  const it = station();
  it.take("service/sensors/status", online(100), 100);
  assert.equal(it.service("sensors", 130).state, "online");
  assert.deepEqual(it.service("sensors", 130.1), { state: "lost", since: 100 });
});

test("a last will counts from its arrival, not from the time that it carries", () => {
  const it = station();
  it.take("service/sensors/status", online(100), 100);
  it.take("service/sensors/status", online(50, { state: "lost" }), 117);
  assert.deepEqual(it.service("sensors", 120), { state: "lost", since: 117 });
  const [found] = missing(it, 120);
  assert.deepEqual([found.what, found.since], ["Service sensors has died or fallen silent.", 117]);
});

test("problems of a service are told with its name, one by one", () => {
  const it = station();
  const problems = { bme680: "no device at 0x76: check the wiring", cpu: "no vcgencmd" };
  it.take("service/sensors/status", online(100, { problems }), 100);
  assert.deepEqual(complaints(it, "sensors", 101), [
    "bme680: no device at 0x76: check the wiring",
    "cpu: no vcgencmd",
  ]);
  assert.equal(missing(it, 101)[0].what, "sensors: bme680: no device at 0x76: check the wiring");
});

test("behind a lost bus or connection nothing else is blamed, and trouble keeps its beginning", () => {
  const it = station();
  it.take("service/sensors/status", online(1), 100);
  it.setBus({ state: "silent", since: 100 });
  it.setBus({ state: "lost", since: 108 });
  assert.deepEqual(missing(it, 110).map(({ since }) => since), [100]);
  it.setLink("silent", 111);
  it.setLink("down", 115);
  assert.deepEqual(missing(it, 116).map(({ since }) => since), [111]);
  it.setLink("open", 120);
  it.setBus({ state: "connected", since: 120 });
  assert.equal(missing(it, 120)[0].what, "Service sensors has died or fallen silent.");
});

test("the sample with the smallest round trip of the last ten tells the station's time", () => {
  const it = new ServerClock();
  assert.equal(it.at(0), null);
  it.sample(0, 100, 1000.09);
  it.sample(200, 204, 1000.202);
  it.sample(300, 500, 1000.49);
  assert.ok(Math.abs(it.at(1000) - 1001) < 1e-9);
  assert.equal(it.roundTrip, 4);
  for (let i = 0; i < 10; i++) it.sample(1000, 1020, 1006.01);
  assert.ok(Math.abs(it.at(2000) - 1007) < 1e-9);
});

test("after a reset the clock goes on with what it knew until a new sample comes", () => {
  const it = new ServerClock();
  it.sample(0, 2, 500);
  it.reset();
  assert.notEqual(it.at(10), null);
  it.sample(1000, 1100, 9000);
  assert.ok(Math.abs(it.at(1050) - 9000) < 1e-9);
});

test("latency is from capture to screen, by the station's clock; replayed frames do not count", () => {
  const clock = { at: (moment) => 1000 + moment / 1000 };
  const it = new Telemetry();
  it.show({ seq: 1, capture: 999, moment: 100, replayed: true }, clock);
  it.show({ seq: 2, capture: 1000.08, moment: 100 }, clock);
  it.show({ seq: 3, capture: 1000.1, moment: 140 }, clock);
  assert.deepEqual(it.latencyMs.map(({ latency }) => Math.round(latency)), [20, 40]);
  assert.equal(Math.round(it.median(150)), 40);
  assert.equal(it.median(5000), null);
  assert.deepEqual([it.shown, it.firstPictureMs], [2, 100]);
});

test("no more than the last 5000 samples are kept", () => {
  const it = new Telemetry();
  for (let i = 0; i < 6000; i++) it.show({ seq: i, capture: 1, moment: i }, { at: () => 1.02 });
  assert.deepEqual([it.latencyMs.length, it.latencyMs[0].seq], [5000, 1000]);
});

test("waits grow by 1.7 to their most, and jitter only shortens them", () => {
  const waits = [0, 1, 2, 9].map((n) => backoff(n, { first: 2, most: 30, random: () => 0 }));
  assert.deepEqual(waits.map((wait) => Number(wait.toFixed(2))), [2, 3.4, 5.78, 30]);
  assert.ok(backoff(0, { first: 2, random: () => 1 }) >= 1.4 - 1e-9);
});

test("addresses stay below the page and follow its security", () => {
  assert.equal(websocket("events", "http://pi:8080/"), "ws://pi:8080/events");
  assert.equal(websocket("live/csi", "https://x.org/secure/?a=1"), "wss://x.org/secure/live/csi");
});

test("numbers, spans and bytes read well, and the unknown is a dash", () => {
  assert.deepEqual([number(null), number(NaN), number(-0.04, 1), number(-3)], ["—", "—", "0.0", "−3"]);
  assert.deepEqual([0, 119, 120, 7200, 200_000].map(span), ["0 s", "119 s", "2 min", "2 h 0 min", "2 d 7 h"]);
  assert.deepEqual([bytes(null), bytes(999), bytes(1.5e9)], [["—", ""], ["999", "B"], ["1.5", "GB"]]);
});

test("throttle bits are told in words, with the worst of them and what to do", () => {
  const fine = { under_voltage: false, throttled_now: false, frequency_capped: false, soft_temp_limit: false };
  assert.equal(throttleWords(fine).level, "good");
  const soft = throttleWords({ ...fine, soft_temp_limit: true });
  assert.deepEqual([soft.value, soft.level], ["soft temperature limit", "warning"]);
  const power = throttleWords({ ...fine, under_voltage: true, frequency_capped: true });
  assert.equal(power.level, "bad");
  assert.match(power.note, /power supply/);
  const past = throttleWords({ ...fine, under_voltage_occurred: true });
  assert.deepEqual([past.value, past.note], ["fine now", "since boot: under-voltage"]);
  assert.equal(throttleWords({ under_voltage: null }).value, null);
});

test("no reading of an empty message shows a number", () => {
  const shown = CARDS.flatMap((card) => card.groups)
    .flatMap((group) => group.rows)
    .map((row) => [row.label, row.read({}).value]);
  for (const [label, value] of shown) assert.ok(value === "—" || value === null, `${label}: ${value}`);
});

test("burn-in of the air quality index is said", () => {
  const rows = CARDS[0].groups[0].rows;
  const iaq = rows.find((row) => row.field === "iaq");
  assert.match(iaq.read({ iaq: null, iaq_accuracy: 0 }).note, /burn-in/);
  const warm = iaq.read({ iaq: 42, iaq_accuracy: 3, iaq_class: "Excellent" });
  assert.deepEqual([warm.value, warm.note], ["42", "Excellent, settled"]);
});

test("a station's clock that is set is followed at once, and ages stay what they were", () => {
  const clock = new ServerClock();
  const jumps = [];
  clock.onJump = (...jump) => jumps.push(jump);
  for (let i = 0; i < 20; i++) clock.sample(i * 1000, i * 1000 + 40, 100 + i + 0.02);
  assert.deepEqual(jumps, []);
  const three = 1095 * 86_400;
  clock.sample(20_000, 20_300, three + 120.15);
  assert.equal(Math.round(clock.at(21_000)), three + 121);
  assert.equal(Math.round(jumps[0][0]), three);
  assert.equal(Math.round(jumps[0][1]), 100);
  clock.sample(21_000, 21_400, 121.2);
  assert.equal(Math.round(clock.at(21_000)), 121, "and back");
  assert.equal(jumps.length, 2);
});

test("a slow answer is no jump, and neither is what a new connection says", () => {
  const clock = new ServerClock();
  clock.onJump = () => assert.fail("nobody has set it");
  clock.sample(0, 100, 50);
  clock.sample(1000, 9000, 52);
  clock.sample(10_000, 10_050, 60.9);
  clock.reset();
  clock.sample(20_000, 20_050, 5000);
  assert.equal(Math.round(clock.at(20_000)), 5000);
});

for (const by of [1095 * 86_400, -3600, 3600, -1.7e9]) {
  test(`ages survive a clock that is set by ${by} s`, () => {
    const it = station();
    const offset = 2_000_000_000 - performance.now() / 1000;
    const now = () => offset + performance.now() / 1000;
    it.take(AIR, { temperature: 20, timestamp: now() - 4 }, now());
    it.take("service/web/status", online(now() - 1), now());
    it.take("system/stats", { timestamp: now() + by - 2 }, now());
    it.shift(by, offset);
    assert.equal(Math.round(it.freshness(AIR, now() + by).age), 4);
    assert.equal(it.service("web", now() + by).state, "online");
    assert.equal(Math.round(it.freshness("system/stats", now() + by).age), 2, "said by the new time");
  });
}

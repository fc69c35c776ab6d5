import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { Replay, Resync } = await import(at("resync"));
const { LiveEdge } = await import(at("liveedge"));
const { Multipart } = await import(at("multipart"));
const { stretch } = await import(at("sound"));
const { InFlight } = await import(at("presentation"));

const admitted = (it, frames) => frames.map(([seq, key]) => it.admit({ seq, key }));

test("nothing is decoded before the first key, nor between a gap and the next", () => {
  const it = new Resync();
  const frames = [[1, false], [2, true], [3, false], [5, false], [6, false], [7, true], [8, false]];
  assert.deepEqual(admitted(it, frames), [false, true, true, false, false, true, true]);
  assert.equal(it.lost, 1);
});

test("counting goes on behind 2³² − 1", () => {
  assert.deepEqual(admitted(new Resync(), [[4294967295, true], [0, false]]), [true, true]);
});

test("after a dropped backlog and after a new session it waits for a key", () => {
  const it = new Resync();
  it.admit({ seq: 1, key: true });
  it.drop();
  assert.equal(it.admit({ seq: 2, key: false }), false);
  it.restart();
  assert.deepEqual(admitted(it, [[900, true], [901, false]]), [true, true]);
  assert.equal(it.lost, 0);
});

test("the replay for a joiner ends with the first frame that comes in time", () => {
  const it = new Replay();
  const arrivals = [0, 0.001, 0.002, 0.003, 0.036, 0.07, 0.1];
  const held = arrivals.map((arrival, i) => it.holds(5 + i / 30, 1 / 30, arrival));
  assert.deepEqual(held, [true, true, true, true, false, false, false]);
});

/** A control past its start, with a stream that arrives at 30 fps: step(left of the buffer, now). */
function settled(withSound = false) {
  const it = new LiveEdge(withSound);
  const step = (left, now) => it.step(now + left, now, now);
  step(0.02, 0);
  step(0.02, 1);
  return { it, step };
}

test("what is far behind once the start has settled is put right by one seek", () => {
  const it = new LiveEdge();
  assert.equal(it.step(0.4, 0, 0).far, false);
  assert.equal(it.step(0.9, 0.5, 0.5).far, true);
});

/** Plays 30 s of a live stream from `behind` seconds; → the least and last of what was left. */
function play(it, behind, jitter = () => 0) {
  let current = 100 - behind;
  let least = Infinity;
  let left = 0;
  for (let i = 0; i < 900; i++) {
    const now = 10 + i / 30 + jitter(i);
    left = 100 + i / 30 - current - jitter(i);
    const { rate, far } = it.step(100 + i / 30, current, now);
    assert.equal(far, false);
    assert.ok(rate >= 0.97 && rate <= 1.1);
    least = Math.min(least, left);
    current += rate / 30;
  }
  return { least, left };
}

test("a little behind is made good by speed, without a seek and without overshooting", () => {
  const { least, left } = play(settled().it, 0.2);
  assert.ok(left > 0.005 && left < 0.025, `ended ${left} s from the edge`);
  assert.ok(least > 0.004, `came within ${least} s`);
});

test("too close is made good as well, without overshooting", () => {
  const { left } = play(settled().it, 0.001);
  assert.ok(left > 0.005 && left < 0.025, `ended ${left} s from the edge`);
});

test("far behind is a seek", () => {
  assert.equal(settled().step(5, 10).far, true);
});

test("one late frame in twenty does not slow the picture down", () => {
  const { step } = settled();
  for (let i = 0; i < 60; i++) {
    assert.equal(step(i % 20 === 9 ? -0.05 : 0.013, 10 + i / 30).rate, 1);
  }
});

test("running dry widens the margin, within bounds, and time narrows it again", () => {
  const { it, step } = settled();
  const before = it.margin;
  for (let i = 0; i < 100; i++) it.dry(10 + i);
  assert.equal(it.margin, 0.12);
  step(0.1, 2000);
  step(0.1, 4000);
  assert.equal(it.margin, before);
});

test("parts are found however the bytes are cut", () => {
  const parts = [];
  const it = new Multipart((head, body) => parts.push([head["x-timestamp"], body.length]));
  const part = (n) =>
    `--beeper\r\nContent-Type: image/jpeg\r\nContent-Length: ${n}\r\nX-Timestamp: ${n}.5\r\n\r\n` +
    `${"\r".repeat(n)}\r\n`;
  const bytes = new TextEncoder().encode(part(3) + part(10) + part(1));
  for (let i = 0; i < bytes.length; i += 7) it.feed(bytes.subarray(i, i + 7));
  assert.deepEqual(parts, [["3.5", 3], ["10.5", 10], ["1.5", 1]]);
});

test("what is no stream of JPEGs is refused instead of gathered", () => {
  const it = new Multipart(() => assert.fail("a part"));
  assert.throws(() => it.feed(new Uint8Array(2000)), RangeError);
  const endless = new TextEncoder().encode("--b\r\nContent-Length: 999999999\r\n\r\n");
  assert.throws(() => new Multipart(() => {}).feed(endless), RangeError);
});

test("sound is stretched towards its lead, and never so that one hears it", () => {
  assert.equal(stretch(0.04, 0.04), 1);
  assert.equal(stretch(10, 0.04), 1.005);
  assert.equal(stretch(0, 0.2), 0.995);
});

test("a presented frame is known again by its media time", () => {
  const it = new InFlight();
  for (let i = 0; i < 2000; i++) it.add(i / 30, { seq: i });
  assert.equal(it.find(1990 / 30 + 1e-6).seq, 1990);
  assert.equal(it.find(1990 / 30 + 0.015), null);
});

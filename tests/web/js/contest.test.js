import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { Contest, lossy } = await import(at("contest"));
const { Freshness } = await import(at("freshness"));

const BOTH = ["webcodecs", "webrtc"];
const even = { count: 75, mean: 100, p10: 90, p95: 105 };
const uneven = { count: 75, mean: 180, p10: 90, p95: 320 };

/** Plays for so many seconds, doing what is preferred: [[when, the rung that was turned to], …].
 *  `shown(rung, now)`: what would be measured then; `opens`: the rungs that give pictures at all. */
function play(contest, duration, shown, opens = BOTH) {
  let playing = BOTH[0];
  const turns = [];
  for (let now = 0; now < duration; now++) {
    const measured = shown(playing, now);
    const about = { playing, fit: BOTH, arrived: measured, shown: measured, interval: 67, roundTrip: 4 };
    const preferred = contest.judge(about, now);
    if (preferred === undefined) continue;
    const rung = preferred ?? BOTH[0];
    turns.push([now, rung]);
    if (opens.includes(rung)) playing = rung;
  }
  return turns;
}

const onlyWebrtcIsEven = (rung) => (rung === "webrtc" ? even : uneven);

test("frames that come evenly are no lossy network, and neither is a far one", () => {
  assert.equal(lossy(even, 67, 4), false);
  assert.equal(lossy({ count: 75, p10: 90, p95: 300 }, 67, 120), false);
  assert.equal(lossy(uneven, 67, 4), true);
  assert.equal(lossy({ ...uneven, count: 5 }, 67, 4), false);
  assert.equal(lossy(null, 67, 4), false);
});

test("where the WebSocket is even nothing else is tried", () => {
  assert.deepEqual(play(new Contest(BOTH), 3600, () => even), []);
});

test("on a lossy network WebRTC is tried, and stays when it is measured to be fresher", () => {
  const contest = new Contest(BOTH);
  const [[first, challenger], [end, winner]] = play(contest, 30, onlyWebrtcIsEven);
  assert.deepEqual([challenger, winner], ["webrtc", "webrtc"]);
  assert.ok(first <= 15 && end - first <= 15, `tried at ${first}, decided at ${end}`);
  assert.deepEqual(contest.verdict, { rung: "webrtc", mine: 100, other: 180 });
});

test("where only one of the two can be used there is no contest", () => {
  const contest = new Contest(BOTH);
  play(contest, 30, onlyWebrtcIsEven);
  const about = { playing: "webrtc", arrived: uneven, shown: uneven, interval: 67 };
  assert.equal(contest.judge({ ...about, fit: ["webrtc"] }, 26), null);
  assert.equal(contest.verdict, null);
  assert.equal(contest.judge({ ...about, fit: ["webrtc"] }, 60), undefined);
});

test("a challenger that is not clearly better loses, and waits longer each time", () => {
  const contest = new Contest(BOTH);
  const turns = play(contest, 3000, () => uneven);
  const tries = turns.filter(([, rung]) => rung === "webrtc").map(([now]) => now);
  const gaps = tries.slice(1).map((now, i) => now - tries[i]);
  assert.ok(gaps.length >= 4);
  assert.ok(gaps.every((gap, i) => i === 0 || gap >= gaps[i - 1]), gaps.join());
  assert.ok(gaps.at(-1) >= 600);
  assert.equal(contest.verdict, null);
});

test("a challenger that never opens loses", () => {
  const turns = play(new Contest(BOTH), 20, () => uneven, ["webcodecs"]);
  assert.deepEqual(turns.map(([, rung]) => rung), ["webrtc", "webcodecs"]);
});

test("the natural choice is tried again later, and taken back when it is fresher by then", () => {
  const contest = new Contest(BOTH);
  const healed = { count: 75, mean: 75, p10: 70, p95: 80 };
  const turns = play(contest, 400, (rung, now) =>
    rung === "webrtc" ? even : now < 100 ? uneven : healed,
  );
  const [when, rung] = turns.at(-1);
  assert.equal(rung, "webcodecs");
  assert.ok(when < 250, JSON.stringify(turns));
  assert.equal(contest.verdict, null);
});

test("freshness counts delay, gaps and drops by the time that they last", () => {
  const fresh = new Freshness();
  assert.equal(fresh.over(5, 10), null);
  for (let i = 0; i < 50; i++) fresh.take(i / 10, i / 10 + 0.03);
  const even = fresh.over(4, 4.95);
  assert.ok(Math.abs(even.p95 - 130) < 1 && Math.abs(even.p10 - 130) < 1, JSON.stringify(even));
  fresh.take(5.9, 5.93);
  assert.ok(fresh.over(5, 5.95).p95 > 1000, "one gap of a second is seen in five");
  fresh.reset();
  assert.equal(fresh.over(5, 6), null);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { Ladder } = await import(at("ladder"));

const named = (name, about = {}) => ({ name, unfit: null, ...about });
const RUNGS = ["webcodecs", "mse", "mjpeg"].map((name) => named(name));
const ladder = (options = {}) => new Ladder(RUNGS, { random: () => 0, ...options });
const open = (rung) => ({ do: "open", rung });
const close = (rung) => ({ do: "close", rung });
const attempt = (rung) => ({ do: "try", rung });
const promote = (rung) => ({ do: "promote", rung });
const drop = (rung) => ({ do: "drop", rung });

function playing(now = 0, options = {}) {
  const it = ladder(options);
  it.start(now);
  it.picture("active", now);
  return it;
}

/** On the second rung since 0.5 s, because the first one broke. */
function lower(options = {}) {
  const it = ladder(options);
  it.start(0);
  it.failed("active", "broken", false, 0);
  it.picture("active", 0.5);
  return it;
}

/** Ticks until something is to be done; fails when nothing is by `until`. */
function next(it, now, until) {
  for (let t = now; t <= until; t += 0.25) {
    const commands = it.tick(t);
    if (commands.length > 0) return { t, commands };
  }
  assert.fail(`nothing happened by ${until}`);
}

test("it begins with the best rung, and plays with its first picture", () => {
  const it = ladder();
  assert.deepEqual(it.start(0), [open("webcodecs")]);
  assert.equal(it.phase, "opening");
  assert.deepEqual(it.picture("active", 0.2), []);
  assert.equal(it.phase, "playing");
});

test("a rung that cannot be used is skipped, and the reason kept", () => {
  const it = new Ladder([named("webcodecs", { unfit: "no https" }), ...RUNGS.slice(1)]);
  assert.deepEqual(it.start(0), [open("mse")]);
  assert.deepEqual(it.left, { webcodecs: "no https" });
});

test("without a picture within 4 s the next rung is opened", () => {
  const it = ladder();
  it.start(0);
  assert.deepEqual(it.tick(3.9), []);
  assert.deepEqual(it.tick(4), [close("webcodecs"), open("mse")]);
  assert.equal(it.left.webcodecs, "no picture within 4 s");
});

test("a rung may ask for less patience, and say why it gave no picture", () => {
  const rungs = [named("webrtc", { patience: 2 }), named("mse")];
  const it = new Ladder(rungs, { excuse: () => "your network blocks UDP" });
  it.start(0);
  assert.deepEqual(it.tick(2), [close("webrtc"), open("mse")]);
  assert.equal(it.left.webrtc, "your network blocks UDP");
  assert.equal(it.reason, "your network blocks UDP");
});

test("when the last rung fails it rests with the reason, then starts from the top", () => {
  const it = ladder({ pinned: "mjpeg" });
  it.start(0);
  assert.deepEqual(it.failed("active", "no camera", false, 1), [close("mjpeg")]);
  assert.deepEqual([it.phase, it.reason, it.rung], ["resting", "no camera", null]);
  assert.deepEqual(it.tick(1.9), []);
  assert.deepEqual(it.tick(2), [open("mjpeg")]);
});

test("its rests grow longer to 30 s, and a word of the station ends them", () => {
  const it = ladder({ pinned: "mjpeg" });
  let now = 0;
  it.start(now);
  const waits = [];
  for (let i = 0; i < 9; i++) {
    it.failed("active", "no", false, now);
    const { t } = next(it, now, now + 31);
    waits.push(t - now);
    now = t;
  }
  assert.ok(waits.every((wait, i) => i === 0 || wait >= waits[i - 1]));
  assert.equal(waits.at(-1), 30);
  it.failed("active", "no", false, now);
  assert.deepEqual(it.nudge(now + 0.1), [open("mjpeg")]);
});

test("three seconds without a new picture reconnect the same rung", () => {
  const it = playing();
  assert.deepEqual(it.tick(3), []);
  assert.deepEqual(it.tick(3.1), [close("webcodecs"), open("webcodecs")]);
  assert.equal(it.stalls, 1);
});

test("a closed connection is opened again at once, and left after 4 s without a picture", () => {
  const it = playing(10);
  assert.deepEqual(it.failed("active", "lost", false, 10), [close("webcodecs")]);
  assert.equal(it.phase, "reconnecting");
  let { t, commands } = next(it, 10, 11);
  assert.deepEqual(commands, [open("webcodecs")]);
  while (commands.at(-1).rung === "webcodecs") {
    const done = it.failed("active", "lost", false, t);
    ({ t, commands } = done.length > 1 ? { t, commands: done } : next(it, t, 20));
  }
  assert.deepEqual(commands.at(-1), open("mse"));
  assert.ok(t >= 14 && t < 17, `left at ${t}`);
});

test("while the station says why there is no picture, nothing is reconnected", () => {
  const it = playing();
  it.waiting("active", "camera csi: no device");
  assert.deepEqual(it.tick(100), []);
  assert.deepEqual([it.phase, it.reason], ["waiting", "camera csi: no device"]);
  assert.deepEqual(it.streaming("active", 100), []);
  assert.deepEqual(it.tick(104), [close("webcodecs"), open("mse")]);
});

test("a final refusal leads to no other rung", () => {
  const it = ladder();
  it.start(0);
  assert.deepEqual(it.failed("active", "too many viewers", true, 1), [close("webcodecs")]);
  assert.deepEqual([it.phase, it.reason], ["resting", "too many viewers"]);
});

test("on a lower rung the better ones are tried beside it, and taken with their first picture", () => {
  const it = lower();
  assert.deepEqual(it.tick(2.4), []);
  it.picture("active", 2.5);
  assert.deepEqual(it.tick(2.5), [attempt("webcodecs")]);
  assert.deepEqual(it.picture("candidate", 3), [promote("webcodecs")]);
  assert.deepEqual([it.rung, it.phase, it.candidate], ["webcodecs", "playing", null]);
  assert.deepEqual(it.left, {});
});

test("a better rung that gives no picture is dropped, and tried again later each time", () => {
  const it = lower();
  const tries = [];
  for (let t = 0.5; t < 120; t += 0.25) {
    it.picture("active", t);
    for (const command of it.tick(t)) if (command.do === "try") tries.push(t);
  }
  const gaps = tries.slice(1).map((t, i) => t - tries[i] - 4);
  assert.ok(gaps.every((gap, i) => i === 0 || gap >= gaps[i - 1]), gaps.join());
  assert.ok(gaps.at(-1) <= 30.25);
  assert.equal(it.rung, "mse");
});

test("whatever happens, no second stream is open for longer than 5 s", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const it = ladder({ random });
  let since = null;
  let opened = 0;
  const run = (commands, t) => {
    for (const command of commands) {
      if (command.do === "try") since = t;
      if (command.do === "drop" || command.do === "promote") since = null;
      if (command.do === "open") opened += 1;
      if (command.do === "close" || command.do === "promote") opened -= command.do === "close" ? 1 : 0;
      assert.ok(opened <= 1, `two active streams at ${t}`);
    }
  };
  run(it.start(0), 0);
  for (let t = 0; t < 3000; t += 0.25) {
    const chance = random();
    if (it.rung && chance < 0.6) run(it.picture("active", t), t);
    else if (it.rung && it.phase !== "reconnecting" && chance < 0.65) {
      run(it.failed("active", "lost", false, t), t);
    } else if (it.candidate && chance < 0.7) run(it.picture("candidate", t), t);
    else if (chance < 0.71) run(it.nudge(t), t);
    else if (chance < 0.72) run(it.renew(t), t);
    run(it.tick(t), t);
    assert.ok(since === null || t - since <= 5, `two streams since ${since} at ${t}`);
  }
});

test("a pinned rung is the only one, also when it is worse", () => {
  const it = playing();
  assert.deepEqual(it.pin("mjpeg", 1), [close("webcodecs"), open("mjpeg")]);
  it.picture("active", 1.5);
  for (let t = 1.5; t < 60; t += 0.5) {
    it.picture("active", t);
    assert.deepEqual(it.tick(t), []);
  }
});

test("a pinned rung that cannot be used rests with the reason", () => {
  const it = new Ladder([named("webcodecs", { unfit: "no https" })], { pinned: "webcodecs" });
  assert.deepEqual(it.start(0), []);
  assert.deepEqual([it.phase, it.reason], ["resting", "no https"]);
  assert.deepEqual(it.tick(1000), []);
});

test("stopping closes whatever is open, and it goes on with the rung that played", () => {
  const it = lower();
  it.picture("active", 3);
  it.tick(3.5);
  assert.deepEqual(it.stop(), [drop("webcodecs"), close("mse")]);
  assert.deepEqual(it.tick(50), []);
  assert.deepEqual(it.resume(60), [open("mse")]);
  it.picture("active", 60.1);
  assert.deepEqual(next(it, 60.1, 63).commands, [attempt("webcodecs")]);
});

test("what the station no longer offers is not opened again, and what it comes to offer is tried", () => {
  const it = playing();
  const gone = RUNGS.map((rung) => ({ ...rung, unfit: rung.name === "webcodecs" ? "no service" : null }));
  assert.deepEqual(it.offer(gone, 1), []);
  assert.equal(it.left.webcodecs, "no service");
  assert.deepEqual(it.tick(3.5), [close("webcodecs"), open("mse")]);
  it.picture("active", 4);
  assert.deepEqual(it.offer(RUNGS, 5), []);
  it.picture("active", 7);
  assert.deepEqual(it.tick(7), [attempt("webcodecs")]);
});

test("a preferred rung is tried at once, and the order counts again without one", () => {
  const it = playing();
  it.prefer("mse", 1);
  assert.deepEqual(it.tick(1.25), [attempt("mse")]);
  assert.deepEqual(it.picture("candidate", 1.5), [promote("mse")]);
  it.picture("active", 3);
  assert.deepEqual(it.tick(3.5), []);
  it.prefer(null, 3.5);
  assert.deepEqual(it.tick(3.75), [attempt("webcodecs")]);
});

test("a rung takes its own place when its beginning has to be another one", () => {
  const it = playing();
  assert.deepEqual(it.renew(1), [attempt("webcodecs")]);
  assert.deepEqual(it.picture("candidate", 1.2), [promote("webcodecs")]);
  assert.deepEqual(it.renew(2), [attempt("webcodecs")]);
  it.picture("active", 5.9);
  assert.deepEqual(it.tick(6), [drop("webcodecs")]);
  assert.deepEqual([it.rung, it.left], ["webcodecs", {}]);
});

test("the candidate begins anew at once, with all its time, when its beginning has to be another one", () => {
  const it = lower();
  assert.deepEqual(it.renewCandidate(0.6), []);
  it.picture("active", 2.5);
  assert.deepEqual(it.tick(2.5), [attempt("webcodecs")]);
  assert.deepEqual(it.renewCandidate(4), [drop("webcodecs"), attempt("webcodecs")]);
  it.picture("active", 7);
  assert.deepEqual(it.tick(7.9), []);
  assert.deepEqual(it.tick(8), [drop("webcodecs")]);
});

test("a rung that begins anew without a picture takes its candidate with it", () => {
  const it = lower();
  it.picture("active", 2.5);
  it.tick(2.5);
  assert.deepEqual(it.tick(5.6), [close("mse"), open("mse")]);
  assert.deepEqual(it.renew(5.7), [drop("webcodecs"), close("mse"), open("mse")]);
});

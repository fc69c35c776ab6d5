import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { Ladder } = await import(at("ladder"));

const RUNGS = ["webcodecs", "mse", "mjpeg"].map((name) => ({ name, unfit: null }));
const ladder = (options = {}) => new Ladder(RUNGS, { random: () => 0, ...options });
const open = (rung) => ({ do: "open", rung });
const close = (rung) => ({ do: "close", rung });

function playing(now = 0, options = {}) {
  const it = ladder(options);
  it.start(now);
  it.picture(it.rung, now);
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
  assert.deepEqual(it.picture("webcodecs", 0.2), []);
  assert.equal(it.phase, "playing");
});

test("a rung that the browser has not is skipped, and the reason kept", () => {
  const rungs = [{ name: "webcodecs", unfit: "no https" }, ...RUNGS.slice(1)];
  const it = new Ladder(rungs);
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

test("when the last rung fails it rests with the reason, then starts from the top", () => {
  const it = ladder({ pinned: "mjpeg" });
  it.start(0);
  assert.deepEqual(it.failed("mjpeg", "no camera", false, 1), [close("mjpeg")]);
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
    it.failed("mjpeg", "no", false, now);
    const { t } = next(it, now, now + 31);
    waits.push(t - now);
    now = t;
  }
  assert.ok(waits.every((wait, i) => i === 0 || wait >= waits[i - 1]));
  assert.equal(waits.at(-1), 30);
  it.failed("mjpeg", "no", false, now);
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
  assert.deepEqual(it.failed("webcodecs", "lost", false, 10), [close("webcodecs")]);
  assert.equal(it.phase, "reconnecting");
  let { t, commands } = next(it, 10, 11);
  assert.deepEqual(commands, [open("webcodecs")]);
  while (commands.at(-1).rung === "webcodecs") {
    const done = it.failed("webcodecs", "lost", false, t);
    ({ t, commands } = done.length > 1 ? { t, commands: done } : next(it, t, 20));
  }
  assert.deepEqual(commands.at(-1), open("mse"));
  assert.ok(t >= 14 && t < 17, `left at ${t}`);
});

test("while the station says why there is no picture, nothing is reconnected", () => {
  const it = playing();
  it.waiting("webcodecs", "camera csi: no device");
  assert.deepEqual(it.tick(100), []);
  assert.deepEqual([it.phase, it.reason], ["waiting", "camera csi: no device"]);
  assert.deepEqual(it.streaming("webcodecs", 100), []);
  assert.deepEqual(it.tick(104), [close("webcodecs"), open("mse")]);
});

test("a final refusal leads to no other rung", () => {
  const it = ladder();
  it.start(0);
  assert.deepEqual(it.failed("webcodecs", "too many viewers", true, 1), [close("webcodecs")]);
  assert.deepEqual([it.phase, it.reason], ["resting", "too many viewers"]);
});

test("on a lower rung the better ones are tried beside it, and taken with their first picture", () => {
  const it = ladder();
  it.start(0);
  it.failed("webcodecs", "broken", false, 0);
  it.picture("mse", 0.5);
  const picture = (t) => it.picture("mse", t);
  assert.deepEqual(it.tick(2.4), []);
  picture(2.5);
  assert.deepEqual(it.tick(2.5), [{ do: "try", rung: "webcodecs" }]);
  assert.deepEqual(it.picture("webcodecs", 3), [close("mse"), { do: "promote", rung: "webcodecs" }]);
  assert.deepEqual([it.rung, it.phase, it.candidate], ["webcodecs", "playing", null]);
  assert.deepEqual(it.left, {});
});

test("a better rung that gives no picture is dropped, and tried again later each time", () => {
  const it = ladder();
  it.start(0);
  it.failed("webcodecs", "broken", false, 0);
  const tries = [];
  for (let t = 0; t < 120; t += 0.25) {
    it.picture("mse", t);
    for (const command of it.tick(t)) if (command.do === "try") tries.push(t);
  }
  const gaps = tries.slice(1).map((t, i) => t - tries[i] - 4);
  assert.ok(gaps.every((gap, i) => i === 0 || gap >= gaps[i - 1]), gaps.join());
  assert.ok(gaps.at(-1) <= 30.25);
  assert.equal(it.rung, "mse");
});

test("a pinned rung is the only one, also when it is worse", () => {
  const it = playing();
  assert.deepEqual(it.pin("mjpeg", 1), [close("webcodecs"), open("mjpeg")]);
  it.picture("mjpeg", 1.5);
  for (let t = 1.5; t < 60; t += 0.5) {
    it.picture("mjpeg", t);
    assert.deepEqual(it.tick(t), []);
  }
});

test("a pinned rung that the browser has not rests with the reason", () => {
  const it = new Ladder([{ name: "webcodecs", unfit: "no https" }], { pinned: "webcodecs" });
  assert.deepEqual(it.start(0), []);
  assert.deepEqual([it.phase, it.reason], ["resting", "no https"]);
  assert.deepEqual(it.tick(1000), []);
});

test("stopping closes whatever is open", () => {
  const it = ladder();
  it.start(0);
  it.failed("webcodecs", "broken", false, 0);
  it.picture("mse", 1);
  it.tick(3.5);
  assert.deepEqual(it.stop(), [{ do: "drop", rung: "webcodecs" }, close("mse")]);
});

test("pictures and failures of a rung that is no longer open change nothing", () => {
  const it = playing();
  assert.deepEqual(it.picture("mjpeg", 1), []);
  assert.deepEqual(it.failed("mse", "late", false, 1), []);
  assert.equal(it.phase, "playing");
});

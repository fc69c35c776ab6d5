import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { at } from "./static.js";

const { readFragment, readInit, setDuration } = await import(at("cmaf"));
const { silence, silenceInit } = await import(at("silence"));

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const venv = path("../../../.venv/bin/python");
const written = JSON.parse(
  execFileSync(existsSync(venv) ? venv : "python3", [path("fragments.py")], {
    env: { ...process.env, PYTHONPATH: path("../../../packages/media/src") },
  }),
);
const buffer = (name) => new Uint8Array(Buffer.from(written[name], "base64")).buffer;

test("a key frame is read as the station wrote it, ninety days after boot", () => {
  const { data, ...rest } = readFragment(buffer("key"));
  assert.deepEqual([...data], [0, 1]);
  assert.deepEqual(rest, {
    track: 1,
    seq: 4294967295,
    key: true,
    tfdt: 7776000.5 * 90000,
    duration: 3000,
    capture: 1.8e9 + 0.25,
  });
});

test("the capture time survives the end of the NTP era in 2036", () => {
  const { capture, key, seq } = readFragment(buffer("delta"));
  assert.deepEqual({ capture, key, seq }, { capture: 2.2e9, key: false, seq: 0 });
});

test("sound is on its own track", () => {
  assert.equal(readFragment(buffer("sound")).track, 2);
});

test("what is no fragment of the station is refused", () => {
  assert.equal(readFragment(new ArrayBuffer(10)), null);
  assert.equal(readFragment(new ArrayBuffer(200)), null);
  assert.equal(readFragment(buffer("video_init")), null);
});

test("a changed duration is the only change", () => {
  const fragment = buffer("delta");
  setDuration(fragment, 90000);
  assert.deepEqual(readFragment(fragment), { ...readFragment(buffer("delta")), duration: 90000 });
});

test("the video header configures a decoder", () => {
  const header = readInit(buffer("video_init"));
  assert.deepEqual([header.kind, header.codec, header.timescale], ["video", "avc1.42C00B", 90000]);
  assert.deepEqual([header.width, header.height], [160, 120]);
  assert.deepEqual([...header.description.subarray(0, 6)], [1, 0x42, 0xc0, 0x0b, 0xff, 0xe1]);
});

test("the sound header too, and silence looks the same", () => {
  const expected = { kind: "audio", codec: "opus", timescale: 48000, channels: 1 };
  assert.deepEqual(readInit(buffer("audio_init")), expected);
  assert.deepEqual(readInit(silenceInit().buffer), expected);
});

test("a header that is cut short or none at all is refused", () => {
  assert.equal(readInit(buffer("video_init").slice(0, 300)), null);
  assert.equal(readInit(buffer("key")), null);
});

test("silence has a packet for every 20 ms behind its offset", () => {
  const bytes = silence(20, 2);
  const view = new DataView(bytes.buffer);
  const moof = view.getUint32(0);
  assert.equal(view.getUint32(moof), 8 + 100 * 3);
  assert.deepEqual([...bytes.subarray(moof + 8, moof + 11)], [0xf8, 0xff, 0xfe]);
  assert.equal(moof + view.getUint32(moof), bytes.length);
});

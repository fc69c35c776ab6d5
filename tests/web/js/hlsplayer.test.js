import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { captureIn, hlsUnfit } = await import(at("hlsplayer"));
const FRAGMENTS = [
  { start: 10, programDateTime: 1_700_000_010_500 },
  { start: 12, programDateTime: 1_700_000_012_700 },
];

test("a picture was captured as long after its segment's begin as it plays after it", () => {
  assert.equal(captureIn(FRAGMENTS, 11.25), 1_700_000_011.75);
  assert.equal(captureIn(FRAGMENTS, 12), 1_700_000_012.7);
  assert.equal(captureIn(FRAGMENTS, 14), 1_700_000_014.7);
});

test("what no segment holds has no capture time", () => {
  assert.equal(captureIn(FRAGMENTS, 9), null);
  assert.equal(captureIn([], 9), null);
  assert.equal(captureIn([{ start: 1, programDateTime: null }], 2), null);
});

test("a browser with neither HLS nor Media Source says so", () => {
  assert.match(hlsUnfit(), /plays neither HLS nor H.264/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

globalThis.RTCPeerConnection = class {};
globalThis.navigator ??= {};
globalThis.document = { createElement: () => ({ canPlayType: () => "" }) };
const { RUNGS, explain, rungsFor } = await import(at("rungs"));

const found = (protocols) => Object.fromEntries(rungsFor({ protocols }).map((rung) => [rung.name, rung]));

test("WebRTC from the station gets two seconds, and LiveKit is next", () => {
  assert.equal(found(["webrtc", "livekit"]).webrtc.patience, 2);
  assert.equal(found(["webrtc"]).webrtc.patience, 2);
  const names = RUNGS.map((rung) => rung.name);
  assert.equal(names.indexOf("livekit"), names.indexOf("webrtc") + 1);
});

test("LiveKit is no way where the station does not offer it", () => {
  assert.match(found(["websocket", "webrtc"]).livekit.unfit, /offers no LiveKit/);
});

test("that the station has no LiveKit is no reason that a viewer is told", () => {
  const { livekit } = found(["websocket", "webrtc"]);
  assert.equal(explain("mse", { livekit: livekit.unfit }, null, null), null);
  assert.match(explain("mse", { livekit: "no answer" }, null, null), /no answer/);
});

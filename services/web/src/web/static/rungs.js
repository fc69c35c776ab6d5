/** The ways of watching that this page knows, best first. */

import { http, websocket } from "./address.js";
import { HlsRung, hlsUnfit } from "./hlsplayer.js";
import { LivekitRung, livekitUnfit } from "./livekit.js";
import { MjpegRung } from "./mjpeg.js";
import { MseRung, mseUnfit } from "./mse.js";
import { WebrtcRung, webrtcUnfit } from "./webrtc.js";
import { WebcodecsRung, webcodecsUnfit } from "./webcodecs.js";
import { number } from "./words.js";

/** Seconds that WebRTC gets, so that where it is blocked the next rung still plays within four. */
const WEBRTC_PATIENCE = 2;

/** `protocol`: what the station calls it in api/cameras; `unfit`: null, or why this browser cannot;
 *  `patience`: seconds to its first picture, if not the ladder's own; `sound`: how it changes between
 *  silent and not: "switch" while it plays, "reopen", or null for never;
 *  `optional`: most stations have none, and nobody is told that. */
export const RUNGS = [
  {
    name: "webcodecs",
    label: "WebCodecs",
    about: "H.264 over WebSocket, decoded by WebCodecs",
    protocol: "websocket",
    unfit: webcodecsUnfit(),
    sound: "switch",
    open: (camera, options) => new WebcodecsRung({ url: websocket(camera.live), ...options }),
  },
  {
    name: "webrtc",
    label: "WebRTC",
    about: "H.264 over WebRTC (UDP)",
    protocol: "webrtc",
    unfit: webrtcUnfit(),
    patience: WEBRTC_PATIENCE,
    sound: "reopen",
    open: ({ path, ice_servers: iceServers }, options) =>
      new WebrtcRung({ url: http(`${path}/whep`), iceServers, ...options }),
  },
  {
    name: "livekit",
    label: "LiveKit",
    optional: true,
    about: "H.264 over WebRTC from a LiveKit server",
    protocol: "livekit",
    unfit: livekitUnfit(),
    sound: "reopen",
    open: ({ livekit, ice_servers: iceServers }, options) =>
      new LivekitRung({ url: http(livekit), iceServers, ...options }),
  },
  {
    name: "mse",
    label: "MSE",
    about: "H.264 over WebSocket in a media element",
    protocol: "websocket",
    unfit: mseUnfit(),
    sound: "reopen",
    open: (camera, options) => new MseRung({ url: websocket(camera.live), ...options }),
  },
  {
    name: "hls",
    label: "HLS",
    about: "H.264 over HTTP in pieces, a second late",
    protocol: "hls",
    unfit: hlsUnfit(),
    sound: "reopen",
    open: (camera, options) => new HlsRung({ url: http(camera.hls), ...options }),
  },
  {
    name: "mjpeg",
    label: "MJPEG",
    about: "JPEG pictures over HTTP, silent",
    protocol: "mjpeg",
    unfit: null,
    sound: null,
    open: (camera, options) => new MjpegRung({ url: http(camera.mjpeg), ...options }),
  },
];

/** The two that are fast: which one is better depends on the network. */
export const CONTENDERS = ["webcodecs", "webrtc"];

export function rungNamed(name) {
  return RUNGS.find((rung) => rung.name === name) ?? null;
}

const unoffered = (label) => `the station offers no ${label} now`;

/** The rungs as the ladder wants them, for a camera as in api/cameras. */
export function rungsFor(camera) {
  return RUNGS.map(({ name, label, protocol, unfit, patience }) => {
    const offered = camera.protocols.includes(protocol);
    return { name, patience, unfit: unfit ?? (offered ? null : unoffered(label)) };
  });
}

/** Why this rung and no better one, in words; null for the best there is. `left`: rung → why it was
 *  left; `pinned`: a name or null; `verdict` as in contest.js. */
export function explain(name, left, pinned, verdict) {
  if (pinned === name) return "chosen by you";
  if (verdict?.rung === name) {
    const [mine, other] = [verdict.mine, verdict.other].map((age) => number(age));
    return `measured fresher on your network: its pictures are ${mine} ms old, not ${other} ms`;
  }
  const better = RUNGS.slice(0, RUNGS.indexOf(rungNamed(name)));
  const missed = better.filter((rung) => !rung.optional || left[rung.name] !== unoffered(rung.label));
  const why = new Set(missed.map((rung) => left[rung.name]).filter(Boolean));
  return why.size > 0 ? [...why].join("; ") : null;
}

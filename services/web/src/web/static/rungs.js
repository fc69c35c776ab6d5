/** The ways of watching that this page knows, best first. */

import { http, websocket } from "./address.js";
import { MjpegRung } from "./mjpeg.js";
import { MseRung, mseUnfit } from "./mse.js";
import { WebcodecsRung, webcodecsUnfit } from "./webcodecs.js";

/** `unfit`: null, or why this browser cannot; `sound`: how it changes between silent and not. */
export const RUNGS = [
  {
    name: "webcodecs",
    label: "WebCodecs",
    about: "H.264 over WebSocket, decoded by WebCodecs",
    unfit: webcodecsUnfit(),
    sound: "switch",
    open: (camera, options) => new WebcodecsRung({ url: websocket(camera.live), ...options }),
  },
  {
    name: "mse",
    label: "MSE",
    about: "H.264 over WebSocket in a media element",
    unfit: mseUnfit(),
    sound: "reopen",
    open: (camera, options) => new MseRung({ url: websocket(camera.live), ...options }),
  },
  {
    name: "mjpeg",
    label: "MJPEG",
    about: "JPEG pictures over HTTP, silent",
    unfit: null,
    sound: null,
    open: (camera, options) => new MjpegRung({ url: http(camera.mjpeg), ...options }),
  },
];

export function rungNamed(name) {
  return RUNGS.find((rung) => rung.name === name) ?? null;
}

/** Why this rung and no better one, in words. `left`: rung → why it was left; pinned: a name or null. */
export function explain(name, left, pinned) {
  if (pinned === name) return "chosen by you";
  const better = RUNGS.slice(0, RUNGS.indexOf(rungNamed(name)));
  const why = new Set(better.map((rung) => left[rung.name]).filter(Boolean));
  if (why.size > 0) return [...why].join("; ");
  return "the fastest that this browser has";
}

/** What the picture on the screen is worth: live, dark, unchanging, frozen, lost, or not there at all. */

import { number, span } from "./words.js";

/** Seconds without a new picture after which it is called frozen, and after which it is hidden. */
export const FROZEN = 1.5;
export const HIDDEN = 10;
/** Seconds for which pictures come but are all the same, before it is said. */
export const UNCHANGING = 10;
/** Below this many lux a picture is expected to be dark: a moonlit night has 0.3. */
const DARK = 1;

const STATES = {
  stopped: "Paused",
  opening: "Connecting",
  reconnecting: "Reconnecting",
  waiting: "No picture",
  resting: "No picture",
};

/** Why it is dark, in words; null when it is not, or nobody knows. `metadata`: of the camera, fresh. */
export function darkness(metadata) {
  if (typeof metadata?.Lux !== "number" || metadata.Lux >= DARK) return null;
  const { Lux: lux, ExposureTime: exposure } = metadata;
  const exposed = typeof exposure === "number" ? `, exposed ${number(exposure / 1000)} ms` : "";
  return `dark: ${number(lux, lux < 0.1 ? 2 : 1)} lx${exposed}`;
}

/** {kind, words, reason}: kind is live, dark, same, frozen, lost, or none (never a picture); words is
 *  null for live; reason says why in more words, or is null. `phase` and `reason` as the ladder's, `age`
 *  of the newest picture and `same`, for how long it is the same, in s; `link` and `bus` as station.js's
 *  states, `status` and `metadata` the camera's messages or null. */
export function condition({ phase, reason, age, same, link, bus, status, metadata }) {
  if (phase === "playing" && age <= FROZEN) return moving(same, metadata);
  const gone = GONE[link] ?? null;
  if (age === Infinity) return { kind: "none", words: `${STATES[phase] ?? "Connecting"} …`, reason };
  const old = `last picture ${span(age)} old`;
  if (gone) return { kind: "lost", words: `Connection lost — ${old}`, reason: gone };
  if (phase === "playing") {
    return { kind: "frozen", words: `Frozen — ${old}`, reason: stopped(status, bus) ?? reason };
  }
  return { kind: "frozen", words: `${STATES[phase]} — ${old}`, reason: reason ?? stopped(status, bus) };
}

const GONE = {
  down: "the station cannot be reached",
  silent: "the station does not answer",
};

function moving(same, metadata) {
  const dark = darkness(metadata);
  if (dark) return { kind: "dark", words: dark, reason: null };
  if (same < UNCHANGING) return { kind: "live", words: null, reason: null };
  const words = `Not changing for ${span(same)}`;
  return { kind: "same", words, reason: "pictures come, but each shows the same" };
}

/** What the camera or the bus says of its standing still. */
function stopped(status, bus) {
  if (bus !== "connected") return "the message bus does not answer";
  if (!status) return null;
  if (status.error) return status.error;
  return status.state === "streaming" ? null : `the camera is ${status.state}`;
}

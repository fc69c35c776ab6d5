/** What a reading is worth: how old it is, whether it is stale, and whether its value is good. */

export const STALE_AFTER = 3;

/** Good, warning or bad by the limit's bands; a value on a bound belongs to the better side. */
export function judge(limit, value) {
  if (!limit || typeof value !== "number") return null;
  if (below(value, limit.bad_below) || above(value, limit.bad_above)) return "bad";
  if (below(value, limit.warn_below) || above(value, limit.warn_above)) return "warning";
  return "good";
}

const below = (value, bound) => typeof bound === "number" && value < bound;
const above = (value, bound) => typeof bound === "number" && value > bound;

/** Seconds between two messages of a topic: its own word, or the contract's; null when on change. */
export function interval(topic, message, intervals) {
  if (typeof message.interval === "number") return message.interval;
  if (topic in intervals) return intervals[topic];
  const pattern = Object.keys(intervals).find((path) => covers(path, topic));
  return pattern === undefined ? null : intervals[pattern];
}

/** Whether a declared path such as `camera/{camera}/status` has this topic. */
function covers(path, topic) {
  const declared = path.split("/");
  const levels = topic.split("/");
  const same = (level, i) => level === levels[i] || level.startsWith("{");
  return declared.length === levels.length && declared.every(same);
}

/** Age in seconds (null while the station's clock is not known) and whether it is too much. */
export function freshness(message, every, now) {
  if (now === null) return { age: null, stale: false };
  const age = Math.max(0, now - message.timestamp);
  return { age, stale: every !== null && age > STALE_AFTER * every };
}

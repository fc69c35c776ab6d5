/** The firmware's throttle bits in words, with what to do about them. */

const BITS = [
  ["under_voltage", "under-voltage", "bad", "use a stronger power supply and a short cable"],
  ["throttled_now", "throttled", "bad", "the processor is slowed down: cool it, check its power"],
  ["frequency_capped", "clock capped", "warning", "heat or power keeps the clock down"],
  ["soft_temp_limit", "soft temperature limit", "warning", "give it a heat sink or a fan"],
];
const OCCURRED = {
  under_voltage: "under_voltage_occurred",
  throttled_now: "throttled_occurred",
  frequency_capped: "frequency_capped_occurred",
  soft_temp_limit: "soft_temp_limit_occurred",
};

/** {value, note, level} of a CPU message; value null where there is no such firmware. */
export function throttleWords(message) {
  const known = BITS.filter(([field]) => typeof message[field] === "boolean");
  if (known.length === 0) {
    return { value: null, note: "only a Raspberry Pi’s firmware says it", level: null };
  }
  const now = known.filter(([field]) => message[field]);
  const before = known.filter(([field]) => !message[field] && message[OCCURRED[field]]);
  const earlier = before.map(([, name]) => name).join(", ");
  if (now.length > 0) {
    return {
      value: now.map(([, name]) => name).join(", "),
      note: now.map(([, , , fix]) => fix).join("; "),
      level: now.some(([, , level]) => level === "bad") ? "bad" : "warning",
    };
  }
  if (earlier) return { value: "fine now", note: `since boot: ${earlier}`, level: "warning" };
  return { value: "fine", note: "never limited since boot", level: "good" };
}

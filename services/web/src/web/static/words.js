/** Numbers and moments as people read them. */

/** What stands where nothing is known. */
export const UNKNOWN = "—";

/** A number with a fixed count of decimals; UNKNOWN for none. */
export function number(value, digits = 0) {
  if (typeof value !== "number" || !Number.isFinite(value)) return UNKNOWN;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Seconds as "4 s", "3 min", "2 h 5 min", "3 d 4 h". */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Bytes with a unit that keeps the number short: ["1.5", "GB"]. */
export function bytes(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return [UNKNOWN, ""];
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  for (; value >= 1000 && at < units.length - 1; at++) value /= 1000;
  return [number(value, at > 0 && value < 100 ? 1 : 0), units[at]];
}

/** A Unix time as the viewer's wall clock reads it. */
export function clockTime(unix) {
  return new Date(unix * 1000).toLocaleTimeString([], { hour12: false });
}

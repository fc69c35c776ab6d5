/** Asking the station what was measured. */

import { http } from "./address.js";
import { number } from "./words.js";

/** Every topic that is kept, with its numbers; an Error says why there is nothing to ask. */
export async function sources(signal) {
  return (await ask("api/history/metrics", signal)).sources;
}

/** The past of metrics between two Unix times, in about so many pieces: {from, to, series}. */
export function series(metrics, from, to, points, signal) {
  const query = new URLSearchParams(metrics.map((metric) => ["metric", metric]));
  query.set("from", from.toFixed(3));
  query.set("to", to.toFixed(3));
  query.set("points", points);
  return ask(`api/history?${query}`, signal);
}

/** A line of numbers in words: the newest, the least, the most, and the mean; null for none. */
export function summary({ mean, min, max }) {
  const there = mean.filter((value) => value !== null);
  if (there.length === 0) return null;
  return {
    last: there.at(-1),
    least: Math.min(...min.filter((value) => value !== null)),
    most: Math.max(...max.filter((value) => value !== null)),
    mean: there.reduce((sum, value) => sum + value, 0) / there.length,
  };
}

/** A number as a chart says it: as many digits as its size is worth. */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)} G`;
  if (size >= 1e6) return `${short(value / 1e6)} M`;
  if (size >= 1e5) return `${short(value / 1e3)} k`;
  const digits = size >= 1000 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits))).replace("-", "−");
}

/** The numbers at a scale whose marks are `step` apart: no two of them read alike. */
export function marks(values, step) {
  let digits = 0;
  while (digits < 6 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits += 1;
  return values.map((value) => (value === null ? "" : digits > 0 ? number(value, digits) : short(value)));
}

async function ask(path, signal) {
  let answer;
  try {
    answer = await fetch(http(path), { cache: "no-store", signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the station does not answer");
  }
  if (answer.ok) return answer.json();
  const { detail } = await answer.json().catch(() => ({}));
  throw new Error(typeof detail === "string" ? detail : `the station says ${answer.status}`);
}

/** A chart of several lines with their bands, drawn by uPlot, which is loaded with the first one. */

import { make } from "./dom.js";
import { marks } from "./past.js";

const LIBRARY = "./vendor/uplot.mjs";
const STYLE = "static/vendor/uplot.css";
/** Told apart without colours too, by their dashes. */
export const LINES = [
  { colour: "#5eead4", dash: [] },
  { colour: "#fbbf24", dash: [10, 4] },
  { colour: "#93c5fd", dash: [3, 3] },
  { colour: "#f9a8d4", dash: [12, 3, 3, 3] },
  { colour: "#c4b5fd", dash: [6, 6] },
  { colour: "#fda4af", dash: [2, 6] },
];
/** Pixels from which the units stand at the scales too. */
const WIDE = 520;
const GRID = { stroke: "#24344f", width: 1 };
const TEXT = "#9fb0c8";
const FONT = "12px ui-sans-serif, system-ui, sans-serif";
/** uPlot's templates: the step in s, the text, and what is added where a year, month, day … begins. */
const TIMES = [
  [31_536_000, "{YYYY}", null, null, null, null, null, null, 1],
  [2_419_200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [0.001, ":{ss}.{fff}", "\n{D} {MMM} {YYYY} {HH}:{mm}", null, "\n{D} {MMM} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
];

/** The library; an Error says in the station's words why it is not there. */
export async function library() {
  const module = await import(LIBRARY).catch(async () => {
    const answer = await fetch(new URL(LIBRARY, import.meta.url)).catch(() => null);
    const body = await answer?.json().catch(() => null);
    throw new Error(body?.detail ?? "the station cannot be reached");
  });
  if (!document.querySelector(`link[href="${STYLE}"]`)) {
    document.head.append(make("link", { rel: "stylesheet", href: STYLE }));
  }
  return module.default;
}

export class Plot {
  #uplot;
  #place;
  #range;
  #chart = null;
  #shape = "";

  /** `range()`: what is to be shown, [from, to] in Unix seconds; `onCursor(index or null)`. */
  constructor(uplot, place, range, onCursor) {
    this.#uplot = uplot;
    this.#place = place;
    this.#range = range;
    this.onCursor = onCursor;
  }

  /** The part of the chart that has the lines in it. */
  get over() {
    return this.#chart?.over ?? null;
  }

  get width() {
    return this.#place.clientWidth;
  }

  /** `lines`: [{label, unit}], `series` of /api/history in the same order. */
  draw(lines, series) {
    const data = this.#uplot.join(series.map((s) => [s.timestamps, s.min, s.max, s.mean]));
    const shape = JSON.stringify(lines);
    if (shape !== this.#shape) {
      this.#chart?.destroy();
      this.#shape = shape;
      this.#chart = new this.#uplot(this.#options(lines), data, this.#place);
    } else {
      this.#chart.setData(data);
    }
    return data;
  }

  /** Show another range of what is there. */
  move() {
    const [min, max] = this.#range();
    this.#chart?.setScale("x", { min, max });
  }

  fit() {
    this.#chart?.setSize(this.#size());
  }

  clear() {
    this.#chart?.destroy();
    this.#chart = null;
    this.#shape = "";
  }

  #size() {
    const { width } = this;
    return { width, height: Math.round(Math.min(340, Math.max(220, width * 0.45))) };
  }

  #options(lines) {
    const units = [...new Set(lines.map(({ unit }) => unit))];
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, y: false },
      scales: { x: { range: () => this.#range() } },
      series: [{}, ...lines.flatMap((line, i) => trio(line, LINES[i]))],
      bands: lines.map((_, i) => ({ series: [3 * i + 2, 3 * i + 1], fill: `${LINES[i].colour}2e` })),
      axes: [
        { stroke: TEXT, grid: GRID, ticks: GRID, font: FONT, values: TIMES, space: 70 },
        ...units.map((unit, i) => axis(unit, i, lines, this.width >= WIDE)),
      ],
      hooks: { setCursor: [(chart) => this.onCursor(chart.cursor.idx ?? null)] },
    };
  }
}

/** The series of one line: what bounds its band, and the line itself. */
function trio({ unit }, { colour, dash }) {
  const bound = { scale: `y ${unit}`, stroke: "transparent", width: 0, points: { show: false } };
  return [bound, bound, { scale: `y ${unit}`, stroke: colour, dash, width: 1.75, points: { size: 4, fill: colour } }];
}

/** A scale at the left, another at the right; a third unit has none, only its numbers below. */
function axis(unit, i, lines, wide) {
  const of = lines.findIndex((line) => line.unit === unit);
  return {
    scale: `y ${unit}`,
    side: i === 0 ? 3 : 1,
    show: i < 2,
    stroke: i === 0 && lines.length === 1 ? TEXT : LINES[of].colour,
    grid: i === 0 ? GRID : { show: false },
    ticks: GRID,
    font: FONT,
    size: wide ? 58 : 42,
    values: (_chart, ticks, _axis, _space, step) => marks(ticks, step),
    ...(wide && { label: unit, labelSize: 18, labelFont: FONT }),
  };
}

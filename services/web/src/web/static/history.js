/** The card of the past: some metrics over an hour to a month, and what of them is below the cursor. */

import { make, mark, say } from "./dom.js";
import { Gestures, keyed } from "./gestures.js";
import { recall, remember } from "./memory.js";
import { chosen, named, offered } from "./metrics.js";
import { series, short, sources, summary } from "./past.js";
import { LINES, Plot, library } from "./plot.js";
import { SPANS, TimeView } from "./timeview.js";

const KEPT = "history";
const SETTLE_MS = 150;
const AGAIN_MS = { least: 5000, most: 60_000, trouble: 5000 };
const BUTTONS = [
  ["◀", "Earlier", "ArrowLeft"],
  ["▶", "Later", "ArrowRight"],
  ["−", "Show a longer time", "-"],
  ["+", "Show a shorter time", "+"],
  ["Now", "Up to now", "End"],
];
const HELP =
  "Drag to move, pinch or Ctrl and the wheel to come closer. With the focus on the chart: " +
  "← and → move (with Shift further), + and − come closer and go back, End goes to now.";

export class HistoryCard {
  element;
  #clock;
  #view = new TimeView();
  #gestures;
  #plot = null;
  #groups = new Map();
  #metrics = [];
  #shown = null;
  #timer = null;
  #request = null;
  #visible = false;
  #offer = "";
  #spans = new Map();
  #add = make("select", { "aria-label": "Add a metric" });
  #chart = make("div", { class: "chart", tabindex: 0, role: "group", "aria-roledescription": "chart" });
  #lines = make("ul", { class: "lines" });
  #state = make("p", { class: "missing", role: "status", text: "Looking for the past …" });
  #when = make("span", { class: "when" });

  /** `clock`: the station's (clock.js). It asks for nothing before it comes near to the window. */
  constructor(clock) {
    this.#clock = clock;
    this.#gestures = new Gestures(this.#view, () => this.#now(), (done) => this.#moved(done));
    const title = make("h2", { id: "history-title", text: "History" });
    const about = { class: "card metric history", "aria-labelledby": title.id };
    const help = make("p", { class: "note", id: "history-help", text: HELP });
    this.#chart.setAttribute("aria-describedby", help.id);
    const parts = [make("header", {}, title, this.#when), this.#controls(), this.#state];
    this.element = make("section", about, ...parts, this.#chart, this.#lines, help);
    this.#chart.addEventListener("keydown", (event) => this.#press(event));
    this.#watch();
  }

  #now() {
    return this.#clock.now() ?? Date.now() / 1000;
  }

  #watch() {
    const seen = ([entry]) => {
      this.#visible = entry.isIntersecting;
      if (this.#visible) this.#load();
    };
    new IntersectionObserver(seen, { rootMargin: "200px" }).observe(this.element);
    document.addEventListener("visibilitychange", () => document.hidden || this.#load());
    new ResizeObserver(() => this.#plot?.fit()).observe(this.#chart);
  }

  #controls() {
    const spans = make("div", { class: "spans", role: "group", "aria-label": "Time to show" });
    for (const [name, length] of Object.entries(SPANS)) {
      const button = make("button", { type: "button", text: name.charAt(0).toUpperCase() + name.slice(1) });
      button.addEventListener("click", () => this.#do((view) => view.last(length)));
      this.#spans.set(length, button);
      spans.append(button);
    }
    const moves = make("div", { class: "moves", role: "group", "aria-label": "Move" });
    for (const [text, label, key] of BUTTONS) {
      const button = make("button", { type: "button", text, title: label, "aria-label": label });
      button.addEventListener("click", () => this.#do(keyed(key)));
      moves.append(button);
    }
    this.#add.addEventListener("change", () => this.#choose([...this.#metrics, this.#add.value]));
    return make("div", { class: "controls" }, spans, moves, this.#add);
  }

  #press(event) {
    const action = keyed(event.key);
    if (!action || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#do(action, event.shiftKey);
  }

  #do(action, far = false) {
    action(this.#view, this.#now(), far);
    this.#moved(true);
  }

  #moved(done) {
    this.#plot?.move();
    this.#showWhen();
    if (done) this.#soon(SETTLE_MS);
  }

  #soon(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), ms);
  }

  /** Ask for what is to be seen and draw it, again after a while. Only the last request counts. */
  async #load() {
    clearTimeout(this.#timer);
    if (!this.#visible || document.hidden) return;
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    try {
      await this.#prepare(request.signal);
      const again = await this.#ask(request.signal);
      if (request === this.#request) this.#soon(again);
    } catch (error) {
      if (error.name === "AbortError" || request !== this.#request) return;
      this.#complain(`There is no history: ${error.message}.`);
      this.#soon(AGAIN_MS.trouble);
    }
  }

  async #prepare(signal) {
    if (this.#groups.size === 0) {
      this.#groups = offered(await sources(signal));
      this.#metrics = chosen(this.#groups, (recall(KEPT) ?? "").split(" "));
    }
    this.#plot ??= new Plot(
      await library(),
      this.#chart,
      () => [this.#view.from(this.#now()), this.#view.to(this.#now())],
      (index) => this.#showLines(index),
    );
  }

  async #ask(signal) {
    if (this.#metrics.length === 0) throw new Error("nothing has been measured yet");
    const now = this.#now();
    const points = Math.max(100, Math.min(2000, this.#plot.width));
    const metrics = this.#metrics;
    const answer = await series(metrics, this.#view.from(now), this.#view.to(now), points, signal);
    this.#draw(metrics.map(named), answer.series);
    const step = 1000 * Math.max(...answer.series.map(({ step }) => step));
    return this.#view.follows ? Math.min(AGAIN_MS.most, Math.max(AGAIN_MS.least, step)) : AGAIN_MS.most;
  }

  #draw(lines, answer) {
    const data = this.#plot.draw(lines, answer);
    this.#shown = { lines, data, sums: answer.map(summary) };
    this.#gestures.on(this.#plot.over);
    const empty = lines.filter((_, i) => this.#shown.sums[i] === null).map(({ label }) => label);
    this.#complain(empty.length ? `Nothing was measured in this time: ${empty.join(", ")}.` : "");
    this.#fillChoice();
    this.#showWhen();
    this.#makeLines();
  }

  #choose(metrics) {
    this.#metrics = metrics;
    remember(KEPT, metrics.join(" "));
    this.#load();
  }

  #complain(text) {
    say(this.#state, text);
    this.#state.hidden = text === "";
  }

  /** Offer what is not drawn yet; touched only on change, since it may be open. */
  #fillChoice() {
    const full = this.#metrics.length >= LINES.length;
    const free = ({ metric }) => !full && !this.#metrics.includes(metric);
    const groups = [...this.#groups].map(([label, all]) => [label, all.filter(free)]);
    const offer = JSON.stringify(groups);
    if (offer === this.#offer) return;
    this.#offer = offer;
    const option = ({ metric, label }) => make("option", { value: metric, text: label });
    this.#add.replaceChildren(
      make("option", { value: "", text: full ? "No more fit" : "Add a metric …" }),
      ...groups
        .filter(([, metrics]) => metrics.length > 0)
        .map(([label, metrics]) => make("optgroup", { label }, ...metrics.map(option))),
    );
  }

  #showWhen() {
    const now = this.#now();
    const [from, to] = [this.#view.from(now), this.#view.to(now)].map((unix) =>
      new Date(unix * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hour12: false }),
    );
    say(this.#when, `${from} – ${this.#view.follows ? "now" : to}`);
    for (const [length, button] of this.#spans) {
      mark(button, "aria-pressed", String(this.#view.follows && length === this.#view.length));
    }
  }

  #makeLines() {
    const { lines, sums } = this.#shown;
    this.#lines.replaceChildren(
      ...lines.map(({ metric, label, unit, group }, i) => {
        const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
        swatch.style.setProperty("--line-colour", LINES[i].colour);
        const name = make("span", { class: "label", text: `${label}${unit && ` (${unit})`}` });
        const off = make("button", { type: "button", text: "×", "aria-label": `Remove ${label}`, title: `Remove ${label}` });
        off.addEventListener("click", () => this.#choose(this.#metrics.filter((other) => other !== metric)));
        off.hidden = lines.length === 1;
        const whose = make("span", { class: "note", text: group });
        return make("li", {}, swatch, name, whose, make("span", { class: "values" }), off);
      }),
    );
    this.#showLines(null);
    const words = lines.map(({ label, unit }, i) => {
      const sum = sums[i];
      return sum ? `${label}: ${short(sum.least)} to ${short(sum.most)} ${unit}` : `${label}: nothing`;
    });
    this.#chart.setAttribute("aria-label", `${words.join("; ")}; ${this.#when.textContent}`);
  }

  /** The numbers below the cursor, or else of all that is shown. */
  #showLines(index) {
    const { lines, data, sums } = this.#shown;
    for (const [i, item] of [...this.#lines.children].entries()) {
      const at = (part) => data[3 * i + part][index] ?? null;
      const here = index === null ? whole(sums[i]) : below(data[0][index], at(1), at(2), at(3));
      const text = here ? here.replaceAll("$", lines[i].unit && ` ${lines[i].unit}`) : "nothing";
      say(item.querySelector(".values"), text);
    }
  }
}

/** In words; `$` stands for the unit. */
const whole = (sum) =>
  sum && `last ${short(sum.last)}$, ${short(sum.least)} to ${short(sum.most)}, mean ${short(sum.mean)}`;

function below(unix, least, most, mean) {
  const at = new Date(unix * 1000).toLocaleString([], { hour12: false });
  if (mean === null) return `${at}: —`;
  return `${at}: ${short(mean)}$${least === most ? "" : ` (${short(least)} to ${short(most)})`}`;
}

/** The card of the motor: only what the motor itself says, and the orders of its operator. */

import { http } from "./address.js";
import { make, mark, say } from "./dom.js";
import { commandId, obstacle, outcome, part, position, state } from "./motor.js";

const STATUS = "stepper/status";
const LEASE = "stepper/lease";
const SERVICE = "service/stepper/status";
const ACTIONS = {
  enable: "Enable",
  disable: "Disable",
  home: "Home",
  open: "Open",
  close: "Close",
};
const FACTS = ["Position", "Limits", "Steers", "Last movement"];

export class StepperCard {
  element;
  #station;
  #send;
  #me = null;
  #asked = false;
  #mine = new Set();
  #state = make("span", { class: "state" });
  #simulated = make("span", { class: "pill simulated", text: "simulated", hidden: true });
  #trouble = make("p", { class: "trouble", role: "status", hidden: true });
  #values = new Map();
  #bar = make("div", { class: "bar" });
  #buttons = new Map();
  #steps = make("input", { type: "number", min: 1, max: 1000000, value: 20, "aria-label": "Steps" });
  #controls = make("div", { class: "orders", hidden: true });
  #why = make("p", { class: "why", hidden: true });

  /** `send`: says something over the page's socket, which keeps a movement alive. */
  constructor(station, send) {
    this.#station = station;
    this.#send = send;
    const title = make("h2", { id: "motor-title", text: "Motor" });
    const facts = make("dl", { class: "facts" });
    for (const name of FACTS) {
      const value = make("dd");
      this.#values.set(name, value);
      facts.append(make("div", {}, make("dt", { text: name }), value));
    }
    const meter = make("div", { class: "meter", "aria-hidden": "true" }, this.#bar);
    const head = make("header", {}, title, this.#simulated, this.#state);
    this.#fill();
    const about = { class: "card metric motor", "aria-labelledby": title.id, hidden: true };
    const body = [head, facts, meter, this.#controls, this.#trouble, this.#why];
    this.element = make("section", about, ...body);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#me?.operator !== true) return;
      event.preventDefault();
      this.#order("abort");
    });
  }

  /** Show a message if it is about the motor, and answer its beat if the movement is ours. */
  take(topic) {
    if (topic !== STATUS && topic !== LEASE && topic !== SERVICE) return;
    const status = this.#station.messages.get(STATUS);
    if (status === undefined) return;
    if (topic === STATUS && status.beat !== null && this.#mine.has(status.movement)) {
      this.#send({ type: "renew", id: status.movement, beat: status.beat });
    }
    this.#show();
  }

  /** What may have changed although nothing was said. */
  age(now) {
    if (this.element.hidden) return;
    this.#showTrouble(now);
    // Who the viewer is can change with the connection: somebody has signed in, or web was restarted.
    if (this.#station.link.state !== "open") this.#asked = false;
    else this.#askWho();
  }

  #fill() {
    const orders = make("div", { class: "controls" });
    for (const [action, text] of Object.entries(ACTIONS)) {
      orders.append(this.#button(action, text, action));
    }
    const step = make("div", { class: "controls step" }, make("span", { text: "Steps" }), this.#steps);
    step.append(this.#button("down", "− Step", "step"), this.#button("up", "+ Step", "step"));
    const stop = this.#button("abort", "Stop", "abort");
    stop.classList.add("stop");
    stop.setAttribute("aria-keyshortcuts", "Escape");
    stop.title = "Stop and let go (Escape, while something of this card has the focus)";
    this.#controls.append(stop, orders, step);
  }

  #button(name, text, action) {
    const button = make("button", { type: "button", text });
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === null) this.#order(action, name);
    });
    this.#buttons.set(name, { button, action });
    return button;
  }

  async #askWho() {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const answer = await fetch(http("api/me"), { cache: "no-store" });
      if (answer.ok) this.#me = await answer.json();
      else this.#asked = false;
    } catch {
      this.#asked = false;
    }
    this.#show();
  }

  #show() {
    const status = this.#station.messages.get(STATUS);
    this.element.hidden = false;
    this.#askWho();
    const holder = this.#holder;
    const [word, level] = state(status);
    say(this.#state, word);
    mark(this.element, "data-level", level);
    this.#simulated.hidden = status.simulated !== true;
    this.#fact("Position", position(status));
    this.#fact("Limits", `${status.minimum} to ${status.maximum} steps`);
    this.#fact("Steers", holder === null ? "nobody" : holder === this.#me?.name ? `${holder} (you)` : holder);
    this.#fact("Last movement", outcome(status));
    const where = part(status);
    this.#bar.style.transform = `scaleX(${(where ?? 0).toFixed(3)})`;
    mark(this.#bar.parentElement, "data-unknown", where === null ? "yes" : null);
    say(this.#buttons.get("home").button, status.homing === "here" ? "Home is here" : "Home");
    this.#showControls(status, holder);
  }

  #showControls(status, holder) {
    const operator = this.#me?.operator === true;
    this.#controls.hidden = !operator;
    const become = this.#me?.become_operator ?? null;
    this.#why.hidden = become === null;
    say(this.#why, become === null ? "" : `To steer the motor: ${become}.`);
    for (const { button, action } of this.#buttons.values()) {
      const wrong = obstacle(action, status, holder, this.#me?.name);
      // Not `disabled`: a button that is pressed would lose the focus, and Escape its effect.
      mark(button, "aria-disabled", wrong === null ? null : "true");
      if (action !== "abort") button.title = wrong ?? "";
    }
  }

  #showTrouble(now) {
    if (!this.#station.messages.has(SERVICE)) return;
    const { state: word } = this.#station.service("stepper", now);
    mark(this.element, "data-stale", word === "online" ? null : "yes");
    if (word !== "online") this.#complain(`The stepper service is ${word}: this is what it last said.`);
    else if (this.#trouble.textContent.startsWith("The stepper service")) this.#complain("");
  }

  get #holder() {
    return this.#station.messages.get(LEASE)?.holder ?? null;
  }

  #fact(name, text) {
    say(this.#values.get(name), text);
  }

  #complain(text) {
    say(this.#trouble, text);
    this.#trouble.hidden = text === "";
  }

  /** Ask for it; what comes of it is shown when the motor says so. */
  async #order(action, name = action) {
    const id = commandId();
    this.#mine.add(id);
    const query = new URLSearchParams({ id });
    if (action === "step") {
      query.set("steps", this.#steps.value);
      query.set("direction", name === "up" ? "fwd" : "rev");
    }
    try {
      const answer = await fetch(http(`api/stepper/${action}?${query}`), { method: "POST" });
      this.#complain(answer.ok ? "" : `${await reason(answer)}.`);
    } catch {
      this.#complain("The station does not answer.");
    }
  }
}

async function reason(answer) {
  try {
    const { detail } = await answer.json();
    return typeof detail === "string" ? detail : detail.map(({ msg }) => msg).join(", ");
  } catch {
    return `the station says ${answer.status}`;
  }
}

/** All cameras side by side, or one of them large; the viewer's choice is kept. */

import { recall, remember } from "./memory.js";

const KEPT = "layout";

export class Layout {
  #place;
  #cards = new Map();
  #large = recall(KEPT);

  /** `place`: the element that holds the cards. */
  constructor(place) {
    this.#place = place;
  }

  /** `card`: a VideoCard. */
  add(name, card) {
    this.#cards.set(name, card);
    this.#place.append(card.element);
    this.#show();
  }

  /** Make this camera large, or all side by side when it is already. */
  turn(name) {
    this.#large = this.#large === name ? null : name;
    remember(KEPT, this.#large);
    this.#show();
  }

  /** The card that keys are for: the one with the focus, or else the large one, or the first. */
  get current() {
    const names = [...this.#cards.keys()];
    const focused = names.find((name) => this.card(name).element.contains(document.activeElement));
    return focused ?? names.find((name) => name === this.#large) ?? names[0] ?? null;
  }

  get names() {
    return [...this.#cards.keys()];
  }

  card(name) {
    return this.#cards.get(name);
  }

  #show() {
    const choice = this.#cards.size > 1;
    for (const [name, card] of this.#cards) card.setLarge(choice && name === this.#large, choice);
  }
}

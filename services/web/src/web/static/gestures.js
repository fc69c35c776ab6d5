/** Moving along the time and closer to it: by pointers, the wheel, and keys. */

const STEP = 1 / 8;
const LEAP = 1 / 2;
const CLOSER = 1 / 1.6;
const WHEEL = 400;

const KEYS = {
  ArrowLeft: (view, now, far) => view.pan(far ? -LEAP : -STEP, now),
  ArrowRight: (view, now, far) => view.pan(far ? LEAP : STEP, now),
  "+": (view, now) => view.zoom(CLOSER, view.follows ? 1 : 0.5, now),
  "=": (view, now) => KEYS["+"](view, now),
  "-": (view, now) => view.zoom(1 / CLOSER, view.follows ? 1 : 0.5, now),
  End: (view) => view.last(view.length),
};

/** What a key does to the view, as a function of it; undefined when it means nothing here. */
export const keyed = (key) => KEYS[key];

export class Gestures {
  #view;
  #now;
  #moved;
  #pointers = new Map();
  #over = null;

  /** `view`: a TimeView, `now()`: Unix seconds, `moved(done)`: the view is another one; `done`: it
   *  will stay for now. */
  constructor(view, now, moved) {
    this.#view = view;
    this.#now = now;
    this.#moved = moved;
  }

  /** Listen on the part of a chart that has its lines; a new chart has a new one. */
  on(over) {
    if (over === this.#over) return;
    this.#over = over;
    this.#pointers.clear();
    over.addEventListener("pointerdown", (event) => this.#down(event));
    over.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      over.addEventListener(end, (event) => this.#up(event));
    }
    over.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    over.addEventListener("dblclick", (event) => this.#zoom(CLOSER * CLOSER, this.#part(event), true));
  }

  #part({ clientX }) {
    const { left, width } = this.#over.getBoundingClientRect();
    return (clientX - left) / width;
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#over.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#part(event));
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return;
    const part = this.#part(event);
    this.#pointers.set(event.pointerId, part);
    const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId);
    if (other === undefined) this.#view.pan(before - part, this.#now());
    else this.#pinch(before, part, other[1]);
    this.#moved(false);
  }

  /** What is below both fingers stays below them. */
  #pinch(before, part, other) {
    const factor = Math.abs(before - other) / Math.max(0.02, Math.abs(part - other));
    this.#view.zoom(Math.min(4, Math.max(0.25, factor)), other, this.#now());
  }

  #up(event) {
    if (this.#pointers.delete(event.pointerId) && this.#pointers.size === 0) this.#moved(true);
  }

  /** Only with Ctrl, or where the chart has the focus: else the wheel is for the page. */
  #wheel(event) {
    const focused = this.#over.closest("[tabindex]") === document.activeElement;
    if (!event.ctrlKey && !focused) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#view.pan(event.deltaX / this.#over.clientWidth, this.#now());
      this.#moved(true);
    } else {
      this.#zoom(2 ** (event.deltaY / WHEEL), this.#part(event), true);
    }
  }

  #zoom(factor, at, done) {
    this.#view.zoom(factor, at, this.#now());
    this.#moved(done);
  }
}

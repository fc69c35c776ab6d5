/** Whether the pictures that come still differ: a camera that has hung may repeat its last one. */

const WIDTH = 32;
const HEIGHT = 24;

export class Stillness {
  #context = null;
  #before = null;
  #since = null;

  /** Look at what is on the screen: {source, width}. → for how many seconds it has been the same. */
  look({ source, width }, now) {
    if (!width) return 0;
    this.#context ??= canvas().getContext("2d", { willReadFrequently: true });
    this.#context.drawImage(source, 0, 0, WIDTH, HEIGHT);
    const { data } = this.#context.getImageData(0, 0, WIDTH, HEIGHT);
    if (this.#before === null || !same(this.#before, data)) this.#since = now;
    this.#before = data;
    return now - this.#since;
  }

  reset() {
    this.#before = null;
  }
}

/** Exactly: a sensor's noise makes every picture another one, even of a wall. */
function same(one, other) {
  return one.every((value, i) => value === other[i]);
}

function canvas() {
  const made = document.createElement("canvas");
  return Object.assign(made, { width: WIDTH, height: HEIGHT });
}

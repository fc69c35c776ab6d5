/** Puts decoded frames on a canvas: each as soon as it is there, one in each refresh of the screen. */

export class Painter {
  #canvas;
  #context;
  #on;
  #next = null;
  #busy = false;
  #closed = false;

  /** `on`: shown(info, moment) when a picture reaches the screen, dropped(info) when it never will. */
  constructor(canvas, on) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    this.#on = on;
  }

  /** Takes over a VideoFrame. Two in one refresh: the second waits for the next one, a third wins. */
  offer(frame, info) {
    if (this.#closed) {
      frame.close();
      return;
    }
    if (!this.#busy) {
      this.#busy = true;
      this.#paint(frame);
      requestAnimationFrame(() => this.#shown(info));
      return;
    }
    this.#discard();
    this.#next = { frame, info };
  }

  close() {
    this.#discard();
    this.#closed = true;
  }

  #discard() {
    if (this.#next === null) return;
    this.#next.frame.close();
    this.#on.dropped(this.#next.info);
    this.#next = null;
  }

  #paint(frame) {
    const { displayWidth: width, displayHeight: height } = frame;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(frame, 0, 0, width, height);
    frame.close();
  }

  #shown(info) {
    if (this.#closed) return;
    this.#on.shown(info, performance.now());
    if (this.#next === null) this.#busy = false;
    else requestAnimationFrame(() => this.#paintNext());
  }

  #paintNext() {
    if (this.#next === null) return;
    const { frame, info } = this.#next;
    this.#next = null;
    this.#paint(frame);
    this.#shown(info);
  }
}

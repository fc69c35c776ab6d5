/** The button that keeps a picture: what is on the screen, or else one that the station makes. */

import { http } from "./address.js";
import { make } from "./dom.js";
import { reason } from "./mjpeg.js";

export class Snapshot {
  element = make("button", { type: "button", text: "Snapshot", class: "snapshot" });
  #camera;

  /** `picture()`: {source, width, height} of a fresh picture, or null; `tell(text)`: to the viewer. */
  constructor(camera, picture, tell) {
    this.#camera = camera;
    this.element.addEventListener("click", async () => {
      try {
        const fresh = picture();
        if (fresh) this.#save(await still(fresh), "png");
        else this.#save(await this.#fetched(), "jpg");
        tell("snapshot saved");
      } catch (error) {
        tell(`no snapshot: ${error.message}`);
      }
    });
  }

  async #fetched() {
    const answer = await fetch(http(this.#camera.snapshot), { cache: "no-store" });
    if (!answer.ok) throw new RangeError(await reason(answer));
    return answer.blob();
  }

  #save(blob, suffix) {
    const moment = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    const href = URL.createObjectURL(blob);
    make("a", { href, download: `${this.#camera.name}_${moment}.${suffix}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }
}

function still({ source, width, height }) {
  const canvas = make("canvas", { width, height });
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return new Promise((resolve, refuse) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : refuse(new Error("no PNG"))), "image/png");
  });
}

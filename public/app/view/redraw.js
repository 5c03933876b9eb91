// @ts-check
/**
 * Draws once per frame, however many messages arrived in between. A hidden tab has no frames: it draws when it is visible
 * again.
 */

/** @import { DrawLag } from "../state/draw-lag.js" */

export class Redraw {
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #requestFrame;
  #drawLag;
  #isScheduled = false;

  /**
   * @param {object} options
   * @param {(draw: () => void) => void} options.requestFrame  `requestAnimationFrame`.
   * @param {Pick<DrawLag, "receive" | "draw">} options.drawLag
   */
  constructor({ requestFrame, drawLag }) {
    this.#requestFrame = requestFrame;
    this.#drawLag = drawLag;
  }

  /** @param {() => void} listener  Called in each frame that is drawn. */
  add(listener) {
    this.#listeners.add(listener);
  }

  /** Draws with the next frame. */
  schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#drawLag.receive();
    this.#requestFrame(() => {
      this.#isScheduled = false;
      for (const listener of this.#listeners) listener();
      this.#drawLag.draw();
    });
  }
}

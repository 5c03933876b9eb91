// @ts-check
/** The only timer of the page, for everything that changes with time alone. */

/** @import { Clock } from "../../petstore/clock.js" */

const TICK_MS = 1_000;

export class Tick {
  #clock;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #cancel = () => {};

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  start() {
    this.stop();
    this.#cancel = this.#clock.after(TICK_MS, () => {
      this.now();
      this.start();
    });
  }

  stop() {
    this.#cancel();
  }

  /** Ticks immediately, e.g. when the page becomes visible. */
  now() {
    for (const listener of this.#listeners) listener();
  }

  /** @param {() => void} listener */
  add(listener) {
    this.#listeners.add(listener);
  }

  /** @param {() => void} listener */
  remove(listener) {
    this.#listeners.delete(listener);
  }
}

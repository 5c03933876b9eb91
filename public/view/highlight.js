// @ts-check
/** Marks what has just changed, for a moment. How it looks, also for those who want nothing to move, is CSS. */

const HIGHLIGHT_MS = 2_000;

export class Highlight {
  #clock;
  /** @type {Map<Element, () => void>} */
  #shown = new Map();

  /** @param {import("../live/clock.js").Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {HTMLElement} element */
  show(element) {
    if (this.#shown.has(element)) {
      this.#hide(element);
      // Reading the layout makes the browser notice the pause, or the animation would not begin again.
      void element.offsetWidth;
    }
    element.classList.add("changed");
    this.#shown.set(element, this.#clock.after(HIGHLIGHT_MS, () => this.#hide(element)));
  }

  stop() {
    for (const element of this.#shown.keys()) this.#hide(element);
  }

  /** @param {Element} element */
  #hide(element) {
    this.#shown.get(element)?.();
    this.#shown.delete(element);
    element.classList.remove("changed");
  }
}

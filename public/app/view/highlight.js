// @ts-check
/**
 * Marks a changed element for a moment. CSS decides how that looks, also for readers who prefer reduced motion.
 *
 * The mark does not move or fade: each frame of an animation costs as much as the change itself. All
 * marks last equally long, so one timer for the oldest is enough.
 */

/** @import { Clock } from "../../petstore/clock.js" */

const HIGHLIGHT_MS = 1_500;

/** Marks that end within this time end together, in one frame. */
const TOGETHER_MS = 200;

const MARK = "changed";

export class Highlight {
  #clock;
  /** When each mark began, oldest first. @type {Map<Element, number>} */
  #shown = new Map();
  /** @type {(() => void) | null} */
  #cancel = null;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {Element} element */
  show(element) {
    if (!this.#shown.delete(element)) element.classList.add(MARK);
    this.#shown.set(element, this.#clock.elapsed());
    this.#cancel ??= this.#clock.after(HIGHLIGHT_MS, () => this.#end());
  }

  /** @param {Element} element */
  hide(element) {
    if (this.#shown.delete(element)) element.classList.remove(MARK);
  }

  stop() {
    this.#cancel?.();
    this.#cancel = null;
    for (const element of this.#shown.keys()) this.hide(element);
  }

  #end() {
    this.#cancel = null;
    for (const [element, shownMs] of this.#shown) {
      const leftMs = shownMs + HIGHLIGHT_MS - this.#clock.elapsed();
      if (leftMs <= TOGETHER_MS) {
        this.hide(element);
      } else {
        this.#cancel = this.#clock.after(leftMs, () => this.#end());
        return;
      }
    }
  }
}

// @ts-check
/**
 * Marks a changed element for a moment. CSS decides how that looks, also for readers who prefer reduced motion.
 *
 * CSS restarts an animation only under another name. So there are two names for the same animation, which avoids a forced
 * layout: on a page with many pets that would take longer than everything else.
 */

/** @import { Clock } from "../../petstore/clock.js" */

const HIGHLIGHT_MS = 2_000;

/** The animation is constant for its first 0.6 s, so it need not restart within this time. */
const STEADY_MS = 500;

const MARKS = /** @type {const} */ (["changed", "changed-again"]);

export class Highlight {
  #clock;
  /** @type {Map<Element, { mark: 0 | 1, shownMs: number, cancel: () => void }>} */
  #shown = new Map();

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {HTMLElement} element */
  show(element) {
    const shown = this.#shown.get(element);
    if (!shown) return this.#mark(element, 0);
    if (this.#clock.elapsed() - shown.shownMs < STEADY_MS) return;
    this.#hide(element);
    this.#mark(element, shown.mark === 0 ? 1 : 0);
  }

  stop() {
    for (const element of this.#shown.keys()) this.#hide(element);
  }

  /** @param {Element} element @param {0 | 1} mark */
  #mark(element, mark) {
    element.classList.add(MARKS[mark]);
    const cancel = this.#clock.after(HIGHLIGHT_MS, () => this.#hide(element));
    this.#shown.set(element, { mark, shownMs: this.#clock.elapsed(), cancel });
  }

  /** @param {Element} element */
  #hide(element) {
    this.#shown.get(element)?.cancel();
    this.#shown.delete(element);
    element.classList.remove(...MARKS);
  }
}

// @ts-check
/**
 * Marks what has just changed, for a moment. How it looks, also for those who want nothing to move, is CSS.
 *
 * An animation begins again only under another name. There are two names for the same one, so nothing waits for a
 * layout in between, which on a page with many pets takes longer than everything else a change needs.
 */

const HIGHLIGHT_MS = 2_000;

/** The animation looks the same for its first 0.6 s, so within this time it need not begin again. */
const STEADY_MS = 500;

const MARKS = /** @type {const} */ (["changed", "changed-again"]);

export class Highlight {
  #clock;
  /** @type {Map<Element, { mark: 0 | 1, shownMs: number, cancel: () => void }>} */
  #shown = new Map();

  /** @param {import("../live/clock.js").Clock} clock */
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

  /**
   * @param {Element} element
   * @param {0 | 1} mark
   */
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

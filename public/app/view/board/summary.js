// @ts-check
/** The summary above the board: how many pets there are, and how many do what. Each number is a link that filters. */
import { setText } from "../text.js";

export class Summary {
  #document;
  #total;

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
    this.#total = document.querySelector("[data-total]");
  }

  /**
   * @param {number} total
   * @param {(status: string) => number} count  How many pets have this status.
   */
  draw(total, count) {
    if (this.#total) setText(this.#total, total === 1 ? "1 pet" : `${total} pets`);
    // An activity that is new has a link since.
    for (const link of /** @type {NodeListOf<HTMLElement>} */ (this.#document.querySelectorAll(".find [data-status]"))) {
      const number = count(link.dataset.status ?? "");
      setText(/** @type {Element} */ (link.firstElementChild), String(number));
      // A chosen one stays, because it leads back.
      link.hidden = number === 0 && !link.hasAttribute("aria-current");
    }
  }
}

// @ts-check
/**
 * A page with some of the pets: marks those that do not match any more, and offers those that match now.
 *
 * Nothing moves under the reader's finger: the offer is a link to the same address, which the reader follows.
 */
import { setText } from "../text.js";
/** @import { PartAnswer } from "../../state/part-check.js" */

export class Part {
  #document;
  #list;
  #offer;
  #doing;
  /** Ids of the pets of the newest answer. @type {Set<string> | null} */
  #answered = null;
  /** False if a pet that is missing in the answer may be on another page. */
  #isWhole = false;

  /**
   * @param {Document} document
   * @param {string | null} doing  The status that all pets of the view have, if it has one.
   */
  constructor(document, doing) {
    this.#document = document;
    this.#list = document.querySelector("#pets");
    this.#offer = document.querySelector("#offer");
    this.#doing = doing;
  }

  /** @param {PartAnswer} answer */
  receive({ total, pets }) {
    this.#answered = new Set(pets.map(({ id }) => String(id)));
    this.#isWhole = total === pets.length;
    this.draw();
  }

  /** Compares the cards as they are drawn with the view. */
  draw() {
    const cards = /** @type {HTMLElement[]} */ ([...(this.#list?.querySelectorAll(".card[data-pet]") ?? [])]);
    let left = 0;
    for (const card of cards) {
      const hasLeft = !this.#matches(card);
      this.#mark(card, hasLeft);
      if (hasLeft) left += 1;
    }
    const shown = new Set(cards.map((card) => card.dataset.pet));
    const more = [...(this.#answered ?? [])].filter((id) => !shown.has(id)).length;
    if (!this.#offer) return;
    setText(/** @type {Element} */ (this.#offer.firstElementChild), describe(more, left));
    this.#offer.toggleAttribute("hidden", more + left === 0);
  }

  /** @param {HTMLElement} card */
  #matches({ dataset: { pet = "", status } }) {
    if (this.#doing && status !== this.#doing) return false;
    return !this.#isWhole || !this.#answered || this.#answered.has(pet);
  }

  /** @param {HTMLElement} card @param {boolean} hasLeft */
  #mark(card, hasLeft) {
    const note = card.querySelector("[data-left]");
    if (hasLeft === Boolean(note)) return;
    card.classList.toggle("left", hasLeft);
    note?.remove();
    if (!hasLeft) return;
    const text = this.#document.createElement("p");
    text.dataset.left = "";
    text.textContent = "No longer matches";
    card.querySelector(".card-who")?.append(text);
  }
}

/**
 * @param {number} more  Pets that match and are not on the page.
 * @param {number} left  Pets on the page that do not match any more.
 */
export function describe(more, left) {
  const texts = [
    more > 0 && (more === 1 ? "1 more pet matches" : `${more} more pets match`),
    left > 0 && (left === 1 ? "1 pet no longer matches" : `${left} pets no longer match`),
  ];
  return texts.filter(Boolean).join(" · ");
}

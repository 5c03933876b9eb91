// @ts-check
/**
 * The pets of a page: the cards of the index, or the single pet of a show page.
 *
 * Elements are updated in place, to keep focus, selection and scroll position. Only the index adds and removes cards; the
 * page of a removed pet shows a notice and keeps its content.
 */
import { drawPet, readPet } from "./pet.js";
/** @import { Change, Pet } from "../../petstore/board/pet.js" */
/** @import { Highlight } from "./highlight.js" */
/** @import { Times } from "./times.js" */

export class Cards {
  /** Called with the name of the pet, on its own page. @type {(name: string) => void} */
  onname = () => {};
  #document;
  #times;
  #highlight;
  #list;
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  /** Ids in ascending order, to find the place of a new card by binary search. */
  #ids;

  /**
   * @param {object} options
   * @param {Document} options.document
   * @param {Pick<Times, "draw">} options.times
   * @param {Pick<Highlight, "show">} options.highlight
   */
  constructor({ document, times, highlight }) {
    this.#document = document;
    this.#times = times;
    this.#highlight = highlight;
    this.#list = document.querySelector("#pets");
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-pet]"))) {
      this.#elements.set(element.dataset.pet ?? "", element);
    }
    this.#ids = [...this.#elements.keys()].map(Number).sort((one, other) => one - other);
  }

  /** @returns {Pet[]} The pets as the server rendered them. */
  read() {
    return [...this.#elements.values()].map(readPet);
  }

  /** @param {Change[]} changes */
  draw(changes) {
    for (const { id, after } of changes) {
      if (after) this.#put(after);
      else this.#remove(id);
    }
    this.#show("#no-pets", this.#elements.size === 0);
  }

  /** @param {Pet} pet */
  #put(pet) {
    const element = this.#elements.get(pet.id) ?? this.#add(pet.id);
    if (!element) return;
    drawPet(element, pet);
    this.#times.draw(element);
    this.#highlight.show(element);
    if (this.#list) return;
    this.#show("#gone", false);
    if (pet.name !== undefined) this.onname(pet.name);
  }

  /**
   * @param {string} id
   * @returns {HTMLElement | undefined} A blank card, in its place by id.
   */
  #add(id) {
    const template = /** @type {HTMLTemplateElement | null} */ (this.#document.querySelector("#pet-card"));
    const blank = template?.content.firstElementChild;
    if (!this.#list || !blank) return undefined;
    const card = /** @type {HTMLElement} */ (this.#document.importNode(blank, true));
    const place = this.#placeOf(id);
    this.#list.insertBefore(card, this.#elements.get(String(this.#ids[place])) ?? null);
    this.#elements.set(id, card);
    this.#ids.splice(place, 0, Number(id));
    return card;
  }

  /** Returns how many cards come before this id. @param {string} id */
  #placeOf(id) {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ids[middle] < Number(id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {string} id */
  #remove(id) {
    const element = this.#elements.get(id);
    if (!element) return;
    if (!this.#list) {
      this.#show("#gone", true);
      return;
    }
    this.#moveFocus(element);
    this.#elements.delete(id);
    this.#ids.splice(this.#placeOf(id), 1);
    element.remove();
  }

  /**
   * Lets a keyboard user continue from the neighbour of a removed card, not from the top of the page.
   * @param {HTMLElement} removed
   */
  #moveFocus(removed) {
    if (!removed.contains(this.#document.activeElement)) return;
    const neighbour = removed.nextElementSibling ?? removed.previousElementSibling;
    const target = neighbour?.querySelector("a[data-link]") ?? this.#document.querySelector("#main");
    /** @type {HTMLElement | null} */ (target)?.focus({ preventScroll: true });
  }

  /** @param {string} selector @param {boolean} isShown */
  #show(selector, isShown) {
    this.#document.querySelector(selector)?.toggleAttribute("hidden", !isShown);
  }
}

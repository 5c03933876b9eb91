// @ts-check
/**
 * The pets of a page: the cards of the index, or the one pet of a show page.
 *
 * Elements are updated where they are, so that focus, selection and scroll position stay. Only the index has a
 * list to add to and remove from; the page of a removed pet says so and keeps what it showed.
 */
import { drawPet, readPet } from "./pet.js";

/** @typedef {import("../state/difference.js").Pet} Pet */
/** @typedef {import("../state/difference.js").Change} Change */

export class Cards {
  #document;
  #since;
  #highlight;
  #title;
  #list;
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  /** The ids of the elements, ascending: where a new card belongs is found without a walk along the list. */
  #ids;

  /**
   * @param {object} parts
   * @param {Document} parts.document
   * @param {import("./times.js").Since} parts.since
   * @param {import("./highlight.js").Highlight} parts.highlight
   * @param {import("./title.js").Title} parts.title
   */
  constructor({ document, since, highlight, title }) {
    this.#document = document;
    this.#since = since;
    this.#highlight = highlight;
    this.#title = title;
    this.#list = document.querySelector("#pets");
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-pet]"))) {
      this.#elements.set(element.dataset.pet ?? "", element);
    }
    this.#ids = [...this.#elements.keys()].map(Number).sort((one, other) => one - other);
  }

  /** @returns {Pet[]} The pets as the server drew them. */
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
    this.#since.draw(element);
    this.#highlight.show(element);
    if (!this.#list) this.#drawPage(pet);
  }

  /**
   * The page of one pet is named after it, and takes back that it was removed.
   * @param {Pet} pet
   */
  #drawPage(pet) {
    this.#show("#gone", false);
    if (pet.name !== undefined) this.#title.draw(`${pet.name} · pet-store`);
  }

  /**
   * @param {string} id
   * @returns {HTMLElement | undefined} A blank card in its place by id, which is the server's order too.
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

  /** @param {string} id  @returns {number} How many cards come before it. */
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
    this.#passFocusOn(element);
    this.#elements.delete(id);
    this.#ids.splice(this.#placeOf(id), 1);
    element.remove();
  }

  /**
   * Who reads with the keyboard goes on from the neighbour, not from the top of the page.
   * @param {HTMLElement} leaving
   */
  #passFocusOn(leaving) {
    if (!leaving.contains(this.#document.activeElement)) return;
    const neighbour = leaving.nextElementSibling ?? leaving.previousElementSibling;
    const target = neighbour?.querySelector("a[data-link]") ?? this.#document.querySelector("#main");
    /** @type {HTMLElement | null} */ (target)?.focus({ preventScroll: true });
  }

  /**
   * @param {string} selector
   * @param {boolean} isShown
   */
  #show(selector, isShown) {
    this.#document.querySelector(selector)?.toggleAttribute("hidden", !isShown);
  }
}

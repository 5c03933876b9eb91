// @ts-check
/**
 * The pets of a page: the cards of the index, or the single pet of a show page.
 *
 * Changes are put here as they arrive and drawn together: the last state of a pet wins. Elements are updated in place, to
 * keep focus, selection and scroll position. Only the index adds and removes cards; the page of a removed pet shows a
 * notice and keeps its content.
 */
import { PetElement } from "./pet.js";
/** @import { Change, Pet } from "../../petstore/board/pet.js" */
/** @import { Highlight } from "./highlight.js" */
/** @import { InView } from "./in-view.js" */
/** @import { Times } from "./times.js" */

export class Cards {
  #document;
  #times;
  #highlight;
  #inView;
  #list;
  #noPets;
  #gone;
  /** @type {Map<string, PetElement>} */
  #elements = new Map();
  /** Ids in ascending order, to find the place of a new card by binary search. */
  #ids;
  /** The pets to draw, by id; null for a pet that was removed. @type {Map<string, Pet | null>} */
  #waiting = new Map();

  /**
   * @param {object} options
   * @param {Document} options.document
   * @param {Pick<Times, "set">} options.times
   * @param {Pick<Highlight, "show" | "hide">} options.highlight
   * @param {Pick<InView, "add" | "remove" | "has">} options.inView
   */
  constructor({ document, times, highlight, inView }) {
    this.#document = document;
    this.#times = times;
    this.#highlight = highlight;
    this.#inView = inView;
    this.#list = document.querySelector("#pets");
    this.#noPets = document.querySelector("#no-pets");
    this.#gone = document.querySelector("#gone");
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-pet]"))) {
      this.#own(new PetElement(element), element.dataset.pet ?? "");
    }
    this.#ids = [...this.#elements.keys()].map(Number).sort((one, other) => one - other);
  }

  /** The pets as they are drawn. @returns {Pet[]} */
  read() {
    return [...this.#elements.values()].map(({ pet }) => pet);
  }

  /** Returns true for a pet of the page. @param {string} id */
  has(id) {
    return this.#elements.has(id);
  }

  /** Returns true if some pets are not drawn yet. */
  get isWaiting() {
    return this.#waiting.size > 0;
  }

  /**
   * @param {Change[]} changes  To draw with the next call of `draw` or `drawAll`.
   * @returns {boolean} True if `draw` would draw some of them.
   */
  put(changes) {
    let isInView = false;
    for (const { id, after } of changes) {
      this.#waiting.set(id, after ?? null);
      isInView ||= this.#isDue(id, after);
    }
    return isInView;
  }

  /** Draws what is in view, and the cards that come and go. */
  draw() {
    for (const [id, pet] of this.#waiting) {
      if (!this.#isDue(id, pet)) continue;
      this.#waiting.delete(id);
      this.#drawOne(id, pet);
    }
  }

  /** Draws what is out of view too, for search in the page and for screen readers. */
  drawAll() {
    for (const [id, pet] of this.#waiting) this.#drawOne(id, pet);
    this.#waiting.clear();
  }

  /** Returns true for a card in view, and for one that comes or goes. @param {string} id @param {Pet | null} [pet] */
  #isDue(id, pet) {
    const shown = this.#elements.get(id);
    return !shown || !pet || this.#inView.has(shown.element);
  }

  /** @param {string} id @param {Pet | null} pet */
  #drawOne(id, pet) {
    if (!pet) return this.#remove(id);
    const shown = this.#elements.get(id) ?? this.#add(id);
    if (!shown) return;
    shown.draw(pet, this.#times);
    if (this.#inView.has(shown.element)) this.#highlight.show(shown.element);
    if (!this.#list) this.#gone?.setAttribute("hidden", "");
  }

  /**
   * @param {string} id
   * @returns {PetElement | undefined} A blank card, in its place by id.
   */
  #add(id) {
    const template = /** @type {HTMLTemplateElement | null} */ (this.#document.querySelector("#pet-card"));
    const blank = template?.content.firstElementChild;
    if (!this.#list || !blank) return undefined;
    const card = /** @type {HTMLElement} */ (this.#document.importNode(blank, true));
    const place = this.#placeOf(id);
    this.#list.insertBefore(card, this.#elements.get(String(this.#ids[place]))?.element ?? null);
    this.#ids.splice(place, 0, Number(id));
    this.#noPets?.setAttribute("hidden", "");
    return this.#own(new PetElement(card), id);
  }

  /** @param {PetElement} shown @param {string} id */
  #own(shown, id) {
    this.#elements.set(id, shown);
    this.#inView.add(shown.element);
    return shown;
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
    const element = this.#elements.get(id)?.element;
    if (!element) return;
    if (!this.#list) {
      this.#gone?.removeAttribute("hidden");
      return;
    }
    this.#moveFocus(element);
    this.#elements.delete(id);
    this.#ids.splice(this.#placeOf(id), 1);
    this.#inView.remove(element);
    this.#highlight.hide(element);
    element.remove();
    if (this.#elements.size === 0) this.#noPets?.removeAttribute("hidden");
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
}

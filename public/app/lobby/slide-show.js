// @ts-check
/**
 * Shows a slide: hides the cards of the other pets, and loads the photos of the next one.
 *
 * The screen shows all cards instead, and can be scrolled, where nothing may move or where it is too small for a slide.
 */
import { setText } from "../view/text.js";
/** @import { Slides } from "./slides.js" */

export class SlideShow {
  #slides;
  #isAllowed;
  #list;
  #position;
  #pause;

  /**
   * @param {object} options
   * @param {ParentNode} options.document
   * @param {Slides} options.slides
   * @param {{ readonly matches: boolean }} options.isAllowed  The media query that a slide show needs.
   */
  constructor({ document, slides, isAllowed }) {
    this.#slides = slides;
    this.#isAllowed = isAllowed;
    this.#list = /** @type {HTMLElement | null} */ (document.querySelector("#pets"));
    this.#position = document.querySelector("#slide");
    this.#pause = document.querySelector("#pause");
  }

  /** Draws the current slide, also after cards came or went. */
  draw() {
    const cards = [...(this.#list?.children ?? [])];
    const { from, to, places, isOnly } = this.#slides.current(cards.length);
    const isSlide = isOnly || this.#isAllowed.matches;
    for (const [at, card] of cards.entries()) card.toggleAttribute("hidden", isSlide && (at < from || at >= to));
    const next = isOnly ? [] : to < cards.length ? cards.slice(to, to + places) : cards.slice(0, places);
    for (const image of next.flatMap((card) => [...card.querySelectorAll("img")])) image.loading = "eager";
    this.#setPlaces(isSlide && places > 0 ? String(places) : undefined);
    this.#pause?.toggleAttribute("hidden", isOnly || !isSlide);
    const range = isSlide ? `${from + 1}–${to} of ${cards.length}` : `${cards.length} pets`;
    const text = isSlide && this.#slides.isPaused ? `${range}, paused` : range;
    if (this.#position) setText(this.#position, isOnly ? "" : text);
  }

  /** @param {string | undefined} places */
  #setPlaces(places) {
    const { dataset } = this.#list ?? {};
    if (!dataset || dataset.places === places) return;
    if (places === undefined) delete dataset.places;
    else dataset.places = places;
  }
}

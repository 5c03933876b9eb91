// @ts-check
/**
 * How far the page can be believed, wherever that shows: the line at the top in words, the body for the look of the
 * pets, and the title for who has the tab in the background. Shapes and colours follow by CSS.
 */
import { setText } from "./text.js";

export class ConnectionLine {
  #element;
  #text;
  #body;
  #title;

  /**
   * @param {object} parts
   * @param {Document} parts.document
   * @param {import("./title.js").Title} parts.title
   */
  constructor({ document, title }) {
    this.#element = /** @type {HTMLElement | null} */ (document.querySelector("#connection"));
    this.#text = document.querySelector("#connection-text");
    this.#body = document.body;
    this.#title = title;
  }

  /** @param {import("../state/connection-status.js").Line} line */
  draw({ state, freshness, text, age }) {
    if (this.#element) setData(this.#element, "state", state);
    setData(this.#body, "freshness", freshness);
    this.#title.mark(freshness === "stale");
    if (this.#text) setText(this.#text, age ? `${text} · ${age}` : text);
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {string} value  Set only where it differs: styles are worked out anew after each.
 */
function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

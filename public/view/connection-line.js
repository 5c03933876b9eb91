// @ts-check
/** The line at the top that says how far the page can be believed. Shape and colour follow from `data-state`. */
import { setText } from "./text.js";

export class ConnectionLine {
  #element;
  #text;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#element = /** @type {HTMLElement | null} */ (root.querySelector("#connection"));
    this.#text = root.querySelector("#connection-text");
  }

  /** @param {import("../state/freshness.js").Line} line */
  draw({ state, text }) {
    if (this.#element && this.#element.dataset.state !== state) this.#element.dataset.state = state;
    if (this.#text) setText(this.#text, text);
  }
}

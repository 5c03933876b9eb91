// @ts-check
/**
 * Shows the connection status: as text at the top, on the body for the look of the pets, and in the title for a background
 * tab. Shapes and colours follow by CSS.
 */
import { setText } from "./text.js";
/** @import { Status } from "../state/connection-status.js" */
/** @import { Title } from "./title.js" */

export class StatusLine {
  #element;
  #text;
  #details;
  #detailsText = "";
  #body;
  #title;

  /**
   * @param {object} options
   * @param {Document} options.document
   * @param {Title} options.title
   */
  constructor({ document, title }) {
    this.#element = /** @type {HTMLElement | null} */ (document.querySelector("#connection"));
    this.#text = document.querySelector("#connection-text");
    this.#details = /** @type {HTMLDetailsElement | null} */ (document.querySelector("#connection-details"));
    this.#details?.addEventListener("toggle", () => this.#drawDetails());
    this.#body = document.body;
    this.#title = title;
  }

  /** @param {Status} status */
  draw({ state, freshness, text, details = "", transport }) {
    if (this.#element) {
      setData(this.#element, "state", state);
      setData(this.#element, "transport", transport ?? "");
    }
    setData(this.#body, "freshness", freshness);
    this.#title.setOffline(freshness === "stale");
    if (this.#text) setText(this.#text, text);
    this.#detailsText = details;
    this.#details?.toggleAttribute("hidden", details === "");
    this.#drawDetails();
  }

  /** The details change every second, so they are drawn only while they are open. */
  #drawDetails() {
    const place = this.#details?.open && this.#details.querySelector("span");
    if (place) setText(place, this.#detailsText);
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {string} value  Set only if it differs: every set recalculates styles.
 */
function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

// @ts-check
/** The status of one pet as icon and text. */
import { statusText } from "../board/pet.js";
import { createPart } from "./part.js";

const SVG = "http://www.w3.org/2000/svg";

/** The icons as paths in a square of 16: a bowl, a drop, the moon, and a star. @type {Record<string, string>} */
const ICONS = {
  eating: "M4 7a4 4 0 0 1 8 0zM1 8h14c0 4-3 6-7 6s-7-2-7-6z",
  bathing: "M8 1c3 4 5 6 5 9a5 5 0 0 1-10 0c0-3 2-5 5-9z",
  sleeping: "M6 1a7 7 0 1 0 9 9 6 6 0 0 1-9-9z",
  playing: "M8 1l2 5 5 .5-4 3.500 1 5-4-2.500-4 2.500 1-5-4-3.500 5-.5z",
};

export class Badge {
  element = createPart("span", "status");
  #path = document.createElementNS(SVG, "path");
  #text = createPart("span", "text");
  /** @type {string | undefined} */
  #status;

  constructor() {
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 16 16");
    icon.setAttribute("part", "icon");
    icon.setAttribute("aria-hidden", "true");
    icon.append(this.#path);
    this.element.hidden = true;
    this.element.append(icon, this.#text);
  }

  clear() {
    this.#status = undefined;
    this.element.hidden = true;
  }

  /** @param {string | undefined} status  Undefined for a pet that is not on the board. */
  draw(status = "gone") {
    if (status === this.#status) return;
    const isChange = this.#status !== undefined;
    this.#status = status;
    this.element.hidden = false;
    this.element.dataset.status = status;
    this.#path.setAttribute("d", ICONS[status] ?? "");
    this.#text.textContent = status === "gone" ? "Not listed" : statusText(status);
    if (isChange && matchMedia("(prefers-reduced-motion: no-preference)").matches) {
      this.element.animate({ transform: ["scale(1.1)", "none"], opacity: [0.5, 1] }, 400);
    }
  }
}

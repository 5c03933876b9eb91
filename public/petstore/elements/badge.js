// @ts-check
/** The status of one pet as icon and text. */
import { statusText } from "../board/pet.js";
import { createPart } from "./part.js";

const SVG = "http://www.w3.org/2000/svg";

/** The icons as paths in a square of 16: a bowl, a drop, the moon, and a star. @type {Record<string, string>} */
const ICONS = {
  eating: "M1 8h14a7 7 0 0 1-14 0z",
  bathing: "M8 1c7 9 4 14 0 14s-7-5 0-14z",
  sleeping: "M6 1a7 7 0 1 0 9 9 6 6 0 0 1-9-9z",
  playing: "M8 1l2 5h5l-4 4 2 5-5-3-5 3 2-5-4-4h5z",
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

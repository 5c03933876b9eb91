// @ts-check
/**
 * The buttons that set a status without leaving the page, and the line that shows whether it was saved. Without JavaScript
 * they are an ordinary form.
 */
import { setText } from "./text.js";
/** @import { Shown } from "../state/saves.js" */

export class StatusButtons {
  /** @type {(pet: string, status: string) => void} */
  onset = () => {};
  /** @type {(pet: string) => void} */
  onundo = () => {};
  #document;

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
  }

  start() {
    this.#document.addEventListener("submit", this.#onsubmit);
    this.#document.addEventListener("click", this.#onclick);
  }

  stop() {
    this.#document.removeEventListener("submit", this.#onsubmit);
    this.#document.removeEventListener("click", this.#onclick);
  }

  /** @param {string} pet @param {Shown | null} shown */
  draw(pet, shown) {
    const element = this.#document.querySelector(`[data-pet="${CSS.escape(pet)}"]`);
    const line = /** @type {HTMLElement | null} */ (element?.querySelector("[data-saved]")) ?? (element && this.#addLine(element));
    const text = line?.querySelector("[data-saved-text]");
    const undo = line?.querySelector("[data-undo]");
    if (!element || !line || !text || !undo) return;
    const hadFocus = undo === this.#document.activeElement;
    if (shown) line.dataset.state = shown.phase;
    line.toggleAttribute("hidden", shown === null);
    setText(text, shown?.text ?? "");
    undo.toggleAttribute("hidden", !shown?.canUndo);
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (element.querySelectorAll('[name="status"]'))) {
      const isBusy = shown?.phase === "saving" && shown.status === button.value;
      if (isBusy) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    }
    // A keyboard user continues from the button, not from the top of the page.
    if (hadFocus && !shown?.canUndo) buttonOf(element, shown?.status)?.focus({ preventScroll: true });
  }

  /** A card gets its line with its first save. @param {Element} card @returns {HTMLElement | null} */
  #addLine(card) {
    const template = /** @type {HTMLTemplateElement | null} */ (this.#document.querySelector("#saved"));
    const blank = template?.content.firstElementChild;
    const place = card.querySelector(".card-who");
    return place && blank ? place.appendChild(/** @type {HTMLElement} */ (this.#document.importNode(blank, true))) : null;
  }

  #onsubmit = (/** @type {Event} */ event) => {
    const form = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLButtonElement | null} */ (/** @type {SubmitEvent} */ (event).submitter);
    const pet = button ? petOf(button) : undefined;
    if (!form.matches("[data-set-status]") || !button || pet === undefined) return;
    event.preventDefault();
    this.onset(pet, button.value);
  };

  #onclick = (/** @type {Event} */ event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-undo]");
    const pet = button ? petOf(button) : undefined;
    if (pet !== undefined) this.onundo(pet);
  };
}

/** @param {Element} element */
function petOf(element) {
  return /** @type {HTMLElement | null} */ (element.closest("[data-pet]"))?.dataset.pet;
}

/**
 * @param {Element} element  A pet.
 * @param {string} [status]  Default: the current status of the pet.
 * @returns {HTMLElement | null}
 */
function buttonOf(element, status) {
  const filter = status ? `[value="${CSS.escape(status)}"]` : '[aria-pressed="true"]';
  return element.querySelector(`[name="status"]${filter}`) ?? element.querySelector('[name="status"]');
}

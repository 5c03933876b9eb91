// @ts-check
/**
 * The selection of pets on the board, whose status is set together. Without JavaScript it is an ordinary form.
 *
 * Adds what the form cannot do alone: the number of selected pets, and "Select all" for the cards that are there now.
 */
import { setText } from "../text.js";

export class Selection {
  #document;
  /** @type {HTMLFormElement | null} */
  #form = null;
  /** @type {HTMLInputElement | null} */
  #all = null;
  /** Selects the pets of other pages too. @type {HTMLInputElement | null} */
  #matching = null;
  /** Observes cards that come and go. */
  #cards = new MutationObserver(() => {
    this.#nameBoxes();
    this.#count();
  });

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
  }

  start() {
    const bar = this.#document.querySelector("[data-bulk]");
    this.#form = bar?.closest("form") ?? null;
    this.#all = this.#form?.querySelector("[data-select-all]") ?? null;
    this.#matching = this.#form?.querySelector("[data-select-matching]") ?? null;
    if (!this.#form) return;
    // The cards say what is selected. The list of the server does not have the pets that came later.
    this.#all?.removeAttribute("name");
    this.#form.addEventListener("change", this.#onchange);
    this.#form.addEventListener("reset", this.#onreset);
    const list = this.#form.querySelector("#pets");
    if (list) this.#cards.observe(list, { childList: true });
    this.#nameBoxes();
    this.#count();
  }

  stop() {
    this.#form?.removeEventListener("change", this.#onchange);
    this.#form?.removeEventListener("reset", this.#onreset);
    this.#cards.disconnect();
  }

  #onchange = (/** @type {Event} */ event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    if (target.type !== "checkbox") return;
    if (target === this.#all || target === this.#matching) for (const box of this.#boxes()) box.checked = target.checked;
    if (this.#matching && !target.checked) this.#matching.checked = false;
    this.#count();
  };

  /** The boxes are reset after the event. */
  #onreset = () => this.#draw(0, this.#boxes().length);

  /** Shows the boxes of cards that the page has added: they are hidden copies, without the id of their pet. */
  #nameBoxes() {
    for (const label of this.#form?.querySelectorAll(".select[hidden]") ?? []) {
      const id = label.closest("[data-pet]")?.getAttribute("data-pet");
      label.querySelector("input")?.setAttribute("value", id ?? "");
      label.removeAttribute("hidden");
    }
  }

  #count() {
    const boxes = this.#boxes();
    this.#draw(boxes.filter((box) => box.checked).length, boxes.length);
  }

  /** @param {number} count @param {number} total */
  #draw(count, total) {
    const text = this.#form?.querySelector("[data-bulk-count]");
    const all = this.#matching?.checked && count ? this.#matching.dataset.selectMatching : "";
    if (text) setText(text, all || (count === 1 ? "1 pet selected" : `${count} pets selected`));
    if (!this.#all) return;
    this.#all.checked = count > 0 && count === total;
    this.#all.indeterminate = count > 0 && count < total;
  }

  /** @returns {HTMLInputElement[]} */
  #boxes() {
    return [...(this.#form?.querySelectorAll('label:not([hidden]) > input[name="pet"]') ?? [])].map((box) => /** @type {HTMLInputElement} */ (box));
  }
}

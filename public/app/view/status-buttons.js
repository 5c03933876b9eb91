// @ts-check
/**
 * The buttons that set a status without leaving the page, the form that sets one with a note or an earlier start, and the
 * line that shows whether it was saved. Without JavaScript they are ordinary forms.
 */
import { setText } from "./text.js";
/** @import { Shown } from "../state/saves.js" */
/** @import { Edit } from "../server/commands.js" */
/** @typedef {Record<"status" | "note" | "note_before" | "minutes_ago" | "began", HTMLInputElement>} Fields */

export class StatusButtons {
  /** @type {(pet: string, status: string, edit?: Edit) => void} */
  onset = () => {};
  /** @type {(pet: string) => void} */
  onundo = () => {};
  #document;
  /** The form whose status is being saved. @type {HTMLFormElement | null} */
  #sent = null;

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
  }

  start() {
    this.#document.addEventListener("submit", this.#onsubmit);
    this.#document.addEventListener("click", this.#onclick);
    this.#document.addEventListener("toggle", this.#ontoggle, true);
  }

  stop() {
    this.#document.removeEventListener("submit", this.#onsubmit);
    this.#document.removeEventListener("click", this.#onclick);
    this.#document.removeEventListener("toggle", this.#ontoggle, true);
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
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (element.querySelectorAll('button[name="status"]'))) {
      const isBusy = shown?.phase === "saving" && shown.status === button.value;
      if (isBusy) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    }
    if (shown && shown.phase !== "saving") this.#close(shown.phase);
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
    if (form.matches("[data-status-form]")) return this.#sendForm(event, /** @type {HTMLFormElement} */ (form));
    if (!form.matches("[data-set-status]") || !button || pet === undefined) return;
    event.preventDefault();
    // The buttons of a row are behind its status.
    const disclosure = button.closest("details");
    disclosure?.removeAttribute("open");
    disclosure?.querySelector("summary")?.focus({ preventScroll: true });
    this.onset(pet, button.value);
  };

  /** A time of day is one of the rescue's time zone: the page of the server reads it. @param {Event} event @param {HTMLFormElement} form */
  #sendForm(event, form) {
    const { status, note, note_before, minutes_ago, began } = fieldsOf(form);
    const pet = petOf(form);
    if (pet === undefined || began?.value) return;
    event.preventDefault();
    /** @type {Edit} */
    const edit = {};
    // A note that was not edited is that of the status: somebody else may have edited it since.
    if (note.value !== note_before.value || status.value !== statusOf(form)) edit.note = note.value;
    if (minutes_ago.value) edit.minutes_ago = Number(minutes_ago.value);
    this.#sent = form;
    this.onset(pet, status.value, edit);
  }

  /** Closes the form that was saved. One that was refused stays as it is. @param {string} phase */
  #close(phase) {
    const form = this.#sent;
    this.#sent = null;
    if (!form || phase === "failed") return;
    const { note, note_before, minutes_ago } = fieldsOf(form);
    const disclosure = form.closest("details");
    const hadFocus = form.contains(this.#document.activeElement);
    note_before.value = note.value;
    minutes_ago.value = "";
    disclosure?.removeAttribute("open");
    if (hadFocus) disclosure?.querySelector("summary")?.focus({ preventScroll: true });
  }

  /** A form that is opened, and that nobody has edited, begins with the status that is shown now. */
  #ontoggle = (/** @type {Event} */ event) => {
    const disclosure = /** @type {HTMLDetailsElement} */ (event.target);
    const form = /** @type {HTMLFormElement | null} */ (disclosure.querySelector("[data-status-form]"));
    if (!form || !disclosure.open) return;
    const { status, note, note_before, minutes_ago, began } = fieldsOf(form);
    if (note.value !== note_before.value || minutes_ago.value || began?.value) return;
    const shown = form.closest("[data-pet]")?.querySelector('[data-field="note"]')?.textContent ?? "";
    note.value = note_before.value = shown;
    const now = statusOf(form);
    if ([.../** @type {any} */ (status).options].some(({ value }) => value === now)) status.value = now;
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

/** The status of the pet that a form belongs to. @param {Element} form */
function statusOf(form) {
  return /** @type {HTMLElement | null} */ (form.closest("[data-pet]"))?.dataset.status ?? "";
}

/** @param {HTMLFormElement} form */
function fieldsOf(form) {
  return /** @type {Fields} */ (/** @type {unknown} */ (form.elements));
}

/**
 * @param {Element} element  A pet.
 * @param {string} [status]  Default: the current status of the pet.
 * @returns {HTMLElement | null}
 */
function buttonOf(element, status) {
  const filter = status ? `[value="${CSS.escape(status)}"]` : '[aria-pressed="true"]';
  return element.querySelector(`.row-status > summary, button[name="status"]${filter}`) ?? element.querySelector('button[name="status"]');
}

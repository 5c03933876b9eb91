// @ts-check
/**
 * The element of one pet: reads what the server rendered, and draws what has changed.
 *
 * Icon and colours follow from `data-status` by CSS. A field may be shown in several places.
 */
import { statusText } from "../../petstore/board/pet.js";
import { setText } from "./text.js";
/** @import { Pet } from "../../petstore/board/pet.js" */

/** Fields whose values are keywords, which are shown with a capital letter. */
const WORDS = new Set(["sex", "status"]);

/**
 * @param {HTMLElement} element
 * @returns {Pet} The fields that this page shows.
 */
export function readPet(element) {
  /** @type {Pet} */
  const pet = { id: element.dataset.pet ?? "" };
  for (const place of fieldsOf(element)) {
    const field = place.dataset.field ?? "";
    const text = place.textContent ?? "";
    pet[field] ??= WORDS.has(field) ? text.toLowerCase() : text;
  }
  pet.status = element.dataset.status ?? pet.status;
  pet.since = element.querySelector("time[data-since]")?.getAttribute("datetime") ?? undefined;
  return pet;
}

/**
 * Draws the known fields; the others stay as they are.
 * @param {HTMLElement} element
 * @param {Pet} pet
 */
export function drawPet(element, pet) {
  element.dataset.pet = pet.id;
  if (pet.status !== undefined) drawStatus(element, pet.status);
  for (const place of fieldsOf(element)) {
    const field = place.dataset.field ?? "";
    const value = pet[field];
    if (value !== undefined) setText(place, WORDS.has(field) ? statusText(value) : value);
  }
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-row]"))) {
    const value = pet[row.dataset.row ?? ""];
    if (value !== undefined) row.toggleAttribute("hidden", value === "");
  }
  if (pet.since !== undefined) element.querySelector("time[data-since]")?.setAttribute("datetime", pet.since);
  element.querySelector("a[data-link]")?.setAttribute("href", `/pets/${encodeURIComponent(pet.id)}`);
}

/**
 * @param {HTMLElement} element
 * @returns {NodeListOf<HTMLElement>} The elements that show a field of the pet.
 */
function fieldsOf(element) {
  return element.querySelectorAll("[data-field]");
}

/** @param {HTMLElement} element @param {string} status */
function drawStatus(element, status) {
  element.dataset.status = status;
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (element.querySelectorAll('[name="status"]'))) {
    button.setAttribute("aria-pressed", String(button.value === status));
  }
}

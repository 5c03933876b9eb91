// @ts-check
/**
 * One pet's element: reads what the server drew, and draws what has changed.
 *
 * Icon and colours follow from `data-status` by CSS alone. A field may be shown in several places.
 */
import { statusText } from "../state/status-text.js";
import { setText } from "./text.js";

/** @typedef {import("../state/difference.js").Pet} Pet */

/** The fields shown as text; `since` has its own element. */
const TEXT_FIELDS = /** @type {const} */ (["name", "species", "breed", "sex", "age", "about", "status"]);

/** Fields whose values are words of the protocol and are shown with a capital. */
const WORDS = new Set(["sex", "status"]);

/**
 * @param {HTMLElement} element
 * @returns {Pet} With the fields that this page shows.
 */
export function readPet(element) {
  /** @type {Pet} */
  const pet = { id: element.dataset.pet ?? "" };
  for (const field of TEXT_FIELDS) {
    const text = element.querySelector(`[data-field="${field}"]`)?.textContent ?? undefined;
    if (text !== undefined) pet[field] = WORDS.has(field) ? text.toLowerCase() : text;
  }
  pet.status = element.dataset.status ?? pet.status;
  pet.since = element.querySelector("time[data-since]")?.getAttribute("datetime") ?? undefined;
  return pet;
}

/**
 * Draws the fields that are known; the others stay as they are.
 * @param {HTMLElement} element
 * @param {Pet} pet
 */
export function drawPet(element, pet) {
  element.dataset.pet = pet.id;
  if (pet.status !== undefined) drawStatus(element, pet.status);
  for (const field of TEXT_FIELDS) {
    const value = pet[field];
    if (value !== undefined) drawField(element, field, WORDS.has(field) ? statusText(value) : value);
  }
  if (pet.since !== undefined) element.querySelector("time[data-since]")?.setAttribute("datetime", pet.since);
  element.querySelector("a[data-link]")?.setAttribute("href", `/pets/${encodeURIComponent(pet.id)}`);
}

/**
 * @param {HTMLElement} element
 * @param {string} status
 */
function drawStatus(element, status) {
  element.dataset.status = status;
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (element.querySelectorAll('[name="status"]'))) {
    button.setAttribute("aria-pressed", String(button.value === status));
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} field
 * @param {string} text  Empty hides the rows of the field.
 */
function drawField(element, field, text) {
  for (const place of element.querySelectorAll(`[data-field="${field}"]`)) setText(place, text);
  for (const row of element.querySelectorAll(`[data-row="${field}"]`)) row.toggleAttribute("hidden", text === "");
}

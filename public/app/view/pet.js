// @ts-check
/**
 * The element of one pet: reads what the server rendered, and draws what has changed.
 *
 * Icon and colours follow from `data-status` by CSS. A field may be shown in several places. They are looked up once, because
 * a busy board draws many pets in each frame.
 */
import { drawField, readField } from "./field.js";
import { drawPhotos } from "./photos.js";
import { basePath } from "../page/site.js";
/** @import { Pet } from "../../petstore/board/pet.js" */
/** @import { Times } from "./times.js" */

const PLACES = '[data-field], [data-row], [data-photos], time[data-since], a[data-link], [aria-pressed]';

export class PetElement {
  element;
  /** @type {{ place: HTMLElement, field: string }[]} */
  #fields = [];
  /** Parts that are hidden without a value. @type {{ place: HTMLElement, field: string }[]} */
  #rows = [];
  /** @type {HTMLElement | null} */
  #photos = null;
  /** @type {HTMLButtonElement[]} */
  #buttons = [];
  /** @type {Element | null} */
  #time = null;
  /** @type {Element | null} */
  #link = null;
  /** The pet as it is drawn. @type {Pet} */
  #pet;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    for (const place of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll(PLACES))) {
      const { field, row, photos } = place.dataset;
      if (photos !== undefined) this.#photos ??= place;
      else if (field !== undefined) this.#fields.push({ place, field });
      else if (row !== undefined) this.#rows.push({ place, field: row });
      else if (place.matches("time")) this.#time ??= place;
      else if (place.matches("a")) this.#link ??= place;
      else this.#buttons.push(/** @type {HTMLButtonElement} */ (place));
    }
    this.#pet = this.#read();
  }

  /** The fields that this page shows. */
  get pet() {
    return this.#pet;
  }

  /**
   * Draws the known fields; the others stay as they are.
   * @param {Pet} pet
   * @param {Pick<Times, "set">} times
   */
  draw(pet, times) {
    const before = this.#pet;
    this.#pet = pet;
    if (pet.id !== before.id) this.#drawId(pet.id);
    if (pet.status !== undefined && pet.status !== before.status) this.#drawStatus(pet.status);
    for (const { place, field } of this.#fields) {
      const value = pet[field];
      if (value !== undefined && value !== before[field]) drawField(place, value);
    }
    for (const { place, field } of this.#rows) {
      const value = pet[field];
      if (value !== undefined && value !== before[field]) place.toggleAttribute("hidden", value === "");
    }
    if (this.#photos && pet.photos !== undefined && pet.photos !== before.photos) drawPhotos(this.#photos, pet.photos);
    if (this.#time && pet.since !== undefined && pet.since !== before.since) times.set(this.#time, pet.since);
  }

  /** @returns {Pet} */
  #read() {
    const { dataset } = this.element;
    /** @type {Pet} */
    const pet = { id: dataset.pet ?? "" };
    for (const { place, field } of this.#fields) pet[field] ??= readField(place);
    pet.status = dataset.status ?? pet.status;
    pet.since = this.#time?.getAttribute("data-since") ?? undefined;
    return pet;
  }

  /** @param {string} id */
  #drawId(id) {
    this.element.dataset.pet = id;
    const path = `${basePath()}/pets/${id}`;
    this.#link?.setAttribute("href", path);
    for (const button of this.#buttons) button.setAttribute("formaction", `${path}/status`);
  }

  /** @param {string} status */
  #drawStatus(status) {
    this.element.dataset.status = status;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.value === status));
  }
}

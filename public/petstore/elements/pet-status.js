// @ts-check
/** `<pet-status pet="7">`: what one pet is doing, beside the link that is the content of the element. */
import { checkPets } from "../watch-options.js";
import { Badge } from "./badge.js";
import { LiveElement } from "./live-element.js";
import { PetLink } from "./pet-link.js";
/** @import { Watch } from "../watch.js" */

export class PetStatus extends LiveElement {
  #link = new PetLink();
  #badge = new Badge();

  constructor() {
    super();
    const slot = document.createElement("slot");
    // Shown if the element is empty.
    slot.append(this.#link.element);
    this.root.append(slot, this.#badge.element, this.asOf.element);
  }

  get petId() {
    return checkPets([this.getAttribute("pet")])[0];
  }

  clear() {
    this.#badge.clear();
    this.#link.element.textContent = "";
    this.removeAttribute("status");
  }

  /** @param {Watch} watch */
  draw(watch) {
    const id = this.petId;
    const pet = watch.board.get(id);
    if (pet) this.#link.draw(this.site, pet);
    this.#badge.draw(pet?.status);
    this.setAttribute("status", pet?.status ?? "gone");
    this.internals.ariaLabel = this.textContent?.trim() || pet?.name || null;
  }
}

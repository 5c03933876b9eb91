// @ts-check
/** A link to the page of a pet. */
import { createPart } from "./part.js";
/** @import { Pet } from "../board/pet.js" */

export class PetLink {
  element = createPart("a", "name");

  /** @param {string} site  Of the server. @param {Pet} pet */
  draw(site, { id, name = "" }) {
    this.element.href = `${site}/pets/${id}`;
    if (this.element.textContent !== name) this.element.textContent = name;
  }
}

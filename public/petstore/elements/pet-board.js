// @ts-check
/** `<pet-board>`: every pet of a server, below the link that is the content of the element. */
import { Badge } from "./badge.js";
import { LiveElement } from "./live-element.js";
import { createPart } from "./part.js";
import { PetLink } from "./pet-link.js";
/** @import { Pet } from "../board/pet.js" */
/** @import { Watch } from "../watch.js" */

export class PetBoard extends LiveElement {
  #list = createPart("ul", "list");
  /** @type {Map<string, Row>} By id. */
  #rows = new Map();

  constructor() {
    super();
    this.root.append(document.createElement("slot"), this.asOf.element, this.#list);
    this.internals.ariaLabel = "Pets";
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  /** @param {Watch} watch */
  draw({ board }) {
    for (const [id, row] of this.#rows) {
      if (board.get(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const pet of board) {
      const row = this.#rows.get(pet.id) ?? new Row();
      row.draw(pet, this.site);
      if (this.#rows.has(pet.id)) continue;
      this.#rows.set(pet.id, row);
      this.#list.append(row.element);
    }
  }
}

/** A pet of the list. */
class Row {
  element = createPart("li", "item");
  #link = new PetLink();
  #badge = new Badge();
  /** @type {Pet | undefined} */
  #pet;

  constructor() {
    this.element.append(this.#link.element, this.#badge.element);
  }

  /** @param {Pet} pet  Another object after each change. @param {string} site */
  draw(pet, site) {
    if (pet === this.#pet) return;
    this.#pet = pet;
    this.#link.draw(site, pet);
    this.#badge.draw(pet.status);
  }
}

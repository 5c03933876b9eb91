// @ts-check
/**
 * Holds changes back from the page while the board still receives them. Resuming draws the net result: a pet that changed
 * five times changes once.
 */
import { difference } from "../../petstore/board/pet.js";
/** @import { Change, Pet } from "../../petstore/board/pet.js" */

export class Pause {
  #board;
  /** @type {Map<string, Pet> | null} The pets as drawn, while paused. */
  #drawn = null;

  /** @param {{ readonly pets: ReadonlyMap<string, Pet> }} board */
  constructor(board) {
    this.#board = board;
  }

  pause() {
    this.#drawn ??= new Map(this.#board.pets);
  }

  /** @returns {Change[]} The changes to draw now. */
  resume() {
    const drawn = this.#drawn;
    this.#drawn = null;
    return drawn ? difference(drawn, this.#board.pets) : [];
  }

  /**
   * @param {Change[]} changes
   * @returns {Change[]} The changes to draw now: none while paused.
   */
  filter(changes) {
    return this.#drawn ? [] : changes;
  }
}

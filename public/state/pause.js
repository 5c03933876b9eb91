// @ts-check
/**
 * Holds back what would be drawn, while changes keep coming into the board. Resuming draws what it all came to:
 * a pet that changed five times changes once.
 */
import { difference } from "./difference.js";

/** @typedef {import("./difference.js").Pet} Pet */
/** @typedef {import("./difference.js").Change} Change */

export class Pause {
  #board;
  /** @type {Map<string, Pet> | null} What is drawn while paused. */
  #drawn = null;

  /** @param {{ readonly pets: ReadonlyMap<string, Pet> }} board */
  constructor(board) {
    this.#board = board;
  }

  get isPaused() {
    return this.#drawn !== null;
  }

  pause() {
    this.#drawn ??= new Map(this.#board.pets);
  }

  /** @returns {Change[]} What to draw now. */
  resume() {
    const drawn = this.#drawn;
    this.#drawn = null;
    return drawn ? difference(drawn, this.#board.pets) : [];
  }

  /**
   * @param {Change[]} changes
   * @returns {Change[]} What of them to draw now.
   */
  pass(changes) {
    return this.isPaused ? [] : changes;
  }
}

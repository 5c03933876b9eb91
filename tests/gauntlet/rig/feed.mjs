/**
 * Changes, one after the other at an even pace: the pets take turns, and each change gives its pet a status that it
 * does not have.
 */

const STATUSES = ["eating", "bathing", "sleeping", "playing"];

export const CHANGES_EVERY_MS = 100;

export class Feed {
  #set;
  #pets;
  #turn = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {Set<Promise<unknown>>} Changes that were asked for and not yet answered. */
  #asked = new Set();
  /** @type {unknown} */
  #failure;

  /**
   * @param {(pet: number, status: string) => Promise<unknown>} set
   * @param {number} pets  With the ids from 1 on.
   */
  constructor(set, pets) {
    this.#set = set;
    this.#pets = pets;
  }

  start() {
    this.#timer ??= setInterval(() => this.#change(), CHANGES_EVERY_MS);
  }

  /** Makes no further change. Those that were asked for may still be made. */
  halt() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The same, and waits for all to be made. @throws What went wrong with the first that could not be. */
  async stop() {
    this.halt();
    await Promise.all(this.#asked);
    if (this.#failure) throw this.#failure;
  }

  #change() {
    const pet = 1 + (this.#turn % this.#pets);
    const round = Math.floor(this.#turn / this.#pets);
    this.#turn += 1;
    const change = this.#set(pet, STATUSES[(round + pet) % STATUSES.length])
      .catch((error) => (this.#failure ??= error))
      .finally(() => this.#asked.delete(change));
    this.#asked.add(change);
  }
}

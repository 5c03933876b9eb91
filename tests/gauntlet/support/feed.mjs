/**
 * Commits changes at a constant rate: the pets take turns, and each change sets another status.
 */

const STATUSES = ["eating", "bathing", "sleeping", "playing"];

export const CHANGES_EVERY_MS = 100;

/** @typedef {{ pets?: number, everyMs?: number }} Rate  `pets`: their number; their ids begin with 1. */

export class Feed {
  #set;
  #pets;
  #everyMs;
  #turn = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {Set<Promise<unknown>>} Changes without a response yet. */
  #pending = new Set();
  /** @type {unknown} */
  #failure;

  /**
   * @param {(pet: number, status: string) => Promise<unknown>} set
   * @param {Rate} rate
   */
  constructor(set, { pets = 1, everyMs = CHANGES_EVERY_MS }) {
    this.#set = set;
    this.#pets = pets;
    this.#everyMs = everyMs;
  }

  start() {
    this.#timer ??= setInterval(() => this.#change(), this.#everyMs);
  }

  /** Sends no further change. Those that were sent may still be committed. */
  halt() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Does the same, and waits until all are committed. @throws The first error. */
  async stop() {
    this.halt();
    await Promise.all(this.#pending);
    if (this.#failure) throw this.#failure;
  }

  #change() {
    const pet = 1 + (this.#turn % this.#pets);
    const round = Math.floor(this.#turn / this.#pets);
    this.#turn += 1;
    const change = this.#set(pet, STATUSES[(round + pet) % STATUSES.length])
      .catch((error) => (this.#failure ??= error))
      .finally(() => this.#pending.delete(change));
    this.#pending.add(change);
  }
}

// @ts-check
/**
 * Which transport to try first.
 *
 * Some networks let a WebSocket open and kill it a moment later, or let its first message through and no other. It
 * wins every race and is of no use, so one to which that happens three times in a row moves to the end of the line.
 */

/** @typedef {import("../live/transport.js").TransportName} TransportName */

const STRIKES = 3;

export class TransportOrder {
  #names;
  /** @type {Map<TransportName, number>} */
  #strikes = new Map();

  /** @param {readonly TransportName[]} names  In order of preference. */
  constructor(names) {
    this.#names = names;
  }

  /** @returns {TransportName[]} Every name, those that struck out last. */
  names() {
    const isOut = (/** @type {TransportName} */ name) => (this.#strikes.get(name) ?? 0) >= STRIKES;
    return [...this.#names.filter((name) => !isOut(name)), ...this.#names.filter(isOut)];
  }

  /** @param {TransportName} name  It won, and died before it was of use. */
  blame(name) {
    this.#strikes.set(name, (this.#strikes.get(name) ?? 0) + 1);
  }

  /** @param {TransportName} name  It was of use. */
  praise(name) {
    this.#strikes.delete(name);
  }

  /** Another network: nothing is known about it. */
  forget() {
    this.#strikes.clear();
  }
}

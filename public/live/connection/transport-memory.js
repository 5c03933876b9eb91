// @ts-check
/** The rung that worked, kept for the next page of this origin, for each network that the demo pretends by itself. */

/** @typedef {import("../transports/transport.js").TransportName} TransportName */

const KEY = "petstore.rung";

/** After this long the network may well be another, and its guests too. */
const VALID_MS = 30 * 60_000;

export class Memory {
  #open;
  #clock;
  #names;
  #key;

  /**
   * @param {object} parts
   * @param {() => Storage} parts.open  May throw: storage can be forbidden. Then nothing is remembered.
   * @param {import("../clock.js").Clock} parts.clock
   * @param {readonly TransportName[]} parts.names
   * @param {string} [parts.chaos]
   */
  constructor({ open, clock, names, chaos }) {
    this.#open = open;
    this.#clock = clock;
    this.#names = names;
    this.#key = chaos ? `${KEY}.${chaos}` : KEY;
  }

  /** @returns {TransportName | null} */
  read() {
    try {
      const { rung, at } = JSON.parse(this.#open().getItem(this.#key) ?? "{}");
      const ageMs = this.#clock.now() - at;
      return this.#names.includes(rung) && ageMs >= 0 && ageMs < VALID_MS ? rung : null;
    } catch {
      return null;
    }
  }

  /** @param {TransportName} rung  It works, and those above it were tried. */
  write(rung) {
    try {
      this.#open().setItem(this.#key, JSON.stringify({ rung, at: this.#clock.now() }));
    } catch {
      // Full or forbidden: the next page finds its rung by itself.
    }
  }
}

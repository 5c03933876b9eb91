// @ts-check
/** Stores the transport that worked for the next page of this site, separately for each server and each simulated network. */

import { nameOfNetwork } from "../transports/url.js";
/** @import { Clock } from "../clock.js" */
/** @import { TransportName } from "../transports/transport.js" */

const KEY = "petstore.transport";

/** After this time the device may be on another network. */
const VALID_MS = 30 * 60_000;

export class TransportMemory {
  #open;
  #clock;
  #names;
  #key;

  /**
   * @param {object} options
   * @param {() => Storage} options.open  Throws if storage is forbidden; nothing is stored then.
   * @param {Clock} options.clock
   * @param {readonly TransportName[]} options.names
   * @param {{ site: string, chaos?: string }} options.watch  What works may depend on the way to the server.
   */
  constructor({ open, clock, names, watch }) {
    this.#open = open;
    this.#clock = clock;
    this.#names = names;
    this.#key = nameOfNetwork(KEY, watch);
  }

  /** @returns {TransportName | null} */
  read() {
    try {
      const { name, at } = JSON.parse(this.#open().getItem(this.#key) ?? "{}");
      const ageMs = this.#clock.now() - at;
      return this.#names.includes(name) && ageMs >= 0 && ageMs < VALID_MS ? name : null;
    } catch {
      return null;
    }
  }

  /** @param {TransportName} name  It works, and the better ones were tried. */
  write(name) {
    try {
      this.#open().setItem(this.#key, JSON.stringify({ name, at: this.#clock.now() }));
    } catch {
      // Storage is full or forbidden: the next page starts with a race.
    }
  }
}

// @ts-check
/**
 * Ranks the transports by what was learned about this network: which to try first, and which are worth an upgrade.
 *
 * Some networks let a WebSocket open and kill it a moment later, or pass only its first message. It wins every race and is
 * useless. So a link that ends before it was useful counts against its transport. A link that ends later does not: then the
 * network or the server changed.
 */

/** @import { SwitchReason, TransportName } from "../transports/transport.js" */

/**
 * Storage for the transport that worked, for the next page.
 * @typedef {object} Memory
 * @property {() => TransportName | null} read
 * @property {(name: TransportName) => void} write
 */

/** A transport with this many failures is tried last, and seldom. */
const FAILING = 3;

/** Transports that deliver a change immediately. */
const STREAMS = /** @type {const} */ (["ws", "sse"]);

export class TransportPreference {
  #names;
  #memory;
  /** @type {Map<TransportName, number>} */
  #failures = new Map();
  /** @type {Set<TransportName>} Refused, held back or useless at the last attempt. */
  #missed = new Set();
  /** @type {Set<TransportName>} Worked on this network, and have not failed since. */
  #proven = new Set();
  /** @type {TransportName | null} Worked on an earlier page. */
  #remembered = null;

  /**
   * @param {readonly TransportName[]} names  Best first.
   * @param {Memory} memory
   */
  constructor(names, memory) {
    this.#names = names;
    this.#memory = memory;
  }

  /** @returns {TransportName[]} All transports, in the order in which to try them. */
  order() {
    const names = [...this.#names].sort((one, other) => this.#failuresOf(one) - this.#failuresOf(other));
    const first = this.#remembered;
    if (first === null || this.#failuresOf(first) > 0) return names;
    return [first, ...names.filter((name) => name !== first)];
  }

  /**
   * @param {TransportName} name
   * @returns {TransportName[]} Best first.
   */
  betterThan(name) {
    return this.#names.slice(0, this.#names.indexOf(name));
  }

  /** Continues where an earlier page ended: its transport works, and the better ones did not. */
  restore() {
    this.#remembered = this.#memory.read();
    if (this.#remembered) this.betterThan(this.#remembered).forEach((name) => this.recordMiss(name));
  }

  /** Records that the page uses this transport. Does not extend the expiry of a remembered one. @param {TransportName} name */
  recordUse(name) {
    if (name !== this.#remembered) this.#memory.write(name);
  }

  /** Records that the page uses this transport after trying the better ones. @param {TransportName} name */
  recordBest(name) {
    this.#memory.write(name);
  }

  /** Records that a link was useful. @param {TransportName} name */
  recordSuccess(name) {
    this.#failures.delete(name);
    this.#missed.delete(name);
    this.#proven.add(name);
  }

  /** Records that the server ended a link before it was useful. @param {TransportName} name */
  recordServerFailure(name) {
    if (!this.#failures.has(name)) this.#proven.add(name);
  }

  /**
   * Records that a link ended before it was useful, while the server was healthy.
   * @param {TransportName} name
   * @param {SwitchReason} why  A link that died may work the next time; one that was silent or late will not.
   */
  recordFailure(name, why) {
    this.#failures.set(name, why === "died" ? this.#failuresOf(name) + 1 : FAILING);
    this.#missed.add(name);
    this.#proven.delete(name);
  }

  /** Records that a transport was refused, or silent while another one delivered. @param {TransportName} name */
  recordMiss(name) {
    this.#missed.add(name);
  }

  /** @param {TransportName} name */
  isFailing(name) {
    return this.#failuresOf(name) >= FAILING;
  }

  /** Returns true if changes come late on this transport because no stream works here. @param {TransportName} name */
  isDelayed(name) {
    const isStream = STREAMS.some((stream) => stream === name);
    return !isStream && STREAMS.every((stream) => this.#missed.has(stream));
  }

  /** Returns true if it worked on this network: if it is refused now, the server is starting. @param {TransportName} name */
  isProven(name) {
    return this.#proven.has(name);
  }

  /** Discards everything: the network may be another one. */
  reset() {
    this.#failures.clear();
    this.#missed.clear();
    this.#proven.clear();
    this.#remembered = null;
  }

  /** @param {TransportName} name */
  #failuresOf(name) {
    return this.#failures.get(name) ?? 0;
  }
}

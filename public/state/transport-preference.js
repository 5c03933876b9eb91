// @ts-check
/**
 * What is known of each transport on this network: which to try first, and which to climb back to.
 *
 * Some networks let a WebSocket open and kill it a moment later, or let its first message through and no other. It
 * wins every race and is of no use. So what happens to a link before it was of use counts against its rung, and what
 * happens later does not: links that served and ended say that the network moved, or the server.
 */

/** @typedef {import("../live/transports/transport.js").TransportName} TransportName */
/** @typedef {import("../live/transports/transport.js").Reason} Reason */

/**
 * What worked, kept for the next page for a while.
 * @typedef {object} Memory
 * @property {() => TransportName | null} read
 * @property {(name: TransportName) => void} write
 */

/** A rung that died young so often is out on this network: it is tried after all others, and seldom. */
const OUT = 3;

/** The rungs that bring a change in the moment it is made. */
const STREAMS = /** @type {const} */ (["ws", "sse"]);

export class Ladder {
  #names;
  #memory;
  /** @type {Map<TransportName, number>} */
  #strikes = new Map();
  /** @type {Set<TransportName>} Refused, held back, or of no use, when last seen. */
  #wanting = new Set();
  /** @type {Set<TransportName>} Have worked on this network, and nothing was found against them since. */
  #trusted = new Set();
  /** @type {TransportName | null} What worked on the page before this one. */
  #remembered = null;

  /**
   * @param {readonly TransportName[]} names  The best first.
   * @param {Memory} memory
   */
  constructor(names, memory) {
    this.#names = names;
    this.#memory = memory;
  }

  /** @returns {TransportName[]} Every rung, in the order in which to try them. */
  order() {
    const names = [...this.#names].sort((one, other) => this.#strikesOf(one) - this.#strikesOf(other));
    const first = this.#remembered;
    if (first === null || this.#strikesOf(first) > 0) return names;
    return [first, ...names.filter((name) => name !== first)];
  }

  /**
   * @param {TransportName} name
   * @returns {TransportName[]} The rungs above it, the best first.
   */
  above(name) {
    return this.#names.slice(0, this.#names.indexOf(name));
  }

  /** Starts where the page before this one ended: its rung works, and those above it did not a short while ago. */
  recall() {
    this.#remembered = this.#memory.read();
    if (this.#remembered) this.above(this.#remembered).forEach((name) => this.miss(name));
  }

  /** @param {TransportName} name  The page lives on it now. What was only remembered is not remembered for longer. */
  settle(name) {
    if (name !== this.#remembered) this.#memory.write(name);
  }

  /** @param {TransportName} name  The page lives on it, and those above were tried and do not work. */
  confirm(name) {
    this.#memory.write(name);
  }

  /** @param {TransportName} name */
  isOut(name) {
    return this.#strikesOf(name) >= OUT;
  }

  /** Whether changes come late on this rung because those that stream do not work here. @param {TransportName} name */
  isDelayed(name) {
    const isStream = STREAMS.some((stream) => stream === name);
    return !isStream && STREAMS.every((stream) => this.#wanting.has(stream));
  }

  /** Whether it works on this network as far as is known: where it is refused, then by a server that is just starting. */
  isTrusted(/** @type {TransportName} */ name) {
    return this.#trusted.has(name);
  }

  /** @param {TransportName} name  It has been of use. */
  praise(name) {
    this.#strikes.delete(name);
    this.#wanting.delete(name);
    this.#trusted.add(name);
  }

  /** @param {TransportName} name  It ended before it was of use, and the server was the reason. */
  excuse(name) {
    if (!this.#strikes.has(name)) this.#trusted.add(name);
  }

  /**
   * @param {TransportName} name  It ended before it was of use, while the server was well.
   * @param {Reason} why  One that dies may live the next time. One that is held back or eaten will not.
   */
  blame(name, why) {
    this.#strikes.set(name, why === "died" ? this.#strikesOf(name) + 1 : OUT);
    this.#wanting.add(name);
    this.#trusted.delete(name);
  }

  /** @param {TransportName} name  It was refused, or said nothing while a lesser one did. */
  miss(name) {
    this.#wanting.add(name);
  }

  /** Another network: nothing is known about it. */
  forget() {
    this.#strikes.clear();
    this.#wanting.clear();
    this.#trusted.clear();
    this.#remembered = null;
  }

  /** @param {TransportName} name */
  #strikesOf(name) {
    return this.#strikes.get(name) ?? 0;
  }
}

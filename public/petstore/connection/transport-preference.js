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

/** @param {TransportName} name */
const isStream = (name) => name === "ws" || name === "sse";

export class TransportPreference {
  #names;
  #memory;
  /** @type {Map<TransportName, number>} */
  #failures = new Map();
  /** @type {Set<TransportName>} Were refused or silent at the last attempt. */
  #missed = new Set();
  /** @type {Set<TransportName>} Worked on this network, and have not failed since. */
  #proven = new Set();
  /** @type {TransportName | null} The last one that the page used, or an earlier page. */
  #last = null;
  /** @type {TransportName | null} Was cut off before it was useful, by a change of the network or so it seemed. */
  #cutOff = null;

  /**
   * @param {readonly TransportName[]} names  Best first.
   * @param {Memory} memory
   */
  constructor(names, memory) {
    this.#names = names;
    this.#memory = memory;
  }

  /**
   * Returns the transports in the order in which to try them: those of one step together. The one that worked last comes
   * first and alone, so that a page that returns costs the server one connection.
   * @param {readonly TransportName[]} [among]  Best first.
   */
  steps(among = this.#names) {
    const last = among.find((name) => name === this.#last && this.isReturn);
    /** @type {TransportName[][]} */
    const steps = last ? [[last], []] : [[]];
    const others = among.filter((name) => name !== last);
    for (const name of others.sort((one, other) => this.#failuresOf(one) - this.#failuresOf(other))) {
      const step = steps[steps.length - 1];
      const isTogether = step.every((other) => isStream(other) && this.#failuresOf(other) === this.#failuresOf(name));
      if (isTogether && (isStream(name) || step.length === 0)) step.push(name);
      else steps.push([name]);
    }
    return steps.filter(({ length }) => length > 0);
  }

  /** True if a transport worked last, and has not failed since. */
  get isReturn() {
    return this.#last !== null && this.#failuresOf(this.#last) === 0;
  }

  /**
   * @param {TransportName} name
   * @returns {TransportName[]} Best first.
   */
  betterThan(name) {
    return this.#names.slice(0, this.#names.indexOf(name));
  }

  /** Continues where an earlier page ended: its transport works. */
  restore() {
    this.#last = this.#memory.read();
    if (this.#last) this.#proven.add(this.#last);
  }

  /** Records that the page uses this transport. Does not extend the expiry of a stored one. @param {TransportName} name */
  recordUse(name) {
    if (name !== this.#last) this.#memory.write(name);
    this.#last = name;
  }

  /** Records that the page uses this transport after trying the better ones. @param {TransportName} name */
  recordBest(name) {
    this.#memory.write(name);
  }

  /**
   * Records the end of the link in use.
   * @param {TransportName} name
   * @param {SwitchReason | "bye"} why
   * @param {boolean} wasUseful
   * @returns {boolean} False if only the health of the server tells what the end means.
   */
  recordEnd(name, why, wasUseful) {
    // It loses or delays messages now: how long it lasted proves nothing, and another one may be better.
    if (why === "lag") this.#last = null;
    if (why === "gap") this.recordFailure(name, why);
    else if (wasUseful) this.recordSuccess(name);
    // The second time in a row it was no accident.
    else if (why === "bye" || (why === "network" && name !== this.#cutOff)) this.recordServerFailure(name);
    else return false;
    this.#cutOff = why === "network" && !wasUseful ? name : null;
    return true;
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
   * @param {SwitchReason} why  A link that died may work the next time; one that was silent, late or incomplete will not.
   */
  recordFailure(name, why) {
    this.#failures.set(name, why === "died" || why === "network" ? this.#failuresOf(name) + 1 : FAILING);
    this.#proven.delete(name);
  }

  /** Records that a transport was refused, silent or late. @param {TransportName} name */
  recordMiss(name) {
    this.#missed.add(name);
  }

  /** Returns true if it has not failed for good, as far as this page knows. @param {TransportName} name */
  isUntried(name) {
    return this.#failuresOf(name) < FAILING && !this.#missed.has(name);
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
    this.#last = null;
  }

  /** @param {TransportName} name */
  #failuresOf(name) {
    return this.#failures.get(name) ?? 0;
  }
}

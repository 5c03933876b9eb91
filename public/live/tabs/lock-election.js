// @ts-check
/**
 * One tab's place in the election: a Web Lock, whose holder leads. The browser lets go of it when the tab is closed or
 * crashes, and gives it to the next in line.
 *
 * A tab that is frozen keeps the lock, so that it can also be seized. Who had it hears of that when it runs again.
 */
import { ignore } from "../transports/transport.js";

/** One request for the lock. @typedef {{ isHeld: boolean, end: () => void }} Bid */

export class Leadership {
  /** The browser appoints the first tab in the queue as soon as there is no leader. */
  hasQueue = true;
  /** The lock decides, and no claim of another tab is compared with this one's. */
  term = 0;
  #locks;
  #name;
  #onwin;
  #onlose;
  #onfail;
  /** @type {Bid | null} What comes of any other request is not ours any more. */
  #bid = null;

  /**
   * @param {object} parts
   * @param {LockManager} parts.locks
   * @param {string} parts.name
   * @param {() => void} parts.onwin  This tab leads.
   * @param {() => void} parts.onlose  Another tab has seized the lock.
   * @param {() => void} parts.onfail  This browser gives out no locks here, e.g. in a sandbox or a private mode.
   */
  constructor({ locks, name, onwin, onlose, onfail }) {
    this.#locks = locks;
    this.#name = name;
    this.#onwin = onwin;
    this.#onlose = onlose;
    this.#onfail = onfail;
  }

  /** Stands in line, for as long as it takes. */
  queue() {
    this.leave();
    const abort = new AbortController();
    this.#request({ signal: abort.signal }, () => abort.abort());
  }

  /** Takes the lock from whoever holds it, and ahead of everybody in line. */
  seize() {
    this.leave();
    this.#request({ steal: true }, ignore);
  }

  /** Messages of tabs do not change who holds the lock. */
  hear() {}

  /** A tab that claims the lead has seized the lock. */
  isAhead() {
    return false;
  }

  /** Gives up the lead, or the place in line. No handler is called any more. */
  leave() {
    this.#bid?.end();
    this.#bid = null;
  }

  /**
   * @param {LockOptions} options
   * @param {() => void} cancel  Takes back a request that was not granted yet.
   */
  async #request(options, cancel) {
    /** @type {Bid} */
    const bid = { isHeld: false, end: cancel };
    this.#bid = bid;
    try {
      await this.#locks.request(this.#name, options, () => this.#granted(bid));
    } catch {
      if (bid !== this.#bid) return;
      this.#bid = null;
      if (bid.isHeld) this.#onlose();
      else this.#onfail();
    }
  }

  /**
   * @param {Bid} bid
   * @returns {Promise<void> | undefined} The lock is held until it settles.
   */
  #granted(bid) {
    if (bid !== this.#bid) return undefined;
    const held = new Promise((resolve) => (bid.end = () => resolve(undefined)));
    bid.isHeld = true;
    this.#onwin();
    return held;
  }
}

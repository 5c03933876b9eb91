// @ts-check
/**
 * Leader election with a Web Lock: its holder leads. The browser releases the lock when the tab closes or crashes, and
 * grants it to the next tab in the queue.
 *
 * A frozen tab keeps the lock, so another tab can also steal it. The previous holder learns of that when it runs again.
 */
import { noop } from "../transports/transport.js";

/** One request for the lock. @typedef {{ isHeld: boolean, end: () => void }} Request */

export class LockElection {
  /** The browser appoints the next leader from a queue. */
  hasQueue = true;
  /** Unused: claims of two tabs are not compared, because the lock decides. */
  term = 0;
  #locks;
  #name;
  #onwin;
  #onlose;
  #onfail;
  /** @type {Request | null} The outcome of every earlier request is ignored. */
  #request = null;

  /**
   * @param {object} options
   * @param {LockManager} options.locks
   * @param {string} options.name
   * @param {() => void} options.onwin  This tab leads.
   * @param {() => void} options.onlose  Another tab has stolen the lock.
   * @param {() => void} options.onfail  The browser grants no locks here, e.g. in a sandbox or a private window.
   */
  constructor({ locks, name, onwin, onlose, onfail }) {
    this.#locks = locks;
    this.#name = name;
    this.#onwin = onwin;
    this.#onlose = onlose;
    this.#onfail = onfail;
  }

  /** Follows the leader, and joins the queue for the lock. */
  follow() {
    this.leave();
    const abort = new AbortController();
    this.#send({ signal: abort.signal }, () => abort.abort());
  }

  /** Takes the lead: steals the lock from its holder and from the queue. */
  takeOver() {
    this.leave();
    this.#send({ steal: true }, noop);
  }

  /** Messages between tabs do not change who holds the lock. */
  receive() {}

  /** Returns false: a tab that claims the lead has stolen the lock. */
  outranks() {
    return false;
  }

  /** Releases the lock, or leaves the queue. No handler is called for this request any more. */
  leave() {
    this.#request?.end();
    this.#request = null;
  }

  /**
   * @param {LockOptions} options
   * @param {() => void} cancel  Cancels the request before it is granted.
   */
  async #send(options, cancel) {
    /** @type {Request} */
    const request = { isHeld: false, end: cancel };
    this.#request = request;
    try {
      await this.#locks.request(this.#name, options, () => this.#granted(request));
    } catch {
      if (request !== this.#request) return;
      this.#request = null;
      if (request.isHeld) this.#onlose();
      else this.#onfail();
    }
  }

  /**
   * @param {Request} request
   * @returns {Promise<void> | undefined} The lock is held until it settles.
   */
  #granted(request) {
    if (request !== this.#request) return undefined;
    const held = new Promise((resolve) => (request.end = () => resolve(undefined)));
    request.isHeld = true;
    this.#onwin();
    return held;
  }
}

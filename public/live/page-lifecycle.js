// @ts-check
/**
 * The life of a page in a browser: first seen, hidden and kept, frozen, brought back, looked at again, network gone
 * and back.
 *
 * A page may run long before a person sees it, or without ever being seen: browsers prerender links, and people open
 * tabs in the background. Until it is visible for the first time, no turn of such a page is called, so it opens no
 * connection, takes part in no election, and stores nothing about the network.
 *
 * Everything ends at `pagehide` and not at `unload`: `unload` keeps a page out of the back/forward cache and
 * does not come at all on phones. A hidden page may also be frozen where it is, and then it runs no more than one in
 * the cache; a page may hear of both, one after the other.
 */

/**
 * What a page does at each turn. `begin` comes first and once. `leave` and `comeBack` may come twice, and the second
 * time is nothing new.
 * @typedef {object} Turns
 * @property {() => void} begin  The page is visible for the first time.
 * @property {() => void} leave  The page goes away, perhaps to come back.
 * @property {() => void} comeBack  It came back as it was left.
 * @property {() => void} wake  It is looked at again.
 * @property {() => void} online  There is a network again, or another one.
 * @property {() => void} offline
 */

/** Browsers tell each new estimate of a network's speed as a change; once in this time it may be another network. */
const NETWORK_CHANGE_GAP_MS = 2 * 60_000;

export class Lifecycle {
  #window;
  #document;
  #network;
  #turns;
  #networkChangedAt = -Infinity;

  /**
   * @param {object} parts
   * @param {EventTarget} parts.window
   * @param {EventTarget & { visibilityState: string, prerendering?: boolean }} parts.document
   * @param {EventTarget} [parts.network]  `navigator.connection`, which not every browser has.
   * @param {Turns} parts.turns
   */
  constructor({ window, document, network, turns }) {
    this.#window = window;
    this.#document = document;
    this.#network = network;
    this.#turns = turns;
  }

  start() {
    if (this.#isVisible) return this.#begin();
    this.#document.addEventListener("visibilitychange", this.#onfirstlook);
    this.#document.addEventListener("prerenderingchange", this.#onfirstlook);
  }

  #begin() {
    this.#window.addEventListener("pagehide", this.#onpagehide);
    this.#window.addEventListener("pageshow", this.#onpageshow);
    this.#window.addEventListener("online", this.#ononline);
    this.#window.addEventListener("offline", this.#onoffline);
    this.#document.addEventListener("visibilitychange", this.#onvisibilitychange);
    this.#network?.addEventListener("change", this.#onnetworkchange);
    this.#document.addEventListener("freeze", this.#onfreeze);
    this.#document.addEventListener("resume", this.#onresume);
    this.#turns.begin();
  }

  stop() {
    this.#stopLooking();
    this.#window.removeEventListener("pagehide", this.#onpagehide);
    this.#window.removeEventListener("pageshow", this.#onpageshow);
    this.#window.removeEventListener("online", this.#ononline);
    this.#window.removeEventListener("offline", this.#onoffline);
    this.#document.removeEventListener("visibilitychange", this.#onvisibilitychange);
    this.#network?.removeEventListener("change", this.#onnetworkchange);
    this.#document.removeEventListener("freeze", this.#onfreeze);
    this.#document.removeEventListener("resume", this.#onresume);
  }

  get #isVisible() {
    return this.#document.visibilityState === "visible" && this.#document.prerendering !== true;
  }

  #onfirstlook = () => {
    if (!this.#isVisible) return;
    this.#stopLooking();
    this.#begin();
  };

  #stopLooking() {
    this.#document.removeEventListener("visibilitychange", this.#onfirstlook);
    this.#document.removeEventListener("prerenderingchange", this.#onfirstlook);
  }

  #onpagehide = () => this.#turns.leave();

  #onpageshow = (/** @type {any} */ event) => {
    // Also sent at the first load, where there is nothing to come back to.
    if (event.persisted) this.#turns.comeBack();
  };

  #onfreeze = () => this.#turns.leave();

  #onresume = () => this.#turns.comeBack();

  #onvisibilitychange = () => {
    if (this.#document.visibilityState === "visible") this.#turns.wake();
  };

  #ononline = () => this.#turns.online();

  #onnetworkchange = (/** @type {Event} */ event) => {
    if (event.timeStamp - this.#networkChangedAt < NETWORK_CHANGE_GAP_MS) return;
    this.#networkChangedAt = event.timeStamp;
    this.#turns.online();
  };

  #onoffline = () => this.#turns.offline();
}

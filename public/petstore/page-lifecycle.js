// @ts-check
/**
 * The lifecycle of a page: first visible, hidden, frozen, restored, visible again, network lost and back.
 *
 * Browsers prerender pages, and people open tabs in the background. Until a page is visible for the first time no handler
 * is called, so it opens no connection, takes part in no election and stores nothing about the network.
 *
 * Everything ends at `pagehide`: a listener for `unload` keeps a page out of the back/forward cache, and phones do not
 * send that event. A hidden page may also be frozen in place. Both events can come, one after the other.
 */

/**
 * @typedef {object} Handlers
 * @property {() => void} begin  The page is visible for the first time. Called first, and once.
 * @property {() => void} leave  The page is hidden for good, cached or frozen. May be called twice in a row.
 * @property {() => void} comeBack  The page was restored or unfrozen. May be called twice in a row.
 * @property {() => void} wake  The page is visible again.
 * @property {() => void} online  The network is back, or is another one.
 * @property {() => void} offline
 */

/** Browsers also send a change of the network when its estimated speed changes; within this time it is the same network. */
const NETWORK_CHANGE_GAP_MS = 2 * 60_000;

export class PageLifecycle {
  #document;
  #handlers;
  #networkChangedAt = -Infinity;
  /** @type {[EventTarget | undefined, string, (event: any) => void][]} */
  #listeners;

  /**
   * @param {object} options
   * @param {EventTarget} options.window
   * @param {EventTarget & { visibilityState: string, prerendering?: boolean }} options.document
   * @param {EventTarget} [options.network]  `navigator.connection`, which not every browser has.
   * @param {Handlers} options.handlers
   */
  constructor({ window, document, network, handlers }) {
    this.#document = document;
    this.#handlers = handlers;
    this.#listeners = [
      [window, "pagehide", () => handlers.leave()],
      // Also sent after the first load, without `persisted`.
      [window, "pageshow", (/** @type {PageTransitionEvent} */ { persisted }) => persisted && handlers.comeBack()],
      [window, "online", () => handlers.online()],
      [window, "offline", () => handlers.offline()],
      [document, "visibilitychange", () => document.visibilityState === "visible" && handlers.wake()],
      [document, "freeze", () => handlers.leave()],
      [document, "resume", () => handlers.comeBack()],
      [network, "change", (/** @type {Event} */ event) => this.#networkChanged(event)],
    ];
  }

  start() {
    if (this.#isVisible) return this.#begin();
    this.#document.addEventListener("visibilitychange", this.#onfirstvisible);
    this.#document.addEventListener("prerenderingchange", this.#onfirstvisible);
  }

  stop() {
    this.#stopWaiting();
    for (const [target, type, listener] of this.#listeners) target?.removeEventListener(type, listener);
  }

  #begin() {
    for (const [target, type, listener] of this.#listeners) target?.addEventListener(type, listener);
    this.#handlers.begin();
  }

  get #isVisible() {
    return this.#document.visibilityState === "visible" && this.#document.prerendering !== true;
  }

  #onfirstvisible = () => {
    if (!this.#isVisible) return;
    this.#stopWaiting();
    this.#begin();
  };

  #stopWaiting() {
    this.#document.removeEventListener("visibilitychange", this.#onfirstvisible);
    this.#document.removeEventListener("prerenderingchange", this.#onfirstvisible);
  }

  /** @param {Event} event */
  #networkChanged({ timeStamp }) {
    if (timeStamp - this.#networkChangedAt < NETWORK_CHANGE_GAP_MS) return;
    this.#networkChangedAt = timeStamp;
    this.#handlers.online();
  }
}

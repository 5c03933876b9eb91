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
 * @property {() => void} [begin]  The page is visible for the first time. Called first, and once.
 * @property {() => void} leave  The page is hidden for good, cached or frozen. May be called twice in a row.
 * @property {() => void} comeBack  The page was restored or unfrozen. May be called twice in a row.
 * @property {() => void} wake  The page is visible again.
 * @property {() => void} [online]  The network is back, or is another one.
 * @property {() => void} [offline]
 */

/** Browsers also send a change of the network when its estimated speed changes; within this time it is the same network. */
const NETWORK_CHANGE_GAP_MS = 2 * 60_000;

export class PageLifecycle {
  #options;
  #hasBegun = false;
  #networkChangedAt = -Infinity;
  /** Removes every listener. */
  #end = new AbortController();

  /**
   * @param {object} options
   * @param {EventTarget} options.window
   * @param {EventTarget & { visibilityState: string, prerendering?: boolean }} options.document
   * @param {EventTarget} [options.network]  `navigator.connection`, which not every browser has.
   * @param {Handlers} options.handlers
   */
  constructor(options) {
    this.#options = options;
  }

  start() {
    const { document } = this.#options;
    this.#listen(document, "visibilitychange", () => this.#beginIfVisible());
    this.#listen(document, "prerenderingchange", () => this.#beginIfVisible());
    this.#beginIfVisible();
  }

  stop() {
    this.#end.abort();
  }

  get #isVisible() {
    const { visibilityState, prerendering } = this.#options.document;
    return visibilityState === "visible" && prerendering !== true;
  }

  #beginIfVisible() {
    if (this.#hasBegun || !this.#isVisible) return;
    this.#hasBegun = true;
    const { window, document, network, handlers } = this.#options;
    this.#listen(window, "pagehide", () => handlers.leave());
    // Also sent after the first load, without `persisted`.
    this.#listen(window, "pageshow", ({ persisted }) => persisted && handlers.comeBack());
    this.#listen(window, "online", () => handlers.online?.());
    this.#listen(window, "offline", () => handlers.offline?.());
    // Not called for the event that makes the page visible for the first time.
    this.#listen(document, "visibilitychange", () => this.#isVisible && handlers.wake());
    this.#listen(document, "freeze", () => handlers.leave());
    this.#listen(document, "resume", () => handlers.comeBack());
    this.#listen(network, "change", (event) => this.#networkChanged(event));
    handlers.begin?.();
  }

  /** @param {EventTarget | undefined} target @param {string} type @param {(event: any) => void} listener */
  #listen(target, type, listener) {
    target?.addEventListener(type, listener, this.#end);
  }

  /** @param {Event} event */
  #networkChanged({ timeStamp }) {
    if (timeStamp - this.#networkChangedAt < NETWORK_CHANGE_GAP_MS) return;
    this.#networkChangedAt = timeStamp;
    this.#options.handlers.online?.();
  }
}

// @ts-check
/**
 * Keeps the screen on (Screen Wake Lock API). The browser releases the lock when the page is hidden, and when the battery is
 * low, so it is asked for again. Only pages over https, or from this machine, get one.
 */
/** @import { Clock } from "../../petstore/clock.js" */

/** @typedef {Pick<Document, "visibilityState" | "addEventListener">} VisibleDocument */
/** @typedef {{ request: (type: "screen") => Promise<Pick<WakeLockSentinel, "addEventListener">> }} WakeLockSource */

/** A refusal, for example because of the battery, may end. */
const RETRY_MS = 60_000;

export class ScreenLock {
  /** @type {(isHeld: boolean) => void} */
  onchange = () => {};
  #source;
  #document;
  #clock;
  #askedMs = -Infinity;
  #isHeld = false;

  /**
   * @param {object} options
   * @param {WakeLockSource | undefined} options.source  `navigator.wakeLock`, which not every page has.
   * @param {VisibleDocument} options.document
   * @param {Pick<Clock, "elapsed">} options.clock
   */
  constructor({ source, document, clock }) {
    this.#source = source;
    this.#document = document;
    this.#clock = clock;
  }

  start() {
    this.#setHeld(false);
    this.#document.addEventListener("visibilitychange", () => this.#ask());
    this.#ask();
  }

  /** Asks again after a refusal. Called every second. */
  tick = () => {
    if (!this.#isHeld && this.#clock.elapsed() - this.#askedMs >= RETRY_MS) this.#ask();
  };

  async #ask() {
    if (!this.#source || this.#isHeld || this.#document.visibilityState !== "visible") return;
    this.#askedMs = this.#clock.elapsed();
    try {
      const lock = await this.#source.request("screen");
      lock.addEventListener("release", () => this.#setHeld(false));
      this.#setHeld(true);
    } catch {
      // Asked again later.
    }
  }

  /** @param {boolean} isHeld */
  #setHeld(isHeld) {
    this.#isHeld = isHeld;
    this.onchange(isHeld);
  }
}

// @ts-check
/**
 * Measures for how long this page's event loop has been saturated.
 *
 * With each message a probe goes to the end of the task queue. While a probe is on its way there, the event loop is busy.
 * A loop that is busy most of the time has a backlog: what is handled now may have waited for as long as that has
 * lasted. A loop that is idle in between has none, and what comes late then was late on the network.
 */

/** Time is judged in windows of this length. */
const WINDOW_MS = 250;

/**
 * A loop that is busy for this share of a window is saturated. Less than all of it: a browser with a backlog fetches the
 * next messages from its network process, and the loop is idle meanwhile.
 */
const SATURATED = 0.75;

/** A single window that is not saturated may be such a fetch; after so many in a row there is no backlog. */
const FREE_WINDOWS = 2;

export class EventLoop {
  #clock;
  #isProbing = false;
  /** Messages came while a probe was on its way, so another one follows it. */
  #isProbeDue = false;
  #windowMs;
  /** Busy time in the window that began at `#windowMs`. */
  #busyMs = 0;
  /** Until when time has been accounted for. */
  #seenMs;
  /** When the saturated windows began that have lasted until now. */
  #saturatedSince;
  #freeWindows = FREE_WINDOWS;

  /** @param {import("../clock.js").Clock} clock */
  constructor(clock) {
    this.#clock = clock;
    this.#windowMs = this.#seenMs = this.#saturatedSince = clock.elapsed();
  }

  /** Sends a probe. Called with each message, before it is handled. */
  probe() {
    if (this.#isProbing) {
      this.#isProbeDue = true;
      return;
    }
    this.#account();
    this.#isProbing = true;
    this.#clock.soon(() => {
      this.#account();
      this.#isProbing = false;
      if (!this.#isProbeDue) return;
      this.#isProbeDue = false;
      this.probe();
    });
  }

  /** @returns {number} For how long what is handled now can have waited in this page, in ms. */
  saturatedMs() {
    this.#account();
    const isFree = this.#freeWindows >= FREE_WINDOWS && !this.#isSaturated(this.#seenMs - this.#windowMs);
    return isFree ? 0 : this.#seenMs - this.#saturatedSince;
  }

  /** Counts the time since the last call as busy or idle. */
  #account() {
    const now = this.#clock.elapsed();
    while (this.#seenMs < now) {
      const endMs = this.#windowMs + WINDOW_MS;
      const untilMs = Math.min(now, endMs);
      if (this.#isProbing) this.#busyMs += untilMs - this.#seenMs;
      this.#seenMs = untilMs;
      if (untilMs === endMs) this.#closeWindow(now);
    }
  }

  /** @param {number} now */
  #closeWindow(now) {
    this.#freeWindows = this.#isSaturated(WINDOW_MS) ? 0 : this.#freeWindows + 1;
    this.#windowMs += WINDOW_MS;
    this.#busyMs = 0;
    if (this.#freeWindows < FREE_WINDOWS) return;
    // An idle hour is not gone through window by window.
    if (!this.#isProbing) this.#windowMs = this.#seenMs = Math.max(this.#windowMs, now - WINDOW_MS);
    this.#saturatedSince = this.#windowMs;
  }

  /** @param {number} ofMs  Of the window that is open. */
  #isSaturated(ofMs) {
    return this.#busyMs >= SATURATED * ofMs;
  }
}

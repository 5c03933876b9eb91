// @ts-check
/**
 * Measures for how long the event loop of this page has been saturated.
 *
 * Each message posts a probe to the end of the task queue; the loop is busy until the probe runs. A loop that is busy most
 * of the time has a backlog, so a message may have waited for as long as that has lasted. A loop that is idle in between
 * has no backlog, and a late message was late on the network.
 */

/** @import { Clock } from "../clock.js" */

/** Length of the windows in which busy time is measured. */
const WINDOW_MS = 250;

/**
 * A loop that is busy for this share of a window is saturated. Less than 1, because a loop with a backlog is idle while the
 * browser fetches the next messages from its network process.
 */
const SATURATED = 0.75;

/** After this many consecutive unsaturated windows there is no backlog. A single one may be such a fetch. */
const IDLE_WINDOWS = 2;

export class EventLoopMonitor {
  #clock;
  #isProbing = false;
  /** Messages arrived during a probe, so another one follows. */
  #isProbeDue = false;
  /** Start of the current window. */
  #windowMs;
  /** Busy time in the current window. */
  #busyMs = 0;
  /** Time up to which busy time has been counted. */
  #countedMs;
  /** Start of the saturated windows that have lasted until now. */
  #saturatedSince;
  #idleWindows = IDLE_WINDOWS;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
    this.#windowMs = this.#countedMs = this.#saturatedSince = clock.elapsed();
  }

  /** Posts a probe. Call this for each message, before handling it. */
  probe() {
    if (this.#isProbing) {
      this.#isProbeDue = true;
      return;
    }
    this.#count();
    this.#isProbing = true;
    this.#clock.soon(() => {
      this.#count();
      this.#isProbing = false;
      if (!this.#isProbeDue) return;
      this.#isProbeDue = false;
      this.probe();
    });
  }

  /** Returns how long a message that is handled now can have waited in this page, in ms. */
  saturatedMs() {
    this.#count();
    const isIdle = this.#idleWindows >= IDLE_WINDOWS && !this.#isSaturated(this.#countedMs - this.#windowMs);
    return isIdle ? 0 : this.#countedMs - this.#saturatedSince;
  }

  /** Counts the time since the last call as busy or idle. */
  #count() {
    const now = this.#clock.elapsed();
    while (this.#countedMs < now) {
      const endMs = this.#windowMs + WINDOW_MS;
      const untilMs = Math.min(now, endMs);
      if (this.#isProbing) this.#busyMs += untilMs - this.#countedMs;
      this.#countedMs = untilMs;
      if (untilMs === endMs) this.#closeWindow(now);
    }
  }

  /** @param {number} now */
  #closeWindow(now) {
    this.#idleWindows = this.#isSaturated(WINDOW_MS) ? 0 : this.#idleWindows + 1;
    this.#windowMs += WINDOW_MS;
    this.#busyMs = 0;
    if (this.#idleWindows < IDLE_WINDOWS) return;
    // Skips an idle hour in one step.
    if (!this.#isProbing) this.#windowMs = this.#countedMs = Math.max(this.#windowMs, now - WINDOW_MS);
    this.#saturatedSince = this.#windowMs;
  }

  /** @param {number} lengthMs  Length of the current window so far. */
  #isSaturated(lengthMs) {
    return this.#busyMs >= SATURATED * lengthMs;
  }
}

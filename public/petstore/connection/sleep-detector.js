// @ts-check
/**
 * Measures for how long the page has been running without being suspended or throttled: a message that is late because of
 * that says nothing about the network. `EventLoopMonitor` detects a page that runs but cannot keep up.
 */
import { noop } from "../transports/transport.js";
/** @import { Clock } from "../clock.js" */

const TICK_MS = 1_000;

/** A tick that is later than this shows that the page was not running. */
const BREAK_MS = 2_500;

/**
 * After a break of this length connections may be dead without an error. Longer than a minute: browsers run the timers of
 * a hidden page once a minute, which is not sleep.
 */
const SLEEP_MS = 70_000;

export class SleepDetector {
  /** The machine slept, or the page was frozen. */
  onwake = noop;
  #clock;
  /** When the last break ended. */
  #awakeSince = 0;
  #checkedMs = 0;
  /** The time of day of the last tick, which also advances while the machine sleeps. */
  #tickedAt = 0;
  #cancel = noop;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  start() {
    this.stop();
    this.#awakeSince = this.#checkedMs = this.#clock.elapsed();
    this.#tickedAt = this.#clock.now();
    this.#tick();
  }

  stop() {
    this.#cancel();
  }

  /** Returns for how long the page has been running without a break, in ms. */
  awakeMs() {
    const now = this.#clock.elapsed();
    if (now - this.#checkedMs > BREAK_MS) this.#awakeSince = now;
    this.#checkedMs = now;
    return now - this.#awakeSince;
  }

  #tick() {
    this.#cancel = this.#clock.after(TICK_MS, () => {
      this.#tick();
      const sinceTickMs = this.#clock.now() - this.#tickedAt;
      this.#tickedAt = this.#clock.now();
      this.awakeMs();
      if (sinceTickMs > SLEEP_MS) this.onwake();
    });
  }
}

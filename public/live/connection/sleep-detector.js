// @ts-check
/**
 * Whether this page has been running, or was asleep, throttled or too busy to hear: what came late because of that
 * is not the network's fault. See also `EventLoop`, which notices a page that runs and cannot keep up.
 */
import { ignore } from "../transports/transport.js";

const TICK_MS = 1_000;

/** A tick that comes later than this was not just a little late. */
const BREAK_MS = 2_500;

/**
 * After a break like this, connections may be dead without anybody having said so. Browsers let a hidden page run
 * once a minute, and that is no sleep.
 */
const SLEEP_MS = 70_000;

export class Awake {
  /** The machine slept, or the page was frozen. */
  onwake = ignore;
  #clock;
  /** When the last break ended. */
  #since = 0;
  #seenMs = 0;
  /** The same by the time of day, which also goes on while the machine sleeps. */
  #seenAt = 0;
  #cancel = ignore;

  /** @param {import("../clock.js").Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  start() {
    this.stop();
    this.#since = this.#seenMs = this.#clock.elapsed();
    this.#seenAt = this.#clock.now();
    this.#tick();
  }

  stop() {
    this.#cancel();
  }

  /** For how long the page has been running without a break, in ms. */
  forMs() {
    const now = this.#clock.elapsed();
    if (now - this.#seenMs > BREAK_MS) this.#since = now;
    this.#seenMs = now;
    return now - this.#since;
  }

  #tick() {
    this.#cancel = this.#clock.after(TICK_MS, () => {
      this.#tick();
      const missedMs = this.#clock.now() - this.#seenAt;
      this.#seenAt = this.#clock.now();
      this.forMs();
      if (missedMs > SLEEP_MS) this.onwake();
    });
  }
}

// @ts-check
/** Decides, after a link or a race ended, what that says about the transport and how long to wait before the next race. */
import { noop } from "../transports/transport.js";
/** @import { TransportPreference } from "./transport-preference.js" */
/** @import { Clock } from "../clock.js" */
/** @import { SwitchReason, TransportName } from "../transports/transport.js" */
/** @import { HealthCheck } from "./health-check.js" */

/** Limit of the first delay. It doubles with each attempt. */
const BASE_MS = 500;

/** A page is live within ten seconds of getting its network back. A server that needs longer delays sends `retry_ms`. */
const CAP_MS = 6_000;

/** Bounds for the server's `retry_ms`: a wrong value must neither flood the server nor keep the page away for good. */
const RETRY_FLOOR_MS = 100;
const RETRY_LIMIT_MS = 300_000;

export class Retry {
  #clock;
  #health;
  #preference;
  #random;
  #onretry;
  /** Number of races since a link was useful. */
  #attempt = 0;
  #isWaiting = false;
  /** The server set the delay. */
  #isServerDelay = false;
  #cancel = noop;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {() => number} options.random  Returns a number from 0 up to 1.
   * @param {Pick<HealthCheck, "check">} options.health
   * @param {TransportPreference} options.preference
   * @param {(attempt: number) => void} options.onretry  Starts the next race. The number of the first one is 0.
   */
  constructor({ clock, random, health, preference, onretry }) {
    this.#clock = clock;
    this.#health = health;
    this.#preference = preference;
    this.#random = random;
    this.#onretry = onretry;
  }

  /** Returns true while it waits for a delay that the client chose itself. */
  get isBackingOff() {
    return this.#isWaiting && !this.#isServerDelay;
  }

  /**
   * Schedules the next race.
   * @param {number} [retryMs]  Used without jitter: the server spreads the delays over its viewers.
   */
  schedule(retryMs) {
    const serverMs = boundRetry(retryMs);
    this.#isWaiting = true;
    this.#isServerDelay = serverMs !== null;
    // Full jitter: equal delays would bring all browsers back at the same moment.
    const delayMs = this.#random() * Math.min(CAP_MS, BASE_MS * 2 ** this.#attempt);
    const attempt = this.#attempt;
    this.#attempt += 1;
    this.#cancel = this.#clock.after(serverMs ?? delayMs, () => this.#onretry(attempt));
  }

  /**
   * Schedules the next race after a link that ended before it was useful. Only if the server is healthy, the transport is
   * at fault.
   * @param {TransportName} name
   * @param {SwitchReason} why
   */
  scheduleAfterCheck(name, why) {
    this.#isWaiting = true;
    this.#isServerDelay = false;
    this.#cancel = this.#health.check((isUp) => {
      if (isUp) this.#preference.recordFailure(name, why);
      else this.#preference.recordServerFailure(name);
      this.schedule();
    });
  }

  /**
   * Makes the next delay short again, after a useful link or a change of the network. Not after each open, which would
   * hammer the server from a flapping network.
   */
  reset() {
    this.#attempt = 0;
  }

  cancel() {
    this.#isWaiting = false;
    this.#cancel();
  }
}

/**
 * Returns the server's `retry_ms` within bounds.
 * @param {unknown} retryMs
 * @returns {number | null} Null if it is missing or not a duration.
 */
function boundRetry(retryMs) {
  if (typeof retryMs !== "number" || !(retryMs >= 0)) return null;
  return Math.min(RETRY_LIMIT_MS, Math.max(RETRY_FLOOR_MS, retryMs));
}

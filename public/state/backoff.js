// @ts-check
/** Delays before reconnecting. */

const BASE_MS = 500;

/** A page is live within ten seconds of getting its network back. A server that needs longer delays sends `retry_ms`. */
const CAP_MS = 6_000;

/** Bounds for the server's `retry_ms`: a wrong value must neither flood the server nor keep the page away for good. */
const RETRY_FLOOR_MS = 100;
const RETRY_LIMIT_MS = 300_000;

export class Backoff {
  #random;
  #attempt = 0;

  /** @param {() => number} random  Returns a number from 0 up to 1. */
  constructor(random) {
    this.#random = random;
  }

  /** Returns the next delay in ms. Full jitter: equal delays would bring all browsers back at the same moment. */
  next() {
    const limitMs = Math.min(CAP_MS, BASE_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    return this.#random() * limitMs;
  }

  /** Call after a useful link. Resetting after each open would hammer the server from a flapping network. */
  reset() {
    this.#attempt = 0;
  }
}

/**
 * Returns the server's `retry_ms` within bounds.
 * @param {unknown} retryMs
 * @returns {number | null} Null if it is missing or not a duration.
 */
export function boundRetry(retryMs) {
  if (typeof retryMs !== "number" || !(retryMs >= 0)) return null;
  return Math.min(RETRY_LIMIT_MS, Math.max(RETRY_FLOOR_MS, retryMs));
}

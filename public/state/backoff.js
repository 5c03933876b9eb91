// @ts-check
/** How long to wait before connecting again. */

const BASE_MS = 500;

/**
 * A page that has its network back is live within ten seconds: that leaves no room for a longer wait. Servers
 * spread their viewers with `retry_ms` where this is too often.
 */
const CAP_MS = 6_000;

/** Bounds on the wait that a server asks for: a slip in it must make neither a flood nor a page that never returns. */
const RETRY_FLOOR_MS = 100;
const RETRY_LIMIT_MS = 300_000;

export class Backoff {
  #random;
  #attempt = 0;

  /** @param {() => number} random  From 0 up to 1. */
  constructor(random) {
    this.#random = random;
  }

  /** Delay before the next reconnect, in ms. Full jitter: equal delays would bring all browsers back together. */
  next() {
    const limitMs = Math.min(CAP_MS, BASE_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    return this.#random() * limitMs;
  }

  /** After a link that was of use. One that only opens must not reset it, or a flapping network is hammered. */
  reset() {
    this.#attempt = 0;
  }
}

/**
 * The wait that a server asked for, in ms, within bounds.
 * @param {unknown} retryMs
 * @returns {number | null} Null when it asked for none, or for nonsense.
 */
export function boundRetry(retryMs) {
  if (typeof retryMs !== "number" || !(retryMs >= 0)) return null;
  return Math.min(RETRY_LIMIT_MS, Math.max(RETRY_FLOOR_MS, retryMs));
}

// @ts-check
/**
 * Time as the rest of the client sees it: what time it is, how much of it has passed, and "call me later".
 *
 * Everything that waits is given a clock, so that a test can turn it by hand.
 */

/**
 * @typedef {object} Clock
 * @property {() => number} now  Milliseconds since 1970 by this machine's clock, which may be wrong, and may be set.
 * @property {() => number} elapsed  Milliseconds since some moment. Never set; may stand still while the machine sleeps.
 * @property {(delayMs: number, act: () => void) => (() => void)} after
 *   Calls `act` once after `delayMs`; the returned function cancels it and may be called at any time.
 */

/** @type {Clock} */
export const browserClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

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
 * @property {(act: () => void) => void} soon  Calls `act` once the event loop has run the tasks queued before it. Not
 *   throttled in hidden tabs, as timers are.
 */

/** @type {(() => void)[]} Posted and not yet run, in order. */
const posted = [];

/** @type {MessageChannel | null} Made for the first task. */
let channel = null;

/** @returns {MessagePort} A message to it runs the next posted task. */
function taskPort() {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => posted.shift()?.();
  }
  return channel.port2;
}

/** @type {Clock} */
export const browserClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
  soon(act) {
    posted.push(act);
    taskPort().postMessage(null);
  },
};

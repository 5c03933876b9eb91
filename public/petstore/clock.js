// @ts-check
/** Time for the rest of the client, passed in so that tests can advance it. */

/**
 * @typedef {object} Clock
 * @property {() => number} now  Milliseconds since 1970 by the clock of this machine, which may be wrong or be set.
 * @property {() => number} elapsed  Monotonic milliseconds; may stand still while the machine sleeps.
 * @property {(delayMs: number, act: () => void) => (() => void)} after
 *   Calls `act` once after `delayMs`. The returned function cancels the call and is idempotent.
 * @property {(act: () => void) => void} soon  Calls `act` after the tasks that are already queued. Unlike timers, this is
 *   not throttled in hidden tabs.
 */

/** @type {(() => void)[]} Posted tasks, in order. */
const tasks = [];

/** @type {MessageChannel | null} Created with the first task. */
let channel = null;

/** @type {Clock} */
export const browserClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
  soon(act) {
    if (!channel) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => tasks.shift()?.();
    }
    tasks.push(act);
    channel.port2.postMessage(null);
  },
};

/**
 * Runs an operation that can be aborted, with a time limit.
 * @template T
 * @param {{ clock: Clock, limitMs: number, signal?: AbortSignal }} options  `signal` also aborts it.
 * @param {(signal: AbortSignal) => Promise<T>} operation
 * @returns {Promise<T>} Settles with the operation.
 */
export async function withTimeout({ clock, limitMs, signal }, operation) {
  const abort = new AbortController();
  const stop = () => (cancel(), abort.abort());
  const cancel = clock.after(limitMs, stop);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    return await operation(abort.signal);
  } finally {
    cancel();
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * Waits for this long, or until the signal aborts.
 * @param {{ clock: Clock, signal: AbortSignal }} context
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function delay({ clock, signal }, ms) {
  return new Promise((resolve) => {
    if (ms <= 0 || signal.aborted) return resolve();
    const end = () => {
      cancel();
      // The signal can outlive many delays, so the listener is removed.
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener("abort", end);
  });
}

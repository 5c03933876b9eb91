/** A mutex for what is timed, while everything else runs concurrently. */

/** @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Runs an action after all earlier ones.
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export function inTurn(act) {
  const mine = last.then(act);
  last = mine.catch(() => {});
  return mine;
}

/** One at a time: for what is timed, while everything else may go on side by side. */

/** @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Acts when everything that asked before is done.
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export function inTurn(act) {
  const mine = last.then(act);
  last = mine.catch(() => {});
  return mine;
}

// @ts-check
/**
 * Cursors: positions in the history of a store, `<epoch>-<rev>`, e.g. `9f2c41aa-1042`.
 *
 * Revs are 64-bit integers on the server. They are compared as bigints: doubles are not exact above 2^53.
 */

const CURSOR = /^([0-9a-f]{8})-([0-9]{1,20})$/;

/**
 * @param {unknown} text
 * @returns {{ epoch: string, rev: bigint } | null} Null for anything that is not a cursor.
 */
export function parseCursor(text) {
  const parts = typeof text === "string" ? CURSOR.exec(text) : null;
  return parts && { epoch: parts[1], rev: BigInt(parts[2]) };
}

/**
 * Returns true if `next` comes after `known`. Cursors of two epochs have no order: only a snapshot leads to another epoch.
 * @param {unknown} next
 * @param {string} known  "" if nothing is known yet: then every cursor is newer.
 */
export function isNewer(next, known) {
  const to = parseCursor(next);
  const from = parseCursor(known);
  if (!to) return false;
  return from === null || (to.epoch === from.epoch && to.rev > from.rev);
}

/**
 * Returns true if a reader at `known` has received everything up to `cursor`. Always false for two epochs.
 * @param {string} known
 * @param {unknown} cursor
 */
export function hasReached(known, cursor) {
  const at = parseCursor(known);
  const to = parseCursor(cursor);
  return at !== null && to !== null && at.epoch === to.epoch && at.rev >= to.rev;
}

/**
 * Returns true if both are cursors of the same epoch.
 * @param {unknown} one
 * @param {unknown} other
 */
export function isSameEpoch(one, other) {
  const epoch = parseCursor(one)?.epoch;
  return epoch !== undefined && epoch === parseCursor(other)?.epoch;
}

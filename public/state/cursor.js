// @ts-check
/**
 * A place in the store's history: `<epoch>-<rev>`, e.g. `9f2c41aa-1042`.
 *
 * Revs are 64 bits wide on the server and are compared as such; as doubles, those above 2^53 would run together.
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
 * Whether `next` comes after `known`. Cursors of two epochs have no order: only a snapshot leads from one to the other.
 * @param {unknown} next
 * @param {string} known  "" when nothing is known yet: then every cursor is newer.
 */
export function isNewer(next, known) {
  const to = parseCursor(next);
  const from = parseCursor(known);
  if (!to) return false;
  return from === null || (to.epoch === from.epoch && to.rev > from.rev);
}

/**
 * Whether two cursors are places in the same history. What is no cursor is in none.
 * @param {unknown} one
 * @param {unknown} other
 */
export function isSameHistory(one, other) {
  const epoch = parseCursor(one)?.epoch;
  return epoch !== undefined && epoch === parseCursor(other)?.epoch;
}

// @ts-check
/** Pets, and the changes between two states of the board. */

/**
 * A pet as far as the page knows it: the fields of its messages, and the fields that the page shows, as strings;
 * lists, such as `photos`, as JSON.
 * `since` is RFC 3339.
 * @typedef {{ id: string, name?: string, status?: string, since?: string, [field: string]: string | undefined }} Pet
 */

/**
 * A pet before and after a change. Without `before` it was added, without `after` it was removed.
 * @typedef {{ id: string, before?: Pet, after?: Pet }} Change
 */

/**
 * @param {ReadonlyMap<string, Pet>} before
 * @param {ReadonlyMap<string, Pet>} after
 * @returns {Change[]}
 */
export function difference(before, after) {
  /** @type {Change[]} */
  const changes = [];
  for (const [id, pet] of before) {
    if (!after.has(id)) changes.push({ id, before: pet });
  }
  for (const [id, pet] of after) {
    const was = before.get(id);
    if (!was || !isSame(was, pet)) changes.push({ id, before: was, after: pet });
  }
  return changes;
}

/** @param {Pet} one @param {Pet} other */
export function isSame(one, other) {
  return Object.keys({ ...one, ...other }).every((field) => one[field] === other[field]);
}

/** Names of statuses that do not follow from their words. @type {Map<string, string>} */
export const statusNames = new Map();

/**
 * Returns the text of a status, e.g. "Eating".
 * @param {string | undefined} value  May be unknown to this client.
 */
export function statusText(value = "") {
  return statusNames.get(value) ?? wordText(value);
}

/** Returns the text of a word, e.g. "On hold". @param {string} value */
export function wordText(value) {
  return (value.charAt(0).toUpperCase() + value.slice(1)).replaceAll("-", " ");
}

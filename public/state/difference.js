// @ts-check
/** What lies between two states of the board. */

/**
 * What is known of a pet. Only `id`, `name`, `status` and `since` are always there: a snapshot has no more.
 * @typedef {object} Pet
 * @property {string} id
 * @property {string} [name]
 * @property {string} [species]
 * @property {string} [breed]
 * @property {string} [sex]
 * @property {string} [age]
 * @property {string} [about]
 * @property {string} [status]
 * @property {string} [since]  RFC 3339.
 */

/**
 * One pet before and after. Without `before` it is new, without `after` it is gone.
 * @typedef {{ id: string, before?: Pet, after?: Pet }} Change
 */

/** The fields that a pet has in messages and on the page, in the order of the page. */
export const PET_FIELDS = /** @type {const} */ (["name", "species", "breed", "sex", "age", "about", "status", "since"]);

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

/**
 * @param {Pet} one
 * @param {Pet} other
 */
export function isSame(one, other) {
  return PET_FIELDS.every((field) => one[field] === other[field]);
}

// @ts-check
/** Which pets a connection or a tab watches: their ids, or `[]` for every pet, as in `Watch`. */

/** Above this, a connection watches every pet. The server accepts 100, and the ids stand in the URL. */
const LIMIT = 50;

/**
 * Returns true if every pet of `pets` is in `filter`.
 * @param {string[]} filter
 * @param {string[]} pets
 */
export function covers(filter, pets) {
  return filter.length === 0 || (pets.length > 0 && pets.every((pet) => filter.includes(pet)));
}

/**
 * Returns the narrowest filter that covers all of these.
 * @param {string[][]} filters  At least one.
 * @returns {string[]}
 */
export function union(filters) {
  const pets = new Set(filters.flat());
  return filters.some((filter) => filter.length === 0) || pets.size > LIMIT ? [] : [...pets];
}

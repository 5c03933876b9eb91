/**
 * Compares what a page received with what was committed, to find missed and repeated changes.
 *
 * The page was rendered at a rev, and from there on it has to receive each rev once and in order. A snapshot covers
 * everything up to its rev. If a viewer falls behind, the server may send only the newest status of each pet, and counts
 * that in its metrics; only then may a rev be skipped, if a later one of the same pet was received.
 */

/** @typedef {import("../support/recorder.mjs").Seen} Seen */
/** @typedef {import("../support/subject.mjs").Fact} Fact */

/**
 * @typedef {object} Account
 * @property {number[]} missed  Revs that were not received, and that nothing newer covers.
 * @property {number[]} repeated  Revs that came twice, or after a later one.
 */

/**
 * @param {object} books
 * @param {number} books.fromRev  The rev that the page was rendered at.
 * @param {Seen[]} books.seen  In the order in which the page received them.
 * @param {Fact[]} books.history  Everything committed after `fromRev`, in order.
 * @param {boolean} books.mayMerge  The server has merged changes.
 * @returns {Account}
 */
export function settle({ fromRev, seen, history, mayMerge }) {
  /** @type {Set<number>} */
  const missed = new Set();
  const repeated = [];
  let at = fromRev;
  for (const { type, rev } of seen) {
    // A snapshot of the current rev changes nothing; an older one would revert the page.
    if (type === "snapshot" ? rev < at : rev <= at) {
      repeated.push(rev);
      continue;
    }
    for (const fact of between(history, at, rev)) if (type !== "snapshot") missed.add(fact.rev);
    at = rev;
  }
  for (const fact of between(history, at, Infinity)) missed.add(fact.rev);
  if (mayMerge) forgive(missed, seen, history);
  return { missed: [...missed], repeated };
}

/** Returns the facts with revs strictly between the two. */
function between(history, low, high) {
  return history.filter(({ rev }) => rev > low && rev < high);
}

/** Removes revs that a later one of the same pet covers. */
function forgive(missed, seen, history) {
  const newest = new Map(seen.filter(({ pet }) => pet !== null).map(({ pet, rev }) => [Number(pet), rev]));
  for (const { rev, pet } of history) if ((newest.get(pet) ?? 0) > rev) missed.delete(rev);
}

/**
 * Returns the pets that a page shows with another status than their last committed one.
 * @param {Record<string, string>} shown  Statuses by pet.
 * @param {Fact[]} history
 * @returns {number[]} Their ids.
 */
export function wrongCards(shown, history) {
  const truth = new Map(history.map(({ pet, status }) => [pet, status]));
  return [...truth].filter(([pet, status]) => shown[pet] !== status).map(([pet]) => pet);
}

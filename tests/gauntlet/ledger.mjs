/**
 * Holds what a page saw against what was committed: is anything missing, did anything come twice?
 *
 * The page was drawn at a rev, and from there on each rev has to be seen once and in order. A snapshot stands for
 * everything up to its rev. A server that fell behind may give the newest status of each pet instead of all of them;
 * it counts when it does, and only then may a rev be passed over, if a later one of the same pet was seen.
 */

/** @typedef {import("./rig/recorder.mjs").Seen} Seen */
/** @typedef {import("./rig/subject.mjs").Fact} Fact */

/**
 * @typedef {object} Account
 * @property {number[]} missed  Revs that were never seen and that nothing newer stands for.
 * @property {number[]} repeated  Revs that came again, or after a later one.
 */

/**
 * @param {object} books
 * @param {number} books.fromRev  What the page was drawn at.
 * @param {Seen[]} books.seen  In the order in which the page heard them.
 * @param {Fact[]} books.history  Everything committed after `fromRev`, in order.
 * @param {boolean} books.mayMerge  The server says that it merged changes.
 * @returns {Account}
 */
export function settle({ fromRev, seen, history, mayMerge }) {
  /** @type {Set<number>} */
  const missed = new Set();
  const repeated = [];
  let at = fromRev;
  for (const { type, rev } of seen) {
    // A snapshot of where the page is says nothing new; one of an earlier time would take it back.
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

/** The facts with revs strictly between the two. */
function between(history, low, high) {
  return history.filter(({ rev }) => rev > low && rev < high);
}

/** Takes out what a later rev of the same pet stands for. */
function forgive(missed, seen, history) {
  const newest = new Map(seen.filter(({ pet }) => pet !== null).map(({ pet, rev }) => [Number(pet), rev]));
  for (const { rev, pet } of history) if ((newest.get(pet) ?? 0) > rev) missed.delete(rev);
}

/**
 * The pets that a page shows otherwise than they are. Held against the last thing that happened to each.
 * @param {Record<string, string>} shown  Statuses by pet.
 * @param {Fact[]} history
 * @returns {number[]} Their ids.
 */
export function wrongCards(shown, history) {
  const truth = new Map(history.map(({ pet, status }) => [pet, status]));
  return [...truth].filter(([pet, status]) => shown[pet] !== status).map(([pet]) => pet);
}

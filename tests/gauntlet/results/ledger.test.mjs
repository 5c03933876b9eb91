/** The ledger itself: it has to find each kind of error, or the figures of the gauntlet would mean nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settle, wrongCards } from "./ledger.mjs";

/** Three pets take turns: rev 1 is pet 1, rev 2 pet 2, rev 3 pet 3, rev 4 pet 1, ... */
const petOf = (rev) => 1 + ((rev - 1) % 3);
const upTo = (last) => Array.from({ length: last }, (_, index) => ({ rev: index + 1, pet: petOf(index + 1), status: "" }));
const status = (rev) => ({ type: "status", rev, pet: petOf(rev), sinceMs: 0, atMs: 0 });
const snapshot = (rev) => ({ ...status(rev), type: "snapshot", pet: null });

/** Returns the account of a page that was rendered at rev 4 of 9. */
function account(seen, mayMerge = false) {
  return settle({ fromRev: 4, seen, history: upTo(9).slice(4), mayMerge });
}

test("a page that receives each rev once and in order is right", () => {
  assert.deepEqual(account([5, 6, 7, 8, 9].map(status)), { missed: [], repeated: [] });
});

test("a rev that was left out is missed, also at the beginning and at the end", () => {
  assert.deepEqual(account([5, 7, 8, 9].map(status)).missed, [6]);
  assert.deepEqual(account([6, 7, 8, 9].map(status)).missed, [5]);
  assert.deepEqual(account([5, 6].map(status)).missed, [7, 8, 9]);
  assert.deepEqual(account([]).missed, [5, 6, 7, 8, 9]);
});

test("a rev that comes again, or late, is repeated", () => {
  assert.deepEqual(account([5, 6, 6, 7, 8, 9].map(status)).repeated, [6]);
  assert.deepEqual(account([4, 5, 6, 7, 8, 9].map(status)).repeated, [4], "the page was drawn with it");
  assert.deepEqual(account([5, 7, 6, 8, 9].map(status)), { missed: [6], repeated: [6] }, "late is both");
});

test("a snapshot covers everything before it, and nothing after it", () => {
  assert.deepEqual(account([status(5), snapshot(8), status(9)]).missed, []);
  assert.deepEqual(account([status(5), snapshot(8)]).missed, [9]);
  assert.deepEqual(account([snapshot(4), snapshot(9)]).repeated, [], "where the page is, or later");
  assert.deepEqual(account([status(5), snapshot(9), snapshot(8)]).repeated, [8], "back in time");
});

test("a merge may skip a rev only if a later one of the same pet was received", () => {
  const seen = [5, 8, 9].map(status);
  assert.deepEqual(account(seen).missed, [6, 7], "the server did not say that it merged");
  assert.deepEqual(account(seen, true).missed, [7], "6 is pet 3, seen again at 9; 7 is pet 1, never seen again");
});

test("a card is wrong if it is missing, or does not show the last status of its pet", () => {
  const history = [
    { rev: 1, pet: 1, status: "eating" },
    { rev: 2, pet: 2, status: "eating" },
    { rev: 3, pet: 2, status: "playing" },
    { rev: 4, pet: 3, status: "eating" },
  ];
  assert.deepEqual(wrongCards({ 1: "eating", 2: "playing", 3: "eating", 4: "bathing" }, history), []);
  assert.deepEqual(wrongCards({ 1: "playing", 2: "eating" }, history), [1, 2, 3]);
});

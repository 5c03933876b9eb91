/** The table of the comparison: it has a figure for each cell, and a cell that pet-store loses stands out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOfCell } from "./cells.mjs";
import { isFirst, medianMs, summary, tableOfComparisons } from "./table.mjs";

const samples = (...times) => times.map((liveMs) => ({ liveMs, requests: 1, transferredBytes: 1 }));
const comparison = (mine, same, bare) => ({
  samples: { "pet-store": samples(...mine), "same-page": samples(...same), ...(bare ? { "bare-page": samples(...bare) } : {}) },
  slowness: 1,
});

test("the median of an even number of visits is between the middle two", () => {
  assert.equal(medianMs(samples(9, 1, 5)), 5);
  assert.equal(medianMs(samples(9, 1, 5, 7)), 6);
});

test("a page that is never live counts as the slowest", () => {
  assert.equal(medianMs(samples(1, null, null)), Infinity);
  assert.equal(isFirst(comparison([null], [900])), false);
  assert.equal(isFirst(comparison([null], [null])), false);
  assert.equal(isFirst(comparison([900], [null])), true);
});

test("a cell shows both medians and their ratio, and a ratio of 1 or more stands out", () => {
  const results = {
    [keyOfCell("direct", "index", "chromium")]: comparison([300], [400], [157]),
    [keyOfCell("direct", "index", "firefox")]: comparison([1_300], [1_300]),
  };
  const row = tableOfComparisons(results).split("\n").find((line) => line.startsWith("| no delay, direct, index"));
  assert.equal(row, "| no delay, direct, index | 300 | 400 | 0.75 | 157 | 1,300 | 1,300 | **1.00** |  |");
  assert.equal(summary(results), "pet-store is sooner than Socket.IO on the same page in 1 of 2 cells.");
});

/** The gauntlet in short: Chromium through every box, for as long as it takes to be sure. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BOXES } from "./boxes.mjs";
import { measure, PLANS } from "./measure.mjs";
import { shortcomings } from "./verdict.mjs";

/** Visits at the same time: each waits more than it works, and more would wait for each other. */
const SIDE_BY_SIDE = 3;

describe("a page is live, and misses and repeats nothing, behind", { concurrency: SIDE_BY_SIDE }, () => {
  for (const box of BOXES) {
    test(box.what, async () => {
      const visit = await measure({ subject: "pet-store", box, browser: "chromium", plan: PLANS.short });
      assert.ok(visit.changes > 0, "pets changed");
      assert.deepEqual(shortcomings(box, visit), [], `it said: ${visit.said.join(", ")}`);
    });
  }
});

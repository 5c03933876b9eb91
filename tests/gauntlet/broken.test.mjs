/** Broken networks in short: those that take the least time, in Chromium. `run.mjs` has them all, in both browsers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BREAKS, suffer } from "./broken.mjs";
import { shortcomings } from "./verdict.mjs";

const SHORT = ["cut", "killed", "ahead"];

describe("a page is live again soon, and misses and repeats nothing, after", { concurrency: SHORT.length }, () => {
  for (const each of BREAKS.filter(({ id }) => SHORT.includes(id))) {
    test(each.what, async () => {
      const outcome = await suffer(each.id, "chromium");
      assert.ok(outcome.changes > 0, "pets changed");
      assert.deepEqual(shortcomings(each, outcome), [], `it said: ${outcome.said.join(", ")}`);
    });
  }
});

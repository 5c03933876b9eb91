/** Broken networks in short: those that take the least time, in Chromium. `run.mjs` has them all, in both browsers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BREAKS, mayBreak, suffer } from "./broken.mjs";
import { allowed, shortcomings } from "../results/verdict.mjs";

const SHORT = ["cut", "killed", "ahead"];

/** A container may forbid it. Said in the summary, where it is seen. */
const skip = (await mayBreak()) ? false : "no network namespaces here";

describe("a page is live again soon, and misses and repeats nothing, after", { concurrency: SHORT.length, skip }, () => {
  for (const each of BREAKS.filter(({ id }) => SHORT.includes(id))) {
    test(each.what, async () => {
      const outcome = await suffer(each.id, "chromium");
      assert.ok(outcome.changes > 0, "pets changed");
      assert.deepEqual(shortcomings(allowed(each, outcome), outcome), [], `it said: ${outcome.said.join(", ")}`);
    });
  }
});

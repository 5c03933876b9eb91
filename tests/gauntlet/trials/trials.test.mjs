/** Damaged networks in short, in Chromium. `run.mjs` has them all, in both browsers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allowed } from "../results/verdict.mjs";
import { shortcomingsOf, TRIALS } from "./trials.mjs";

describe("a page misses and repeats nothing, and finds its way, when", { concurrency: 3 }, () => {
  for (const trial of TRIALS.filter(({ isLong }) => !isLong)) {
    test(trial.what, async () => {
      const outcome = await trial.run("chromium");
      const bounds = { ...trial, ...allowed(trial, outcome) };
      assert.ok(outcome.changes > 0, "pets changed");
      assert.deepEqual(shortcomingsOf(bounds, outcome), [], `it said: ${outcome.said.join(", ")}`);
    });
  }
});

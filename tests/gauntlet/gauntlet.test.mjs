/** The gauntlet in short: Chromium through every box, for as long as it takes to be sure. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BOXES } from "./boxes.mjs";
import { FURTHER } from "./boxes/further.mjs";
import { measure, PLANS } from "./measure.mjs";
import { allowed, shortcomings } from "./results/verdict.mjs";

/** Visits at the same time: each waits more than it works. */
const SIDE_BY_SIDE = 4;

describe("a page is live, and misses and repeats nothing, behind", { concurrency: SIDE_BY_SIDE }, () => {
  for (const box of [...BOXES, ...FURTHER]) test(box.what, () => comesThrough(box));
});

/** Only the time depends on other work on this machine: a page that was late is loaded again, twice. */
async function comesThrough(box) {
  if (await wasInTime(box)) return;
  const again = [await wasInTime(box), await wasInTime(box)];
  assert.deepEqual(again, [true, true], `the median of three visits is live within ${box.withinMs} ms`);
}

/** Returns true if the page was live in time. Everything else has to be right in every visit. */
async function wasInTime(box) {
  const visit = await measure({ subject: "pet-store", box, browser: "chromium", plan: PLANS.short });
  assert.ok(visit.changes > 0, "pets changed");
  const bounds = allowed(box, visit);
  const found = shortcomings({ ...bounds, withinMs: Infinity }, visit);
  assert.deepEqual(found, [], `it said: ${visit.said.join(", ")}`);
  return visit.liveMs <= bounds.withinMs;
}

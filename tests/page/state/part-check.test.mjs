/** When a page with some of the pets asks which pets match: soon after what decides it, and never all the time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PartCheck } from "../../../public/app/state/part-check.js";
import { FakeClock } from "../support/fakes.mjs";

function open({ hasStatus = true, random = 0 } = {}) {
  const clock = new FakeClock();
  const opened = { clock, asked: 0, answers: 0, isFailing: false, check: /** @type {any} */ (null) };
  const load = async () => {
    opened.asked += 1;
    if (opened.isFailing) throw new Error("offline");
    return { total: 0, statuses: {}, pets: [] };
  };
  opened.check = new PartCheck({ clock, random: () => random, load, hasStatus });
  opened.check.onanswer = () => (opened.answers += 1);
  return opened;
}

test("a page on which nothing changes asks nothing", async () => {
  const opened = open();
  await opened.clock.run(60_000);
  assert.equal(opened.asked, 0);
});

test("changes are collected, and a busy board is asked every five seconds", async () => {
  const opened = open();
  for (let at = 0; at < 60_000; at += 100) {
    opened.check.receive("status");
    await opened.clock.run(100);
  }
  assert.equal(opened.asked, 12);
  assert.equal(opened.answers, 12);
});

test("a status that decides nothing only corrects the summary, and an edit is asked for soon", async () => {
  const opened = open({ hasStatus: false });
  opened.check.receive("status");
  await opened.clock.run(14_000);
  assert.equal(opened.asked, 0);
  await opened.clock.run(1_000);
  assert.equal(opened.asked, 1);
  await opened.clock.run(60_000);
  opened.check.receive("status");
  opened.check.receive("pet");
  await opened.clock.run(1_000);
  assert.equal(opened.asked, 2);
  await opened.clock.run(60_000);
  assert.equal(opened.asked, 2, "one answer serves both");
});

test("viewers of one view ask at different times", async () => {
  const [early, late] = [open(), open({ random: 0.99 })];
  for (const opened of [early, late]) {
    opened.check.receive("gone");
    await opened.clock.run(1_400);
  }
  assert.deepEqual([early.asked, late.asked], [1, 0]);
});

test("a hidden page asks once it is visible", async () => {
  const opened = open();
  opened.check.setHidden(true);
  for (let at = 0; at < 100; at += 1) opened.check.receive("status");
  await opened.clock.run(60_000);
  assert.equal(opened.asked, 0);
  opened.check.setHidden(false);
  await opened.clock.run(1);
  assert.equal(opened.asked, 1);
});

/** Opens a page whose first request has failed; the next one will not. */
async function openAfterFailure() {
  const opened = open();
  opened.isFailing = true;
  opened.check.receive("status");
  await opened.clock.run(1_000);
  assert.deepEqual([opened.asked, opened.answers], [1, 0]);
  opened.isFailing = false;
  return opened;
}

test("a request that failed is repeated after 15 seconds", async () => {
  const opened = await openAfterFailure();
  await opened.clock.run(15_000);
  assert.deepEqual([opened.asked, opened.answers], [2, 1]);
});

test("a change after a failed request is asked for without waiting for the retry", async () => {
  const opened = await openAfterFailure();
  opened.check.receive("pet");
  await opened.clock.run(5_000);
  assert.deepEqual([opened.asked, opened.answers], [2, 1]);
});

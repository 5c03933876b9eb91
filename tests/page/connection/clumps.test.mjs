/** A stream whose messages something on the way collects: it is left if polling would be faster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last, settle } from "../support/fakes.mjs";
import { startOn } from "../support/timed-link.mjs";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */

/**
 * Delivers a change every 50 ms for this long, which something on the way collects for this long at a time.
 * @param {ReturnType<typeof startOn>} parts
 * @param {number} ms
 * @param {number} clumpMs
 */
function deliverInClumps({ clock, link, sent }, ms, clumpMs, everyMs = 50) {
  /** @type {Message[]} */
  let held = [];
  for (let past = 0, rev = 2; past < ms; past += everyMs, rev += 1) {
    clock.turn(everyMs);
    held.push({ type: "status", cursor: `9f2c41aa-${rev}`, pet: 1, status: "eating", since: sent() });
    if (past % clumpMs !== 0) continue;
    held.forEach((message) => link.onmessage(message));
    held = [];
  }
}

test("SSE that arrives in clumps is left although no message is three seconds late, and counts as failed", () => {
  const parts = startOn("sse", { random: () => 0 });
  parts.clock.turn(250);
  parts.run(20_000);
  deliverInClumps(parts, 2_500, 1_200);
  assert.ok(!parts.isLeaving());
  deliverInClumps(parts, 2_500, 1_200);
  parts.clock.turn(0);
  assert.ok(parts.isLeaving());
  assert.equal(last(parts.made.sse), parts.link, "it is not tried first again");
  assert.equal(parts.link.isOpen, true, "it delivers on until another does");
});

test("SSE that arrives in clumps is kept if they are short, or a poll takes as long", async () => {
  const short = startOn("sse", { random: () => 0 });
  deliverInClumps(short, 20_000, 250);
  assert.equal(short.made.ws.length, 1);
  const far = startOn("sse", { random: () => 0 });
  far.clock.turn(800);
  far.catchUp.asked[0].answer([], 800);
  await settle();
  deliverInClumps(far, 20_000, 1_200);
  assert.equal(far.made.ws.length, 1, "a poll takes 0.8 s");
});

test("a stream that is in time is kept however many messages it has", () => {
  for (const everyMs of [2, 16, 24]) {
    const parts = startOn("sse", { random: () => 0 });
    for (let second = 0; second < 10; second += 1) {
      deliverInClumps(parts, 960, everyMs, everyMs);
      parts.clock.turn(40);
    }
    assert.equal(parts.made.ws.length, 1);
  }
});

test("a lost packet makes one clump, and the stream is kept", () => {
  const parts = startOn("sse", { random: () => 0 });
  for (let round = 0; round < 10; round += 1) {
    deliverInClumps(parts, 2_000, 50);
    deliverInClumps(parts, 1_050, 1_000);
  }
  deliverInClumps(parts, 2_550, 2_500);
  deliverInClumps(parts, 50, 50);
  parts.clock.turn(1);
  assert.ok(!parts.isLeaving());
});

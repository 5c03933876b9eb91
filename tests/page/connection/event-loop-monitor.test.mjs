/** The measured saturation of the event loop. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { EventLoopMonitor } from "../../../public/petstore/connection/event-loop-monitor.js";

function openEventLoop() {
  const clock = new FakeClock();
  const eventLoop = new EventLoopMonitor(clock);
  /** Handles messages for this long; the page is busy with each, and idle after it. */
  const handle = (/** @type {number} */ ms, /** @type {number} */ busyMs, /** @type {number} */ idleMs) => {
    for (let past = 0; past < ms; past += busyMs + idleMs) {
      eventLoop.probe();
      clock.block(busyMs);
      clock.turn(0);
      clock.turn(idleMs);
    }
  };
  return { clock, eventLoop, handle };
}

const near = (/** @type {number} */ ms, /** @type {number} */ expected) =>
  assert.ok(Math.abs(ms - expected) <= 500, `${ms} ms, not about ${expected}`);

test("a page that handles messages faster than they arrive is not saturated, however many there are", () => {
  const { eventLoop, handle } = openEventLoop();
  handle(10_000, 2, 2);
  assert.equal(eventLoop.saturatedMs(), 0);
});

test("a page that always has a message to handle is saturated for as long as that lasts", () => {
  const { eventLoop, handle } = openEventLoop();
  handle(2_000, 2, 2);
  handle(4_000, 10, 0);
  near(eventLoop.saturatedMs(), 4_000);
  handle(4_000, 10, 1);
  near(eventLoop.saturatedMs(), 8_000);
});

test("the time in which a browser fetches the next messages does not end a backlog", () => {
  const { clock, eventLoop, handle } = openEventLoop();
  for (let round = 0; round < 8; round += 1) {
    handle(900, 10, 0);
    clock.turn(100);
  }
  near(eventLoop.saturatedMs(), 8_000);
});

test("one long task is detected while it lasts and right after it", () => {
  const { clock, eventLoop } = openEventLoop();
  clock.turn(10_000);
  eventLoop.probe();
  clock.block(3_000);
  near(eventLoop.saturatedMs(), 3_000);
  clock.turn(0);
  near(eventLoop.saturatedMs(), 3_000);
});

test("a page that was idle for a moment has no backlog", () => {
  const { clock, eventLoop, handle } = openEventLoop();
  handle(5_000, 10, 0);
  clock.turn(750);
  assert.equal(eventLoop.saturatedMs(), 0);
  handle(1_000, 10, 0);
  near(eventLoop.saturatedMs(), 1_000);
});

test("an idle day costs nothing, and there is one probe at a time", () => {
  const { clock, eventLoop } = openEventLoop();
  clock.turn(86_400_000);
  let posted = 0;
  const { soon } = clock;
  clock.soon = (act) => ((posted += 1), soon(act));
  for (let message = 0; message < 1_000; message += 1) eventLoop.probe();
  assert.equal(posted, 1);
  clock.turn(0);
  assert.equal(posted, 2);
  assert.equal(eventLoop.saturatedMs(), 0);
});

/** The lag of what is on the screen, divided between the network and the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageLag } from "../../../public/petstore/connection/message-lag.js";
import { EventLoopMonitor } from "../../../public/petstore/connection/event-loop-monitor.js";
import { ServerClock } from "../../../public/petstore/connection/server-clock.js";
import { FakeClock } from "../support/fakes.mjs";

function openLag() {
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const eventLoop = new EventLoopMonitor(clock);
  const lag = new MessageLag({ clock, serverClock, eventLoop });
  const at = (/** @type {number} */ agoMs) => new Date(clock.now() - agoMs).toISOString();
  serverClock.sync(at(0));
  lag.receive({ type: "hello", server_time: at(0) });
  /** A change that was committed this long ago. */
  const change = (/** @type {number} */ agoMs) => lag.receive({ type: "status", since: at(agoMs) });
  /** Keeps the page busy for this long, with a change in each task. @param {number} ms @param {number} agoMs */
  const work = (ms, agoMs) => {
    for (let past = 0; past < ms; past += 10) {
      change(agoMs);
      clock.block(10);
      clock.turn(0);
    }
  };
  return { clock, lag, at, change, work };
}

test("the lag of an idle page is the network's", () => {
  const { clock, lag, change } = openLag();
  clock.turn(60_000);
  change(4_000);
  const { networkMs, pageMs } = lag.current;
  assert.ok(Math.abs(networkMs - 4_000) < 20, `${networkMs}`);
  assert.equal(pageMs, 0);
});

test("a page that cannot keep up is behind, and the network is not blamed for as much as it was busy", () => {
  const { clock, lag, work } = openLag();
  clock.turn(60_000);
  work(5_000, 37_000);
  const { networkMs, pageMs } = lag.current;
  assert.ok(pageMs > 4_000 && pageMs <= 5_000, `${pageMs}`);
  assert.ok(Math.abs(networkMs + pageMs - 37_000) < 100, "the sum is the age of what is on the screen");
});

test("a page that has been idle for a moment shows everything that arrived", () => {
  const { clock, lag, change } = openLag();
  clock.turn(60_000);
  change(4_000);
  clock.turn(999);
  assert.notEqual(lag.current.networkMs, 0);
  clock.turn(1);
  assert.deepEqual(lag.current, { networkMs: 0, pageMs: 0 });
});

test("what was committed before the connection began was missed, and is not late", () => {
  const { clock, lag, at, change } = openLag();
  clock.turn(60_000);
  lag.receive({ type: "hello", server_time: at(0) });
  change(30_000);
  assert.deepEqual(lag.current, { networkMs: 0, pageMs: 0 });
});

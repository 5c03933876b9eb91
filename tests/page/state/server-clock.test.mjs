/** The estimate of the server's time, and the lag of messages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../../public/petstore/connection/server-clock.js";
import { FakeClock } from "../support/fakes.mjs";

function openServerClock() {
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const at = (/** @type {number} */ ms) => new Date(ms).toISOString();
  return { clock, serverClock, at };
}

test("the fastest message gives the server's time, until a faster one arrives", () => {
  const { clock, serverClock, at } = openServerClock();
  const server = clock.now() + 1_000_000;
  serverClock.sync(at(server - 800));
  serverClock.sync(at(server - 100));
  serverClock.sync(at(server - 500));
  assert.equal(serverClock.now(), server - 100);
  assert.equal(serverClock.lagMs(server - 500), 400);
});

test("the first message corrects the server's time after the clock was set or the machine slept", () => {
  for (const jumpMs of [3_600_000, -86_400_000]) {
    const { clock, serverClock, at } = openServerClock();
    const server = clock.now() + 1_000_000;
    serverClock.sync(at(server));
    clock.jump(jumpMs);
    clock.turn(60_000);
    serverClock.sync(at(server + 60_000 - 20));
    assert.equal(serverClock.now(), server + 60_000);
  }
  const { clock, serverClock, at } = openServerClock();
  const server = clock.now() + 1_000_000;
  serverClock.sync(at(server));
  clock.jump(3_600_000);
  assert.equal(serverClock.now(), server + 3_600_000, "as a rule it slept");
  serverClock.sync(at(server + 3_600_000));
  assert.equal(serverClock.now(), server + 3_600_000);
});

test("there is no lag before the first message", () => {
  const { clock, serverClock, at } = openServerClock();
  assert.equal(serverClock.lagMs(clock.now() - 60_000), 0);
  serverClock.sync(at(clock.now()));
  serverClock.reset();
  assert.equal(serverClock.lagMs(clock.now() - 60_000), 0);
});

test("clock drift causes no lag within a day", () => {
  const { clock, serverClock, at } = openServerClock();
  let server = clock.now();
  let worst = 0;
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    serverClock.sync(at(server));
    worst = Math.max(worst, serverClock.lagMs(Math.floor(server)));
    clock.turn(60_000);
    server += 60_000 * (1 - 0.0001);
  }
  assert.ok(worst < 20, `${worst} ms`);
});

test("a response that shows that the server's clock was set back replaces the estimate", () => {
  const { clock, serverClock, at } = openServerClock();
  const server = clock.now();
  serverClock.sync(at(server));
  serverClock.sync(at(server - 10_000), 20_000);
  assert.equal(serverClock.now(), server, "the response may have travelled for long");
  serverClock.sync(at(server - 10_000), 50);
  assert.equal(serverClock.now(), server - 10_000);
});

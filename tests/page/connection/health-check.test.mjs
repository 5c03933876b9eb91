/** The health check, and the sleep detector. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeFetch, FakeClock, settle } from "../support/fakes.mjs";
import { HealthCheck } from "../../../public/petstore/connection/health-check.js";
import { SleepDetector } from "../../../public/petstore/connection/sleep-detector.js";

function startCheck() {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  /** @type {boolean[]} */
  const results = [];
  const health = new HealthCheck({ fetch, site: "https://rescue.example", clock });
  const cancel = health.check((isUp) => results.push(isUp));
  return { clock, asked, results, cancel };
}

for (const [status, isUp] of /** @type {[number, boolean][]} */ ([
  [200, true],
  [403, true],
  [404, true],
  [502, false],
  [503, false],
])) {
  test(`a server that results the health check with ${status} is ${isUp ? "up" : "down"}`, async () => {
    const { clock, asked, results } = startCheck();
    assert.equal(asked[0].url.href, "https://rescue.example/healthz");
    asked[0].refuse(status);
    await settle();
    assert.deepEqual(results, [isUp]);
    assert.equal(clock.waiting, 0);
  });
}

test("a server that cannot be reached, or does not answer within five seconds, is down", async () => {
  const unreachable = startCheck();
  unreachable.asked[0].fail();
  const silent = startCheck();
  silent.clock.turn(4_999);
  await settle();
  assert.deepEqual(silent.results, []);
  silent.clock.turn(1);
  await settle();
  assert.deepEqual([unreachable.results, silent.results], [[false], [false]]);
  assert.equal(silent.asked[0].signal.aborted, true);
});

test("a cancelled check has no result", async () => {
  const { clock, asked, results, cancel } = startCheck();
  cancel();
  asked[0].refuse(200);
  await settle();
  clock.turn(60_000);
  assert.deepEqual(results, []);
  assert.equal(asked[0].signal.aborted, true);
});

test("a page has been awake since its last break", () => {
  const clock = new FakeClock();
  const detector = new SleepDetector(clock);
  detector.start();
  clock.turn(10_000);
  assert.equal(detector.awakeMs(), 10_000);
  clock.block(2_400);
  assert.equal(detector.awakeMs(), 12_400, "a short delay is not a break");
  clock.block(2_600);
  assert.equal(detector.awakeMs(), 0);
  clock.turn(1_000);
  assert.equal(detector.awakeMs(), 1_000);
  detector.stop();
  assert.equal(clock.waiting, 0);
});

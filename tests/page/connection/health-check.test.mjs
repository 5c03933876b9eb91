/** How the page tells a server that is down from a network that blocks a transport, and a page that slept from neither. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeFetch, FakeClock, settle } from "../support/fakes.mjs";
import { Health } from "../../../public/live/connection/health-check.js";
import { Awake } from "../../../public/live/connection/sleep-detector.js";

function askHealth() {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  const answers = [];
  const health = new Health({ fetch, origin: "https://rescue.example", clock });
  const cancel = health.ask((isUp) => answers.push(isUp));
  return { clock, asked, answers, cancel };
}

for (const [status, isUp] of [
  [200, true],
  [403, true],
  [404, true],
  [502, false],
  [503, false],
]) {
  test(`a server whose health is answered with ${status} is ${isUp ? "up" : "down"}`, async () => {
    const { clock, asked, answers } = askHealth();
    assert.equal(asked[0].url.href, "https://rescue.example/healthz");
    asked[0].refuse(status);
    await settle();
    assert.deepEqual(answers, [isUp]);
    assert.equal(clock.waiting, 0);
  });
}

test("a server that cannot be reached, or does not answer within two seconds, is down", async () => {
  const unreachable = askHealth();
  unreachable.asked[0].fail();
  const silent = askHealth();
  silent.clock.turn(1999);
  await settle();
  assert.deepEqual(silent.answers, []);
  silent.clock.turn(1);
  await settle();
  assert.deepEqual([unreachable.answers, silent.answers], [[false], [false]]);
  assert.equal(silent.asked[0].signal.aborted, true);
});

test("a question that is not asked any more has no answer", async () => {
  const { clock, asked, answers, cancel } = askHealth();
  cancel();
  asked[0].refuse(200);
  await settle();
  clock.turn(60_000);
  assert.deepEqual(answers, []);
  assert.equal(asked[0].signal.aborted, true);
});

test("a page has been awake since its last break", () => {
  const clock = new FakeClock();
  const awake = new Awake(clock);
  awake.start();
  clock.turn(10_000);
  assert.equal(awake.forMs(), 10_000);
  clock.block(2_400);
  assert.equal(awake.forMs(), 12_400, "a little late is no break");
  clock.block(2_600);
  assert.equal(awake.forMs(), 0);
  clock.turn(1_000);
  assert.equal(awake.forMs(), 1_000);
  awake.stop();
  assert.equal(clock.waiting, 0);
});

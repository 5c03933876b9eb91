/** The screen lock: asked for whenever the page is visible and has none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ScreenLock } from "../../../public/app/lobby/screen-lock.js";
import { FakeClock, fake } from "../support/fakes.mjs";

const RETRY_MS = 60_000;

/** Lets promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function openLock({ refuses = false } = {}) {
  const clock = new FakeClock();
  const document = fake(Object.assign(new EventTarget(), { visibilityState: "visible" }));
  /** @type {EventTarget[]} */
  const locks = [];
  const source = {
    refuses,
    requests: 0,
    async request() {
      source.requests += 1;
      if (source.refuses) throw new DOMException("battery", "NotAllowedError");
      return fake(locks[locks.push(new EventTarget()) - 1]);
    },
  };
  const lock = new ScreenLock({ source, document, clock });
  /** @type {boolean[]} */
  const held = [];
  lock.onchange = (isHeld) => held.push(isHeld);
  const show = (/** @type {string} */ visibilityState) => {
    Object.assign(document, { visibilityState });
    document.dispatchEvent(new Event("visibilitychange"));
  };
  return { clock, lock, locks, source, held, show };
}

test("it is asked for at the start, and says when it is held", async () => {
  const { lock, source, held } = openLock();
  lock.start();
  await settle();
  assert.deepEqual([source.requests, held], [1, [false, true]]);
});

test("a lock that the browser released is asked for when the page is visible again", async () => {
  const { lock, locks, source, held, show } = openLock();
  lock.start();
  await settle();
  show("hidden");
  locks[0].dispatchEvent(new Event("release"));
  assert.equal(held.at(-1), false);
  assert.equal(source.requests, 1);
  show("visible");
  await settle();
  assert.deepEqual([source.requests, held.at(-1)], [2, true]);
});

test("a held lock is not asked for again", async () => {
  const { clock, lock, source, show } = openLock();
  lock.start();
  await settle();
  show("visible");
  clock.turn(RETRY_MS);
  lock.tick();
  await settle();
  assert.equal(source.requests, 1);
});

test("after a refusal it is asked for once a minute", async () => {
  const { clock, lock, source, held } = openLock({ refuses: true });
  lock.start();
  await settle();
  lock.tick();
  clock.turn(RETRY_MS - 1);
  lock.tick();
  assert.equal(source.requests, 1);
  source.refuses = false;
  clock.turn(1);
  lock.tick();
  await settle();
  assert.deepEqual([source.requests, held.at(-1)], [2, true]);
});

test("a page that cannot have one says so", () => {
  const lock = new ScreenLock({ source: undefined, document: fake(new EventTarget()), clock: new FakeClock() });
  /** @type {boolean[]} */
  const held = [];
  lock.onchange = (isHeld) => held.push(isHeld);
  lock.start();
  lock.tick();
  assert.deepEqual(held, [false]);
});

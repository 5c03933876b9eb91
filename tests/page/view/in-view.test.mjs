/** Which elements are in view. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InView } from "../../../public/app/view/in-view.js";
import { fake } from "../support/fakes.mjs";

class FakeObserver {
  static last = /** @type {FakeObserver | null} */ (null);
  targets = new Set();

  /** @param {(entries: { target: unknown, isIntersecting: boolean }[]) => void} note */
  constructor(note) {
    this.note = note;
    FakeObserver.last = this;
  }

  observe(/** @type {unknown} */ target) {
    this.targets.add(target);
  }

  unobserve(/** @type {unknown} */ target) {
    this.targets.delete(target);
  }
}

test("an element is in view until the browser says otherwise, and entering is reported once", () => {
  const inView = new InView(fake(FakeObserver));
  let entered = 0;
  inView.onenter = () => (entered += 1);
  const [one, other] = [fake({}), fake({})];
  inView.add(one);
  inView.add(other);
  assert.deepEqual([inView.has(one), FakeObserver.last?.targets.size], [true, 2]);
  FakeObserver.last?.note([{ target: one, isIntersecting: false }, { target: other, isIntersecting: true }]);
  assert.deepEqual([inView.has(one), inView.has(other), entered], [false, true, 0]);
  FakeObserver.last?.note([{ target: one, isIntersecting: true }]);
  assert.deepEqual([inView.has(one), entered], [true, 1]);
  inView.remove(one);
  assert.equal(FakeObserver.last?.targets.size, 1);
});

test("without the browser's help everything is in view", () => {
  const inView = new InView(undefined);
  const element = fake({});
  inView.add(element);
  assert.equal(inView.has(element), true);
});

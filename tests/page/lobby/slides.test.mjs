/** Slides: every pet has its turn, for long enough. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Slides } from "../../../public/app/lobby/slides.js";
import { FakeClock } from "../support/fakes.mjs";

const SLIDE_MS = 15_000;

/** The ranges of all slides in turn. @param {number} count */
function ranges(count) {
  const clock = new FakeClock();
  const slides = new Slides(clock);
  const seen = [];
  do {
    const { from, to } = slides.current(count);
    seen.push([from, to]);
    clock.turn(SLIDE_MS);
    slides.advance();
  } while (slides.current(count).from > 0);
  return seen;
}

test("up to six pets are one slide", () => {
  const slides = new Slides(new FakeClock());
  for (const count of [0, 1, 5, 6]) {
    assert.deepEqual(slides.current(count), { from: 0, to: count, places: count, isOnly: true });
  }
});

test("more pets take turns on slides of about the same size", () => {
  assert.deepEqual(ranges(7), [[0, 4], [4, 7]]);
  assert.deepEqual(ranges(12), [[0, 6], [6, 12]]);
  assert.deepEqual(ranges(13), [[0, 5], [5, 10], [10, 13]]);
  for (let count = 1; count <= 600; count += 1) {
    const seen = ranges(count);
    assert.equal(seen.at(-1)?.[1], count);
    for (const [at, [from, to]] of seen.entries()) {
      assert.equal(from, seen[at - 1]?.[1] ?? 0, `${count} pets`);
      assert.ok(to > from && to - from <= 6, `${count} pets: ${from} to ${to}`);
    }
  }
});

test("a slide is shown for its whole time", () => {
  const clock = new FakeClock();
  const slides = new Slides(clock);
  clock.turn(SLIDE_MS - 1);
  assert.equal(slides.advance(), false);
  clock.turn(1);
  assert.equal(slides.advance(), true);
  assert.equal(slides.advance(), false);
  assert.equal(slides.current(12).from, 6);
});

test("a paused slide stays, and has its whole time again afterwards", () => {
  const clock = new FakeClock();
  const slides = new Slides(clock);
  slides.isPaused = true;
  clock.turn(10 * SLIDE_MS);
  assert.equal(slides.advance(), false);
  slides.resume();
  clock.turn(SLIDE_MS - 1);
  assert.equal(slides.advance(), false);
  assert.equal(slides.current(12).from, 0);
});

test("if the last slide ends to exist, the first one is shown", () => {
  const clock = new FakeClock();
  const slides = new Slides(clock);
  clock.turn(SLIDE_MS);
  slides.advance();
  assert.equal(slides.current(7).from, 4);
  assert.deepEqual(slides.current(6), { from: 0, to: 6, places: 6, isOnly: true });
});

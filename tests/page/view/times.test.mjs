/** Times on the page: redrawn when their text changes, and not before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../../public/petstore/connection/server-clock.js";
import { momentText, nextChangeOf, setLocalTime } from "../../../public/app/state/time-text.js";
import { Tick } from "../../../public/app/view/tick.js";
import { Times } from "../../../public/app/view/times.js";
import { fake, FakeClock } from "../support/fakes.mjs";

const MINUTE_MS = 60_000;

class FakePet {
  /** @type {Record<string, boolean>} */
  marks = {};

  querySelector() {
    return null;
  }

  /** @param {string} name @param {boolean} is */
  toggleAttribute(name, is) {
    this.marks[name] = is;
  }
}

/** A time element of a pet, which counts how often its text is read. */
class FakeTime {
  reads = 0;
  isConnected = true;
  pet = new FakePet();

  /** @param {number} at */
  constructor(at) {
    this.datetime = new Date(at).toISOString();
  }

  get textContent() {
    this.reads += 1;
    return "";
  }

  set textContent(_text) {}

  getAttribute() {
    return this.datetime;
  }

  setAttribute(/** @type {string} */ _name, /** @type {string} */ datetime) {
    this.datetime = datetime;
  }

  hasAttribute() {
    return true;
  }

  closest() {
    return this.pet;
  }
}

/** A page with times of these ages. @param {number[]} agesMs */
function openPage(...agesMs) {
  const clock = new FakeClock();
  const elements = agesMs.map((ageMs) => new FakeTime(clock.now() - ageMs));
  const page = { searches: 0, querySelectorAll: () => ((page.searches += 1), elements) };
  const serverClock = new ServerClock(clock);
  const tick = new Tick(clock);
  const outOfView = new Set();
  const inView = { has: (/** @type {unknown} */ pet) => !outOfView.has(pet) };
  const times = new Times({ root: fake(page), serverClock, tick, inView, oldMs: 60 * MINUTE_MS });
  tick.start();
  times.start();
  return { clock, serverClock, page, times, elements, outOfView };
}

test("a time is redrawn when its minute is over, and the page is not searched for times again", () => {
  const { clock, page, elements } = openPage(0, 30_000);
  assert.deepEqual(elements.map(({ reads }) => reads), [1, 1]);
  clock.turn(29_000);
  assert.deepEqual(elements.map(({ reads }) => reads), [1, 1]);
  clock.turn(2_000);
  assert.deepEqual(elements.map(({ reads }) => reads), [1, 2]);
  clock.turn(MINUTE_MS);
  assert.deepEqual(elements.map(({ reads }) => reads), [2, 3]);
  assert.equal(page.searches, 1);
});

test("a removed time is dropped, and a stopped page redraws nothing until it is started", () => {
  const { clock, times, elements } = openPage(0, 0);
  elements[0].isConnected = false;
  clock.turn(MINUTE_MS + 1_000);
  assert.deepEqual(elements.map(({ reads }) => reads), [1, 2]);
  times.stop();
  clock.turn(10 * MINUTE_MS);
  assert.equal(elements[1].reads, 2);
  times.start();
  assert.equal(elements[1].reads, 3);
});

test("a time out of view is redrawn when it comes into view, if it has changed", () => {
  const { clock, times, elements, outOfView } = openPage(0, 0);
  outOfView.add(elements[0].pet);
  clock.turn(MINUTE_MS + 1_000);
  assert.deepEqual(elements.map(({ reads }) => reads), [1, 2]);
  outOfView.clear();
  times.drawDue();
  assert.deepEqual(elements.map(({ reads }) => reads), [2, 2]);
  times.drawDue();
  assert.deepEqual(elements.map(({ reads }) => reads), [2, 2]);
});

test("a time that is set is drawn, and changes a minute later", () => {
  const { clock, times, elements } = openPage(30_000);
  times.set(fake(elements[0]), new Date(clock.now()).toISOString());
  assert.equal(elements[0].reads, 2);
  clock.turn(MINUTE_MS - 2_000);
  assert.equal(elements[0].reads, 2);
  clock.turn(3_000);
  assert.equal(elements[0].reads, 3);
});

test("a pet is marked when its status becomes old, and no longer when it has another", () => {
  const { clock, times, elements } = openPage(59 * MINUTE_MS);
  const { marks } = elements[0].pet;
  assert.deepEqual(marks, { "data-old": false });
  clock.turn(MINUTE_MS + 1_000);
  assert.deepEqual(marks, { "data-old": true });
  times.set(fake(elements[0]), new Date(clock.now()).toISOString());
  assert.deepEqual(marks, { "data-old": false });
});

test("all times are redrawn if the server's time turns out to be earlier", () => {
  const { clock, serverClock, elements } = openPage(0);
  serverClock.sync(new Date(clock.now() - 60 * MINUTE_MS).toISOString());
  clock.turn(1_000);
  assert.equal(elements[0].reads, 2);
});

test("a time is drawn again when a minute of its age is over", () => {
  const noon = Date.UTC(2024, 4, 1, 12);
  for (const [ageMinutes, inMinutes] of [
    [0, 1],
    [0.5, 0.5],
    [59.5, 0.5],
    [60.25, 0.75],
    [24 * 60, 1],
    [-5.5, 1],
  ]) {
    const since = noon - ageMinutes * MINUTE_MS;
    assert.equal(nextChangeOf(since, noon), noon + inMinutes * MINUTE_MS, `${ageMinutes} min old`);
  }
});

/** On the day with 23 hours, the day of a time was drawn an hour late. */
test("a time is drawn again at midnight, also on a day with another number of hours", () => {
  for (const [timeZone, midnight] of [
    ["Europe/Berlin", "2026-03-29T22:00:00Z"],
    ["Europe/Berlin", "2026-10-25T23:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-05T13:30:00Z"],
    ["Asia/Kathmandu", "2026-05-01T18:15:00Z"],
  ]) {
    setLocalTime({ timeZone });
    const end = Date.parse(midnight);
    // Yesterday, and before the clocks changed.
    const since = end - 47 * 60 * MINUTE_MS + 1;
    let now = end - 22.5 * 60 * MINUTE_MS;
    while (now < end) now = nextChangeOf(since, now);
    assert.equal(now, end, `${timeZone} ${midnight}`);
    assert.notEqual(momentText(since, end), momentText(since, end - 1));
  }
});
